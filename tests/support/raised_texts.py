"""The sentences of errors that the code raises, read from its syntax."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from tests.support.syntax import name_of, template_of

_FIELD = re.compile(r"\{\w*\}")
_MIN_WORDS = 3  # fewer words of its own fit too much else: "{path} is {what}."


def raised_texts(folders: list[Path]) -> dict[str, str]:
    """Return what and remedy of the errors that people see, with fields for what is put in, and
    the file of each. A sentence that is put together of pieces is left out.
    """
    found: dict[str, str] = {}
    for folder in folders:
        for path in sorted(folder.rglob("*.py") if folder.is_dir() else [folder]):
            for text in _texts_of(path):
                found.setdefault(text, str(path))
    return found


def without_names(text: str) -> str:
    """A sentence with nameless fields, as f-strings and the catalogue name them otherwise."""
    return _FIELD.sub("{}", text)


def _texts_of(path: Path) -> Iterator[str]:
    tree = ast.parse(path.read_text())
    constants = {
        target.id: node.value
        for node in tree.body
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call) or not _is_for_people(node.func):
            continue
        for argument in node.args[:2]:
            text = template_of(constants.get(getattr(argument, "id", ""), argument))
            if text is not None and len(re.findall(r"[A-Za-z]{2,}", _FIELD.sub("", text))) >= (
                _MIN_WORDS if "{" in text else 2
            ):
                yield text


def _is_for_people(function: ast.expr) -> bool:
    kinds = {"EbbtideError", "ChoiceError", "OutboxError", "CannotRecordError", "UnpackedSizeError"}
    kinds |= {"RatesAloneError", "DamagedJsonError"}
    return name_of(function) in kinds
