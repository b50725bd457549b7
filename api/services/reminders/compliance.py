"""How many prompts were answered, by hour and weekday: counts, and shares of enough of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median

from ebbtide.timestamps import SECOND, to_datetime
from store.models import Prompt

# Of fewer, a share says little: 3 of 4 is compatible with a third and with nearly all.
MIN_SENT = 5


@dataclass(frozen=True, slots=True)
class Answered:
    """Of the prompts of an hour or a weekday (Monday 0), or of all (None): how many were sent and
    can not be answered any more, or were; and how many were answered. ``share`` is None where too
    few were sent; ``median_s``: from sending to the answer.
    """

    group: int | None
    sent: int
    answered: int
    share: float | None
    median_s: float | None


@dataclass(frozen=True, slots=True)
class Compliance:
    """Of all prompts, by hour and by weekday, where there were any; and how many were planned and
    not sent, by reason.
    """

    total: Answered
    by_hour: tuple[Answered, ...]
    by_weekday: tuple[Answered, ...]
    not_sent: dict[str, int]


def compute_compliance(prompts: Sequence[Prompt], now_ns: int) -> Compliance:
    """Count the prompts of a person, by the clock where they were."""
    sent = [
        prompt
        for prompt in prompts
        if prompt.sent_ns is not None and (not prompt.is_open(now_ns)) and prompt.sent_ns <= now_ns
    ]
    not_sent: dict[str, int] = {}
    for prompt in prompts:
        if prompt.skip_reason is not None:
            not_sent[prompt.skip_reason] = not_sent.get(prompt.skip_reason, 0) + 1
    return Compliance(
        _answered(None, sent),
        _grouped(sent, lambda prompt: to_datetime(prompt.planned_ns, prompt.zone).hour),
        _grouped(sent, lambda prompt: to_datetime(prompt.planned_ns, prompt.zone).weekday()),
        not_sent,
    )


def _grouped(sent: Sequence[Prompt], key: Callable[[Prompt], int]) -> tuple[Answered, ...]:
    groups: dict[int, list[Prompt]] = {}
    for prompt in sent:
        groups.setdefault(key(prompt), []).append(prompt)
    return tuple(_answered(group, groups[group]) for group in sorted(groups))


def _answered(group: int | None, sent: Sequence[Prompt]) -> Answered:
    waits = [
        (prompt.answered_ns - prompt.sent_ns) / SECOND
        for prompt in sent
        if prompt.answered_ns is not None and prompt.sent_ns is not None
    ]
    enough = len(sent) >= MIN_SENT
    return Answered(
        group,
        len(sent),
        len(waits),
        len(waits) / len(sent) if enough else None,
        median(waits) if enough and waits else None,
    )
