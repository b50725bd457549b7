"""RR to NN: which intervals are between two normal beats.

A range filter and a jump filter. Nothing is corrected or invented here: an interval is kept as it
is or left out, and the share left out is told. Sources: Task Force of the European Society of
Cardiology and NASPE (1996), Circulation 93:1043, section "Measurement of HRV" (RR against NN);
the jump filter compares with the local median as Karlsson et al. (2012), BioMed Eng OnLine 11:2,
with the 30% that keeps the respiratory swing of a young heart at rest.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

METHOD = "range 300-2000 ms, jump 30% of local median; version 1"
SHORTEST_MS = 300.0  # 200 beats a minute
LONGEST_MS = 2000.0  # 30 beats a minute
LARGEST_JUMP = 0.30
_HALF_WIDTH = 5  # the local median is of up to 11 intervals


class Label(IntEnum):
    """What an RR interval is taken for."""

    NORMAL = 0
    OUT_OF_RANGE = 1
    JUMP = 2
    NO_CONTACT = 3


@dataclass(frozen=True, slots=True, eq=False)
class Cleaned:
    """``label`` of each interval, shape (n,), and the ``removed_share`` in [0, 1] (NaN for none).

    ``normal``: mask of NN intervals, shape (n,).
    """

    label: NDArray[np.int8]

    @property
    def normal(self) -> NDArray[np.bool_]:
        """Mask of the NN intervals."""
        result: NDArray[np.bool_] = self.label == np.int8(Label.NORMAL)
        return result

    @property
    def removed_share(self) -> float:
        """Share of intervals left out; NaN when there was none at all."""
        return float(np.mean(self.label != Label.NORMAL)) if len(self.label) else float("nan")


def clean(
    rr_ms: NDArray[np.float64],
    contact: NDArray[np.int8] | None = None,
    run: NDArray[np.int64] | None = None,
) -> Cleaned:
    """Label RR intervals.

    ``rr_ms``: shape (n,), milliseconds, in order. ``contact``: 0 where the strap said that it
    touched no skin. ``run``: a number per unbroken run of beats; the local median never reaches
    over a gap. Raises ValueError for other shapes.
    """
    rr_ms = np.asarray(rr_ms, dtype=np.float64)
    if rr_ms.ndim != 1:
        raise ValueError(f"rr_ms must have shape (n,), not {rr_ms.shape}")
    for name, other in (("contact", contact), ("run", run)):
        if other is not None and np.shape(other) != rr_ms.shape:
            raise ValueError(f"{name} must have the shape of rr_ms")
    label = np.full(len(rr_ms), Label.NORMAL, dtype=np.int8)
    in_range = np.isfinite(rr_ms) & (rr_ms >= SHORTEST_MS) & (rr_ms <= LONGEST_MS)
    median = _local_median(np.where(in_range, rr_ms, np.nan), run)
    with np.errstate(invalid="ignore"):
        label[np.abs(rr_ms - median) > LARGEST_JUMP * median] = Label.JUMP
    label[~in_range] = Label.OUT_OF_RANGE
    if contact is not None:
        label[np.asarray(contact) == 0] = Label.NO_CONTACT
    return Cleaned(label)


def _local_median(
    values: NDArray[np.float64], run: NDArray[np.int64] | None
) -> NDArray[np.float64]:
    """Median of the finite values among up to 11 neighbours of the same run, shape as ``values``;
    NaN where there is none.
    """
    if not len(values):
        return values
    width = 2 * _HALF_WIDTH + 1
    around = np.lib.stride_tricks.sliding_window_view(
        np.pad(values, _HALF_WIDTH, constant_values=np.nan), width
    )
    if run is not None:
        # Runs are numbered from 0 up, so -1 is of no run.
        runs = np.lib.stride_tricks.sliding_window_view(
            np.pad(run, _HALF_WIDTH, constant_values=-1), width
        )
        around = np.where(runs == np.asarray(run)[:, None], around, np.nan)
    # NaN sorts last: the median is in the middle of what comes before them.
    ordered = np.sort(around, axis=1)
    count = np.sum(np.isfinite(around), axis=1)
    row = np.arange(len(values))
    low = ordered[row, np.maximum(count - 1, 0) // 2]
    high = ordered[row, np.minimum(count // 2, width - 1)]
    middle: NDArray[np.float64] = (low + high) / 2
    return middle
