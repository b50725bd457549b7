"""Load modules, and the members of a package's face, when they are first used.

So importing one module of a package loads no others, and a process has in memory what it uses:
SciPy and Arrow are 90 MB and a second.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any


def lazy_members(package: str, modules: Mapping[str, tuple[str, ...]]) -> Callable[[str], Any]:
    """Return a module-level ``__getattr__`` (PEP 562). ``modules``: module → names it defines."""
    module_of = {name: module for module, names in modules.items() for name in names}

    def load(name: str) -> Any:
        if name not in module_of:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        return getattr(import_module(module_of[name]), name)

    return load


class _LazyModule:
    """Stand for a module until one of its names is asked for."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, name: str) -> Any:
        found = getattr(import_module(self._name), name)
        setattr(self, name, found)  # found without this method from now on
        return found

    def __repr__(self) -> str:
        return f"<{self._name}, loaded when used>"


def lazy_module(name: str) -> Any:
    """Return what stands for the module ``name`` (``scipy.special``) and imports it when used.

    For a module that is used inside of functions alone. Types want the real import, for the type
    checker only: ``if TYPE_CHECKING: import pyarrow as pa``, ``else: pa = lazy_module("pyarrow")``.
    """
    return _LazyModule(name)
