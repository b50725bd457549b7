"""Names and sentences in the syntax of Python."""

from __future__ import annotations

import ast


def name_of(node: ast.AST) -> str:
    """Return the name of a variable or an attribute; empty for all else."""
    return getattr(node, "attr", None) or getattr(node, "id", None) or ""


def template_of(node: ast.expr) -> str | None:
    """Return a text, with a field for each value that is put in; None for all else."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if not isinstance(node, ast.JoinedStr):
        return None
    text, names = "", set()
    for part in node.values:
        if isinstance(part, ast.Constant):
            text += str(part.value)
            continue
        assert isinstance(part, ast.FormattedValue)
        name = name_of(part.value) or "value"
        name = name.strip("_").lower()
        while name in names:
            name += "2"
        names.add(name)
        text += "{" + name + "}"
    return text
