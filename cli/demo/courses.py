"""The sample clinic's patients, each with another course, and their ratings.

Pain and stress follow a course, and ``link`` of a stress that comes and goes is added to pain, so
that an estimate can be compared with what was put in.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from ebbtide.timestamps import from_datetime

WEEKS = 12
_HOURS = (9, 14, 20)


@dataclass(frozen=True, slots=True)
class Course:
    """How a sample patient fares: (week, value) pairs, with straight lines in between.

    ``rated``: the share of the three ratings a day that were given. ``away``: days, counted from
    the first, without strap and ratings. ``worn_hours``: the strap is worn that long each day;
    0 is five minutes before each rating, None is no strap. ``no_strap``: days of ratings alone,
    from the first number up to the second. ``by_lot``: they have practices offered by lot.
    ``wears_ring``: their nights were measured. ``weeks_ago``: it ended that long ago.
    """

    name: str
    about: str
    pain: tuple[tuple[float, float], ...]
    stress: tuple[tuple[float, float], ...]
    link: float = 0.5
    rated: float = 0.85
    weeks: int = WEEKS
    away: tuple[int, ...] = ()
    worn_hours: int | None = 0
    no_strap: tuple[int, int] = (0, 0)
    by_lot: bool = False
    wears_ring: bool = False
    weeks_ago: int = 0
    rate_bpm: float = 68.0
    rmssd_ms: float = 33.0


def _line(*points: tuple[float, float]) -> tuple[tuple[float, float], ...]:
    return points


# Ada comes first: she is the patient that a visitor is.
COURSES = (
    Course(
        "Ada", "Worn twelve hours a day; pain and stress both fall, and are linked.",
        _line((0, 6.0), (4, 3.6), (12, 2.2)), _line((0, 6.4), (6, 4.4), (12, 3.6)),
        rated=0.9, worn_hours=12, away=(15, 16, 47), rate_bpm=66, rmssd_ms=36, by_lot=True,
        wears_ring=True,
    ),
    Course(
        "Ben", "Much better within four weeks, as in the trial.",
        _line((0, 6.2), (4, 1.5), (12, 1.0)), _line((0, 5.5), (4, 3.5), (12, 3.0)),
    ),
    Course(
        "Cleo", "No change so far.",
        _line((0, 5.8), (12, 5.6)), _line((0, 6.0), (12, 5.9)), link=0.2,
    ),
    Course(
        "Dov", "Better, then back after the eighth week.",
        _line((0, 6.5), (5, 2.5), (8, 2.5), (10, 5.5), (12, 5.0)),
        _line((0, 6.0), (5, 3.5), (8, 3.5), (10, 6.5), (12, 5.5)),
    ),
    Course(
        "Esi", "Less stress, the same pain: nothing is linked.",
        _line((0, 5.0), (12, 4.8)), _line((0, 7.5), (12, 3.0)), link=0.0, by_lot=True,
    ),
    Course(
        "Finn", "Less pain, the same stress: nothing is linked.",
        _line((0, 6.5), (12, 2.5)), _line((0, 4.5), (12, 4.5)), link=0.0,
    ),
    Course(
        "Gita", "Rates seldom, and pain rises lately.",
        _line((0, 4.5), (9, 4.0), (12, 6.8)), _line((0, 5.0), (12, 6.0)), rated=0.3,
    ),
    Course(
        "Hugo", "Strap in the drawer since the sixth week; ratings go on.",
        _line((0, 6.0), (12, 4.0)), _line((0, 6.0), (12, 4.5)), no_strap=(42, 84),
    ),
    Course(
        "Ines", "Began six days ago.",
        _line((0, 7.0), (1, 6.5)), _line((0, 7.0), (1, 6.6)), weeks=1,
    ),
    Course(
        "Jon", "Three weeks of holidays without ratings.",
        _line((0, 5.5), (5, 4.5), (12, 3.0)), _line((0, 5.0), (12, 3.5)),
        away=tuple(range(35, 56)),
    ),
    Course(
        "Kaja", "No strap; ratings alone.",
        _line((0, 6.8), (3, 5.5), (12, 3.2)), _line((0, 6.5), (12, 4.0)), worn_hours=None,
    ),
    Course(
        "Liv", "Strongly linked, and nearly well.",
        _line((0, 5.0), (6, 2.0), (12, 0.8)), _line((0, 5.5), (12, 2.0)), link=0.8,
    ),
)  # fmt: skip

# People whose programme was a year ago, with ratings alone. They have their research consent still:
# a week reaches analysts 4 to 35 weeks after it ended, so that of those above next to none does.
_AGO = 40
FORMER = tuple(
    Course(
        name, "Ended long ago; in the research tables.",
        _line((0, pain), (5, (pain + later) / 2), (12, later)),
        _line((0, stress), (12, stress - 2)),
        link=link, rated=0.75, worn_hours=None, weeks_ago=_AGO,
    )
    for name, pain, later, stress, link in (
        ("Mira", 6.0, 2.5, 6.0, 0.5), ("Nils", 5.5, 4.5, 5.5, 0.3), ("Oda", 6.5, 2.0, 6.5, 0.6),
        ("Pavel", 5.0, 3.0, 6.0, 0.4), ("Quinn", 6.0, 5.5, 5.0, 0.5), ("Runa", 5.5, 3.5, 6.0, 0.7),
    )
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class CourseRating:
    """One rating. ``felt``: the stress behind it, before it was rounded."""

    about_ns: int
    pain: int
    stress: int
    pleasant: int | None
    felt: float
    is_given: bool


@dataclass(frozen=True, slots=True)
class CourseDay:
    """A day of a course; its ratings by time, of which some were not given."""

    date: date
    is_away: bool
    ratings: tuple[CourseRating, ...]

    def stress_at(self, at_ns: NDArray[np.int64]) -> NDArray[np.float64]:
        """Interpolate the stress felt between the day's moments."""
        moments = np.array([rating.about_ns for rating in self.ratings], dtype=np.float64)
        felt = np.array([rating.felt for rating in self.ratings])
        return np.asarray(np.interp(at_ns.astype(np.float64), moments, felt))


def generate_days(course: Course, last: date, zone: str, seed: int) -> list[CourseDay]:
    """Generate the days of a course, of which ``last`` is the last. The same seed gives the same
    days.
    """
    rng = np.random.default_rng(seed)
    count = course.weeks * 7 - (1 if course.weeks == 1 else 0)
    first = last - timedelta(days=count - 1)
    mood, ache = rng.standard_normal(), rng.standard_normal()
    days = []
    for number in range(count):
        week = number / 7
        pain_then, stress_then = _value_at(course.pain, week), _value_at(course.stress, week)
        ratings = []
        for hour in _HOURS:
            mood = 0.4 * mood + 1.3 * rng.standard_normal()
            ache = 0.4 * ache + 0.7 * rng.standard_normal()
            felt = stress_then + mood
            offset, missed, noticed = rng.uniform(-40, 40), rng.random(), rng.random()
            pleasant = 2.5 + 0.4 * (7 - pain_then) + rng.standard_normal()
            ratings.append(
                CourseRating(
                    _moment(first + timedelta(days=number), hour, zone, float(offset)),
                    _nrs(pain_then + course.link * mood + ache),
                    _nrs(felt),
                    _nrs(pleasant) if noticed < 0.7 else None,
                    float(felt),
                    bool(missed < course.rated) and number not in course.away,
                )
            )
        days.append(
            CourseDay(first + timedelta(days=number), number in course.away, tuple(ratings))
        )
    return days


def session_moments(days: list[CourseDay], zone: str) -> list[int]:
    """List when the eight sessions of four weeks were held, of those that are past."""
    planned = (0, 3, 7, 10, 14, 17, 21, 24)
    return [_moment(days[day].date, 11, zone) for day in planned if day < len(days)]


def _value_at(points: tuple[tuple[float, float], ...], week: float) -> float:
    return float(np.interp(week, [at for at, _ in points], [value for _, value in points]))


def _moment(day: date, hour: int, zone: str, minutes: float = 0.0) -> int:
    moment = datetime.combine(day, time(hour), tzinfo=ZoneInfo(zone)) + timedelta(minutes=minutes)
    return from_datetime(moment)


def _nrs(value: float) -> int:
    return int(np.clip(round(value), 0, 10))
