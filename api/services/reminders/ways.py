"""The ways in which a prompt reaches a person."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from ebbtide.i18n import N_, translator
from store.models import Person, Prompt, ReminderPlan

# Nothing of pain: it may be read on a locked screen, by others too.
NEUTRAL_TITLE, NEUTRAL_TEXT = "Ebbtide", N_("A moment for yourself?")
WORDS_TITLE = "Ebbtide"
WORDS_TEXTS = {
    "both": N_("How are pain and stress just now?"),
    "pain": N_("How is pain just now?"),
    "stress": N_("How is stress just now?"),
}


@dataclass(frozen=True, slots=True)
class Message:
    """What is to be sent. ``receipt``: the secret that is good for one answer to this prompt."""

    person: Person
    plan: ReminderPlan
    prompt: Prompt
    receipt: str

    @property
    def title(self) -> str:
        """What stands above the text."""
        return WORDS_TITLE if self.plan.shows_words else NEUTRAL_TITLE

    @property
    def text(self) -> str:
        """What is shown, also on a locked screen: in the person's language."""
        words = WORDS_TEXTS[self.prompt.asks] if self.plan.shows_words else NEUTRAL_TEXT
        return translator(self.person.language)(words)


class Way(Protocol):
    """One way. ``send`` may block; it tells whether it worked, and raises nothing of its own."""

    name: str

    def is_set_up(self, plan: ReminderPlan) -> bool:
        """Whether the person wishes this way, and it is there."""
        ...

    def send(self, message: Message) -> bool:
        """Send it; whether it was taken."""
        ...


class CalendarWay:
    """The person's own calendar, which has the alarm already."""

    name = "calendar"

    def is_set_up(self, plan: ReminderPlan) -> bool:
        """Whether the calendar has an address."""
        return plan.calendar_hash is not None

    def send(self, message: Message) -> bool:
        """It is there already."""
        return True
