"""Count false alarms of the check of a strap's intervals, and how soon a fault shows.

    uv run python -m benchmarks.interval_fit [--straps 4000] [--seed 1]

Honest straps first: hearts of 40 to 170 beats a minute, regular, in fibrillation, with premature
beats or in exercise; jitter to 0.2 s, notifications lost (to 10%), connections that fall behind by
up to 2 s, clocks off by up to 200 ppm, heart rates that lag and are cut off; four minutes each.
Then straps with a fault each, with jitter to 0.1 s and without losses.
"""

from __future__ import annotations

import argparse
from collections import Counter
from dataclasses import replace

import numpy as np

from ebbtide.rr_units import STRAP_TICKS_PER_SECOND
from ebbtide.timestamps import SECOND
from ingest.timing.interval_fit import IntervalFit, Misfit
from tests.support.strap_simulation import FAULTS, START, StrapModel, draw_model, simulate

SECONDS = 240


def judge(model: StrapModel) -> list[tuple[float, Misfit]]:
    """Find all that is noticed, and after how many seconds."""
    fit = IntervalFit(STRAP_TICKS_PER_SECOND)
    found = []
    for sent in simulate(model, SECONDS):
        misfit = fit.add(sent.rr_ticks, sent.arrival_ns, sent.heart_rate_bpm)
        if misfit is not None:
            found.append(((sent.arrival_ns - START) / SECOND, misfit))
    return found


def draw_faulty(rng: np.random.Generator, *, ordinary: bool) -> StrapModel:
    """Draw a strap without losses; ``ordinary``: once a second, a heart at rest."""
    model = draw_model(rng)
    model = replace(model, lost_share=0.0, held_up_s=0.0, jitter_s=min(model.jitter_s, 0.1))
    if not ordinary:
        return model
    return replace(
        model,
        rr_s=float(rng.uniform(0.5, 1.2)),
        spread_s=float(rng.uniform(0.02, 0.06)),
        rhythm="sinus",
        per_second=True,
        jitter_s=0.04,
        rounds_down=False,
    )


def report(title: str, models: list[StrapModel], scale: int | None) -> None:
    """Print when the fault, or the scale, of ``models`` was noticed."""
    noticed, certain, wrong = [], [], 0
    for model in models:
        found = judge(model)
        if found:
            noticed.append(found[0][0])
        scales = [(after, m.ticks_per_second) for after, m in found if m.ticks_per_second]
        if scales and scales[0][1] == scale:
            certain.append(scales[0][0])
        elif scales:
            wrong += 1
    n = len(models)
    late = np.percentile(noticed, [50, 90, 99]).round() if noticed else []
    line = (
        f"{title}: {n} straps, noticed {len(noticed)}, within 62 s {sum(s <= 62 for s in noticed)}"
    )
    print(
        f"{line} (50, 90, 99%: {[int(s) for s in late]} s), scale within 62 s "
        f"{sum(s <= 62 for s in certain)}, wrong scale {wrong}"
    )


def main() -> None:
    """Print the counts."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--straps", type=int, default=4000)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    rng = np.random.default_rng(given.seed)
    alarms: Counter[str] = Counter()
    for _ in range(given.straps):
        model = draw_model(rng)
        if found := judge(model):
            alarms[f"scale {found[0][1].ticks_per_second}"] += 1
            print("false alarm:", found[0], model)
    print(f"honest: {given.straps} straps, {SECONDS} s each, false alarms {dict(alarms)}")
    some = max(1, given.straps // 20)
    for ordinary in (True, False):
        kind = "at rest" if ordinary else "hard"
        for scale in (1000, 2048, 512, 256):
            models = [
                replace(draw_faulty(rng, ordinary=ordinary), ticks_per_second=scale)
                for _ in range(some)
            ]
            report(f"1/{scale} s, {kind}", models, scale)
    for fault in FAULTS:
        models = [replace(draw_faulty(rng, ordinary=True), fault=fault) for _ in range(some)]
        if fault == "repeats the last interval":
            models = [replace(m, rr_s=float(rng.uniform(1.06, 1.5))) for m in models]
        if fault == "stuck":
            models = [replace(m, rr_s=float(rng.uniform(0.5, 0.9))) for m in models]
        report(fault, models, None)


if __name__ == "__main__":
    main()
