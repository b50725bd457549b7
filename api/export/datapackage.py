"""Frictionless Data Package (v2): what the columns of a CSV export mean, for programs."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from api.export.columns import (
    DESCRIPTIONS,
    MOVED_TIMESTAMP,
    PRIMARY_KEYS,
    TIMESTAMP,
    Column,
    Table,
    table_columns,
)

_PROFILES = "https://datapackage.org/profiles/2.0"


def describe_package(
    paths: Iterable[tuple[Table, str]], pseudonymous: bool, simulated: bool = False
) -> dict[str, Any]:
    """Describe CSV files of these tables, each with its path beside the description."""
    return {
        "$schema": f"{_PROFILES}/datapackage.json",
        "name": "ebbtide",
        "title": "Heartbeats beside ratings of pain and stress",
        "description": ("Times are local, without a zone" if pseudonymous else "Times are UTC")
        + ", once as integers of nanoseconds (..._ns) and once as ISO 8601. Not a medical device."
        + (
            " People are named by pseudonyms, and dates are moved by whole weeks."
            if pseudonymous
            else ""
        )
        + (" SIMULATED: a sample, no real person's data." if simulated else ""),
        "resources": [describe_resource(table, path, pseudonymous) for table, path in paths],
    }


def describe_resource(table: Table, path: str, pseudonymous: bool) -> dict[str, Any]:
    """Describe the CSV file of one table."""
    schema: dict[str, Any] = {
        "$schema": f"{_PROFILES}/tableschema.json",
        "fields": [
            _describe_field(name, column)
            for name, column in table_columns(table, pseudonymous).items()
        ],
        "missingValues": [""],
    }
    key = PRIMARY_KEYS[table]
    if key:
        schema["primaryKey"] = ["person", *key] if pseudonymous else list(key)
    return {
        "$schema": f"{_PROFILES}/dataresource.json",
        "name": str(table),
        "title": DESCRIPTIONS[table],
        "type": "table",
        "path": path,
        "format": "csv",
        "mediatype": "text/csv",
        "encoding": "utf-8",
        "dialect": {"delimiter": ",", "lineTerminator": "\n", "quoteChar": '"', "header": True},
        "schema": schema,
    }


def _describe_field(name: str, column: Column) -> dict[str, Any]:
    field: dict[str, Any] = {"name": name, "description": column.description}
    kind = column.type_name
    if kind == "bool_":
        field |= {"type": "boolean", "trueValues": ["TRUE"], "falseValues": ["FALSE"]}
    elif kind in (TIMESTAMP, MOVED_TIMESTAMP):
        field["type"] = "datetime"
    elif kind.startswith("int"):
        field["type"] = "integer"
    elif kind.startswith("float"):
        field["type"] = "number"
    else:
        field["type"] = "string"
    if column.unit:
        field["unit"] = column.unit
    return field
