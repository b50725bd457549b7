"""Which of a person's answers counts."""

from __future__ import annotations

from store.models import Consent, Purpose


def is_consented(answers: list[Consent], purpose: Purpose, at_ns: int) -> bool:
    """Whether the newest answer for this purpose is yes, and not over."""
    for answer in reversed(answers):
        if answer.purpose is purpose:
            return answer.given and (answer.until_ns is None or at_ns < answer.until_ns)
    return False
