"""The cohort: patients who consent to research, under pseudonyms, and their link together.

A cohort that somebody joins or leaves alone would name them to whoever knows the day.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analytics.association.calendar_effects import EPOCH_WEEKDAY
from analytics.association.group import GroupLink, group_link
from api.services.compute import compute, raise_if_stopped
from api.services.consent import is_consented_to_research
from api.services.errors import TooFewPeopleError, UnknownPseudonymError
from api.services.export_scope import ExportQuery, ExportSubject
from api.services.prompted import is_apart
from api.services.research_identity import make_identity
from api.services.research_rows import ReleasedRows
from ebbtide.timestamps import DAY, HOUR
from store import Stores
from store.models import Person
from store.models.records import Purpose, Role


@dataclass(frozen=True, slots=True)
class CohortLink:
    """The link over a cohort. ``simulated``: some of its people or ratings are. ``asked_apart``:
    the places of those most of whose ratings are of pain or of stress alone.
    """

    link: GroupLink
    simulated: bool
    asked_apart: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Cohort:
    """The people whom an analyst sees, by pseudonym; nobody where there are fewer than
    ``min_people``.
    """

    subjects: list[ExportSubject]
    min_people: int

    def require(self, pseudonyms: list[str] | None = None) -> list[ExportSubject]:
        """Get all people, or those with these pseudonyms. Raises UnknownPseudonymError, and
        TooFewPeopleError for fewer than ``min_people``.
        """
        by_name = {subject.name: subject for subject in self.subjects}
        unknown = [name for name in pseudonyms or () if name not in by_name]
        if self.subjects and unknown:
            raise UnknownPseudonymError(f"Nobody in the cohort is called {unknown[0]}.")
        if not self.subjects:
            raise TooFewPeopleError(
                f"Fewer than {self.min_people} people agree to research: of so few nothing is "
                "given, since one could be recognised."
            )
        if pseudonyms is None:
            return self.subjects
        if len(set(pseudonyms)) < self.min_people:
            raise TooFewPeopleError(
                f"Name at least {self.min_people} people, or leave out `person`: of fewer nothing "
                "is given, since one could be recognised."
            )
        return [by_name[name] for name in sorted(set(pseudonyms))]


def load_cohort(stores: Stores, analyst: Person, min_people: int) -> Cohort:
    """Load who is in the cohort now: patients who consent to research, in the order of pseudonyms,
    which says nothing of their accounts. Who is new enters with at least ``min_people`` others.
    """
    now = stores.now()
    agreed: dict[str, tuple[Person, int]] = {}
    for person in stores.records.people():
        if person.role is not Role.PATIENT:
            continue
        answers = stores.records.consents(person.id)
        if is_consented_to_research(answers, now):
            agreed_ns = max(
                answer.at_ns
                for answer in answers
                if answer.purpose in (Purpose.RESEARCH, Purpose.KEEPING)
            )
            agreed[person.id] = (person, agreed_ns)
    members = stores.access.update_cohort(agreed, min_people, now)
    if len(members) < min_people:
        return Cohort([], min_people)
    secret = stores.access.research_secret()
    subjects = []
    for person_id, entered_ns in members.items():
        person, agreed_ns = agreed[person_id]
        identity = make_identity(secret, analyst.id, person_id, person.zone)
        subjects.append(ExportSubject(person, identity, now, max(entered_ns, agreed_ns)))
    return Cohort(sorted(subjects, key=lambda subject: subject.name), min_people)


@dataclass(frozen=True, slots=True, eq=False)
class CohortRatings:
    """Ratings of both pain and stress of a cohort, all of shape (n,). ``who``: place among the
    subjects.

    ``session_who`` and ``session_days``, shape (k,): their sessions. ``asked_apart``: the places of
    those most of whose ratings are of one alone.
    """

    who: NDArray[np.int64]
    days: NDArray[np.float64]
    stress: NDArray[np.float64]
    pain: NDArray[np.float64]
    hours: NDArray[np.float64]
    simulated: bool
    session_who: NDArray[np.int64]
    session_days: NDArray[np.float64]
    asked_apart: frozenset[int] = frozenset()

    @property
    def price_s(self) -> float:
        """Seconds for their link, as measured: nearly as the square of each person's ratings."""
        counts = np.bincount(self.who).astype(np.float64)
        return 0.1 + float(np.sum(6e-3 + 1.5e-4 * counts + 2e-7 * counts**2))


def read_cohort(stores: Stores, subjects: list[ExportSubject]) -> CohortRatings:
    """Read what the link of these people is made from."""
    who: list[int] = []
    days: list[float] = []
    pain: list[int | None] = []
    stress: list[int | None] = []
    hours: list[float] = []
    session_who: list[int] = []
    session_days: list[float] = []
    simulated = False
    asked_apart: set[int] = set()
    for number, subject in enumerate(subjects):
        raise_if_stopped()
        released = ReleasedRows(stores, subject, ExportQuery.of_all())
        apart = {item.id for item in released.prompts() if is_apart(item)}
        rated = [item for item in released.ratings() if item.prompt_id not in apart]
        ratings = [item for item in rated if item.is_complete]
        if 2 * len(ratings) < len(rated):
            asked_apart.add(number)
        held = [day for _, day in released.sessions()]
        session_who += [number] * len(held)
        session_days += [day / DAY for day in held]
        times = np.array([rating.about_ns for rating in ratings], dtype=np.int64)
        who += [number] * len(ratings)
        days += (times / DAY).tolist()
        hours += (times % DAY / HOUR).tolist()
        pain += [rating.pain for rating in ratings]
        stress += [rating.stress for rating in ratings]
        simulated |= subject.person.simulated or any(rating.simulated for rating in ratings)
    return CohortRatings(
        np.array(who, dtype=np.int64),
        np.array(days, dtype=np.float64),
        np.array(stress, dtype=np.float64),
        np.array(pain, dtype=np.float64),
        np.array(hours, dtype=np.float64),
        simulated,
        np.array(session_who, dtype=np.int64),
        np.array(session_days, dtype=np.float64),
        frozenset(asked_apart),
    )


def compute_cohort_link(ratings: CohortRatings) -> CohortLink:
    """Estimate how pain moved with stress within these people, over all of them."""
    arrays = (ratings.who, ratings.days, ratings.stress, ratings.pain, ratings.hours)
    sessions = (ratings.session_who, ratings.session_days)
    work = functools.partial(group_link, sessions=sessions, first_weekday=EPOCH_WEEKDAY)
    link = compute(ratings.price_s, work, *arrays)
    return CohortLink(link, ratings.simulated, ratings.asked_apart)


def cohort_link(stores: Stores, subjects: list[ExportSubject]) -> CohortLink:
    """Read the ratings of these people, and estimate their link."""
    return compute_cohort_link(read_cohort(stores, subjects))
