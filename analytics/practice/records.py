"""What the analysis of one person needs of the draws."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from analytics._types import BoolArray, FloatArray, IntArray

MAX_MOMENTS = 5_000


@dataclass(frozen=True, slots=True, eq=False)
class PersonDraws:
    """One person's decision points at which a draw was made, in the order of the draws.

    Moments at which nothing could be offered (not available) have no draw and are not in here.

    Parameters
    ----------
    time_ns : array of int64, shape (n,)
        When it was drawn; increasing.
    probability : array of float64, shape (n,)
        Of an offer, as recorded with the draw; between 0 and 1, both excluded.
    offered : array of bool, shape (n,)
        The draws.
    base_probability : array of float64, shape (n,), optional
        With ``block``: how draws can be made again for the randomisation test. Without, every draw
        is taken to be independent, with ``probability``.
    block : sequence of str, length n, optional
        Names of the blocks within which draws were balanced.

    Raises
    ------
    ValueError
        Where the lengths differ, the times do not increase, or a probability is not between 0
        and 1.
    """

    time_ns: IntArray
    probability: FloatArray
    offered: BoolArray
    base_probability: FloatArray | None = None
    block: Sequence[str] | None = None

    def __post_init__(self) -> None:
        """Check all that the analysis rests on."""
        times = np.asarray(self.time_ns, dtype=np.int64)
        chance = np.asarray(self.probability, dtype=np.float64)
        raw = np.asarray(self.offered)
        if times.ndim != 1 or chance.shape != times.shape or raw.shape != times.shape:
            raise ValueError(
                "time_ns, probability and offered need one value for each draw; their shapes are "
                f"{times.shape}, {chance.shape} and {raw.shape}"
            )
        if times.size > MAX_MOMENTS:
            raise ValueError(
                f"{times.size} draws of one person; at most {MAX_MOMENTS} are analysed"
            )
        if np.any(np.diff(times) <= 0):
            raise ValueError("the times of the draws must increase; sort them, one row a draw")
        if not np.all(np.isin(raw, (0, 1))):
            raise ValueError("offered must be 0 or 1 at every draw")
        _check_probabilities("probability", chance)
        if (self.base_probability is None) != (self.block is None):
            raise ValueError("give base_probability and block both, or neither")
        if self.base_probability is not None and self.block is not None:
            base = np.asarray(self.base_probability, dtype=np.float64)
            if base.shape != times.shape or len(self.block) != times.size:
                raise ValueError("base_probability and block need one value for each draw")
            _check_probabilities("base_probability", base)
            object.__setattr__(self, "base_probability", base)
        object.__setattr__(self, "time_ns", times)
        object.__setattr__(self, "probability", chance)
        object.__setattr__(self, "offered", raw.astype(np.bool_))

    def __len__(self) -> int:
        return self.time_ns.size

    def take(self, rows: BoolArray) -> PersonDraws:
        """Return only these draws. Their probabilities stay; blocks are no longer known."""
        return PersonDraws(self.time_ns[rows], self.probability[rows], self.offered[rows])

    def compare_arm(self, arms: Sequence[str | None], arm: str, n_arms: int) -> PersonDraws:
        """Return the draws for one practice against nothing.

        Of the moments with this practice or none, given that it was one of the two, the probability
        of the practice is known (p / k) / (p / k + 1 - p) with k equally likely practices.

        Parameters
        ----------
        arms : sequence of str or None, length n
            What each draw gave.
        arm : str
            The practice.
        n_arms : int
            How many could have been offered at each moment.
        """
        if len(arms) != len(self) or n_arms < 1:
            raise ValueError("arms needs one name or None for each draw, and n_arms one at least")
        wanted = np.array([given is None or given == arm for given in arms])
        share = self.probability[wanted] / n_arms
        chance = share / (share + 1 - self.probability[wanted])
        return PersonDraws(self.time_ns[wanted], chance, self.offered[wanted])


def _check_probabilities(name: str, values: FloatArray) -> None:
    bad = np.flatnonzero(~((values > 0) & (values < 1)))
    if bad.size:
        raise ValueError(
            f"{name} of draw {int(bad[0]) + 1} is {values[bad[0]]}: it must lie between 0 and 1, "
            "both excluded; a moment whose draw was certain cannot be compared"
        )
