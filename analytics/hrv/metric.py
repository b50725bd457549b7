"""One HRV metric is one row of a table: what it is, what it needs, and how it is computed.

``time_domain``, ``frequency_domain`` and ``nonlinear`` each hold a table of ``Metric``;
``requirements.METRICS`` joins them. Everything else (window tables, the command line, the minimum
lengths, the table of ``docs/evidence/hrv.md``) is derived from these rows.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Generic, TypeVar

from analytics._types import FloatArray

Windows = TypeVar("Windows")


class Domain(StrEnum):
    """Kinds of metrics."""

    TIME = "time"
    FREQUENCY = "frequency"
    NONLINEAR = "nonlinear"


# Without slots: a generic class cannot be called with its parameter when frozen and slotted.
@dataclass(frozen=True)
class Metric(Generic[Windows]):
    """``rows`` computes the metric of many windows at once, shape (w,), NaN where undefined.

    ``min_seconds``: of NN intervals in the window; ``min_intervals``: of the series that the metric
    is computed from, which is the corrected one where ``of_corrected``. ``source``: the paper that
    defines it, empty for plain statistics.
    """

    name: str
    unit: str
    description: str
    domain: Domain
    rows: Callable[[Windows], FloatArray]
    source: str = ""
    min_seconds: int = 0
    min_intervals: int = 0
    of_corrected: bool = False
