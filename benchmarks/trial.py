"""Change on change in the trial of Pain Reprocessing Therapy, from its own data, as Markdown.

uv run python benchmarks/trial.py [--data ../shared/data/trial/...csv]
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import pandas as pd

from analytics.programme.outcomes import change_on_change

ROOT = Path(__file__).resolve().parent.parent
SCALES = {
    "pcs": "catastrophizing (PCS)",
    "tsk11": "fear of movement (TSK-11)",
    "promis_anxiety": "anxiety (PROMIS)",
    "panas_na": "negative affect (PANAS)",
}
GROUPS = {1: "PRT", 2: "open placebo", 3: "usual care"}


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
