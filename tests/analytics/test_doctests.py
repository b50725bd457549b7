"""The examples in the docstrings of the public face, run as doctests."""

from __future__ import annotations

import doctest
import inspect
import subprocess
import sys
from collections.abc import Callable

import pytest

import analytics
import analytics.association
import analytics.hrv
import analytics.practice
import analytics.programme

FUNCTIONS = [
    getattr(analytics, name)
    for name in analytics.__all__
    if inspect.isfunction(getattr(analytics, name))
] + [
    analytics.practice.offer_effect,
    analytics.practice.wcls,
    analytics.practice.mediated_effects,
]
SECTIONS = ("Parameters\n", "Returns\n", "Notes\n", "Examples\n")


@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda function: function.__name__)
def test_examples_of_public_functions(function: Callable[..., object]) -> None:
    text = inspect.getdoc(function) or ""
    assert [section for section in SECTIONS if section not in text] == []
    (example,) = doctest.DocTestFinder(recurse=False).find(function, function.__name__, globs={})
    assert example.examples
    result = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS).run(example)
    assert result.failed == 0


@pytest.mark.parametrize(
    "package",
    [analytics, analytics.hrv, analytics.association, analytics.practice, analytics.programme],
)
def test_every_member_of_a_face_is_there(package: object) -> None:
    names = package.__all__  # type: ignore[attr-defined]
    assert len(names) == len(set(names))
    for name in names:
        assert getattr(package, name) is not None
        assert not inspect.ismodule(getattr(package, name))
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = package.nothing  # type: ignore[attr-defined]


def test_faces_load_no_library_before_it_is_needed() -> None:
    code = (
        "import sys, analytics, analytics.hrv, analytics.association, analytics.programme\n"
        "import analytics.practice\n"
        "assert not {'numpy', 'scipy'} & set(sys.modules)\n"
        "from analytics import hrv_windows\n"
        "from analytics.association import Association, group_link\n"
        "heavy = {'scipy.signal', 'scipy.interpolate', 'scipy.optimize', 'scipy.stats'}\n"
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
