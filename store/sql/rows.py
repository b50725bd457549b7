"""Map records (frozen dataclasses) to rows of SQL tables and back, field by field.

A field and the attribute of its column have the same name. Enums are stored as their value, sets of
enums as their values in order, separated by spaces; numbers, texts and booleans as they are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, fields
from enum import StrEnum
from functools import cache
from types import NoneType, UnionType
from typing import TYPE_CHECKING, Any, TypeVar, get_args, get_origin, get_type_hints

from sqlalchemy.orm import DeclarativeBase

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

RowType = TypeVar("RowType", bound=DeclarativeBase)
RecordType = TypeVar("RecordType", bound="DataclassInstance")

_PLAIN = frozenset({str, int, float, bool, NoneType})


@dataclass(frozen=True, slots=True)
class _Column:
    """A field, and what makes its stored value and its own value; None where they are the same."""

    name: str
    encode: Callable[[Any], object] | None = None
    decode: Callable[[Any], object] | None = None


def to_values(record: DataclassInstance) -> dict[str, object]:
    """Return the stored value of each field of ``record``, by name."""
    values: dict[str, object] = {}
    for column in _columns(type(record)):
        value = getattr(record, column.name)
        values[column.name] = value if column.encode is None else column.encode(value)
    return values


def to_row(row_type: type[RowType], record: DataclassInstance, **more: object) -> RowType:
    """Make a row of ``record``; ``more``: columns that are no field of it.

    Raises TypeError for a field without a column.
    """
    return row_type(**to_values(record), **more)


def from_row(record_type: type[RecordType], row: object) -> RecordType:
    """Make a record of ``row``, of the ORM or of a SELECT; it may have further columns."""
    values: dict[str, Any] = {}
    for column in _columns(record_type):
        value = getattr(row, column.name)
        values[column.name] = value if column.decode is None else column.decode(value)
    return record_type(**values)


def from_values(record_type: type[RecordType], values: Iterable[object]) -> RecordType:
    """Make a record of the stored values of its fields, as ``columns_of`` selects them.

    Raises ValueError where there are more or fewer of them than fields.
    """
    return record_type(
        *(
            value if column.decode is None else column.decode(value)
            for column, value in zip(_columns(record_type), values, strict=True)
        )
    )


def columns_of(row_type: type[DeclarativeBase], record_type: type[DataclassInstance]) -> list[Any]:
    """List the columns of ``row_type`` that are fields of ``record_type``, in their order."""
    return [getattr(row_type, column.name) for column in _columns(record_type)]


@cache
def _columns(record_type: type[DataclassInstance]) -> tuple[_Column, ...]:
    hints = get_type_hints(record_type)
    return tuple(_column(field.name, hints[field.name]) for field in fields(record_type))


def _column(name: str, hint: Any) -> _Column:
    """Choose the converters by a field's type. Raises TypeError where there is none."""
    if isinstance(hint, type) and issubclass(hint, StrEnum):
        return _Column(name, str, hint)
    if get_origin(hint) is frozenset:
        (kind,) = get_args(hint)
        if issubclass(kind, StrEnum):
            return _Column(
                name,
                lambda values: " ".join(sorted(values)),
                lambda text: frozenset(kind(word) for word in text.split()),
            )
    kinds = get_args(hint) if isinstance(hint, UnionType) else (hint,)
    if all(kind in _PLAIN for kind in kinds):
        return _Column(name)
    raise TypeError(f"no column can hold the field {name} of type {hint}")
