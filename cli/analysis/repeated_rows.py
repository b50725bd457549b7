"""Find rows that a table gives more than once, and put rows into an order of their own.

The rule: rows with the same subject, moment and values are copies, and one of each counts. Where
they can as well be several ratings of one day, or of no time at all, the user decides.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd

from ebbtide.errors import EbbtideError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from cli.analysis.csv_table import Table
    from cli.analysis.table_times import Times

Repeated = Literal["drop", "keep"]
_MIN_WHOLE_COPY = 10  # different rows; that all of them are even in number is then no chance


def find_copies(
    table: Table,
    subjects: NDArray[np.int64],
    times: Times | None,
    values: list[NDArray[np.float64]],
    choice: Repeated | None,
) -> NDArray[np.bool_]:
    """Mark the second and later copies of rows; shape (n,).

    Raises EbbtideError where equal rows can be copies or ratings of their own.
    """
    columns: dict[str, object] = {"subject": subjects}
    if times is not None:
        columns["time"] = times.days
    for k, column in enumerate(values):
        columns[f"value {k}"] = column
    frame = pd.DataFrame(columns)
    if times is None:  # whatever else the rows hold can tell them apart
        frame = pd.concat([frame, table.frame], axis=1)
    copies: NDArray[np.bool_] = frame.duplicated().to_numpy(dtype=np.bool_)
    if not copies.any() or choice == "keep":
        return np.zeros(len(subjects), dtype=np.bool_)
    if choice == "drop" or (times is not None and times.has_clock):
        return copies
    counts = frame.groupby(list(frame.columns), dropna=False, sort=False).size().to_numpy()
    if len(counts) >= _MIN_WHOLE_COPY and int(np.gcd.reduce(counts)) > 1:
        return copies  # the whole table, as a whole number of times
    if times is not None and not frame[~copies].duplicated(["subject", "time"]).any():
        return copies  # one row a time, but for the copies
    if times is None and not _needs_question(subjects, values, copies):
        return np.zeros(len(subjects), dtype=np.bool_)
    at = int(np.argmax(copies))
    raise EbbtideError(
        f"{table.path}: {int(np.sum(copies))} rows are the same as another one (the first: line "
        f"{at + 2}). They can be copies, or ratings that happen to be equal.",
        "Say --repeated drop or --repeated keep; or give --time a column with the time of day.",
    )


def order_rows(
    subjects: NDArray[np.int64],
    times: Times | None,
    x: NDArray[np.float64],
    y: NDArray[np.float64],
    copies: NDArray[np.bool_],
) -> tuple[NDArray[np.int64], int]:
    """Order the rows that are no ``copies`` by subject and time, and count those that share both
    with another row.

    The place of these comes from their values: by chance, so that no course arises, yet the same in
    whatever order and unit the table gives them.
    """
    if times is None:
        by_file = np.argsort(subjects, kind="stable").astype(np.int64)
        return by_file[~copies[by_file]], 0
    pairs = pd.DataFrame({"subject": subjects, "time": times.days})
    is_pair = np.isfinite(x) & np.isfinite(y) & ~copies
    shared = pairs[is_pair].duplicated(keep=False)
    by_subject = pairs["subject"]
    ranks = [
        pd.Series(v).groupby(by_subject).rank("dense").fillna(0).to_numpy(dtype=np.uint64)
        for v in (x, y)
    ]
    mixed = (ranks[0] * np.uint64(0x9E3779B97F4A7C15)) ^ (ranks[1] * np.uint64(0xC2B2AE3D27D4EB4F))
    mixed = (mixed ^ (mixed >> np.uint64(29))) * np.uint64(0xBF58476D1CE4E5B9)
    hours = np.zeros(len(x)) if times.hours is None else times.hours
    order = np.lexsort((hours, ranks[1], ranks[0], mixed, times.days, subjects)).astype(np.int64)
    if copies.any() and times.has_clock:
        # Of copies that differ in the local hour of one moment, whichever comes first here.
        keys = pd.DataFrame({"s": subjects, "t": times.days, "x": x, "y": y}).iloc[order]
        first = ~keys.duplicated().to_numpy()
        return order[first], int(shared.sum())
    return order[~copies[order]], int(shared.sum())


def _needs_question(
    subjects: NDArray[np.int64], values: list[NDArray[np.float64]], copies: NDArray[np.bool_]
) -> bool:
    """Whether chance is no likely reason for equal rows without a time: of values that hardly ever
    recur by themselves (with decimals), fewer equal rows are to be expected than there are.
    """
    expected = 0.0
    for subject in np.unique(subjects):
        mine = subjects == subject
        n = int(np.sum(mine))
        rates = []
        for column in values:
            _, many = np.unique(column[mine & ~copies], return_counts=True)
            m = int(np.sum(many))
            rates.append(float(np.sum(many * (many - 1))) / max(m * (m - 1), 1))
        expected += n * (n - 1) / 2 * min(rates)
    return int(np.sum(copies)) > 1 + 2 * expected
