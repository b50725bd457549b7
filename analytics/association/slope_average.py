"""How much ``y`` changes with ``x``, averaged over what the weeks of a person may have been like.

A model is: y = slope x + smooth trend + effects of hour and weekday (``calendar_effects``) + one or
two steps + error, the error with two parameters of autocorrelation (``whitening``). Which effects
there are, where the steps lie and how long errors linger is not known. Each combination is fitted
by generalised least squares and weighs as much as its evidence for y, times that for x of the same
effects and steps (their autocorrelation is their own). Columns that a model has beyond the trend
carry Zellner's prior with the weight of one rating (Kass and Wasserman 1995, JASA 90:928), so that
data without a week or a second step pay almost nothing for them (about log(n)/2 a column and
series, as in BIC).

The standard error of each fit is the model's, or, where the squared residuals lie where ``x`` is
large, HC3's (MacKinnon and White 1985, Journal of Econometrics 29:305): the model's up to a ratio
of 1.1, HC3's from 1.5 on. The larger of the two at any ratio costs power for nothing, since HC3 is
itself a noisy estimate.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import linalg

from analytics._types import FloatArray, IntArray
from analytics.association.calendar_effects import CalendarSets
from analytics.association.detrending import ROUNDING_SHARE, TINY
from analytics.association.slope_posterior import MIN_DF, SlopePosterior, typical_spacing
from analytics.association.whitening import Whitener

RHOS = (-0.25, 0.0, 0.2, 0.4, 0.6, 0.75, 0.86, 0.94)
PARTIALS = (-0.3, 0.0, 0.3, 0.55, 0.75)
# Half for an autocorrelation of the usual form.
_NO_PARTIAL = 0.5
MAX_PLACES = 120  # steps are looked for at all ratings up to here, and as many places beyond
MAX_PAIRS = 1600  # of two steps; the likeliest, of all pairs of places

FIRM_FROM, FIRM_TO = 1.1, 1.5
STEP_PRICE = 0.0  # log prior price of a step beyond its place
_EDGE = 3  # ratings on each side of a step
_SCREEN = 5.0  # log evidence below the best at which an effect alone is not looked at again
_MAX_SETS = 6
_SET_SCREEN = 3.0
_NEGLIGIBLE = 5e-4  # of the weight of the likeliest fit
_GRID_SCREEN = 3.5  # log evidence below the best at which an autocorrelation is left out
_ROBUST_WORK = 20_000  # ratings times fits whose HC3 errors are computed
_MANY = 3000  # above, every other autocorrelation is tried at first
_FEW = 300  # ratings up to which every autocorrelation is tried with every effect


@dataclass(frozen=True, slots=True, eq=False)
class SlopeAverage:
    """The posterior of the slope, and what it was averaged over.

    ``hour_weight``, ``week_weight``: the probability of an effect of the hour or weekday.
    ``nuisance``: shape (n, m), the columns of effects and steps of the likeliest fit.
    ``influence``: shape (n,), how much each rating moved the likeliest slope.
    """

    posterior: SlopePosterior
    hour_weight: float
    week_weight: float
    nuisance: FloatArray
    influence: FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class _Moments:
    """Products of the whitened columns net of the trend, at each of m autocorrelations."""

    log_norm: FloatArray  # (m,)
    gram: FloatArray  # (m, 2 + c, 2 + c), of x, y and the calendar's columns
    steps: FloatArray  # (m, k, 2 + c), products of steps with them
    sizes: FloatArray  # (m, k)
    between: FloatArray  # (m, k, k), products of steps with each other

    @classmethod
    def join(cls, parts: list[_Moments]) -> _Moments:
        """Put several together."""
        return cls(
            *(
                np.concatenate([getattr(part, name) for part in parts])
                for name in ("log_norm", "gram", "steps", "sizes", "between")
            )
        )


class _Problem:
    """What the moments are made from."""

    def __init__(
        self, days: FloatArray, x: FloatArray, y: FloatArray, basis: FloatArray, at: IntArray
    ) -> None:
        self.spacing = typical_spacing(days)
        self.x, self.y, self.basis, self.at = x, y, basis, at
        self.n, self.q = basis.shape
        self.pairs = np.column_stack([x, y])

    def moments(
        self, rho: float, partial: float, columns: FloatArray, pairs: bool = False
    ) -> _Moments:
        whitener = Whitener.of(self.spacing, rho, partial)
        white = whitener.columns(np.column_stack([self.basis, self.pairs, columns]))
        q = self.q
        trend = white[:, :q]
        factor = np.linalg.cholesky(trend.T @ trend)
        cross = linalg.solve_triangular(factor, trend.T @ white[:, q:], lower=True)
        gram = white[:, q:].T @ white[:, q:] - cross.T @ cross
        products = whitener.step_products(white, self.at)
        coordinates = linalg.solve_triangular(factor, products[:, :q].T, lower=True).T
        sizes = whitener.step_sizes(self.at) - np.sum(coordinates**2, axis=1)
        between = np.zeros((len(self.at) if pairs else 0,) * 2)
        if pairs:
            between = whitener.products_of_steps(self.at) - coordinates @ coordinates.T
        log_norm = whitener.log_scale - float(np.sum(np.log(np.diag(factor))))
        return _Moments(
            np.array([log_norm]),
            gram[None],
            (products[:, q:] - coordinates @ cross)[None],
            np.maximum(sizes, 1e-9)[None],
            between[None],
        )


def step_places_for(basis: FloatArray) -> IntArray:
    """Choose rows at which a step may be: all of few ratings, else evenly spread ones."""
    n = len(basis)
    at = np.arange(_EDGE, max(_EDGE, n - _EDGE + 1))
    sums = np.cumsum(basis[::-1], axis=0)[::-1]
    at = at[(n - at) - np.sum(sums[at] ** 2, axis=1) > 1e-3]
    if len(at) > MAX_PLACES:
        at = at[np.round(np.linspace(0, len(at) - 1, MAX_PLACES)).astype(np.int64)]
    result: IntArray = at
    return result


def _evidence(
    moments: _Moments,
    chosen: tuple[int, ...],
    n: int,
    dof: int,
    pairs: tuple[IntArray, IntArray] | None,
) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray, FloatArray]:
    """Return log evidence of y and of x, slope, sum of squares of the errors, and of x.

    Each has shape (m, k + pairs): for every autocorrelation of ``moments``, one step at each place,
    then two at each of ``pairs``.
    """
    picked = [2 + k for k in chosen]
    gram, cross = moments.gram, moments.steps
    rest, steps, sizes = gram[:, :2, :2], cross[:, :, :2], moments.sizes
    x_base, y_base, xy_base = (gram[:, i, j, None] for i, j in ((0, 0), (1, 1), (0, 1)))
    if picked:
        own = gram[:, picked][:, :, picked]
        ridge = 1e-10 * np.trace(own, axis1=1, axis2=2)[:, None, None] * np.eye(len(picked))
        inverse = np.linalg.inv(np.linalg.cholesky(own + ridge))
        both = inverse @ gram[:, picked, :2]
        within = cross[:, :, picked] @ inverse.swapaxes(1, 2)
        rest = rest - both.swapaxes(1, 2) @ both
        steps = steps - within @ both
        sizes = np.maximum(sizes - np.sum(within**2, axis=2), 1e-6)
    root = np.sqrt(sizes)
    x_unit, y_unit = steps[:, :, 0] / root, steps[:, :, 1] / root
    by_x, by_xy, by_y = x_unit**2, x_unit * y_unit, y_unit**2
    many = sizes.shape[1]
    prior = np.full(many, -0.5 * np.log(many))
    extra = np.full(many, float(len(picked)))
    by_step = np.ones(many)
    if pairs is not None and len(pairs[0]):
        first, second = pairs
        alike = moments.between[:, first, second]
        if picked:
            alike = alike - np.sum(within[:, first] * within[:, second], axis=2)
        alike = alike / (root[:, first] * root[:, second])
        left = np.sqrt(np.maximum(1 - alike**2, 0.02))
        x_later = (x_unit[:, second] - alike * x_unit[:, first]) / left
        y_later = (y_unit[:, second] - alike * y_unit[:, first]) / left
        by_x = np.hstack([by_x, by_x[:, first] + x_later**2])
        by_xy = np.hstack([by_xy, by_xy[:, first] + x_later * y_later])
        by_y = np.hstack([by_y, by_y[:, first] + y_later**2])
        # Of all pairs of places, also where the unlikely ones have been left out.
        prior = np.append(prior, np.full(len(first), -0.5 * np.log(many * (many - 1) / 2)))
        extra = np.append(extra, np.full(len(first), float(len(picked))))
        by_step = np.append(by_step, np.full(len(first), 2.0))
    xx = np.maximum(rest[:, 0, 0, None] - by_x, ROUNDING_SHARE * x_base + TINY)
    slope = (rest[:, 0, 1, None] - by_xy) / xx
    squares = np.maximum(rest[:, 1, 1, None] - by_y - xx * slope**2, ROUNDING_SHARE * y_base + TINY)
    # Zellner's prior with the weight of one rating: a little of what the columns explain is left.
    kept = 1 / (1 + n)
    price = prior - 0.5 * extra * np.log(1 + n) - 0.5 * by_step * STEP_PRICE
    x_all = np.maximum(x_base, TINY)
    y_all = np.maximum(y_base - xy_base**2 / x_all, TINY)
    y_squares = squares + kept * np.maximum(y_all - squares, 0)
    x_squares = xx + kept * np.maximum(x_all - xx, 0)
    norm = moments.log_norm[:, None] + price
    y_log = norm - 0.5 * np.log(x_all) - dof / 2 * np.log(y_squares)
    x_log = norm - (dof + 1) / 2 * np.log(x_squares)
    return y_log, x_log, slope, squares, xx


def average_slope(
    days: FloatArray,
    x: FloatArray,
    y: FloatArray,
    basis: FloatArray,
    calendar: CalendarSets,
) -> SlopeAverage:
    """Estimate the slope of ``y`` on ``x`` (n,) net of ``basis`` (n, q), orthonormal.

    ``days``: shape (n,), not decreasing. Raises ValueError when too few ratings are left.
    """
    n, q = basis.shape
    dof = n - q - 1
    if dof - 2 < MIN_DF:
        raise ValueError(f"{n} ratings are too few for {q} columns of course")
    problem = _Problem(days, x, y, basis, step_places_for(basis))
    sets, problem_columns = _screen_sets(problem, calendar, dof)
    grid = _Grid(problem, sets, problem_columns, dof)
    return grid.average()


@dataclass(frozen=True, slots=True)
class _Set:
    """Columns of one model of hour and weekday; its prior, and whether it has either."""

    columns: tuple[int, ...]
    log_prior: float
    hour: bool
    week: bool


def _screen_sets(
    problem: _Problem, calendar: CalendarSets, dof: int
) -> tuple[list[_Set], FloatArray]:
    """Find the models of hour and weekday whose weight may matter, and the columns they need."""
    n = problem.n
    plain, at_none = [], np.empty((n, 0))
    for rho in (0.0, 0.3, 0.6, 0.8, 0.94):
        y_log, x_log, *_ = _evidence(problem.moments(rho, 0.0, at_none), (), n, dof, None)
        plain.append((_log_sum(y_log), _log_sum(x_log), rho))
    likely = {max(plain, key=lambda row: row[k])[2] for k in (0, 1)} | {0.0}
    kept: set[tuple[int, int]] = {(0, 0)}
    for rho in sorted(likely):
        moments = problem.moments(rho, 0.0, calendar.columns)

        def score(columns: tuple[int, ...], prior: float, moments: _Moments = moments) -> float:
            y_log, x_log, *_ = _evidence(moments, columns, n, dof, None)
            return float(_log_sum(y_log + x_log)) + prior

        hours = [score(columns, prior) for columns, prior in calendar.hours]
        weeks = [score(columns, prior) for columns, prior in calendar.weeks]
        # An effect may be seen only beside another: each family beside the other's best.
        best_hour, best_week = int(np.argmax(hours)), int(np.argmax(weeks))
        pairs = {(h, 0): s for h, s in enumerate(hours)}
        pairs.update({(0, w): s + hours[0] - weeks[0] for w, s in enumerate(weeks)})
        pick_h = [h for h, s in enumerate(hours) if s > max(hours) - _SCREEN]
        pick_w = [w for w, s in enumerate(weeks) if s > max(weeks) - _SCREEN]
        for h, w in (
            {(h, best_week) for h in range(len(hours))}
            | {(best_hour, w) for w in range(len(weeks))}
            | {(h, w) for h in pick_h[:6] for w in pick_w[:6]}
        ):
            (first, p1), (second, p2) = calendar.hours[h], calendar.weeks[w]
            pairs[h, w] = score(first + second, p1 + p2)
        top = max(pairs.values())
        order = sorted(pairs, key=lambda key: -pairs[key])
        kept |= {key for key in order[:12] if pairs[key] > top - _SCREEN}
    sets, numbers = (
        [],
        sorted({c for h, w in kept for c in calendar.hours[h][0] + calendar.weeks[w][0]}),
    )
    place = {c: k for k, c in enumerate(numbers)}
    for h, w in sorted(kept):
        (first, p1), (second, p2) = calendar.hours[h], calendar.weeks[w]
        chosen = tuple(place[c] for c in first + second)
        if dof - len(chosen) - 2 >= MIN_DF:
            sets.append(_Set(chosen, p1 + p2, h > 0, w > 0))
    return sets, calendar.columns[:, numbers]


class _Grid:
    """All fits, and their average."""

    def __init__(self, problem: _Problem, sets: list[_Set], columns: FloatArray, dof: int) -> None:
        self.problem, self.sets, self.columns, self.dof = problem, sets, columns, dof
        first, second = np.triu_indices(len(problem.at), 1)
        self.pairs = first.astype(np.int64), second.astype(np.int64)
        self.moments: dict[tuple[float, float], _Moments] = {}
        rhos = RHOS if problem.n <= _FEW else (*RHOS, 0.97, 0.985)
        self.single: dict[tuple[float, float], tuple[FloatArray, FloatArray]] = {}
        self.log_priors = np.array([one.log_prior for one in sets])
        self.rhos, self.priors = (
            np.array(rhos),
            {
                p: np.log(_NO_PARTIAL if p == 0 else (1 - _NO_PARTIAL) / (len(PARTIALS) - 1))
                for p in PARTIALS
            },
        )

    def _likely(self) -> tuple[list[tuple[float, float]], list[tuple[float, float]]]:
        """Find autocorrelations that may matter: of y given x, and of x."""
        n, dof = self.problem.n, self.dof
        logs: dict[tuple[float, float], tuple[float, float]] = {}

        def look(keys: list[tuple[float, float]]) -> None:
            new = [key for key in dict.fromkeys(keys) if key not in logs]
            if not new:
                return
            for key in new:
                self.moments[key] = self.problem.moments(*key, self.columns, pairs=n <= _FEW)
            moments = _Moments.join([self.moments[key] for key in new])
            rows = [_evidence(moments, one.columns, n, dof, None)[:2] for one in self.sets]
            prior = np.array([self.priors[key[1]] for key in new])[:, None, None]
            y_logs, x_logs = (np.stack([row[k] for row in rows], axis=1) + prior for k in (0, 1))
            for place, key in enumerate(new):
                self.single[key] = (y_logs[place], x_logs[place])
                # For y and x by themselves: which effects both share is weighed later.
                half = self.log_priors[:, None] / 2
                logs[key] = tuple(float(np.max(v + half)) for v in self.single[key])  # type: ignore[assignment]

        if n <= _FEW:
            look([(float(rho), partial) for rho in self.rhos for partial in PARTIALS])
        else:
            look([(float(rho), 0.0) for rho in self.rhos[:: 2 if n > _MANY else 1]])
            for _ in range(8):
                before = len(logs)
                near: list[tuple[float, float]] = []
                for k in (0, 1):
                    top = max(logs, key=lambda key: logs[key][k])
                    i, j = int(np.argmin(np.abs(self.rhos - top[0]))), PARTIALS.index(top[1])
                    near += [
                        (float(self.rhos[i + di]), PARTIALS[j + dj])
                        for di, dj in ((0, 1), (0, -1), (1, 0), (-1, 0))
                        if 0 <= i + di < len(self.rhos) and 0 <= j + dj < len(PARTIALS)
                    ]
                look(near)
                if len(logs) == before:
                    break
        # Two steps that the model lacks look like errors that linger, so of few ratings an
        # autocorrelation is judged with two steps as well: with one alone, a week of both 3 up had
        # left out the true one.
        keys = list(logs)
        tops = [max(value[k] for value in logs.values()) for k in (0, 1)]
        candidates = [
            [key for key in keys if n <= _FEW or logs[key][k] > tops[k] - _GRID_SCREEN]
            for k in (0, 1)
        ]
        y_logs, x_logs = (np.array([self.single[key][k] for key in candidates[k]]) for k in (0, 1))
        joint = y_logs + _log_sum(x_logs, axis=0) + self.log_priors[:, None]
        other = x_logs + _log_sum(y_logs, axis=0) + self.log_priors[:, None]
        by_set = _log_sum(joint, axis=(0, 2))
        lead = int(np.argmax(by_set))
        y_two, x_two = self._screen_pairs(candidates, lead, joint, other)
        kept = [
            k for k in np.argsort(-by_set)[:_MAX_SETS] if by_set[k] > np.max(by_set) - _SET_SCREEN
        ]
        self.sets = [self.sets[k] for k in sorted(kept)]
        by_key = np.logaddexp(_log_sum(joint, axis=(1, 2)), y_two)
        by_x = np.logaddexp(_log_sum(other, axis=(1, 2)), x_two)
        return (
            [
                k
                for k, v in zip(candidates[0], by_key, strict=True)
                if v > np.max(by_key) - _GRID_SCREEN
            ],
            [
                k
                for k, v in zip(candidates[1], by_x, strict=True)
                if v > np.max(by_x) - _GRID_SCREEN
            ],
        )

    def _screen_pairs(
        self,
        near: list[list[tuple[float, float]]],
        lead: int,
        joint: FloatArray,
        other: FloatArray,
    ) -> tuple[FloatArray, FloatArray]:
        """Keep the likeliest two steps; return the weight of two at each autocorrelation.

        ``near``: autocorrelations of y and of x; ``lead``: the likeliest set of effects.
        """
        many, (n, dof) = len(self.pairs[0]), (self.problem.n, self.dof)
        nothing = tuple(np.full(len(keys), -np.inf) for keys in near)
        if not many or (n > _FEW and many <= MAX_PAIRS):
            return nothing[0], nothing[1]
        columns = self.sets[lead].columns
        prior = self.log_priors[lead]
        if n > _FEW:
            best = [near[0][int(np.argmax(_log_sum(joint, axis=(1, 2))))]]
            best_x = [near[1][int(np.argmax(_log_sum(other, axis=(1, 2))))]]
            moments = {
                key: self.problem.moments(*key, self.columns, pairs=True)
                for key in {*best, *best_x}
            }
        else:
            best, best_x, moments = near[0], near[1], self.moments
        found = {}
        for keys in (best, best_x):
            if tuple(keys) not in found:
                of_key = _Moments.join([moments[key] for key in keys])
                found[tuple(keys)] = _evidence(of_key, columns, n, dof, self.pairs)
        logs = [
            found[tuple(keys)][k][:, -many:]
            + np.array([self.priors[key[1]] for key in keys])[:, None]
            for k, keys in enumerate((best, best_x))
        ]
        y_sum, x_sum = (_log_sum(two, axis=0) for two in logs)
        if many > MAX_PAIRS:
            kept = np.sort(np.argsort(-(y_sum + x_sum), kind="stable")[:MAX_PAIRS])
            self.pairs = self.pairs[0][kept], self.pairs[1][kept]
        if n > _FEW:
            return nothing[0], nothing[1]
        return (
            _log_sum(logs[0] + x_sum, axis=1) + prior,
            _log_sum(logs[1] + y_sum, axis=1) + prior,
        )

    def average(self) -> SlopeAverage:
        n, dof = self.problem.n, self.dof
        of_y, of_x = self._likely()
        fits = len(self.problem.at) + len(self.pairs[0])
        shape = (len(of_y), len(self.sets), fits)
        y_logs, slopes, errors = np.empty(shape), np.empty(shape), np.empty(shape)
        x_logs = np.empty((len(of_x), len(self.sets), fits))
        needed = sorted({c for one in self.sets for c in one.columns})
        whole = self.moments
        if n <= _FEW:
            needed = list(range(self.columns.shape[1]))
        else:
            columns = self.columns[:, needed]
            whole = {key: self.problem.moments(*key, columns, pairs=True) for key in {*of_y, *of_x}}
        y_moments = _Moments.join([whole[key] for key in of_y])
        x_moments = _Moments.join([whole[key] for key in of_x])
        y_prior = np.array([self.priors[key[1]] for key in of_y])[:, None]
        x_prior = np.array([self.priors[key[1]] for key in of_x])[:, None]
        for s, one in enumerate(self.sets):
            picked = tuple(needed.index(c) for c in one.columns)
            y_log, _, slope, squares, xx = _evidence(y_moments, picked, n, dof, self.pairs)
            y_logs[:, s] = y_log + y_prior + one.log_prior
            left = dof - len(one.columns) - 1
            slopes[:, s], errors[:, s] = slope, np.sqrt(squares / left / xx)
            x_log = _evidence(x_moments, picked, n, dof, self.pairs)[1]
            x_logs[:, s] = x_log + x_prior
        logs = y_logs + _log_sum(x_logs, axis=0)
        weight = np.exp(logs - np.max(logs))
        weight /= np.sum(weight)
        by_set = np.sum(weight, axis=(0, 2))
        hour = float(sum(w for w, one in zip(by_set, self.sets, strict=True) if one.hour))
        week = float(sum(w for w, one in zip(by_set, self.sets, strict=True) if one.week))
        errors = self._firm(of_y, weight, errors)
        relevant = weight > _NEGLIGIBLE * np.max(weight)
        chosen = weight[relevant] / np.sum(weight[relevant])
        rho = float(np.sum(weight, axis=(1, 2)) @ np.array([key[0] for key in of_y]))
        dof_left = dof - 1 - round(float(by_set @ [len(one.columns) for one in self.sets]))
        posterior = SlopePosterior(chosen, slopes[relevant], errors[relevant], dof_left, rho)
        row, model, fit = (int(k) for k in np.unravel_index(int(np.argmax(weight)), shape))
        best = self._robust(of_y[row], self.sets[model], np.array([fit]))
        return SlopeAverage(posterior, hour, week, self._nuisance(self.sets[model], fit), best[1])

    def _firm(
        self, of_y: list[tuple[float, float]], weight: FloatArray, errors: FloatArray
    ) -> FloatArray:
        """Use HC3's error in place of the model's where their ratio is large."""
        flat = weight.ravel()
        many = int(np.clip(_ROBUST_WORK // self.problem.n, 48, 240))
        chosen = np.argsort(-flat, kind="stable")[:many]
        r, s, f = np.unravel_index(chosen, weight.shape)
        factor = np.ones(len(chosen))
        for one in np.unique(r * weight.shape[1] + s):
            here = np.flatnonzero(r * weight.shape[1] + s == one)
            key, model = of_y[int(r[here[0]])], self.sets[int(s[here[0]])]
            robust, _ = self._robust(key, model, f[here])
            ratio = robust / errors[r[here], s[here], f[here]]
            firm = np.clip((ratio - FIRM_FROM) / (FIRM_TO - FIRM_FROM), 0, 1)
            factor[here] = 1 + firm * (ratio - 1)
        result = errors * (flat[chosen] @ factor / np.sum(flat[chosen]))
        result[r, s, f] = errors[r, s, f] * factor
        return result

    def _members(self, fit: int) -> list[int]:
        """Which steps a fit has."""
        k = len(self.problem.at)
        return [fit] if fit < k else [int(pair[fit - k]) for pair in self.pairs]

    def _nuisance(self, model: _Set, fit: int) -> FloatArray:
        at = self.problem.at[self._members(fit)]
        steps = (np.arange(self.problem.n)[:, None] >= at[None, :]).astype(np.float64)
        return np.column_stack([self.columns[:, list(model.columns)], steps])

    def _robust(
        self, key: tuple[float, float], model: _Set, fits: IntArray
    ) -> tuple[FloatArray, FloatArray]:
        """HC3 errors of fits with one autocorrelation and effects; influences in the last."""
        problem = self.problem
        whitener = Whitener.of(problem.spacing, *key)
        white = whitener.columns(
            np.column_stack(
                [problem.basis, self.columns[:, list(model.columns)], problem.x, problem.y]
            )
        )
        fixed = white.shape[1] - 2
        orthonormal = _orthonormal(white[:, :fixed])
        x, y = (white[:, fixed:] - orthonormal @ (orthonormal.T @ white[:, fixed:])).T
        levers = np.sum(orthonormal**2, axis=1)
        members = [self._members(int(fit)) for fit in fits]
        needed = sorted({k for some in members for k in some})
        steps = whitener.steps(problem.at[needed])
        steps = steps - orthonormal @ (orthonormal.T @ steps)
        steps = steps / np.maximum(np.linalg.norm(steps, axis=0), 1e-9)
        place = {k: i for i, k in enumerate(needed)}
        first = steps[:, [place[some[0]] for some in members]]
        second = steps[:, [place[some[-1]] for some in members]]
        double = np.array([len(some) == 2 for some in members])
        second = second - first * np.sum(first * second, axis=0)
        norm = np.linalg.norm(second, axis=0)
        second = np.where(double, second / np.maximum(norm, 1e-6), 0.0)
        x_left = x[:, None] - first * (x @ first) - second * (x @ second)
        y_left = y[:, None] - first * (y @ first) - second * (y @ second)
        xx = np.maximum(np.sum(x_left**2, axis=0), TINY)
        slope = np.sum(x_left * y_left, axis=0) / xx
        lever = levers[:, None] + first**2 + second**2 + x_left**2 / xx
        error = (y_left - slope * x_left) / np.maximum(1 - lever, 0.05)
        influence = x_left * error / xx
        result: FloatArray = np.sqrt(np.sum(influence**2, axis=0))
        return result, influence[:, -1]


def _log_sum(logs: FloatArray, axis: int | tuple[int, ...] | None = None) -> FloatArray:
    """Logarithm of a sum of exponentials."""
    logs = np.asarray(logs)
    top = np.max(logs, axis=axis, keepdims=True)
    total = np.log(np.sum(np.exp(logs - top), axis=axis, keepdims=True)) + top
    result: FloatArray = np.squeeze(total, axis=axis)
    return result


def _orthonormal(columns: FloatArray) -> FloatArray:
    """Orthonormal columns with the span of well-conditioned ones, from their products."""
    factor = np.linalg.cholesky(columns.T @ columns)
    result: FloatArray = linalg.solve_triangular(factor, columns.T, lower=True).T
    return result
