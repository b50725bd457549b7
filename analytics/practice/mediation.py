"""How much of an effect goes through a mediator: practice, stress, pain.

Natural direct and indirect excursion effects (Qian 2025, arXiv:2506.20027). Two stages: regressions
for treatment given mediator and for the outcome; then estimating equations in which an error of one
regression is made good by the others. Known randomisation makes the draw unconfounded; it does not
make the mediator so. That nothing else moves both mediator and outcome is an assumption, and no
data can show it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from analytics._types import BoolArray, FloatArray, IntArray
from analytics.practice.excursion_effects import (
    EFFECT,
    MAX_ROWS,
    Coefficient,
    design_matrix,
    make_coefficient,
    read_binary,
    read_column,
    read_probability,
    refuse_dependent,
)

_MAX_NEWTON_STEPS = 50
_CONVERGED = 1e-12
_SEPARATED = 1e-8


@dataclass(frozen=True, slots=True, eq=False)
class MediatedEffects:
    """What ``mediated_effects`` found.

    ``direct``, ``indirect``: ``effect``, then a unit more of each column of the time basis.
    ``covariance``: of direct then indirect coefficients. ``n_people``, ``n_rows``: used.
    """

    direct: tuple[Coefficient, ...]
    indirect: tuple[Coefficient, ...]
    covariance: FloatArray
    n_people: int
    n_rows: int


def mediated_effects(
    person: Sequence[object] | IntArray,
    outcome: FloatArray,
    treatment: BoolArray | FloatArray | IntArray,
    mediator: FloatArray,
    probability: FloatArray | float,
    *,
    controls: Mapping[str, FloatArray] | None = None,
    time_basis: Mapping[str, FloatArray] | None = None,
    available: BoolArray | FloatArray | IntArray | None = None,
    weights: FloatArray | None = None,
    proximal: bool = False,
    confidence: float = 0.95,
) -> MediatedEffects:
    """Split the effect of offers into what goes through a mediator and the rest.

    Parameters
    ----------
    person : sequence, shape (n,)
        Whose decision point each row is.
    outcome : array of float64, shape (n,)
        Measured once, at the end (the same in all rows of a person); or, with ``proximal``, after
        each decision point and its mediator.
    treatment : array of 0 and 1, shape (n,)
        Whether it was offered; 0 where not available.
    mediator : array of float64, shape (n,)
        After the draw and before the outcome.
    probability : array of float64, shape (n,), or float
        Of the offer at available rows.
    controls : mapping of name to array, shape (n,), optional
        Known before the draw. All that moves both mediator and outcome has to be among them.
    time_basis : mapping of name to array, shape (n,), optional
        How the effects may vary with the decision point; by default they are constant.
    available : array of 0 and 1, shape (n,), optional
        Where 0, nothing could be offered; these rows count with no effect.
    weights : array of float64, shape (n,), optional
        Of the rows, 0 or more; by default equal.
    proximal : bool
        Whether the outcome varies within people.
    confidence : float
        Of the intervals (t, people less coefficients).

    Returns
    -------
    MediatedEffects

    Raises
    ------
    ValueError
        Naming the input that does not fit.

    Notes
    -----
    Assumed beyond a known draw: given the controls, nothing else moves both mediator and outcome,
    and at each mediator value both arms occur. Standard errors take the regressions as known, which
    is right in large samples, since an error of theirs enters only as a product of two.

    Examples
    --------
    >>> import numpy as np
    >>> from analytics.practice import mediated_effects
    >>> rng = np.random.default_rng(2)
    >>> person = np.repeat(np.arange(60), 30)
    >>> offered = rng.random(1800) < 0.5
    >>> stress = 5 - 1.0 * offered + rng.standard_normal(1800)
    >>> pain = 1 + 0.5 * stress + rng.standard_normal(1800)
    >>> found = mediated_effects(person, pain, offered, stress, 0.5, proximal=True)
    >>> found.indirect[0].low < -0.5 < found.indirect[0].high, found.direct[0].p_value > 0.01
    (True, True)
    """
    n = len(person)
    if not 0 < n <= MAX_ROWS:
        raise ValueError(f"{n} rows; from 1 to {MAX_ROWS} are analysed")
    everywhere = np.arange(n)
    y = _finite("outcome", outcome, n)
    m = _finite("mediator", mediator, n)
    a = read_binary("treatment", treatment, n)
    free = read_binary("available", np.ones(n) if available is None else available, n) == 1
    if np.any(a[~free] == 1):
        raise ValueError("treatment is 1 in a row that is not available")
    chance = read_probability("probability", probability, n, np.flatnonzero(free))
    omega = np.ones(n) if weights is None else _finite("weights", weights, n)
    if np.any(omega < 0) or not np.any(omega > 0):
        raise ValueError("weights must be 0 or more, and some above 0")
    if not 0.5 <= confidence < 1:
        raise ValueError("confidence must be from 0.5 to below 1")
    _, who = np.unique(np.asarray(person), return_inverse=True)
    _check_outcome_kind(y, who, proximal)
    basis = design_matrix(dict(time_basis or {}), n, everywhere, "time basis")
    names = (EFFECT, *(time_basis or {}))
    refuse_dependent(basis * np.sqrt(omega)[:, None], names)
    history = design_matrix(dict(controls or {}), n, everywhere, "control")
    phi = _influences(y, a, m, free, chance, history, ("intercept", *(controls or {})))
    return _solve(phi, basis, omega, who, names, confidence)


def _influences(
    y: FloatArray,
    a: FloatArray,
    m: FloatArray,
    free: BoolArray,
    chance: FloatArray,
    history: FloatArray,
    names: tuple[str, ...],
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return each row's uncentred influence for offered, cross-world and not offered outcomes."""
    with_mediator = np.column_stack([history, m])
    mediated = (*names, "mediator")
    # "Offered" is the rule: offer where it is possible. A row that is not available follows both.
    treated, untreated = (a == 1) | ~free, a == 0
    p1 = np.where(free, chance, 1.0)
    p0 = np.where(free, 1 - chance, 1.0)
    q = _fit_logistic(with_mediator, a, np.flatnonzero(free), mediated)
    q1, q0 = np.where(free, q, 1.0), np.where(free, 1 - q, 1.0)
    eta1 = _fit_linear(history, y, treated, names)
    eta0 = _fit_linear(history, y, untreated, names)
    mu1 = _fit_linear(with_mediator, y, treated, mediated)
    nu1 = _fit_linear(history, mu1, untreated, names)
    phi11 = eta1 + treated / p1 * (y - eta1)
    phi00 = eta0 + untreated / p0 * (y - eta0)
    phi10 = nu1 + treated * q0 / (p0 * q1) * (y - mu1) + untreated / p0 * (mu1 - nu1)
    return phi11, phi10, phi00


def _solve(
    phi: tuple[FloatArray, FloatArray, FloatArray],
    basis: FloatArray,
    omega: FloatArray,
    who: IntArray,
    names: tuple[str, ...],
    confidence: float,
) -> MediatedEffects:
    """Project the differences on the time basis; sandwich covariance, with people as clusters."""
    phi11, phi10, phi00 = phi
    k, n_people = basis.shape[1], int(who.max()) + 1
    df = n_people - 2 * k
    if df < 1:
        raise ValueError(f"{n_people} people; at least {2 * k + 1} are needed for {2 * k} effects")
    weighted = basis * omega[:, None]
    bread = np.linalg.inv(weighted.T @ basis)
    scores = np.zeros((n_people, 2 * k))
    estimates = []
    for block, difference in enumerate((phi10 - phi00, phi11 - phi10)):
        estimate = bread @ (weighted.T @ difference)
        terms = weighted * (difference - basis @ estimate)[:, None]
        np.add.at(scores[:, block * k : (block + 1) * k], who, terms)
        estimates.append(estimate)
    both = np.kron(np.eye(2), bread)
    covariance = both @ (scores.T @ scores) @ both.T
    errors = np.sqrt(np.diag(covariance))
    direct, indirect = (
        tuple(
            make_coefficient(name, value, error, df, confidence)
            for name, value, error in zip(names, part, errors[at : at + k], strict=True)
        )
        for part, at in zip(estimates, (0, k), strict=True)
    )
    return MediatedEffects(direct, indirect, covariance, n_people, int(np.sum(omega > 0)))


def _fit_linear(
    design: FloatArray, y: FloatArray, rows: BoolArray, names: tuple[str, ...]
) -> FloatArray:
    """Least squares among ``rows``, predicted everywhere."""
    if rows.sum() <= design.shape[1]:
        raise ValueError("too few rows in one arm for so many controls")
    refuse_dependent(design[rows], names)
    predicted: FloatArray = design @ np.linalg.lstsq(design[rows], y[rows], rcond=None)[0]
    return predicted


def _fit_logistic(
    design: FloatArray, a: FloatArray, rows: IntArray, names: tuple[str, ...]
) -> FloatArray:
    """Logistic regression by Newton's method among ``rows``, predicted everywhere."""
    x, y = design[rows], a[rows]
    refuse_dependent(x, names)
    if y.min(initial=1) == y.max(initial=0):
        raise ValueError("all available rows have the same treatment: nothing can be compared")
    scale = np.maximum(np.abs(x).max(axis=0), 1e-300)
    x = x / scale
    coefficients = np.zeros(x.shape[1])
    for _ in range(_MAX_NEWTON_STEPS):
        fitted = 1 / (1 + np.exp(-np.clip(x @ coefficients, -35, 35)))
        information = (x * (fitted * (1 - fitted))[:, None]).T @ x
        if fitted.min() < _SEPARATED and fitted.max() > 1 - _SEPARATED:
            break
        step = np.linalg.solve(information, x.T @ (y - fitted))
        coefficients += step
        if np.abs(step).max() < _CONVERGED * (1 + np.abs(coefficients).max()):
            linear = np.clip(design / scale @ coefficients, -35, 35)
            predicted: FloatArray = 1 / (1 + np.exp(-linear))
            return predicted
    raise ValueError(
        "mediator and controls tell offered from other moments without error: the two arms do not "
        "overlap, and no indirect effect can be known"
    )


def _finite(name: str, values: object, n: int) -> FloatArray:
    column = read_column(name, values, n)
    bad = np.flatnonzero(~np.isfinite(column))
    if bad.size:
        raise ValueError(
            f"{name} is missing in row {int(bad[0]) + 1}: leave out or fill such rows before, and "
            "say so beside the result"
        )
    return column


def _check_outcome_kind(y: FloatArray, who: IntArray, proximal: bool) -> None:
    first = np.zeros(int(who.max()) + 1)
    first[who[::-1]] = y[::-1]
    if not proximal and np.any(first[who] != y):
        raise ValueError(
            "the outcome varies within a person: say proximal=True where it is measured after each "
            "decision point; without, it is one outcome at the end, the same in all rows"
        )
