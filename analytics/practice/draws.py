"""Whether a practice is offered: draws that can be checked later and that nobody knows before.

Each decision point has a nonce of its own. Its hash (the commitment) is shown before the moment,
the nonce after it; the nonce gives the draw. Whoever has both can do the draw again (commit and
reveal; Blum 1981). The draw is SHA-256, and no generator whose sequence a library may change.

Balance within a block of days and times comes from a biased coin (Efron 1971, Biometrika 58:403)
and not from a fixed number of offers a block: there the last draws of a block would be known
before, and have probability 0 or 1, with which no interval is valid at every look.
"""

from __future__ import annotations

import hashlib
import hmac
import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

VERSION = "ebbtide practice draw v1"
MIN_PROBABILITY, MAX_PROBABILITY = 0.2, 0.8
BLOCK_DAYS = 4
# Noon and five: the parts of the day that a time of prompts falls into.
_PARTS = ((12 * 60, "morning"), (17 * 60, "afternoon"), (24 * 60, "evening"))
MIN_SEED_BYTES = 32
_NONCE_CHARACTERS = 64


class DrawError(ValueError):
    """A draw that cannot be made, or that is not what was committed to; the message says why."""


@dataclass(frozen=True, slots=True)
class Draw:
    """One decision point's draw.

    Parameters
    ----------
    decision_point : str
        Its id, unique within the person.
    block : str
        Draws of one block are balanced (``block_name``).
    base_probability : float
        Chosen with the person: the share of moments with an offer.
    arms : tuple of str
        Practices that may be offered, each with the same probability.
    commitment : str
        SHA-256, 64 hexadecimal digits, which may be shown before.
    nonce : str
        64 hexadecimal digits; to be shown only after the moment.
    probability : float
        Of an offer at this point, given the earlier draws of its block; to be stored with the draw.
    offered : bool
        The draw.
    arm : str or None
        Which practice; None where nothing is offered.
    """

    decision_point: str
    block: str
    base_probability: float
    arms: tuple[str, ...]
    commitment: str
    nonce: str
    probability: float
    offered: bool
    arm: str | None


def derive_nonce(seed: bytes, decision_point: str) -> str:
    """Return a decision point's nonce: HMAC-SHA-256 of its id under the person's secret seed.

    To reveal one nonce tells nothing of the others.

    Raises
    ------
    DrawError
        If the seed has fewer than 32 bytes (make it with ``secrets.token_bytes(32)``).
    """
    if len(seed) < MIN_SEED_BYTES:
        raise DrawError(
            f"the seed has {len(seed)} bytes: it needs {MIN_SEED_BYTES} random ones, such as "
            "secrets.token_bytes(32) gives"
        )
    return hmac.new(seed, _words("nonce", decision_point), hashlib.sha256).hexdigest()


def block_name(first_day: date, day: date, minute: int, block_days: int = BLOCK_DAYS) -> str:
    """Name the block of a moment: days since the first, and the part of the day.

    Parameters
    ----------
    first_day, day : date
        The person's local first day of the trial, and the day of the moment.
    minute : int
        Minutes after local midnight, 0 to 1439.
    block_days : int
        Days a block lasts.

    Examples
    --------
    >>> block_name(date(2026, 3, 2), date(2026, 3, 7), 9 * 60)
    '1 morning'
    """
    days = (day - first_day).days
    if days < 0 or not 0 <= minute < 24 * 60 or block_days < 1:
        raise DrawError("a block needs a day from the first one on, and a minute from 0 to 1439")
    part = next(name for end, name in _PARTS if minute < end)
    return f"{days // block_days} {part}"


def draw_probability(base_probability: float, offered_in_block: Sequence[bool]) -> float:
    """Return the probability of an offer, given the earlier draws of its block.

    The odds are halved when the block has half an offer too many or more, doubled when it has half
    an offer too few or more, and between that in proportion. At 0.5: one third, one half, two
    thirds, which is Efron's coin.

    Parameters
    ----------
    base_probability : float
        From 0.2 to 0.8.
    offered_in_block : sequence of bool
        Draws of the same block before this one, in any order.

    Examples
    --------
    >>> round(draw_probability(0.5, [True]), 3), draw_probability(0.5, [True, False])
    (0.333, 0.5)
    """
    if not MIN_PROBABILITY <= base_probability <= MAX_PROBABILITY:
        raise DrawError(
            f"the probability {base_probability:g} is not from {MIN_PROBABILITY} to "
            f"{MAX_PROBABILITY}: outside of that one of the two would be too rare to compare"
        )
    excess = sum(map(bool, offered_in_block)) - base_probability * len(offered_in_block)
    return tilted_probability(base_probability, excess)


def tilted_probability(base_probability: float, excess: float) -> float:
    """Return the biased coin's probability at so many offers more than expected in the block."""
    tilt = min(1.0, max(-1.0, 2 * excess))
    odds = base_probability / (1 - base_probability) * math.exp2(-tilt)
    return odds / (1 + odds)


def commitment(
    nonce: str, decision_point: str, block: str, base_probability: float, arms: Sequence[str]
) -> str:
    """Return the hash that is shown before the draw: of the nonce and of all that it depends on.

    The probability follows from the base probability and the earlier draws of the block, so that a
    commitment can be made days before.
    """
    if len(nonce) != _NONCE_CHARACTERS or set(nonce) - set("0123456789abcdef"):
        raise DrawError("a nonce is 64 hexadecimal digits, as derive_nonce gives")
    if not arms or len(set(arms)) != len(arms) or not all(arms):
        raise DrawError("name one practice at least, and each once")
    parts = ("commitment", nonce, decision_point, block, repr(float(base_probability)), *arms)
    return hashlib.sha256(_words(*parts)).hexdigest()


def make_draw(
    nonce: str,
    decision_point: str,
    block: str,
    base_probability: float,
    offered_in_block: Sequence[bool],
    arms: Sequence[str] = ("practice",),
) -> Draw:
    """Draw whether a practice is offered, and which.

    Parameters
    ----------
    nonce : str
        From ``derive_nonce``.
    decision_point, block : str
        Ids of the moment and of its block.
    base_probability : float
        From 0.2 to 0.8.
    offered_in_block : sequence of bool
        All draws of the block before this one.
    arms : sequence of str
        Practices that may be offered.

    Examples
    --------
    >>> nonce = derive_nonce(bytes(range(32)), "point 1")
    >>> draw = make_draw(nonce, "point 1", "0 morning", 0.5, [], ("breathing",))
    >>> draw.probability, draw.offered, draw.arm
    (0.5, False, None)
    """
    probability = draw_probability(base_probability, offered_in_block)
    hashed = commitment(nonce, decision_point, block, base_probability, arms)
    offered = _uniform(nonce, decision_point, "offer") < probability
    index = math.floor(_uniform(nonce, decision_point, "arm") * len(arms))
    return Draw(
        decision_point=decision_point,
        block=block,
        base_probability=float(base_probability),
        arms=tuple(arms),
        commitment=hashed,
        nonce=nonce,
        probability=probability,
        offered=offered,
        arm=arms[index] if offered else None,
    )


def verify_draws(draws: Sequence[Draw]) -> None:
    """Do every draw again, in order, from the nonces.

    Parameters
    ----------
    draws : sequence of Draw
        All of a person, in the order in which they were made.

    Raises
    ------
    DrawError
        Naming the first draw that is not what its commitment, its nonce and the earlier draws give.
    """
    blocks: dict[str, list[bool]] = {}
    seen: set[str] = set()
    for draw in draws:
        if draw.decision_point in seen:
            raise DrawError(f"decision point {draw.decision_point} was drawn twice")
        seen.add(draw.decision_point)
        earlier = blocks.setdefault(draw.block, [])
        again = make_draw(
            draw.nonce, draw.decision_point, draw.block, draw.base_probability, earlier, draw.arms
        )
        for name in ("commitment", "probability", "offered", "arm"):
            found, wanted = getattr(draw, name), getattr(again, name)
            if found != wanted:
                raise DrawError(
                    f"decision point {draw.decision_point}: {name} is {found!r}, but its nonce and "
                    f"the earlier draws give {wanted!r}"
                )
        earlier.append(draw.offered)


def _words(*parts: str) -> bytes:
    """Join without ambiguity: each part with its length."""
    return "\n".join([VERSION, *(f"{len(part)}:{part}" for part in parts)]).encode()


def _uniform(nonce: str, decision_point: str, what: str) -> float:
    """53 bits of the hash, from 0 to 1 exclusive: what a float holds exactly."""
    digest = hashlib.sha256(_words(what, nonce, decision_point)).digest()
    return (int.from_bytes(digest[:8], "big") >> 11) * 2.0**-53
