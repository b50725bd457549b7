"""What an analyst may see of a person: rows of weeks that are released, on the clock of analysts.

Ratings are rounded down to five minutes, heart rates to a minute, meetings to the day. A filter
compares with what is exported, never with true times, and nothing here depends on what is not
released: not even the name of the content.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from api.services.compute import raise_if_stopped
from api.services.export_scope import ExportQuery, ExportSubject
from api.services.imported_records import load_heart_rates
from api.services.offers.moment_rows import MomentRow, load_moments
from api.services.research_identity import (
    BETWEEN_WEEKS,
    GRID,
    ResearchClock,
    ResearchIdentity,
)
from api.services.research_windows import (
    ResearchWindowCache,
    day_key,
    load_research_baseline,
    research_days,
)
from api.services.stress_baseline import baseline_starts, load_practices_s, midnight_ns
from api.services.stress_index import StressBaseline
from ebbtide.beats import Origin
from ebbtide.nights import Night
from ebbtide.timestamps import DAY, FOREVER, MINUTE, SECOND
from store import Stores
from store.models import (
    ImportedHeartRate,
    PlacedGap,
    Prompt,
    QuestionnaireResponse,
    Rating,
    TherapySession,
)

_COUNT_S = 0.01  # of a day of beats

IntArray = NDArray[np.int64]


class ReleasedRows:
    """What an analyst may see of a person, in a range of the clock that analysts see."""

    def __init__(self, stores: Stores, subject: ExportSubject, query: ExportQuery) -> None:
        if subject.research is None:
            raise ValueError("a person under their own name has no research identity")
        self.stores, self.subject, self.query = stores, subject, query
        self.identity: ResearchIdentity = subject.research
        self.clock: ResearchClock = self.identity.clock
        self.released_end = self.clock.released_end(subject.read_ns)
        self.end = min(query.end_ns, self.released_end)
        self.start = query.start_ns
        # Of whoever joined since, all: a copy has none of theirs.
        joined = subject.joined_ns or 0
        self.since = None if query.since_ns is None or joined >= query.since_ns else query.since_ns
        # What was released meanwhile is new, whenever it was entered.
        self.released = None if self.since is None else self.clock.released_end(self.since)
        # What was withdrawn before it could be in a copy is in no increment.
        self.copied_ns = None if query.since_ns is None else max(query.since_ns, joined)

    def is_new(self, moved: int, changed_ns: int) -> bool:
        """Whether a row that is exported under this time is one of an increment."""
        if self.since is None or self.released is None:
            return True
        return moved >= self.released or changed_ns >= self.since

    def move(self, time_ns: IntArray, step_ns: int) -> tuple[IntArray, NDArray[np.bool_]]:
        """Convert true times to those that are exported, in steps, and say which rows are."""
        exact, inside = self.clock.to_research(time_ns)
        moved = exact // step_ns * step_ns
        inside &= exact < self.released_end
        return moved, inside & (moved >= self.start) & (moved < self.end)

    def true_ratings(self) -> list[Rating]:
        """The released ratings that are not withdrawn, as they truly are, by time."""
        found = self.stores.records.ratings(self.subject.person.id, *FOREVER)
        exact, inside = self.clock.to_research(
            np.array([rating.about_ns for rating in found], dtype=np.int64)
        )
        inside &= exact < self.released_end
        return [rating for rating, is_inside in zip(found, inside, strict=True) if is_inside]

    def ratings(self) -> list[Rating]:
        """The ratings, on the analysts' clock, in the order of the cursor."""
        records, person_id = self.stores.records, self.subject.person.id
        found = records.ratings(person_id, *FOREVER)
        copied_end = 0
        if self.copied_ns is not None:
            changed = records.ratings(person_id, *FOREVER, since_ns=self.copied_ns)
            found += [rating for rating in changed if rating.withdrawn]
            copied_end = self.clock.released_end(self.copied_ns)
        times = np.array([rating.about_ns for rating in found], dtype=np.int64)
        moved, inside = self.move(times, GRID)
        rows = [
            replace(
                rating,
                id=self.identity.hide_id(rating.id),
                about_ns=about,
                prompt_id=self._hide_prompt(rating.prompt_id),
            )
            for rating, about, is_inside in zip(found, moved.tolist(), inside, strict=True)
            if is_inside
            and self.is_new(about, rating.entered_ns)
            and not (rating.withdrawn and about >= copied_end)
        ]
        return sorted(rows, key=lambda rating: (rating.about_ns, rating.id))

    def prompts(self) -> list[Prompt]:
        """The prompts, on the analysts' clock, in the order of the cursor; whole minutes of it, and
        all that became of them moved with them.
        """
        found = [
            prompt
            for prompt in self.stores.prompts.prompts(self.subject.person.id, *FOREVER)
            if prompt.changed_ns < self.stores.now()
        ]
        times = np.array([prompt.planned_ns for prompt in found], dtype=np.int64)
        moved, inside = self.move(times, MINUTE)
        rows = []
        for prompt, time, is_inside in zip(found, moved.tolist(), inside, strict=True):
            if not is_inside or not self.is_new(time, prompt.changed_ns):
                continue
            by = time - prompt.planned_ns
            rows.append(
                replace(
                    prompt,
                    id=self.identity.hide_id(f"prompt-{prompt.id}"),
                    planned_ns=time,
                    slot="",
                    sent_ns=_moved(prompt.sent_ns, by),
                    delivered_ns=_moved(prompt.delivered_ns, by),
                    opened_ns=_moved(prompt.opened_ns, by),
                    answered_ns=_moved(prompt.answered_ns, by),
                )
            )
        return sorted(rows, key=lambda prompt: (prompt.planned_ns, prompt.id))

    def moments(self) -> list[MomentRow]:
        """The decision points of practice by lot whose draw is no secret any more, on the analysts'
        clock, in the order of the cursor; an increment has all, since a later rating changes them.
        """
        found = [
            row
            for row in load_moments(self.stores, self.subject.person)
            if not row.is_open and row.point.planned_ns < self.stores.now()
        ]
        times = np.array([row.point.planned_ns for row in found], dtype=np.int64)
        moved, inside = self.move(times, MINUTE)
        rows = [
            replace(
                row,
                point=replace(
                    row.point,
                    id=self.identity.hide_id(f"point-{row.point.id}"),
                    planned_ns=time,
                ),
            )
            for row, time, is_inside in zip(found, moved.tolist(), inside, strict=True)
            if is_inside
        ]
        return sorted(rows, key=lambda row: (row.point.planned_ns, row.point.id))

    def _hide_prompt(self, prompt_id: str | None) -> str | None:
        return None if prompt_id is None else self.identity.hide_id(f"prompt-{prompt_id}")

    def heart_rates(self) -> list[ImportedHeartRate]:
        """The imported heart rates, on the analysts' clock, in the order of the cursor."""
        found = load_heart_rates(self.stores, self.subject.person, *FOREVER)
        times = np.array([rate.time_ns for rate in found], dtype=np.int64)
        moved, inside = self.move(times, MINUTE)
        rows = [
            replace(rate, id=self.identity.hide_id(f"rate-{rate.id}"), time_ns=time)
            for rate, time, is_inside in zip(found, moved.tolist(), inside, strict=True)
            if is_inside and self.is_new(time, rate.entered_ns)
        ]
        return sorted(rows, key=lambda rate: (rate.time_ns, rate.id))

    def nights(self) -> list[tuple[str, Night]]:
        """The nights that ended in what is released, on the analysts' clock in steps of five
        minutes, each with its hidden id, in the order of the cursor.
        """
        found = self.stores.nights.nights(self.subject.person.id, values=False)
        times = np.array([item.night.end_ns for item in found], dtype=np.int64)
        moved, inside = self.move(times, GRID)
        rows = []
        for item, end, is_inside in zip(found, moved.tolist(), inside, strict=True):
            if is_inside and self.is_new(end, item.stored_ns):
                night = item.night
                length = (night.end_ns - night.start_ns) // GRID * GRID
                name = self.identity.hide_id(f"night-{night.source}-{night.day}")
                rows.append((name, replace(night, start_ns=end - length, end_ns=end)))
        return sorted(rows, key=lambda row: (row[1].end_ns, row[0]))

    def responses(self) -> list[QuestionnaireResponse]:
        """The answers to questionnaires with their true ids, rounded down to the day, on the
        analysts' clock, by time.
        """
        programme, person_id = self.stores.programme, self.subject.person.id
        found, copied_end = programme.responses(person_id), 0
        if self.copied_ns is not None:
            changed = programme.responses(person_id, since_ns=self.copied_ns)
            found += [item for item in changed if item.withdrawn]
            copied_end = self.clock.released_end(self.copied_ns)
        times = np.array([item.about_ns for item in found], dtype=np.int64)
        moved, inside = self.move(times, DAY)
        return [
            replace(item, about_ns=day)
            for item, day, is_inside in zip(found, moved.tolist(), inside, strict=True)
            # Of the day on which a week begins, only its end is new with the week.
            if is_inside
            and self.is_new(day + DAY - 1, item.entered_ns)
            and not (item.withdrawn and day >= copied_end)
        ]

    def sessions(self) -> list[tuple[TherapySession, int]]:
        """The meetings by number, each with the day on the analysts' clock."""
        found = self.stores.records.sessions(self.subject.person.id)
        times = np.array([item.held_ns for item in found], dtype=np.int64)
        moved, inside = self.move(times, DAY)
        rows = [
            (item, day)
            for item, day, is_inside in zip(found, moved.tolist(), inside, strict=True)
            # A week begins on Sunday at 04:00: of that day, only its end is new with the week.
            if is_inside and self.is_new(day + DAY - 1, item.changed_ns)
        ]
        return sorted(rows, key=lambda row: row[0].number)

    @cached_property
    def released_days(self) -> dict[int, str]:
        """All days of the analysts' clock that have beats, and what they are made from."""
        days = research_days(self.stores, self.subject.person, self.clock)
        return {
            day: name
            for day, name in days.items()
            if self.clock.span_of_day(day)[0] < self.released_end
        }

    def days(self) -> dict[int, str]:
        """Those of the range, and of the increment."""
        days = {
            day: name
            for day, name in self.released_days.items()
            if self.start < (day + 1) * DAY and day * DAY < self.end
        }
        if self.since is None or self.released is None:
            return days
        utc_days = self.stores.beats.changed_days(self.subject.person.subject_id, self.since)
        changed = self.clock.days_of(utc_days)
        return {
            day: name
            for day, name in days.items()
            if day in changed or (day + 1) * DAY > self.released
        }

    def baseline(self, cache: ResearchWindowCache) -> StressBaseline:
        """The baseline of the stress index, of what is released."""
        person, days = self.subject.person, self.released_days
        starts, practices_s = self.baseline_content()
        return load_research_baseline(
            self.stores, cache, person, self.clock, days, starts, practices_s
        )

    def baseline_content(self) -> tuple[tuple[int, ...], tuple[tuple[float, float], ...]]:
        """On which days of the analysts' clock a baseline begins anew, and released practices."""
        person = self.subject.person
        noons = [
            midnight_ns(day, person.zone) + DAY // 2 for day in baseline_starts(self.stores, person)
        ]
        moved, _ = self.clock.to_research(np.array(noons, dtype=np.int64))
        first_day = date(1970, 1, 1).toordinal()
        starts = tuple(sorted({int(at) // DAY + first_day for at in moved}))
        spans = np.round(load_practices_s(self.stores, person) * SECOND).astype(np.int64)
        begins, inside = self.clock.to_research(spans[:, 0])
        inside &= begins < self.released_end
        practices = tuple(
            (int(begin) / SECOND, int(begin + length) / SECOND)
            for begin, length in zip(begins[inside], np.diff(spans, axis=1)[inside, 0], strict=True)
        )
        return tuple(
            day for day in starts if (day - first_day) * DAY < self.released_end
        ), practices

    def gaps(self) -> list[PlacedGap]:
        """The gaps that are over and released, on the analysts' clock, whole seconds of it."""
        found = self.stores.beats.gaps(self.subject.person.subject_id, *FOREVER)
        starts = np.array([item.gap.start_ns for item in found], dtype=np.int64)
        ends = np.array([item.gap.end_ns for item in found], dtype=np.int64)
        moved, inside = self.move(starts, SECOND)
        _, is_over = self.move(ends, SECOND)
        return [
            replace(
                item,
                gap=replace(
                    item.gap,
                    start_ns=start,
                    end_ns=start + (item.gap.end_ns - item.gap.start_ns) // SECOND * SECOND,
                ),
            )
            for item, start, chosen in zip(
                found, moved.tolist(), (inside & is_over).tolist(), strict=True
            )
            if chosen
        ]

    def origins(self) -> set[Origin]:
        """Where the beats of what is released come from."""
        covered = self.stores.beats.coverage(self.subject.person.subject_id)
        end = self.true_end()
        return {
            item.stream.origin
            for item in covered
            if item.first_ns is not None and item.first_ns < end
        }

    def is_simulated(self) -> bool:
        """Whether the person is a sample, or any beats of what is released are simulated."""
        return self.subject.person.simulated or Origin.SIMULATED in self.origins()

    def true_end(self) -> int:
        """The true moment at which the last released week ends."""
        return self.clock.to_true(self.released_end - BETWEEN_WEEKS)


def _moved(at_ns: int | None, by_ns: int) -> int | None:
    return None if at_ns is None else at_ns + by_ns


def count_beats(rows: ReleasedRows, cache: ResearchWindowCache) -> dict[int, int]:
    """Count the beats of each day of the analysts' clock that has any."""
    counts: dict[int, int] = {}
    person, clock = rows.subject.person, rows.clock
    for day, name in rows.days().items():
        raise_if_stopped()
        key = day_key(person, clock, day, name)
        with cache.lock:
            count = cache.counts.get(key)
        if count is None:
            count = len(rows.stores.beats.read(person.subject_id, *clock.true_range(day)))
            with cache.lock:
                cache.counts[key] = count
        if count:
            counts[day] = count
    return counts


def count_price_s(rows: ReleasedRows, cache: ResearchWindowCache) -> float:
    """Estimate the seconds that counting takes."""
    person, clock, days = rows.subject.person, rows.clock, rows.days().items()
    with cache.lock:
        missing = sum(day_key(person, clock, day, name) not in cache.counts for day, name in days)
    return missing * _COUNT_S
