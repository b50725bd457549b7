"""How often the answer is wrong, and finds a link, where pain and stress are asked apart.

    python -m benchmarks.asked_apart --draws 1000 --folder build/asked-apart

A person is drawn whose stress and pain linger (autocorrelation 0.6 over eight hours) and fall by
three points, rated in whole numbers. The same person is asked twice over: every prompt asks for
both, and, at as many prompts, in pairs of which one asks for pain and one for stress, as the plan
of the product draws them (``draw_day``). In *shared reporting* each moment at which a form is
filled in has a habit of its own that moves every rating given at it. One JSON line for each cell of
10 draws goes to ``--folder``; a run that is stopped goes on where it was, and ``--table`` prints
what is there with Monte-Carlo errors. Seeds follow from the row's name and the number of the cell.
"""

from __future__ import annotations

import argparse
import json
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import signal

from analytics.association.asked_apart import apart_link
from analytics.association.rating_pairs import Association
from analytics.association.within_person import within_person_link
from analytics.programme.prompt_plan import Asks, PromptPlan, draw_day

Array = NDArray[np.float64]
SD, CELL, LINK = 1.3, 10, 0.3
SLOT_MIN = 5
A_DAY = 24 * 60 // SLOT_MIN
MONDAY = date(2026, 9, 28)
MONDAY_NS = 1_790_553_600_000_000_000  # of its midnight, UTC


@dataclass(frozen=True)
class Person:
    """Stress and pain in slots of five minutes; and how strong the habit of a moment is."""

    stress: Array
    pain: Array
    habit: float = 0.0
    answered: float = 1.0


Row = Callable[[np.random.Generator, int], Person]
ROWS: dict[str, tuple[float | None, Row]] = {}


def lingering(rng: np.random.Generator, days: int, hours: float = 8.0) -> Array:
    """Noise with standard deviation 1 and autocorrelation 0.6 over so many hours."""
    rho = 0.6 ** (SLOT_MIN / 60 / hours)
    noise = rng.standard_normal(days * A_DAY + 2000)
    values: Array = signal.lfilter([np.sqrt(1 - rho**2)], [1.0, -rho], noise)[2000:]
    return values


def fall(days: int) -> Array:
    """Three points down."""
    return 6 - 3 * np.linspace(0, 1, days * A_DAY)


def when(days: int) -> Array:
    """Days since the Monday."""
    return np.arange(days * A_DAY) / A_DAY


def unlinked(
    rng: np.random.Generator, days: int, shared: Array | float = 0.0
) -> tuple[Array, Array]:
    """Two series of their own beside what they share."""
    x, y = (fall(days) + shared + SD * lingering(rng, days) for _ in "xy")
    return x, y


def row(name: str, truth: float | None = 0.0) -> Callable[[Row], Row]:
    """Register a row; ``truth``: the slope at one moment, None where what moves both is real."""

    def keep(make: Row) -> Row:
        ROWS[name] = (truth, make)
        return make

    return keep


@row("nothing linked")
def _(rng: np.random.Generator, days: int) -> Person:
    return Person(*unlinked(rng, days))


for share in (0.05, 0.1, 0.2, 0.5):

    @row(f"shared reporting {share:.0%}")
    def _(rng: np.random.Generator, days: int, share: float = share) -> Person:
        x, y = (fall(days) + SD * np.sqrt(1 - share) * lingering(rng, days) for _ in "xy")
        return Person(x, y, habit=SD * np.sqrt(share))


@row("a mood of hours moves both, 20%", None)
def _(rng: np.random.Generator, days: int) -> Person:
    mood = lingering(rng, days)
    x, y = (
        fall(days) + SD * (np.sqrt(0.8) * lingering(rng, days) + np.sqrt(0.2) * mood) for _ in "xy"
    )
    return Person(x, y)


@row("two steps of 3 in both")
def _(rng: np.random.Generator, days: int) -> Person:
    at = rng.integers(3, days - 3, 2)
    level = 7 - 3.0 * np.sum(when(days) >= at[:, None], axis=0)
    return Person(*unlinked(rng, days, level - fall(days)))


@row("weekend 2 lower in both")
def _(rng: np.random.Generator, days: int) -> Person:
    return Person(*unlinked(rng, days, -2.0 * (np.floor(when(days)) % 7 >= 5)))


@row("bad mornings in both")
def _(rng: np.random.Generator, days: int) -> Person:
    hour = when(days) % 1 * 24
    return Person(*unlinked(rng, days, 2.5 * np.exp(-0.5 * ((hour - 9.5) / 1.2) ** 2)))


@row("one day 4 up in both")
def _(rng: np.random.Generator, days: int) -> Person:
    at = rng.integers(2, days - 3)
    return Person(*unlinked(rng, days, 4.0 * (np.floor(when(days)) == at)))


@row("restless weeks")
def _(rng: np.random.Generator, days: int) -> Person:
    spread = np.exp(0.8 * lingering(rng, days, 48.0))
    x, y = (fall(days) + spread * lingering(rng, days) for _ in "xy")
    return Person(x, y)


def linked(rng: np.random.Generator, days: int, hours: float) -> tuple[Array, Array]:
    """A link of 0.3 at each moment; stress lingers as given, what is pain's own as usual."""
    stress, own = lingering(rng, days, hours), lingering(rng, days)
    pain = LINK * stress + np.sqrt(1 - LINK**2) * own
    return fall(days) + SD * stress, fall(days) + SD * pain


@row("link of 0.3", LINK)
def _(rng: np.random.Generator, days: int) -> Person:
    return Person(*linked(rng, days, 8.0))


@row("link of 0.3, 80% answered", LINK)
def _(rng: np.random.Generator, days: int) -> Person:
    return Person(*linked(rng, days, 8.0), answered=0.8)


@row("link of 0.3, stress lingers two hours", LINK)
def _(rng: np.random.Generator, days: int) -> Person:
    return Person(*linked(rng, days, 2.0))


def ask(
    person: Person, rng: np.random.Generator, days: int, a_day: int, asks_apart: bool
) -> tuple[Array, Array, Array, list[Asks]]:
    """Time in days, stress and pain as rated, and what was asked, of the prompts answered."""
    plan = PromptPlan(random_a_day=a_day, asks_apart=asks_apart)
    seed = str(rng.integers(2**62))
    drawn = [
        item
        for day in range(days)
        for item in draw_day(plan, MONDAY + timedelta(days=day), "UTC", seed)
    ]
    drawn = [item for item in drawn if rng.random() < person.answered]
    at = np.array([(item.at_ns - MONDAY_NS) / 86_400e9 for item in drawn])
    slot = np.floor(at * A_DAY + 1e-6).astype(np.int64)
    habit = person.habit * rng.standard_normal(len(at))
    rated = [
        np.clip(np.round(series[slot] + habit), 0, 10) for series in (person.stress, person.pain)
    ]
    return at, rated[0], rated[1], [item.asks for item in drawn]


def answer(
    person: Person, rng: np.random.Generator, days: int, a_day: int, asks_apart: bool
) -> Association:
    """The answer by either design."""
    at, stress, pain, asks = ask(person, rng, days, a_day, asks_apart)
    ns = MONDAY_NS + np.round(at * 86_400e9).astype(np.int64)
    hour = at % 1 * 24
    if not asks_apart:
        return within_person_link(ns, stress, pain, hour)
    x = np.array([item is Asks.STRESS for item in asks])
    y = np.array([item is Asks.PAIN for item in asks])
    return apart_link(ns[x], stress[x], hour[x], ns[y], pain[y])


def run_cell(name: str, days: int, a_day: int, cell: int) -> dict[str, object]:
    """Draw a cell, and count."""
    truth, make = ROWS[name]
    rng = np.random.default_rng([zlib.crc32(name.encode()), days, a_day, cell])
    found: dict[str, object] = {"name": name, "days": days, "a_day": a_day, "cell": cell}
    drawn: dict[str, list[Association]] = {"together": [], "apart": []}
    for _ in range(CELL):
        person = make(rng, days)
        for design, answers in drawn.items():
            answers.append(answer(person, rng, days, a_day, design == "apart"))
    for design, answers in drawn.items():
        numbers = [one for one in answers if one.estimate is not None]
        found[design] = {
            "clear": sum(one.clear for one in answers),
            "answers": len(numbers),
            "pairs": sum(one.n for one in answers),
            "sum": sum(one.estimate or 0.0 for one in numbers),
            "covered": sum(
                truth is not None
                and one.low is not None
                and one.high is not None
                and one.low <= truth <= one.high
                for one in numbers
            ),
        }
    return found


def print_table(folder: Path) -> None:
    """Print every row that is there, with the Monte-Carlo errors, in percentage points."""
    rows: dict[tuple[int, int, str], list[dict[str, dict[str, float]]]] = {}
    for line in (folder / "cells.jsonl").read_text().splitlines():
        cell = json.loads(line)
        rows.setdefault((cell["days"], cell["a_day"], cell["name"]), []).append(cell)
    print(
        "| days x prompts | process | draws | together: clear | mean | covers | "
        "apart: clear | mean | covers | pairs |"
    )
    print("|" + " --- |" * 10)
    for days, a_day, name in sorted(rows, key=lambda key: (*key[:2], list(ROWS).index(key[2]))):
        cells = rows[days, a_day, name]
        draws = CELL * len(cells)
        line = f"| {days} x {a_day} | {name} | {draws} |"
        for design in ("together", "apart"):
            total = {
                key: sum(cell[design][key] for cell in cells)
                for key in ("clear", "answers", "sum", "covered", "pairs")
            }
            answers = max(total["answers"], 1)
            covers = (
                "" if ROWS[name][0] is None else _share(total["covered"], int(total["answers"]))
            )
            line += f" {_share(total['clear'], draws)} | {total['sum'] / answers:+.2f} | {covers} |"
        print(f"{line} {total['pairs'] / draws:.0f} |")


def _share(count: float, of: int) -> str:
    if not of:
        return ""
    share = count / of
    error = np.sqrt(max(share * (1 - share), 1 / of) / of)
    return f"{100 * share:.1f} ({100 * error:.1f})"


def main() -> None:
    """Run what is not there yet."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--draws", type=int, default=1000)
    options.add_argument("--days", type=int, default=56)
    options.add_argument("--a-day", type=int, default=2)
    options.add_argument("--only", nargs="+", default=list(ROWS), choices=list(ROWS))
    options.add_argument("--folder", type=Path, default=Path("build/asked-apart"))
    options.add_argument("--table", action="store_true")
    chosen = options.parse_args()
    chosen.folder.mkdir(parents=True, exist_ok=True)
    file = chosen.folder / "cells.jsonl"
    file.touch()
    if chosen.table:
        print_table(chosen.folder)
        return
    done = {
        (cell["name"], cell["days"], cell["a_day"], cell["cell"])
        for cell in map(json.loads, file.read_text().splitlines())
    }
    # Cell by cell over all rows, so that a run that is stopped has as many draws of each.
    for cell in range(-(-chosen.draws // CELL)):
        for name in chosen.only:
            if (name, chosen.days, chosen.a_day, cell) not in done:
                found = run_cell(name, chosen.days, chosen.a_day, cell)
                with file.open("a") as out:
                    out.write(json.dumps(found) + "\n")


if __name__ == "__main__":
    main()
