"""Whether a person consents to a purpose: the newest of their answers counts."""

from __future__ import annotations

from store.models import Consent, Purpose


def is_consented(answers: list[Consent], purpose: Purpose, at_ns: int) -> bool:
    """Whether the newest answer for this purpose is yes, and has not expired."""
    for answer in reversed(answers):
        if answer.purpose is purpose:
            return answer.given and (answer.until_ns is None or at_ns < answer.until_ns)
    return False


def is_consented_to_research(answers: list[Consent], at_ns: int) -> bool:
    """Whether analysts may use the data: research is agreed to, and keeping was not withdrawn."""
    has_keeping = any(answer.purpose is Purpose.KEEPING for answer in answers)
    if has_keeping and not is_consented(answers, Purpose.KEEPING, at_ns):
        return False
    return is_consented(answers, Purpose.RESEARCH, at_ns)
