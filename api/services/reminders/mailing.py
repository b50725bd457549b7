"""Prompts by mail, with a link to a page that takes one rating and asks for no password."""

from __future__ import annotations

from api.services.errors import MailError
from api.services.mail import Mailer
from api.services.reminders.ways import Message
from ebbtide.i18n import N_, translator
from ebbtide.timestamps import to_datetime
from store.models import ReminderPlan

_ONE_ANSWER = N_(
    "The link takes one answer, until {until}. It shows nothing of yours, and no password is "
    "needed."
)
_CHANGE = N_("Reminders can be changed, paused or ended on the page Reminders.")


class MailWay:
    """Write to the person's address."""

    name = "mail"

    def __init__(self, mailer: Mailer) -> None:
        self._mailer = mailer

    def is_set_up(self, plan: ReminderPlan) -> bool:
        """Whether the person wishes it."""
        return plan.mail

    def send(self, message: Message) -> bool:
        """Send it; whether the server took it."""
        _ = translator(message.person.language)
        until = to_datetime(message.prompt.expires_ns, message.plan.zone)
        url = answer_url(self._mailer.pages_url, message.receipt)
        last = f"{_(_ONE_ANSWER).format(until=f'{until:%H:%M}')}\n{_(_CHANGE)}"
        text = f"{message.text}\n\n{url}\n\n{last}\n"
        try:
            self._mailer.send(message.person.email, message.text, text)
        except MailError:
            return False
        return True


def answer_url(pages_url: str, receipt: str) -> str:
    """The page for one answer. What follows the # is sent to no server, so that no log has it and
    no scanner of mail uses it up.
    """
    return f"{pages_url.rstrip('/')}/app/answer.html#{receipt}"
