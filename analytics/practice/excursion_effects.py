"""Many people: weighted and centred least squares, with corrections for few people.

Boruvka, Almirall, Witkiewitz and Murphy (2018), JASA 113:1112. The effect of the offer, averaged
over people, moments and earlier offers, as a linear function of moderators; consistent however
wrong the model of the controls is, because the treatment is centred. For 50 people or fewer the
residuals are corrected for leverage (Mancl and DeRouen 2001, Biometrics 57:126); tests and
intervals are Hotelling's as in Liao et al. (2016), Statistics in Medicine 35:1944.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from analytics._types import BoolArray, FloatArray, IntArray
from ebbtide._lazy import lazy_module

special = lazy_module("scipy.special")

SMALL_SAMPLE = 50
MAX_ROWS, MAX_COLUMNS, MAX_CELLS = 2_000_000, 60, 10_000_000
EFFECT = "effect"
_DEPENDENT = 1e-9
_SINGULAR = 1e-10


@dataclass(frozen=True, slots=True)
class Coefficient:
    """One coefficient: estimate, standard error, interval, p value of 0, degrees of freedom."""

    name: str
    estimate: float
    error: float
    low: float
    high: float
    p_value: float
    df: int


@dataclass(frozen=True, slots=True, eq=False)
class Wcls:
    """What ``wcls`` found.

    Parameters
    ----------
    effects : tuple of Coefficient
        ``effect`` (where every moderator is 0), then a unit more of each moderator.
    controls : tuple of Coefficient
        ``intercept``, then the controls. They are not effects of anything.
    n_people, n_rows : int
        With an available row, and rows used.
    n_missing_offered, n_missing_not : int
        Available rows dropped for a missing outcome, by arm.
    small_sample : bool
        Whether residuals were corrected for leverage.
    statistic, df, p_value
        Of all effects being 0 together: Hotelling's T squared, its two degrees of freedom, p.
    covariance : array of float64, shape (k, k)
        Of the effects.
    confidence : float
        Of the intervals.
    """

    effects: tuple[Coefficient, ...]
    controls: tuple[Coefficient, ...]
    n_people: int
    n_rows: int
    n_missing_offered: int
    n_missing_not: int
    small_sample: bool
    statistic: float
    df: tuple[int, int]
    p_value: float
    covariance: FloatArray
    confidence: float

    def combine(self, weights: Sequence[float]) -> Coefficient:
        """Return a weighted sum of the effects, such as the effect at one value of a moderator.

        ``weights``: one for each of ``effects``; (1, 20) is the effect on day 20.
        """
        chosen = np.asarray(weights, dtype=np.float64)
        if chosen.shape != (len(self.effects),) or not np.all(np.isfinite(chosen)):
            raise ValueError(f"give {len(self.effects)} finite weights, one for each effect")
        estimates = np.array([effect.estimate for effect in self.effects])
        parts = zip(chosen.tolist(), self.effects, strict=True)
        name = " + ".join(f"{weight:g} {effect.name}" for weight, effect in parts if weight)
        variance = float(chosen @ self.covariance @ chosen)
        error = math.sqrt(max(0.0, variance))
        return make_coefficient(name, float(chosen @ estimates), error, self.df[1], self.confidence)


def wcls(
    person: Sequence[object] | IntArray,
    outcome: FloatArray,
    treatment: BoolArray | FloatArray | IntArray,
    probability: FloatArray | float,
    *,
    moderators: Mapping[str, FloatArray] | None = None,
    controls: Mapping[str, FloatArray] | None = None,
    available: BoolArray | FloatArray | IntArray | None = None,
    numerator: FloatArray | float | None = None,
    confidence: float = 0.95,
    drop_missing: bool = False,
) -> Wcls:
    """Estimate the causal excursion effect of offers over many people.

    Parameters
    ----------
    person : sequence, shape (n,)
        Whose decision point each row is; rows in any order.
    outcome : array of float64, shape (n,)
        After the decision point.
    treatment : array of 0 and 1, shape (n,)
        Whether it was offered.
    probability : array of float64, shape (n,), or float
        Of the offer, as it was drawn with.
    moderators : mapping of name to array, shape (n,), optional
        Over which the effect may vary, known before the draw. Each is made a control, too.
    controls : mapping of name to array, shape (n,), optional
        Known before the draw; an intercept is added. They make the estimate more precise.
    available : array of 0 and 1, shape (n,), optional
        Rows with 0 are left out; the effect is one at available moments.
    numerator : array of float64, shape (n,), or float, optional
        Numerator of the weights, which the treatment is centred at; may depend on the moderators
        alone. By default the probability where that is the same everywhere, else 0.5.
    confidence : float
        Of the intervals.
    drop_missing : bool
        Whether available rows without an outcome are dropped. That is right only where missing
        depends on neither the offer nor the outcome; they are counted by arm.

    Returns
    -------
    Wcls

    Raises
    ------
    ValueError
        Naming the input that does not fit: a length, a missing value at an available row, a
        treatment that is not 0 or 1, a probability not between 0 and 1, a control that follows from
        others, too few people.

    Notes
    -----
    Assumed: the probabilities are those drawn with; controls and moderators were known before the
    draw; people do not influence one another. The model of the controls may be wrong.

    Examples
    --------
    >>> import numpy as np
    >>> from analytics.practice import wcls
    >>> rng = np.random.default_rng(1)
    >>> person = np.repeat(np.arange(30), 40)
    >>> offered = rng.random(1200) < 0.5
    >>> stress = 5 - 1.0 * offered + rng.standard_normal(1200)
    >>> effect = wcls(person, stress, offered, 0.5).effects[0]
    >>> effect.low < -1 < effect.high, effect.p_value < 0.001
    (True, True)
    """
    rows = _Rows.check(
        person,
        outcome,
        treatment,
        probability,
        moderators,
        controls,
        available,
        numerator,
        drop_missing,
    )
    if not 0.5 <= confidence < 1:
        raise ValueError("confidence must be from 0.5 to below 1")
    k, p = rows.design.shape[1], rows.moderators.shape[1]
    n_people = int(rows.person.max()) + 1
    df2 = n_people - k
    if df2 < 1:
        raise ValueError(
            f"{n_people} people with available rows and {k} coefficients: at least {k + 1} people "
            "are needed; use fewer moderators or controls"
        )
    estimates, covariance = _fit(rows, n_people, small=n_people <= SMALL_SAMPLE)
    errors = np.sqrt(np.diag(covariance))
    table = tuple(
        make_coefficient(name, estimate, error, df2, confidence)
        for name, estimate, error in zip(rows.names, estimates, errors, strict=True)
    )
    effect_covariance = covariance[-p:, -p:]
    statistic = float(estimates[-p:] @ np.linalg.solve(effect_covariance, estimates[-p:]))
    # T squared over p (n - q - 1) / (n - q - p) is F with p and n - q - p degrees of freedom.
    f_value = statistic * df2 / (p * (p + df2 - 1))
    return Wcls(
        effects=table[-p:],
        controls=table[:-p],
        n_people=n_people,
        n_rows=rows.outcome.size,
        n_missing_offered=rows.n_missing_offered,
        n_missing_not=rows.n_missing_not,
        small_sample=n_people <= SMALL_SAMPLE,
        statistic=statistic,
        df=(p, df2),
        p_value=float(special.fdtrc(p, df2, f_value)),
        covariance=effect_covariance,
        confidence=confidence,
    )


def make_coefficient(
    name: str, estimate: float, error: float, df: int, confidence: float
) -> Coefficient:
    """Give an estimate its t interval and two-sided p value."""
    half = float(special.stdtrit(df, (1 + confidence) / 2)) * float(error)
    value = float(estimate)
    p_value = 2 * float(special.stdtr(df, -abs(value) / error)) if error > 0 else float("nan")
    return Coefficient(name, value, float(error), value - half, value + half, p_value, df)


@dataclass(frozen=True, slots=True, eq=False)
class _Rows:
    """The rows that are used, checked.

    ``design``: controls, then centred treatment times moderators.
    """

    person: IntArray
    outcome: FloatArray
    weight: FloatArray
    design: FloatArray
    moderators: FloatArray
    names: tuple[str, ...]
    n_missing_offered: int
    n_missing_not: int

    @classmethod
    def check(
        cls,
        person: Sequence[object] | IntArray,
        outcome: FloatArray,
        treatment: BoolArray | FloatArray | IntArray,
        probability: FloatArray | float,
        moderators: Mapping[str, FloatArray] | None,
        controls: Mapping[str, FloatArray] | None,
        available: BoolArray | FloatArray | IntArray | None,
        numerator: FloatArray | float | None,
        drop_missing: bool,
    ) -> _Rows:
        n = len(person)
        if not 0 < n <= MAX_ROWS:
            raise ValueError(f"{n} rows; from 1 to {MAX_ROWS} are analysed")
        use = read_binary("available", np.ones(n) if available is None else available, n)
        rows = np.flatnonzero(use)
        if not rows.size:
            raise ValueError("no row is available")
        values = read_column("outcome", outcome, n)
        offered = read_binary("treatment", treatment, n, rows)
        missing = rows[~np.isfinite(values[rows])]
        if missing.size and not drop_missing:
            raise ValueError(
                f"the outcome of {missing.size} available rows is missing, first in row "
                f"{int(missing[0]) + 1}: say drop_missing=True where missing depends on neither "
                "the offer nor the outcome, or mark them as not available"
            )
        n_missing = int(offered[missing].sum()), int((1 - offered[missing]).sum())
        rows = rows[np.isfinite(values[rows])]
        if not rows.size:
            raise ValueError("no available row has an outcome")
        chance = read_probability("probability", probability, n, rows)
        if numerator is not None:
            centre = read_probability("numerator", numerator, n, rows)
        else:
            same = np.all(chance[rows] == chance[rows[0]])
            centre = np.full(n, chance[rows[0]] if same else 0.5)
        named_moderators = dict(moderators or {})
        named_controls = {
            **dict(controls or {}),
            **{
                name: column
                for name, column in named_moderators.items()
                if name not in (controls or {})
            },
        }
        z = design_matrix(named_moderators, n, rows, "moderator")
        x = design_matrix(named_controls, n, rows, "control")
        design = np.column_stack([x, (offered - centre)[rows, None] * z])
        effects = (EFFECT, *named_moderators)
        names = ("intercept", *named_controls, *effects)
        refuse_dependent(design, names)
        weight = np.where(
            offered == 1,
            centre / np.where(use == 1, chance, 1.0),
            (1 - centre) / np.where(use == 1, 1 - chance, 1.0),
        )[rows]
        _, index = np.unique(np.asarray(person)[rows], return_inverse=True)
        return cls(index, values[rows], weight, design, z, names, *n_missing)


def _fit(rows: _Rows, n_people: int, *, small: bool) -> tuple[FloatArray, FloatArray]:
    """Solve the estimating equations; sandwich covariance, with people as clusters."""
    k = rows.design.shape[1]
    weighted = rows.design * rows.weight[:, None]
    bread = np.linalg.inv(weighted.T @ rows.design)
    estimates = bread @ (weighted.T @ rows.outcome)
    residual = rows.outcome - rows.design @ estimates
    order = np.argsort(rows.person, kind="stable")
    starts = np.searchsorted(rows.person[order], np.arange(n_people))
    scores = np.add.reduceat((weighted * residual[:, None])[order], starts, axis=0)
    if small:
        # With H = D B D'W, D'W (I - H)^-1 r = (I - D'W D B)^-1 D'W r: a k by k matrix a person.
        ends = np.append(starts[1:], order.size)
        own = [order[start:end] for start, end in zip(starts, ends, strict=True)]
        gram = np.stack([weighted[chosen].T @ rows.design[chosen] for chosen in own])
        left = np.eye(k) - gram @ bread
        smallest = np.linalg.svd(left, compute_uv=False)[:, -1]
        if smallest.min() < _SINGULAR:
            raise ValueError(
                "one person alone decides a coefficient, so its error cannot be known: leave out "
                "the control or moderator that varies in one person only"
            )
        scores = np.linalg.solve(left, scores[:, :, None])[:, :, 0]
    covariance: FloatArray = bread @ (scores.T @ scores) @ bread.T
    return estimates, covariance


def read_column(name: str, values: object, n: int) -> FloatArray:
    """Read a numeric column with one value a row."""
    try:
        column = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{name} must be numbers: {error}") from error
    if column.shape != (n,):
        raise ValueError(
            f"{name} has shape {column.shape}: it needs one value for each of {n} rows"
        )
    return column


def read_binary(name: str, values: object, n: int, rows: IntArray | None = None) -> FloatArray:
    """Read a column of 0 and 1; where ``rows`` is given, only these must be."""
    column = read_column(name, values, n)
    chosen = np.arange(n) if rows is None else rows
    bad = chosen[~np.isin(column[chosen], (0.0, 1.0))]
    if bad.size:
        raise ValueError(
            f"{name} is {column[bad[0]]:g} in row {int(bad[0]) + 1}: it must be 0 or 1"
        )
    return np.where(np.isin(column, (0.0, 1.0)), column, 0.0)


def read_probability(name: str, values: object, n: int, rows: IntArray) -> FloatArray:
    """Read a probability, one for all or one a row, between 0 and 1 in ``rows``."""
    scalar = isinstance(values, (int, float, np.floating))
    chance = read_column(name, np.full(n, values) if scalar else values, n)
    bad = rows[~((chance[rows] > 0) & (chance[rows] < 1))]
    if bad.size:
        raise ValueError(
            f"{name} is {chance[bad[0]]:g} in row {int(bad[0]) + 1}: it must lie between 0 and 1, "
            "both excluded; mark rows without a draw as not available"
        )
    return chance


def design_matrix(named: Mapping[str, FloatArray], n: int, rows: IntArray, kind: str) -> FloatArray:
    """Put an intercept and named columns beside one another, without missing values."""
    if len(named) > MAX_COLUMNS or len(named) * n > MAX_CELLS:
        raise ValueError(
            f"{len(named)} columns of kind {kind} in {n} rows; at most {MAX_COLUMNS} columns, and "
            f"{MAX_CELLS} values, are used"
        )
    columns = [np.ones(rows.size)]
    for name, values in named.items():
        column = read_column(f"{kind} {name}", values, n)[rows]
        bad = np.flatnonzero(~np.isfinite(column))
        if bad.size:
            raise ValueError(
                f"{kind} {name} is missing in row {int(rows[bad[0]]) + 1}, which is available: "
                "fill it from before the draw, or mark the row as not available"
            )
        columns.append(column)
    return np.column_stack(columns)


def refuse_dependent(design: FloatArray, names: Sequence[str]) -> None:
    """Name the first column that follows from those before it."""
    norms = np.linalg.norm(design, axis=0)
    scaled = design / np.where(norms > 0, norms, 1.0)
    diagonal = np.abs(np.diag(np.linalg.qr(scaled, mode="r")))
    short = np.flatnonzero(diagonal < _DEPENDENT) if diagonal.size == len(names) else None
    if short is None or short.size:
        name = names[len(names) - 1 if short is None else int(short[0])]
        raise ValueError(
            f"{name} does not vary, or follows from the other columns, among the rows used: leave "
            "it out"
        )
