"""Whether pain moved with stress, and with the heart."""

from __future__ import annotations

from collections import Counter
from typing import Annotated

import numpy as np
from fastapi import APIRouter, Query
from numpy.typing import NDArray
from pydantic import BaseModel, Field

from analytics import link as link_method
from analytics.alignment import align
from analytics.link import Link, within_person_link
from analytics.link_words import LinkWords, Verdict, words_for
from analytics.windows import Unusable
from api.access import Asking, InHouse
from api.beat_arrays import beat_arrays
from api.house import House
from api.problems import described
from api.time_range import AskedOrAll
from ebbtide.instants import SECOND, to_datetime
from ebbtide.records import Origin
from store.records import Person, Rating

router = APIRouter(tags=["link"])

_RMSSD_WORDS = {
    "x_name": "RMSSD",
    "unit": "a doubling of RMSSD",
    "rise": "RMSSD twice its usual for the time",
}


class FreedPoint(BaseModel):
    """One rating without the course that both share: how far each was from the usual then."""

    x: float
    y: float


class LinkRow(BaseModel):
    """How pain moved with one thing. Numbers are null where ``missing`` says why."""

    with_: str = Field(alias="with", examples=["stress"])
    estimate: float | None = Field(description="Points of pain for one unit", examples=[0.34])
    low: float | None = Field(description="95% interval", examples=[0.12])
    high: float | None = Field(examples=[0.56])
    p_value: float | None = Field(examples=[0.003])
    n: int = Field(examples=[84])
    unit: str = Field(examples=["one point of stress"])
    verdict: Verdict
    sentence: str
    caveats: list[str]
    missing: str | None
    points: list[FreedPoint]


class BeatsBeforeRatings(BaseModel):
    """How many ratings have usable beats before them, and why the others have none."""

    ratings: int
    usable: int
    why_not: dict[str, int]


class LinkReport(BaseModel):
    """The answer, in words and in numbers."""

    stress: LinkRow
    rmssd: LinkRow
    beats_before_ratings: BeatsBeforeRatings
    window_s: float
    simulated: bool = Field(description="Some of this was made by a simulation")
    origins: list[Origin]
    method: str


@router.get("/link", responses=described(401, 422))
def link(
    asked: AskedOrAll,
    person: Asking,
    house: InHouse,
    window_s: Annotated[
        float, Query(ge=60, le=86_400, description="Heart-rate window before each rating")
    ] = 300,
) -> LinkReport:
    """The within-person link of pain with stress, and of pain with RMSSD."""
    ratings = house.records.ratings(person.id, asked.start_ns, asked.end_ns)
    ln_rmssd, unusable, origins = _hearts_before(ratings, person, house, round(window_s * SECOND))
    times = np.array([rating.about_ns for rating in ratings], dtype=np.int64)
    pain = np.array([rating.pain for rating in ratings], dtype=np.float64)
    stress = np.array([rating.stress for rating in ratings], dtype=np.float64)
    hours = np.array([_local_hour(rating) for rating in ratings], dtype=np.float64)
    # Per doubling, since a doubling of RMSSD is something one can picture and one ms is not.
    doublings = ln_rmssd / np.log(2)
    by_stress = within_person_link(times, stress, pain, hours)
    by_rmssd = within_person_link(times, doublings, pain, hours, x_name="usable beats before them")
    return LinkReport(
        stress=_row("stress", words_for(by_stress), by_stress),
        rmssd=_row("RMSSD", words_for(by_rmssd, **_RMSSD_WORDS), by_rmssd),
        beats_before_ratings=BeatsBeforeRatings(
            ratings=len(ratings),
            usable=unusable.count(None),
            why_not={str(why): many for why, many in Counter(unusable).items() if why},
        ),
        window_s=window_s,
        simulated=Origin.SIMULATED in origins or any(rating.simulated for rating in ratings),
        origins=sorted(origins),
        method=link_method.METHOD,
    )


def _hearts_before(
    ratings: list[Rating], person: Person, house: House, window_ns: int
) -> tuple[NDArray[np.float64], list[Unusable | None], frozenset[Origin]]:
    """ln RMSSD before each rating, and why there is none. Reads the beats of each stretch of
    ratings by itself, so that months between two ratings cost nothing.
    """
    ln_rmssd: list[NDArray[np.float64]] = [np.empty(0)]
    unusable: list[Unusable | None] = []
    origins: frozenset[Origin] = frozenset()
    first = 0
    while first < len(ratings):
        last = first
        while (
            last + 1 < len(ratings)
            and ratings[last + 1].about_ns - ratings[last].about_ns < 2 * window_ns
        ):
            last += 1
        stretch = ratings[first : last + 1]
        beats = house.beats.read(
            person.subject_id, stretch[0].about_ns - window_ns, stretch[-1].about_ns
        )
        origins |= beats.origins
        moments = np.array([rating.about_ns for rating in stretch], dtype=np.int64)
        aligned = align(moments, beat_arrays(beats), window_ns)
        ln_rmssd.append(aligned.ln_rmssd)
        unusable += aligned.found.unusable
        first = last + 1
    return np.concatenate(ln_rmssd), unusable, origins


def _local_hour(rating: Rating) -> float:
    local = to_datetime(rating.about_ns, rating.zone)
    return local.hour + local.minute / 60


def _row(name: str, words: LinkWords, found: Link) -> LinkRow:
    return LinkRow(
        **{"with": name},
        estimate=found.estimate,
        low=found.low,
        high=found.high,
        p_value=found.p_value,
        n=found.n,
        unit=words.unit,
        verdict=words.verdict,
        sentence=words.sentence,
        caveats=list(words.caveats),
        missing=found.missing,
        points=[
            FreedPoint(x=float(x), y=float(y))
            for x, y in zip(found.x_freed, found.y_freed, strict=True)
        ],
    )
