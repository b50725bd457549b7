"""An analyst who knows true facts of a patient tries to undo the pseudonyms.

Each way is tried on the rule that was (true times less some weeks), where it has to succeed, and on
what the API answers. ``uv run pytest -s tests/system/security/test_reidentification.py`` prints the
table of docs/operating/security.md: how many bits are left, log2 of the candidates.
"""

from __future__ import annotations

import math
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import httpx
import numpy as np
import pytest
from sqlalchemy import insert

from api.services.research_identity import (
    DELAYS,
    GRID,
    MIN_DELAY_WEEKS,
    SHIFTS,
    ResearchIdentity,
)
from ebbtide.beats import Notification, Origin, Stream, new_id
from ebbtide.timestamps import DAY, HOUR, MINUTE, SECOND, from_datetime, to_datetime
from store import Stores
from store.models import Person, Purpose, Role
from store.sql.rows import to_values
from store.sql.tables.access import ResearchSecretRow
from store.sql.tables.records import RatingRow
from tests.support.assertions import assert_problem
from tests.support.clinic import Clinic, opened_clinic
from tests.support.cohort_clinic import MovableClock, identity_of
from tests.support.reidentification import (
    NOW,
    OPENED,
    WEEK,
    ZONE,
    History,
    IntArray,
    Rows,
    make_histories,
    rule_before,
    to_wall_clock,
)

DELAY_RANGE = (MIN_DELAY_WEEKS, MIN_DELAY_WEEKS + DELAYS - 1)
CHANGE = datetime(2026, 3, 29, tzinfo=ZoneInfo(ZONE))
NIGHTS = 5  # from Saturday to Sunday, of which one is that of the change


@dataclass
class Attacked:
    """The clinic, the people by number, and what an analyst has of them under both rules."""

    clinic: Clinic
    clock: MovableClock
    histories: list[History]
    identities: list[ResearchIdentity]
    before: list[Rows]
    shifts_before: IntArray
    now: list[Rows]

    @property
    def active(self) -> list[int]:
        """The numbers of those who still rate."""
        return [number for number, history in enumerate(self.histories) if history.active]

    @property
    def finished(self) -> list[int]:
        """The numbers of those of whom everything is released."""
        return [
            number
            for number, (history, identity) in enumerate(
                zip(self.histories, self.identities, strict=True)
            )
            if not history.active and is_released(history, identity)
        ]

    @property
    def nights_of(self) -> int:
        """The number of the one whose nights are recorded: of those who stopped rating, the one
        whose weeks are released soonest.
        """
        return first_released(self.histories, self.identities)

    def shift(self, number: int) -> int:
        """The true weeks of a person."""
        return self.identities[number].clock.shift_weeks


class FixedClock(MovableClock):
    """A clock that stands, and can be put to another time."""

    def __call__(self) -> int:
        """The time, in UTC nanoseconds."""
        return NOW + self.ahead_ns


def is_released(history: History, identity: ResearchIdentity) -> bool:
    """Whether the newest row of a person is released."""
    moved, _ = identity.clock.to_research(history.time_ns[-1:])
    return int(moved[0]) < identity.clock.released_end(NOW)


def first_released(histories: list[History], identities: list[ResearchIdentity]) -> int:
    """The number of the one who stopped rating and whose weeks are released soonest."""
    return min(
        (number for number, history in enumerate(histories) if not history.active),
        key=lambda number: identities[number].clock.delay_weeks,
    )


@pytest.fixture(scope="module")
def attacked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Attacked]:
    from ebbtide.settings import Settings
    from store import open_stores

    settings = Settings(data_dir=tmp_path_factory.mktemp("clinic"))
    opened, clock = open_stores(settings), FixedClock()
    stores = replace(opened, now=clock)
    rng = np.random.default_rng(23)
    histories = make_histories(rng)
    before, shifts = rule_before(histories, rng)
    # Weeks, delays and pseudonyms are derived from the secret and the ids of people: the same both
    # in each run.
    with stores.engine.begin() as db:
        db.execute(insert(ResearchSecretRow).values(id=1, secret=rng.bytes(32).hex()))
    with pytest.MonkeyPatch.context() as patch, opened_clinic(stores) as clinic:
        patch.setattr(
            "api.services.accounts.new_id", lambda: str(uuid.UUID(bytes=rng.bytes(16), version=4))
        )
        clinic.add("analyst", Role.ANALYST)
        for number, history in enumerate(histories):
            person = clinic.add(f"p{number}", Role.PATIENT)
            rows = [to_values(item) | {"superseded": False} for item in history.ratings(person.id)]
            with stores.engine.begin() as db:
                db.execute(insert(RatingRow), rows)
            clinic.agree(f"p{number}", Purpose.RESEARCH)
        identities = [
            identity_of(stores, clinic.people["analyst"], clinic.people[f"p{number}"])
            for number in range(len(histories))
        ]
        record_nights(stores, clinic.people[f"p{first_released(histories, identities)}"])
        by_name = read_rows(clinic["analyst"])
        # Of those whose delay is long, nothing may be released yet.
        found = [by_name.get(identity.name, Rows.empty()) for identity in identities]
        yield Attacked(clinic, clock, histories, identities, before, shifts, found)


def record_nights(stores: Stores, person: Person) -> None:
    """Beats of a person in five nights from Saturday 18:00 to Sunday 10:00, a beat a second,
    among them the night in which clocks change.
    """
    for week in range(-2, NIGHTS - 2):
        sunday = CHANGE + timedelta(weeks=week)
        begin = from_datetime(sunday - timedelta(hours=6))
        end = from_datetime(sunday + timedelta(hours=10))
        stream = Stream(new_id(), Origin.STRAP, "strap", begin)
        stores.beats.put_stream(person.subject_id, stream)
        times = np.arange(begin + SECOND, end, SECOND)
        ticks = 1024 + np.random.default_rng(week + 9).integers(-40, 41, len(times))
        stores.beats.append(
            person.subject_id,
            stream.id,
            [
                Notification(
                    1 + k // 60,
                    int(times[k]),
                    60,
                    tuple(ticks[k : k + 60].tolist()),
                    tuple(times[k : k + 60].tolist()),
                    True,
                )
                for k in range(0, len(times), 60)
            ],
        )


def read_rows(client: httpx.Client, path: str = "/v1/research/ratings") -> dict[str, Rows]:
    """Read a table of ratings, by pseudonym."""
    rows, cursor = [], None
    while True:
        query = {"limit": "100000", **({"cursor": cursor} if cursor else {})}
        page = client.get(path, params=query).raise_for_status().json()
        rows += page["rows"]
        cursor = page["next"]
        if cursor is None:
            break
    found: dict[str, Rows] = {}
    for name in {row["person"] for row in rows}:
        own = [row for row in rows if row["person"] == name]
        found[name] = Rows(
            np.array([row["about_ns"] for row in own], dtype=np.int64),
            np.array([row["local_hour"] for row in own]),
            np.array([row["pain"] for row in own], dtype=np.int64),
            np.array([row["stress"] for row in own], dtype=np.int64),
        )
    return found


def week_of(time_ns: int) -> int:
    return (time_ns - 3 * DAY) // WEEK  # from Sunday to Saturday


def weeks_in_life(rows: Rows, newest_delay: int) -> set[int]:
    """All weeks by which the dates could be moved, for all that is said of the clinic: it was open,
    and what is exported is so old at least.
    """
    first, last = int(rows.time_ns[0]), int(rows.time_ns[-1])
    latest = NOW - newest_delay * WEEK
    return {
        shift
        for shift in range(1, SHIFTS + 200)
        if first + shift * WEEK > OPENED - WEEK and last + shift * WEEK < latest
    }


def weeks_by_newest(rows: Rows, at_ns: int, delays: tuple[int, int]) -> set[int]:
    """The weeks, if the person rated until now and rows come this many weeks late."""
    newest = week_of(int(rows.time_ns[-1]))
    return {week_of(at_ns) - delay - newest for delay in range(delays[0] - 1, delays[1] + 2)}


def way_last_rating(attacked: Attacked) -> tuple[float, float]:
    """The newest row of someone who still rates is of this week."""
    before, now = [], []
    for number in attacked.active:
        found = weeks_by_newest(attacked.before[number], NOW, (1, -1))
        assert attacked.shifts_before[number] in found
        before.append(len(found))
        # Who knows the rule knows in which weeks a row can be released.
        ended = week_of(NOW - 3 * DAY - HOUR)  # until Wednesday the week before is the last
        newest = week_of(int(attacked.now[number].time_ns[-1]))
        found = {ended - 1 - delay - newest for delay in range(DELAY_RANGE[0], DELAY_RANGE[1] + 1)}
        assert attacked.shift(number) in found
        now.append(len(found))
    return bits(before), bits(now)


def way_polling(attacked: Attacked) -> tuple[float, float]:
    """When rows first appear, read every two weeks for ten weeks."""
    found: dict[int, set[int]] = {}
    for weeks in range(-10, 1, 2):
        attacked.clock.ahead_ns = weeks * WEEK
        attacked.clock.sign_in_again(attacked.clinic)
        by_name = read_rows(attacked.clinic["analyst"])
        ended = week_of(NOW + weeks * WEEK - 3 * DAY - HOUR)
        for number in attacked.active:
            rows = by_name.get(attacked.identities[number].name)
            if rows is None:  # nothing of them is released yet
                continue
            newest = week_of(int(rows.time_ns[-1]))
            here = {
                ended - 1 - delay - newest for delay in range(DELAY_RANGE[0], DELAY_RANGE[1] + 1)
            }
            found[number] = found.get(number, here) & here
    attacked.clock.ahead_ns = 0
    attacked.clock.sign_in_again(attacked.clinic)
    assert all(attacked.shift(number) in weeks for number, weeks in found.items())
    return 0.0, bits([len(weeks) for weeks in found.values()])


def way_since(attacked: Attacked) -> tuple[float, float]:
    """Bisecting when a row was entered: no moment is taken, so no week is excluded."""
    ann = attacked.clinic["analyst"]
    low, high = OPENED, NOW
    taken = 0
    for _ in range(6):
        middle = (low + high) // 2
        for path in ("/v1/research/ratings", "/v1/research/beats.csv", "/v1/research/hrv.parquet"):
            for word in (to_datetime(middle).isoformat(), str(middle)):
                answer = ann.get(path, params={"since": word})
                taken += answer.status_code == 200
                assert_problem(answer, 422, "query.since")
        high = middle
    assert taken == 0
    return 0.0, bits(
        [len(weeks_in_life(attacked.now[number], MIN_DELAY_WEEKS)) for number in attacked.finished]
    )


def way_local_hour(attacked: Attacked) -> tuple[float, float]:
    """The difference of `local_hour` from the exported time is the offset from UTC, which changes
    in the weeks in which clocks change.
    """

    def consistent(rows: Rows, weeks: set[int]) -> set[int]:
        seen = np.round(rows.local_hour * 60) - rows.time_ns % DAY // MINUTE
        if not seen.any():
            return weeks  # the hour is that of the time: it says nothing
        seen %= 24 * 60
        return {
            week
            for week in weeks
            if np.array_equal(seen, offsets_min(rows.time_ns + week * WEEK) % (24 * 60))
        }

    before, now = [], []
    for number in attacked.finished:
        if not sees_change(attacked.histories[number]):
            continue
        found = consistent(attacked.before[number], weeks_in_life(attacked.before[number], 0))
        assert attacked.shifts_before[number] in found
        before.append(len(found))
        rows = attacked.now[number]
        now.append(len(consistent(rows, weeks_in_life(rows, MIN_DELAY_WEEKS))))
    return bits(before), bits(now)


def way_habits(attacked: Attacked) -> tuple[float, float]:
    """Habits go by the wall clock: on another clock they jump by an hour in the weeks of a change.
    Bits: -log2 of what the posterior says of the true week.
    """

    def surprise(rows: Rows, weeks: set[int], truth: int) -> float:
        minute = rows.time_ns % DAY / MINUTE
        slot = np.digitize(minute, habit_edges(minute))
        residual = (
            minute
            - np.array(
                [np.median(minute[slot == s]) if np.any(slot == s) else 0.0 for s in range(4)]
            )[slot]
        )
        scores = {}
        for week in weeks:
            summer = offsets_min(rows.time_ns + week * WEEK) == 120
            score = 0.0
            if summer.any() and not summer.all():
                best = min(
                    robust(residual - step * (summer - summer.mean()))
                    for step in range(-70, 71, 10)
                )
                score = best - robust(residual)
            scores[week] = -score
        peak = max(scores.values())
        total = sum(math.exp(score - peak) for score in scores.values())
        return -(scores[truth] - peak - math.log(total)) / math.log(2)

    before, now = [], []
    for number in attacked.finished:
        if not sees_change(attacked.histories[number]):
            continue
        rows = attacked.before[number]
        weeks = weeks_in_life(rows, 0)
        before.append(surprise(rows, weeks, int(attacked.shifts_before[number])))
        rows = attacked.now[number]
        weeks = weeks_in_life(rows, MIN_DELAY_WEEKS)
        now.append(surprise(rows, weeks, attacked.shift(number)))
    return float(np.mean(before)), float(np.mean(now))


def robust(residual: np.ndarray) -> float:
    """Minus the log-likelihood of residuals with a Laplace distribution."""
    return len(residual) * math.log(float(np.mean(np.abs(residual))))


def habit_edges(minute: np.ndarray) -> list[float]:
    return [0.0, 11 * 60.0, 17 * 60.0] if minute.size else []


def way_night(attacked: Attacked) -> tuple[float, float]:
    """In the beats and windows of one night an hour is missing: which of five nights was it?"""
    ann = attacked.clinic["analyst"]
    night = NIGHTS // 2  # truly
    before = []
    for week in range(-2, NIGHTS - 2):
        sunday = CHANGE + timedelta(weeks=week)
        ends = (sunday - timedelta(hours=6), sunday + timedelta(hours=10))
        before.append(tuple(from_datetime(end) % WEEK for end in ends))
    beats = ann.get("/v1/research/beats.csv").raise_for_status().text.splitlines()
    column = beats[0].split(",").index("time_ns")
    times = np.array([int(line.split(",")[column]) for line in beats[1:]], dtype=np.int64)
    windows = ann.get("/v1/research/hrv", params={"limit": 100_000}).json()["rows"]
    starts = np.array([row["start_ns"] for row in windows], dtype=np.int64)
    assert np.all(starts % GRID == 0)
    signs = []
    for week in sorted({(int(time) - 5 * DAY) // WEEK for time in times}):
        begin = 5 * DAY + week * WEEK
        own = times[(times >= begin) & (times < begin + WEEK)] - begin
        gap = int(np.argmax(np.diff(own)))
        slots = starts[(starts >= begin) & (starts < begin + WEEK)] - begin
        signs.append(
            (
                *(int(own[at]) // (5 * SECOND) for at in (0, gap, gap + 1, -1)),
                tuple(slots.tolist()),
            )
        )
    assert len(signs) == NIGHTS
    return bits([before.count(before[night])]), bits([signs.count(signs[night])])


def way_digits(attacked: Attacked) -> tuple[float, float]:
    """One true time with all its digits: who has a rating at that part of the week?"""
    before, now = [], []
    for number in attacked.finished:
        known = int(attacked.histories[number].time_ns[20])
        found = [rows for rows in attacked.before if np.any(rows.time_ns % WEEK == known % WEEK)]
        before.append(len(found))
        wall = int(to_wall_clock(np.array([known]))[0]) % WEEK
        # By a part of five minutes that nobody outside knows: in one of two steps.
        steps = {wall // GRID * GRID, (wall - GRID) // GRID * GRID % WEEK}
        found = [rows for rows in attacked.now if steps & set((rows.time_ns % WEEK).tolist())]
        now.append(len(found))
    return bits(before), bits(now)


def way_window_ids(attacked: Attacked) -> tuple[float, float]:
    """Ids of FHIR windows were made of pseudonym and true time: try all weeks."""
    ann = attacked.clinic["analyst"]
    begun = ann.get("/v1/fhir/$export?_type=Observation", headers={"Prefer": "respond-async"})
    (item,) = ann.get(begun.headers["content-location"]).json()["output"]
    with ann.stream("GET", item["url"]) as answer:
        line = next(line for line in answer.iter_lines() if "effectivePeriod" in line)
    resource = httpx.Response(200, text=line).json()
    pseudonym = resource["subject"]["reference"].removeprefix("Patient/")
    start = from_datetime(datetime.fromisoformat(resource["effectivePeriod"]["start"]))
    weeks = range(SHIFTS + 200)
    made = {
        str(uuid.uuid5(uuid.UUID(pseudonym), f"window-{start + shift * WEEK}-{name}"))
        for shift in weeks
        for name in ("hr", "sdnn", "rmssd")
    }
    assert resource["id"] not in made
    rows = attacked.now[attacked.nights_of]
    return 0.0, bits([len(weeks_in_life(rows, MIN_DELAY_WEEKS))])


def way_tags(attacked: Attacked) -> tuple[float, float]:
    """Tags, counts and sizes change while a person rates: their hours would show in them."""
    ann, clinic = attacked.clinic["analyst"], attacked.clinic
    paths = [f"/v1/research/{name}" for name in ("ratings", "ratings.csv", "hrv", "sessions.csv")]

    def state() -> list[object]:
        tags = [ann.get(path).headers["etag"] for path in paths]
        sizes = [ann.head(path).headers.get("content-length") for path in paths[1:2]]
        return [*tags, *sizes, ann.get("/v1/research/people").json()["people"]]

    first = state()
    for number in attacked.active[:3]:
        body = {"pain": 9, "stress": 9}
        clinic[f"p{number}"].post("/v1/ratings", json=body).raise_for_status()
    assert state() == first
    # Nor does the tag say where what is released ends: no two ends of a range have the same.
    ends = [f"20{year}-01-01T00:00:00" for year in range(50, 100, 10)]
    for path in paths:
        found = [ann.get(path, params={"end": end}).headers["etag"] for end in ends]
        assert len(set(found)) == len(ends), path
    return 0.0, math.log2(DELAYS)


def way_origins(attacked: Attacked) -> tuple[float, float]:
    """Someone who still rates has a strap for the first time: `origins` says from when on."""
    ann, clinic = attacked.clinic["analyst"], attacked.clinic
    number = attacked.active[3]

    def origins() -> list[str]:
        people = ann.get("/v1/research/people").raise_for_status().json()["people"]
        names = {row["person"]: row for row in people}
        return list(names[attacked.identities[number].name]["origins"])

    assert origins() == []
    person = clinic.people[f"p{number}"]
    stream = Stream(new_id(), Origin.STRAP, "strap", NOW - HOUR)
    clinic.stores.beats.put_stream(person.subject_id, stream)
    times = tuple(range(NOW - HOUR, NOW - HOUR + 60 * SECOND, SECOND))
    item = Notification(1, times[-1], 60, (1024,) * 60, times, True)
    clinic.stores.beats.append(person.subject_id, stream.id, [item])
    # Before, the day on which it came was seen; now, nothing is until its week is released.
    assert origins() == []
    return 0.0, math.log2(DELAYS)


def way_joining(attacked: Attacked) -> tuple[float, float]:
    """The difference of two exports around the day on which a known person agreed."""
    clinic, ann = attacked.clinic, attacked.clinic["analyst"]

    def people() -> set[str]:
        return {row["person"] for row in ann.get("/v1/research/people").json()["people"]}

    first = people()
    for number in range(5):
        name = f"joins{number}"
        clinic.add(name, Role.PATIENT)
        assert people() == first
        clinic.agree(name, Purpose.RESEARCH)
    new = people() - first
    for few in (list(new)[:1], sorted(first)[:4]):
        assert_problem(ann.get("/v1/research/ratings", params={"person": few}), 403)
    return 0.0, bits([len(new)])


def sees_change(history: History) -> bool:
    offsets = offsets_min(history.time_ns)
    counts = [int(np.sum(offsets == value)) for value in (60, 120)]
    return min(counts) > 40


def offsets_min(time_ns: IntArray) -> IntArray:
    return (to_wall_clock(time_ns) - time_ns) // MINUTE


def bits(candidates: list[int]) -> float:
    assert candidates and min(candidates) >= 1, candidates
    return float(np.mean(np.log2(candidates)))


# What is left, log2 of the candidates, has to be this much at least.
WAYS: list[tuple[str, Callable[[Attacked], tuple[float, float]], float]] = [
    ("last_rating of who rates now: weeks", way_last_rating, 5.0),
    ("reading every two weeks: weeks", way_polling, 5.0),
    ("bisecting since: weeks", way_since, 4.0),
    ("local_hour against the time: weeks", way_local_hour, 4.0),
    ("habits around clock changes: weeks", way_habits, 4.0),
    ("the night of the change: 5 nights", way_night, math.log2(NIGHTS)),
    ("microseconds of a time: people", way_digits, 2.0),
    ("ids of FHIR windows: weeks", way_window_ids, 4.0),
    ("tags, sizes, counts: weeks", way_tags, 5.0),
    ("a first strap, by origins: weeks", way_origins, 5.0),
    ("joining between two exports: people", way_joining, math.log2(5)),
]


def test_no_way_that_is_closed_leaves_too_few_bits(attacked: Attacked) -> None:
    print(f"\n{'way':42} {'before':>7} {'now':>7} {'at least':>9}")
    short = []
    for name, way, least in WAYS:
        before, now = way(attacked)
        print(f"{name:42} {before:7.1f} {now:7.1f} {least:9.1f}")
        assert before < 2.0, f"{name}: the attack does not find what it should"
        if now < least - 1e-9:
            short.append(f"{name}: {now:.1f} bits are left")
    assert not short, short


def candidates_by_pattern(
    attacked: Attacked, number: int, rows: list[int], *, with_values: bool
) -> int:
    """How many people have ratings at all these times of one target, apart by the same weeks."""
    history = attacked.histories[number]
    walls = to_wall_clock(history.time_ns[rows]) // MINUTE * MINUTE
    found = 0
    for other in attacked.now:
        slots: dict[int, set[tuple[int, int]]] = {}
        for time, pain, stress in zip(
            other.time_ns.tolist(), other.pain.tolist(), other.stress.tolist(), strict=True
        ):
            slots.setdefault(time, set()).add((pain, stress))

        def fits(wall: int, row: int, shift: int, slots: dict[int, set[tuple[int, int]]]) -> bool:
            values = (int(history.pain[row]), int(history.stress[row]))
            first = (wall - GRID) // GRID * GRID - shift * WEEK
            steps = [first + k * GRID for k in range(3) if first + k * GRID <= wall - shift * WEEK]
            return any(
                step in slots and (not with_values or values in slots[step]) for step in steps
            )

        first_wall = int(walls[0])
        shifts = {
            (first_wall - time) // WEEK for time in slots if (first_wall - time) % WEEK < 2 * GRID
        }
        found += any(
            all(fits(int(wall), row, shift, slots) for wall, row in zip(walls, rows, strict=True))
            for shift in shifts
        )
    return found


def test_what_the_pattern_of_ratings_leaves_is_measured(attacked: Attacked) -> None:
    """This way cannot be closed: intervals and values are what the analysis is about."""
    rng = np.random.default_rng(5)
    print(f"\n{'known of a target, times to the minute':42} {'bits left of 5.3':>17}")
    left = {}
    for count in (1, 2, 3, 5):
        for with_values in (False, True):
            found = []
            for number in attacked.finished:
                total = len(attacked.histories[number].time_ns)
                rows = sorted(rng.choice(np.arange(10, total - 10), count, replace=False).tolist())
                seen = candidates_by_pattern(attacked, number, rows, with_values=with_values)
                found.append(max(seen, 1))
            left[count, with_values] = bits(found)
            words = f"{count} time{'s' * (count > 1)} of rating" + ", with values" * with_values
            print(f"{words:42} {left[count, with_values]:17.1f}")
    counts = [len(attacked.now[number].time_ns) for number in attacked.finished]
    print(f"{'the number of ratings':42} {bits([counts.count(count) for count in counts]):17.1f}")
    # One time alone names nobody; what is said of more is not better than it is.
    assert left[1, False] >= 2.0
    assert left[5, True] < 0.5


def test_analysts_share_no_names_and_no_order(attacked: Attacked) -> None:
    clinic = attacked.clinic
    clinic.add("another", Role.ANALYST)
    one, two = (
        [row["person"] for row in clinic[name].get("/v1/research/people").json()["people"]]
        for name in ("analyst", "another")
    )
    assert len(one) == len(two)
    assert not set(one) & set(two)
    # The order says nothing of the age of an account.
    places = [one.index(identity.name) for identity in attacked.identities]
    steps = np.corrcoef(places, np.arange(len(places)))[0, 1]
    assert abs(steps) < 0.5
    # Of the delay and the part of five minutes, analysts together know no more than one.
    for number, identity in enumerate(attacked.identities):
        other = identity_of(clinic.stores, clinic.people["another"], clinic.people[f"p{number}"])
        assert other.clock.delay_weeks == identity.clock.delay_weeks
        assert other.clock.jitter_ns == identity.clock.jitter_ns
