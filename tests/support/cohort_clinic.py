"""People in research: enough for a cohort, with data old enough to be released."""

from __future__ import annotations

from dataclasses import replace

from api.services.access_tokens import issue_token
from api.services.research_identity import (
    DELAYS,
    MIN_DELAY_WEEKS,
    WEEK,
    ResearchIdentity,
    make_identity,
)
from ebbtide.timestamps import DAY, HOUR, now_ns
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


class MovableClock:
    """The clock of stores, some time ahead of this machine's: at first on the next Wednesday, 12:00
    UTC, since analysts never see what is of the night from Saturday to Sunday.
    """

    def __init__(self) -> None:
        now = now_ns()
        wednesday = 6 * DAY + 12 * HOUR  # 1970-01-01 was a Thursday
        self.ahead_ns = (wednesday - now) % WEEK

    def __call__(self) -> int:
        """The time, in UTC nanoseconds."""
        return now_ns() + self.ahead_ns

    def until_released(self, clinic: Clinic) -> None:
        """Go forward until what is there is released, and sign everybody in again."""
        self.ahead_ns += RELEASED_WEEKS * WEEK
        self.sign_in_again(clinic)

    def sign_in_again(self, clinic: Clinic) -> None:
        """Sign everybody in: after weeks all tokens have ended."""
        for name, person in clinic.people.items():
            clinic.clients[name].close()
            token, _ = issue_token(clinic.stores, person)
            clinic.clients[name] = clinic.client(token)


def with_movable_clock(stores: Stores) -> tuple[Stores, MovableClock]:
    """The same stores with a clock that can be put forward."""
    clock = MovableClock()
    return replace(stores, now=clock), clock
