"""How often a change, or its beginning, is reported where there is none, or found.

    uv run python benchmarks/onset.py [--draws 150]

Three ratings a day with autocorrelated ups and downs (standard deviation 1.3): level (in whole
numbers, for the alarms), or level for a third of the time and then falling by 4 points to the end.
"""

from __future__ import annotations

import argparse

import numpy as np

from analytics.programme.change import change_between, onset
from benchmarks.false_alarms import RHOS, rated, ups_and_downs


def main() -> None:
    """Print the table."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--draws", type=int, default=150)
    draws = options.parse_args().draws
    print("| ratings | autocorrelation | onset told, none there | found | covered | change told |")
    print("| --- | --- | --- | --- | --- | --- |")
    for n, side in ((30, 3.0), (84, 7.0)):
        for rho in RHOS:
            rng = np.random.default_rng([n, round(10 * rho)])
            days = np.arange(n) / 3
            began = days[n // 3]
            fall = 4 * np.clip(days - began, 0, None) / (days[-1] - began)
            noise = ups_and_downs(draws, n, rho, rng)
            alarms = sum(onset(days, rated(5 + one)).day is not None for one in noise)
            found = [onset(days, 7 - fall + one) for one in noise]
            reported = [one for one in found if one.low is not None and one.high is not None]
            inside = sum((one.low or 0) <= began <= (one.high or 0) for one in reported)
            last = (days[-1] - side, days[-1] + 1)
            changed = sum(change_between(days, 5 + one, (0, side), last).reliable for one in noise)
            covered = f"{inside / len(reported):.0%}" if reported else ""
            print(
                f"| {n} | {rho} | {alarms / draws:.1%} | {len(reported) / draws:.0%} | {covered} "
                f"| {changed / draws:.1%} |"
            )


if __name__ == "__main__":
    main()
