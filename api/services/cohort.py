"""The cohort: patients who consent to research, under pseudonyms, and their link together."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analytics.association.group import GroupLink, group_link
from api.services.compute import compute, raise_if_stopped
from api.services.consent import is_consented_to_research
from api.services.errors import UnknownPseudonymError
from api.services.export_scope import ExportSubject
from api.services.inputs import local_day_and_hour
from ebbtide.timestamps import DAY, FOREVER
from store import Stores
from store.models.records import Purpose, Role


@dataclass(frozen=True, slots=True)
class CohortLink:
    """The link over a cohort. ``simulated``: some of its people or ratings are."""

    link: GroupLink
    simulated: bool


def consenting_patients(stores: Stores, pseudonyms: list[str] | None = None) -> list[ExportSubject]:
    """The patients who consent to research now, or those of them with these pseudonyms, in the
    order of pseudonyms. Raises UnknownPseudonymError.
    """
    now = stores.now()
    subjects = []
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
            pseudonym = stores.access.pseudonym(person.id)
            subjects.append(ExportSubject(person, pseudonym, agreed_ns))
    subjects.sort(key=lambda subject: subject.name)
    if pseudonyms is None:
        return subjects
    by_name = {subject.name: subject for subject in subjects}
    unknown = [name for name in pseudonyms if name not in by_name]
    if unknown:
        raise UnknownPseudonymError(f"Nobody who agrees to research now is called {unknown[0]}.")
    return [by_name[name] for name in sorted(set(pseudonyms))]


@dataclass(frozen=True, slots=True, eq=False)
class CohortRatings:
    """Ratings of a cohort, all of shape (n,). ``who``: place among the subjects."""

    who: NDArray[np.int64]
    days: NDArray[np.float64]
    stress: NDArray[np.float64]
    pain: NDArray[np.float64]
    hours: NDArray[np.float64]
    simulated: bool

    @property
    def price_s(self) -> float:
        """Seconds for their link, as measured: nearly as the square of each person's ratings."""
        counts = np.bincount(self.who).astype(np.float64)
        return 0.1 + float(np.sum(1e-3 + 1.5e-4 * counts + 2e-7 * counts**2))


def read_cohort(stores: Stores, subjects: list[ExportSubject]) -> CohortRatings:
    """Read what the link of these people is made from."""
    who: list[int] = []
    days: list[float] = []
    pain: list[float] = []
    stress: list[float] = []
    hours: list[float] = []
    simulated = False
    for number, subject in enumerate(subjects):
        raise_if_stopped()
        ratings = stores.records.ratings(subject.person.id, *FOREVER)
        times = np.array([rating.about_ns for rating in ratings], dtype=np.int64)
        who += [number] * len(ratings)
        days += ((times - subject.shift_ns) / DAY).tolist()
        hours += local_day_and_hour(times, subject.person.zone)[1].tolist()
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
    )


def compute_cohort_link(ratings: CohortRatings) -> CohortLink:
    """Estimate how pain moved with stress within these people, over all of them."""
    arrays = (ratings.who, ratings.days, ratings.stress, ratings.pain, ratings.hours)
    return CohortLink(compute(ratings.price_s, group_link, *arrays), ratings.simulated)


def cohort_link(stores: Stores, subjects: list[ExportSubject]) -> CohortLink:
    """Read the ratings of these people, and estimate their link."""
    return compute_cohort_link(read_cohort(stores, subjects))
