"""What is due when: questionnaires before, in the middle of and after a programme, and later.

Pure: a scheduler of reminders, the API and the pages all ask ``questionnaires_due``.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from ebbtide.questionnaires import Questionnaire

MONTH = timedelta(days=30.4375)  # 365.25 / 12


class Occasion(StrEnum):
    """When a questionnaire is answered, counted from the programme's dates."""

    BEFORE = "before"
    MID = "mid"
    AFTER = "after"
    MONTH_1 = "1 month"
    MONTHS_3 = "3 months"
    MONTHS_6 = "6 months"
    MONTHS_12 = "12 months"


FOLLOW_UPS = {
    Occasion.MONTH_1: 1,
    Occasion.MONTHS_3: 3,
    Occasion.MONTHS_6: 6,
    Occasion.MONTHS_12: 12,
}
# From when until when, around its date, an occasion takes answers. The last two weeks are what
# PHQ-9 and GAD-7 ask about; follow-ups are open as those of the programme's plan are.
_WINDOWS = {
    Occasion.BEFORE: (timedelta(days=-14), timedelta(days=3)),
    Occasion.MID: (timedelta(days=-3), timedelta(days=6)),
    Occasion.AFTER: (timedelta(0), timedelta(days=14)),
    **dict.fromkeys(FOLLOW_UPS, (timedelta(days=-7), timedelta(days=21))),
}


@dataclass(frozen=True, slots=True)
class OccasionWindow:
    """When an occasion is, and from when until when it takes answers.

    ``closes``: None for one that has no end yet.
    """

    occasion: Occasion
    due: datetime
    opens: datetime
    closes: datetime | None

    def is_open(self, now: datetime) -> bool:
        """Whether it takes answers now."""
        return self.opens <= now and (self.closes is None or now < self.closes)


@dataclass(frozen=True, slots=True)
class DueQuestionnaire:
    """A questionnaire that may be answered now, for which occasion, and until when."""

    questionnaire: str
    occasion: Occasion
    due: datetime
    closes: datetime | None


def plan_occasions(
    now: datetime, started: datetime | None, middle: datetime | None, last: datetime | None
) -> tuple[OccasionWindow, ...]:
    """Lay the occasions out along a programme.

    Parameters
    ----------
    now : datetime
        With a zone.
    started : datetime or None
        When the programme began; None before: then the first questionnaires wait for it.
    middle, last : datetime or None
        The session in the middle and the last one, held or suggested; None before it began.

    Returns
    -------
    tuple of OccasionWindow
        By time.

    Raises
    ------
    ValueError
        If the programme began and its sessions are left out.
    """
    if started is None:
        return (OccasionWindow(Occasion.BEFORE, now, now, None),)
    if middle is None or last is None:
        raise ValueError("a programme that began has a middle and a last session")
    dates = {
        Occasion.BEFORE: started,
        Occasion.MID: middle,
        Occasion.AFTER: last,
        **{occasion: last + months * MONTH for occasion, months in FOLLOW_UPS.items()},
    }
    return tuple(
        OccasionWindow(occasion, due, due + _WINDOWS[occasion][0], due + _WINDOWS[occasion][1])
        for occasion, due in dates.items()
    )


def questionnaires_due(
    windows: Sequence[OccasionWindow],
    questionnaires: Sequence[Questionnaire],
    answered: Collection[tuple[str, str]],
    now: datetime,
) -> tuple[DueQuestionnaire, ...]:
    """List what may be answered now and has not been.

    Parameters
    ----------
    windows : sequence of OccasionWindow
        Of `plan_occasions`.
    questionnaires : sequence of Questionnaire
        That are asked.
    answered : collection of (str, str)
        Id of the questionnaire and occasion of what was answered, whatever the version.
    now : datetime
        With a zone.

    Returns
    -------
    tuple of DueQuestionnaire
        By occasion, then in the order given. What asks for a change is not due before. Of two
        occasions that are open at once, the later one alone: one answer says how it is now.
    """
    found: dict[str, DueQuestionnaire] = {}
    for window in windows:
        if not window.is_open(now):
            continue
        for item in questionnaires:
            if item.asks_change and window.occasion is Occasion.BEFORE:
                continue
            found[item.id] = DueQuestionnaire(item.id, window.occasion, window.due, window.closes)
    done = set(answered)
    return tuple(
        due for due in found.values() if (due.questionnaire, str(due.occasion)) not in done
    )
