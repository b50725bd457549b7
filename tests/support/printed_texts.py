"""The sentences that commands print, read from their syntax."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from tests.support.syntax import name_of, template_of

# What prints its first argument, or shows it while something is under way.
_PRINTS = {"echo", "secho", "print", "confirm", "prompt", "add_task", "status", "say", "add_column"}
# Calls whose arguments are translated, or are for machines.
_DONE = {"_", "N_", "ngettext", "dumps", "say_result", "say_words", "say_error", "to_csv", "get"}
_WORD = re.compile(r"[A-Za-z]{3,}")


def printed_sentences(path: Path) -> list[str]:
    """Return what a file prints in every language as it stands: words that go through no
    catalogue.
    """
    return [
        text
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and name_of(node.func) in _PRINTS and node.args
        for text in _untranslated(node.args[0])
        if _WORD.search(text)
    ]


def said_texts(path: Path, *, of_calls: set[str], of_lists: set[str]) -> set[str]:
    """Return the sentences that a file hands to calls of these names, adds to lists of these names
    or returns from functions of these names, with fields for what is put in.
    """
    found: set[str] = set()
    tree = ast.parse(path.read_text())
    for node in ast.walk(tree):
        values: list[ast.expr] = []
        if isinstance(node, ast.Call) and name_of(node.func) in of_calls:
            values = [*node.args, *(k.value for k in node.keywords if k.arg != "facts")]
        elif isinstance(node, ast.Call) and name_of(node.func) == "append":
            values = node.args if name_of(node.func.value) in of_lists else []  # type: ignore[attr-defined]
        elif isinstance(node, ast.Assign):
            values = [node.value] if any(name_of(t) in of_lists for t in node.targets) else []
        elif isinstance(node, ast.AugAssign):
            values = [node.value] if name_of(node.target) in of_lists else []
        elif isinstance(node, ast.FunctionDef) and node.name in of_lists:
            values = [r.value for r in ast.walk(node) if isinstance(r, ast.Return) and r.value]
        for value in values:
            found |= set(_sentences(value))
    return {text for text in found if _WORD.search(re.sub(r"\{\w*\}", "", text))}


def _sentences(node: ast.expr) -> Iterator[str]:
    if isinstance(node, ast.IfExp):
        yield from _sentences(node.body)
        yield from _sentences(node.orelse)
    elif isinstance(node, (ast.List, ast.Tuple)):
        for item in node.elts:
            yield from _sentences(item)
    else:
        text = template_of(node)
        if text is not None:
            yield text


def _untranslated(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Call) and name_of(node.func) in _DONE:
        return
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
        return
    if isinstance(node, ast.Subscript):
        yield from _untranslated(node.value)
        return
    if isinstance(node, ast.FormattedValue):
        yield from _untranslated(node.value)
        return
    for child in ast.iter_child_nodes(node):
        yield from _untranslated(child)
