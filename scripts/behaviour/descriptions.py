"""What describes the product: ``--help`` of every command, and the OpenAPI document."""

from __future__ import annotations

import json
import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
from normalising import write
from product import Product


def record_help(product: Product, out: Path) -> None:
    """``--help`` of every command, found by walking from the first."""

    def walk(words: tuple[str, ...]) -> None:
        done = product.run(*words, "--help", COLUMNS="100")
        text = f"exit {done.returncode}\n{done.stdout}\n{done.stderr}"
        write(out, "-".join(["ebbtide", *words]) + ".txt", product.normalise(text))
        _, begin, below = done.stdout.partition("\nCommands:\n")
        if begin:
            names = re.findall(r"^  ([a-z][\w-]*)(?:  .*)?$", below, flags=re.MULTILINE)
            with ThreadPoolExecutor(2) as pool:
                list(pool.map(lambda name: walk((*words, name)), names))

    walk(())
    write(out, "version.txt", product.output_of("--version"))
    write(out, "no-arguments.txt", product.output_of())


def record_openapi(product: Product, out: Path) -> None:
    """The document as it is, and once more without the names of its schemas."""
    with product.serve():
        document = httpx.get(f"{product.url}/openapi.json", timeout=120).json()
    write(out, "as-is.json", product.normalise(pretty(document)))
    write(out, "without-schema-names.json", product.normalise(pretty(anonymised(document))))


def pretty(document: object) -> str:
    """JSON with sorted keys."""
    return json.dumps(document, indent=1, sort_keys=True, ensure_ascii=False)


def anonymised(document: dict[str, Any]) -> dict[str, Any]:
    """Every ``$ref`` replaced by what it leads to; titles that are names of schemas left out."""
    parts = document.get("components", {}).get("schemas", {})

    def put_in(value: Any, within: tuple[str, ...]) -> Any:
        if isinstance(value, list):
            return [put_in(item, within) for item in value]
        if not isinstance(value, dict):
            return value
        ref = value.get("$ref")
        if isinstance(ref, str) and ref.startswith("#/components/schemas/"):
            name = ref.rpartition("/")[2]
            beside = {k: put_in(v, within) for k, v in value.items() if k != "$ref"}
            if name in within:  # a schema that contains itself: how many levels up it begins
                return {"<levels up>": within[::-1].index(name) + 1, **beside}
            found = put_in(parts[name], (*within, name))
            return {**{k: v for k, v in found.items() if k != "title"}, **beside}
        return {k: put_in(v, within) for k, v in value.items() if k != "discriminator"}

    rest = {k: v for k, v in document.items() if k != "components"}
    others = {k: v for k, v in document.get("components", {}).items() if k != "schemas"}
    schemas = [put_in({"$ref": f"#/components/schemas/{name}"}, ()) for name in parts]
    return {**put_in(rest, ()), "components": others, "schemas": sorted(schemas, key=pretty)}
