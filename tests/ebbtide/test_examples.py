"""Run the examples in the docstrings of ``ebbtide``."""

from __future__ import annotations

import doctest
import importlib
import pkgutil

import pytest

import ebbtide

MODULES = [
    found.name
    for found in pkgutil.walk_packages(ebbtide.__path__, "ebbtide.")
    if not found.name.endswith("__main__")
]
WITH_EXAMPLES = {
    "ebbtide.client",
    "ebbtide.client._errors",
    "ebbtide.errors",
    "ebbtide.rr_units",
    "ebbtide.timestamps",
}


@pytest.mark.parametrize("name", MODULES)
def test_examples_give_what_they_show(name: str) -> None:
    module = importlib.import_module(name)
    done = doctest.testmod(module, optionflags=doctest.IGNORE_EXCEPTION_DETAIL)
    assert done.failed == 0
    assert done.attempted > 0 or name not in WITH_EXAMPLES


def test_the_client_is_imported_at_its_first_use() -> None:
    from ebbtide.client import ApiError, Client

    assert (ebbtide.Client, ebbtide.ApiError) == (Client, ApiError)
    with pytest.raises(AttributeError, match="no attribute 'Clients'"):
        _ = ebbtide.Clients
