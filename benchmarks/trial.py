"""Change on change in the trial of Pain Reprocessing Therapy, from its own data, as Markdown.

uv run python benchmarks/trial.py [--data ../shared/data/trial/...csv]
"""

from __future__ import annotations

import argparse
import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import special

from analytics._types import FloatArray, IntArray

ROOT = Path(__file__).resolve().parent.parent
SCALES = {
    "pcs": "catastrophizing (PCS)",
    "tsk11": "fear of movement (TSK-11)",
    "promis_anxiety": "anxiety (PROMIS)",
    "panas_na": "negative affect (PANAS)",
}
GROUPS = {1: "PRT", 2: "open placebo", 3: "usual care"}


@dataclass(frozen=True, slots=True)
class ChangeOnChange:
    """Across people: how the change of ``y`` went with that of ``x``. ``slope``: points of y for
    one of x; ``r`` with Fisher's interval; None with the reason.
    """

    n: int
    slope: float | None
    r: float | None
    low: float | None
    high: float | None
    p_value: float | None
    missing_reason: str | None


MIN_FOR_CHANGE = 10


def change_on_change(x_change: FloatArray, y_change: FloatArray, group: IntArray) -> ChangeOnChange:
    """Correlate the changes of people, shape (n,) each.

    What all of a group share (its mean change: treatment, time, regression to the mean) is removed:
    a fall of both in everybody is no link.
    """
    finite = np.isfinite(x_change) & np.isfinite(y_change)
    x, y, who = x_change[finite], y_change[finite], group[finite]
    groups = len(np.unique(who))
    dof = len(x) - groups - 1
    if len(x) < MIN_FOR_CHANGE:
        why = f"{len(x)} of at least {MIN_FOR_CHANGE} people measured twice"
        return ChangeOnChange(len(x), None, None, None, None, None, why)
    for one in np.unique(who):
        x = np.where(who == one, x - np.mean(x[who == one]), x)
        y = np.where(who == one, y - np.mean(y[who == one]), y)
    if x @ x < 1e-12 or y @ y < 1e-12:
        why = "one of the two changed by the same in everybody"
        return ChangeOnChange(len(x), None, None, None, None, None, why)
    r = float(np.clip(x @ y / np.sqrt((x @ x) * (y @ y)), -1 + 1e-12, 1 - 1e-12))
    t = r * math.sqrt(dof / (1 - r**2))
    # A correlation of n pairs has n - 2 degrees of freedom, and Fisher's z a variance of 1/(n - 3).
    reach = 1.959964 / math.sqrt(dof - 1)
    middle = math.atanh(r)
    return ChangeOnChange(
        len(x),
        float(x @ y / (x @ x)),
        r,
        math.tanh(middle - reach),
        math.tanh(middle + reach),
        float(2 * special.stdtr(dof, -abs(t))),
        None,
    )


def main() -> None:
    """Print the table."""
    options = argparse.ArgumentParser(description=__doc__)
    file = "shared/data/trial/Ashar2022_outcomes_demographics.csv"
    options.add_argument("--data", type=Path, default=ROOT.parent / file)
    table = pd.read_csv(options.parse_args().data)
    table = table[(table["is_patient"] == 1) & table["group"].notna()]
    wide = table.pivot_table(
        index=["id", "group"], columns="time", values=["pain_avg", *SCALES], dropna=False
    )
    group = wide.index.get_level_values("group").to_numpy().astype(np.int64)
    change = {
        name: (wide[name][2] - wide[name][1]).to_numpy(dtype=np.float64)
        for name in ("pain_avg", *SCALES)
    }
    print("| change of | group | people | mean change | r with change of pain (95% interval) | p |")
    print("| --- | --- | --- | --- | --- | --- |")
    for name, title in SCALES.items():
        for number, words in [*GROUPS.items(), (0, "all, group means taken out")]:
            who = np.ones(len(group), bool) if number == 0 else group == number
            found = change_on_change(change[name][who], change["pain_avg"][who], group[who])
            if found.r is None or found.p_value is None:
                continue
            mean = "" if number == 0 else f"{np.nanmean(change[name][who]):+.2f}"
            print(
                f"| {title} | {words} | {found.n} | {mean} | {found.r:+.2f} "
                f"({found.low:+.2f} to {found.high:+.2f}) | {found.p_value:.2g} |"
            )


if __name__ == "__main__":
    main()
