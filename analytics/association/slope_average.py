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

from analytics._types import FloatArray, IntArray
from analytics.association.calendar_effects import CalendarSets
from analytics.association.detrending import TINY
from analytics.association.slope_evidence import (
    Errors,
    Evidence,
    Moments,
    Problem,
    evidence,
    evidence_of_sets,
)
from analytics.association.slope_posterior import MIN_DF, SlopePosterior
from analytics.association.slope_robust import RobustErrors

RHOS = (-0.25, 0.0, 0.2, 0.4, 0.6, 0.75, 0.86, 0.94)
PARTIALS = (-0.3, 0.0, 0.3, 0.55, 0.75)
# Half for an autocorrelation of the usual form.
_NO_PARTIAL = 0.5
MAX_PLACES = 120  # steps are looked for at all ratings up to here, and as many places beyond
MAX_PAIRS = 1600  # of two steps; the likeliest, of all pairs of places

FIRM_FROM, FIRM_TO = 1.1, 1.5
_EDGE = 3  # ratings on each side of a step
_SCREEN = 5.0  # log evidence below the best at which an effect alone is not looked at again
_MAX_SETS = 6
_SET_SCREEN = 3.0
_NEGLIGIBLE = 5e-4  # of the weight of the likeliest fit
_GRID_SCREEN = 3.5  # log evidence below the best at which an autocorrelation is left out
# The same before two steps are looked at. Of 243 draws the farthest that mattered was 12.4 below.
_TWO_STEPS_SCREEN = 16.0
_ROBUST_WORK = 20_000  # ratings times fits whose HC3 errors are computed
_MANY = 3000  # above, every other autocorrelation is tried at first
_FEW = 300  # ratings up to which every autocorrelation is tried with every effect


@dataclass(frozen=True, slots=True, eq=False)
class SlopeAverage:
    """The posterior of the slope, and what it was averaged over.

    ``hour_weight``, ``week_weight``, ``cycle_weight``: the probability of an effect of the hour, of
    the weekday, and of a cycle of a few days.
    ``nuisance``: shape (n, m), the columns of effects and steps of the likeliest fit.
    ``influence``: shape (n,), how much each rating moved the likeliest slope.
    """

    posterior: SlopePosterior
    hour_weight: float
    week_weight: float
    cycle_weight: float
    nuisance: FloatArray
    influence: FloatArray


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
    problem = Problem(days, x, y, basis, step_places_for(basis))
    sets, problem_columns = _screen_sets(problem, calendar, dof)
    grid = _Grid(problem, sets, problem_columns, dof)
    return grid.average()


@dataclass(frozen=True, slots=True)
class _Set:
    """Columns of one model of hour and weekday; its prior, and which it has."""

    columns: tuple[int, ...]
    log_prior: float
    hour: bool
    week: bool
    cycle: bool


def _screen_sets(
    problem: Problem, calendar: CalendarSets, dof: int
) -> tuple[list[_Set], FloatArray]:
    """Find the models of hour and weekday whose weight may matter, and the columns they need."""
    n = problem.n
    rhos = (0.0, 0.3, 0.6, 0.8, 0.94)
    plain = evidence(problem.moments([(rho, 0.0) for rho in rhos], np.empty((n, 0))), [()], n, dof)
    likely = {rhos[int(np.argmax(_log_sum(v, axis=(1, 2))))] for v in (plain.y_log, plain.x_log)}
    kept: set[tuple[int, int]] = {(0, 0)}
    for rho in sorted(likely | {0.0}):
        moments = problem.moments([(rho, 0.0)], calendar.columns)
        pairs = _score_effects(moments, calendar, n, dof)
        top = max(pairs.values())
        order = sorted(pairs, key=lambda key: -pairs[key])
        kept |= {key for key in order[:12] if pairs[key] > top - _SCREEN}
    numbers = sorted({c for h, w in kept for c in calendar.hours[h][0] + calendar.weeks[w][0]})
    place = {c: k for k, c in enumerate(numbers)}
    sets = []
    for h, w in sorted(kept):
        (first, p1), (second, p2) = calendar.hours[h], calendar.weeks[w]
        chosen = tuple(place[c] for c in first + second)
        if dof - len(chosen) - 2 >= MIN_DF:
            cycle = second in calendar.cycles
            sets.append(_Set(chosen, p1 + p2, h > 0, w > 0 and not cycle, cycle))
    return sets, calendar.columns[:, numbers]


def _score_effects(
    moments: Moments, calendar: CalendarSets, n: int, dof: int
) -> dict[tuple[int, int], float]:
    """Log evidence, by number, of effects of the hour and the weekday, alone and together."""

    def scores(some: list[tuple[tuple[int, ...], float]]) -> list[float]:
        y_log, x_log = evidence_of_sets(moments, [columns for columns, _ in some], n, dof)
        found = _log_sum(y_log + x_log, axis=(0, 2)) + np.array([prior for _, prior in some])
        result: list[float] = found.tolist()
        return result

    both = scores([*calendar.hours, *calendar.weeks])
    hours, weeks = both[: len(calendar.hours)], both[len(calendar.hours) :]
    # An effect may be seen only beside another: each family beside the other's best.
    best_hour, best_week = int(np.argmax(hours)), int(np.argmax(weeks))
    pairs = {(h, 0): s for h, s in enumerate(hours)}
    pairs.update({(0, w): s + hours[0] - weeks[0] for w, s in enumerate(weeks)})
    pick_h = [h for h, s in enumerate(hours) if s > max(hours) - _SCREEN]
    pick_w = [w for w, s in enumerate(weeks) if s > max(weeks) - _SCREEN]
    together = sorted(
        {(h, best_week) for h in range(len(hours))}
        | {(best_hour, w) for w in range(len(weeks))}
        | {(h, w) for h in pick_h[:6] for w in pick_w[:6]}
    )
    sums = [
        (calendar.hours[h][0] + calendar.weeks[w][0], calendar.hours[h][1] + calendar.weeks[w][1])
        for h, w in together
    ]
    pairs.update(zip(together, scores(sums), strict=True))
    return pairs


class _Grid:
    """All fits, and their average."""

    def __init__(self, problem: Problem, sets: list[_Set], columns: FloatArray, dof: int) -> None:
        self.problem, self.sets, self.columns, self.dof = problem, sets, columns, dof
        first, second = np.triu_indices(len(problem.at), 1)
        self.pairs = first.astype(np.int64), second.astype(np.int64)
        self.moments: Moments | None = None  # of all keys, where the ratings are few
        self.keys: list[Errors] = []
        # The likeliest set's columns and autocorrelations, and what was found of them.
        self.lead: tuple[tuple[int, ...], list[Errors], Evidence] | None = None
        self.single: dict[Errors, tuple[FloatArray, FloatArray]] = {}
        self.log_priors = np.array([one.log_prior for one in sets])
        rhos = RHOS if problem.n <= _FEW else (*RHOS, 0.97, 0.985)
        self.rhos, self.priors = (
            np.array(rhos),
            {
                p: np.log(_NO_PARTIAL if p == 0 else (1 - _NO_PARTIAL) / (len(PARTIALS) - 1))
                for p in PARTIALS
            },
        )

    def _look(self, keys: list[Errors], logs: dict[Errors, tuple[float, float]]) -> None:
        """Add the evidence of autocorrelations, each with its likeliest effects and one step."""
        n, dof = self.problem.n, self.dof
        new = [key for key in dict.fromkeys(keys) if key not in logs]
        if not new:
            return
        moments = self.problem.moments(new, self.columns, pairs=n <= _FEW)
        if n <= _FEW:
            self.moments, self.keys = moments, new
        prior = np.array([self.priors[key[1]] for key in new])[:, None, None]
        both = evidence_of_sets(moments, [one.columns for one in self.sets], n, dof)
        y_logs, x_logs = (v + prior for v in both)
        # For y and x by themselves: which effects both share is weighed later.
        half = self.log_priors[:, None] / 2
        tops = [np.max(v + half, axis=(1, 2)).tolist() for v in (y_logs, x_logs)]
        for place, key in enumerate(new):
            self.single[key] = (y_logs[place], x_logs[place])
            logs[key] = (tops[0][place], tops[1][place])

    def _search(self) -> dict[Errors, tuple[float, float]]:
        """Look at every autocorrelation, or, of many ratings, climb from a few."""
        logs: dict[Errors, tuple[float, float]] = {}
        if self.problem.n <= _FEW:
            self._look([(float(rho), partial) for rho in self.rhos for partial in PARTIALS], logs)
            return logs
        every = 2 if self.problem.n > _MANY else 1
        self._look([(float(rho), 0.0) for rho in self.rhos[::every]], logs)
        for _ in range(8):
            before = len(logs)
            near: list[Errors] = []
            for k in (0, 1):
                top = max(logs, key=lambda key: logs[key][k])
                i, j = int(np.argmin(np.abs(self.rhos - top[0]))), PARTIALS.index(top[1])
                near += [
                    (float(self.rhos[i + di]), PARTIALS[j + dj])
                    for di, dj in ((0, 1), (0, -1), (1, 0), (-1, 0))
                    if 0 <= i + di < len(self.rhos) and 0 <= j + dj < len(PARTIALS)
                ]
            self._look(near, logs)
            if len(logs) == before:
                break
        return logs

    def _likely(self) -> tuple[list[Errors], list[Errors]]:
        """Find autocorrelations that may matter: of y given x, and of x."""
        n = self.problem.n
        logs = self._search()
        # Two steps that the model lacks look like errors that linger, so of few ratings an
        # autocorrelation is judged with two steps as well: with one alone, a week of both 3 up had
        # left out the true one.
        keys = list(logs)
        tops = [max(value[k] for value in logs.values()) for k in (0, 1)]
        screen = _TWO_STEPS_SCREEN if n <= _FEW else _GRID_SCREEN
        candidates = [[key for key in keys if logs[key][k] > tops[k] - screen] for k in (0, 1)]
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
        near: list[list[Errors]],
        lead: int,
        joint: FloatArray,
        other: FloatArray,
    ) -> tuple[FloatArray, FloatArray]:
        """Keep the likeliest two steps; return the weight of two at each autocorrelation.

        ``near``: autocorrelations of y and of x; ``lead``: the likeliest set of effects.
        """
        many, n = len(self.pairs[0]), self.problem.n
        nothing = tuple(np.full(len(keys), -np.inf) for keys in near)
        if not many or (n > _FEW and many <= MAX_PAIRS):
            return nothing[0], nothing[1]
        best, best_x = near
        if n > _FEW:
            best = [near[0][int(np.argmax(_log_sum(joint, axis=(1, 2))))]]
            best_x = [near[1][int(np.argmax(_log_sum(other, axis=(1, 2))))]]
        union = list(dict.fromkeys([*best, *best_x]))
        fits = self._evidence(union, [self.sets[lead].columns])
        logs = [
            found[[union.index(key) for key in keys], 0, -many:]
            + np.array([self.priors[key[1]] for key in keys])[:, None]
            for found, keys in ((fits.y_log, best), (fits.x_log, best_x))
        ]
        y_top, x_top = (np.max(two, axis=0) for two in logs)
        y_part, x_part = (np.exp(two - top) for two, top in zip(logs, (y_top, x_top), strict=True))
        y_sum, x_sum = np.sum(y_part, axis=0), np.sum(x_part, axis=0)
        if many > MAX_PAIRS:
            both = np.log(y_sum) + y_top + np.log(x_sum) + x_top
            kept = np.sort(np.argsort(-both, kind="stable")[:MAX_PAIRS])
            self.pairs = self.pairs[0][kept], self.pairs[1][kept]
            fits = fits.with_pairs(kept, len(self.problem.at))
        self.lead = (self.sets[lead].columns, union, fits)
        if n > _FEW:
            return nothing[0], nothing[1]
        top = float(np.max(y_top + x_top))
        scale = np.exp(y_top + x_top - top)
        whole = self.log_priors[lead] + top
        # What has no weight beside the likeliest has the logarithm of almost nothing.
        return (
            np.log(np.maximum(y_part @ (x_sum * scale), TINY)) + whole,
            np.log(np.maximum(x_part @ (y_sum * scale), TINY)) + whole,
        )

    def _evidence(self, keys: list[Errors], chosen: list[tuple[int, ...]]) -> Evidence:
        """Fit sets of columns of equal size, with one step and with two."""
        if self.moments is None:
            needed = sorted({c for columns in chosen for c in columns})
            moments = self.problem.moments(keys, self.columns[:, needed], pairs=True)
            chosen = [tuple(needed.index(c) for c in columns) for columns in chosen]
        else:
            moments = self.moments.take([self.keys.index(key) for key in keys])
        return evidence(moments, chosen, self.problem.n, self.dof, self.pairs)

    def _evidence_of(
        self, keys: list[Errors], columns: tuple[int, ...]
    ) -> tuple[Evidence, IntArray]:
        """Fit one set of columns, and say which rows are of ``keys``."""
        if self.lead is not None and self.lead[0] == columns:
            known = {key: row for row, key in enumerate(self.lead[1])}
            if all(key in known for key in keys):
                return self.lead[2], np.array([known[key] for key in keys])
        return self._evidence(keys, [columns]), np.arange(len(keys))

    def average(self) -> SlopeAverage:
        """Weigh all fits."""
        dof = self.dof
        of_y, of_x = self._likely()
        union = list(dict.fromkeys([*of_y, *of_x]))
        y_rows, x_rows = ([union.index(key) for key in keys] for keys in (of_y, of_x))
        y_prior = np.array([self.priors[key[1]] for key in of_y])[:, None]
        x_prior = np.array([self.priors[key[1]] for key in of_x])[:, None]
        shape = (len(of_y), len(self.sets), len(self.problem.at) + len(self.pairs[0]))
        y_logs, slopes, errors = np.empty(shape), np.empty(shape), np.empty(shape)
        x_logs = np.empty((len(of_x), *shape[1:]))
        for s, one in enumerate(self.sets):
            found, place = self._evidence_of(union, one.columns)
            of_y_rows, of_x_rows = place[y_rows], place[x_rows]
            y_logs[:, s] = found.y_log[of_y_rows, 0] + y_prior + one.log_prior
            x_logs[:, s] = found.x_log[of_x_rows, 0] + x_prior
            left = dof - len(one.columns) - 1
            slopes[:, s] = found.slope[of_y_rows, 0]
            errors[:, s] = np.sqrt(found.squares[of_y_rows, 0] / left / found.xx[of_y_rows, 0])
        logs = y_logs + _log_sum(x_logs, axis=0)
        weight = np.exp(logs - np.max(logs))
        weight /= np.sum(weight)
        by_set = np.sum(weight, axis=(0, 2))
        hour = float(sum(w for w, one in zip(by_set, self.sets, strict=True) if one.hour))
        week = float(sum(w for w, one in zip(by_set, self.sets, strict=True) if one.week))
        cycle = float(sum(w for w, one in zip(by_set, self.sets, strict=True) if one.cycle))
        robust = RobustErrors(self.problem, self.columns, of_y, self.pairs)
        errors, influence = self._firm(robust, weight, errors)
        relevant = weight > _NEGLIGIBLE * np.max(weight)
        chosen = weight[relevant] / np.sum(weight[relevant])
        rho = float(np.sum(weight, axis=(1, 2)) @ np.array([key[0] for key in of_y]))
        dof_left = dof - 1 - round(float(by_set @ [len(one.columns) for one in self.sets]))
        posterior = SlopePosterior(chosen, slopes[relevant], errors[relevant], dof_left, rho)
        _, model, fit = (int(k) for k in np.unravel_index(int(np.argmax(weight)), shape))
        nuisance = robust.nuisance(self.sets[model].columns, fit)
        return SlopeAverage(posterior, hour, week, cycle, nuisance, influence)

    def _firm(
        self, robust: RobustErrors, weight: FloatArray, errors: FloatArray
    ) -> tuple[FloatArray, FloatArray]:
        """Use HC3's error in place of the model's where their ratio is large.

        Also returns each rating's influence in the likeliest fit.
        """
        flat = weight.ravel()
        many = int(np.clip(_ROBUST_WORK // self.problem.n, 48, 240))
        chosen = np.arange(len(flat))
        if len(flat) > many:  # sorting all of them would take as long as the fits
            chosen = np.flatnonzero(flat >= np.partition(flat, -many)[-many])
        chosen = chosen[np.argsort(-flat[chosen], kind="stable")][:many]
        r, s, f = np.unravel_index(chosen, weight.shape)
        factor, influence = np.ones(len(chosen)), np.empty(0)
        for one in np.unique(s):
            here = np.flatnonzero(s == one)
            found, first = robust.of(self.sets[int(one)].columns, r[here], f[here])
            ratio = found / errors[r[here], one, f[here]]
            firm = np.clip((ratio - FIRM_FROM) / (FIRM_TO - FIRM_FROM), 0, 1)
            factor[here] = 1 + firm * (ratio - 1)
            if here[0] == 0:
                influence = first
        result = errors * (flat[chosen] @ factor / np.sum(flat[chosen]))
        result[r, s, f] = errors[r, s, f] * factor
        return result, influence


def _log_sum(logs: FloatArray, axis: int | tuple[int, ...] | None = None) -> FloatArray:
    """Logarithm of a sum of exponentials."""
    logs = np.asarray(logs)
    top = np.max(logs, axis=axis, keepdims=True)
    total = np.log(np.sum(np.exp(logs - top), axis=axis, keepdims=True)) + top
    result: FloatArray = np.squeeze(total, axis=axis)
    return result
