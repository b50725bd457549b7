"""People in research: enough for a cohort, with data old enough to be released."""

from __future__ import annotations

from api.services.research_identity import DELAYS, MIN_DELAY_WEEKS, ResearchIdentity, make_identity
from store import Stores
from store.models import Person, Purpose, Role
from tests.support.clinic import Clinic

# Data that are so old are released, whatever the secret number of weeks.
RELEASED_WEEKS = MIN_DELAY_WEEKS + DELAYS + 2


def agree_together(clinic: Clinic, *names: str, people: int = 5) -> None:
    """Let these patients agree to research, with as many others, who have no data, as make a
    cohort.
    """
    for number in range(people - len(names)):
        other = f"other{number}"
        if other not in clinic.people:
            clinic.add(other, Role.PATIENT)
        clinic.agree(other, Purpose.RESEARCH)
    for name in names:
        clinic.agree(name, Purpose.RESEARCH)


def identity_of(stores: Stores, analyst: Person, person: Person) -> ResearchIdentity:
    """How this analyst sees this person."""
    return make_identity(stores.access.research_secret(), analyst.id, person.id, person.zone)
