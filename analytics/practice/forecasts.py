"""A forecast of each outcome from what was known before the draw.

It makes intervals narrower by taking out trend, time of day and the mood before. Because it uses
nothing from after the draw, what it leaves has mean zero times ``a_t - p_t`` however wrong the
forecast is: nothing rests on its model.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from analytics._types import FloatArray

# As many moments' worth of shrinking towards the running mean.
_RIDGE = 10.0
MAX_COVARIATES = 12


def covariate_matrix(covariates: Mapping[str, FloatArray] | None, n: int) -> FloatArray:
    """Check covariates and put them beside one another, shape (n, k).

    Raises
    ------
    ValueError
        Naming a covariate with another length, an infinite value, or where there are too many.
    """
    named = dict(covariates or {})
    if len(named) > MAX_COVARIATES:
        raise ValueError(f"{len(named)} covariates; at most {MAX_COVARIATES} are used")
    columns = []
    for name, values in named.items():
        column = np.asarray(values, dtype=np.float64)
        if column.shape != (n,):
            raise ValueError(
                f"covariate {name} has shape {column.shape}: it needs one value for each of the {n}"
                " draws, known before it (NaN where it is not)"
            )
        if np.isinf(column).any():
            raise ValueError(f"covariate {name} is infinite at some draw: use NaN for not known")
        columns.append(column)
    return np.column_stack(columns) if columns else np.empty((n, 0))


def forecast(outcome: FloatArray, covariates: FloatArray) -> FloatArray:
    """Forecast each outcome from the earlier moments and its own covariates.

    Ridge regression on all earlier rows, with an intercept; within the range of their outcomes.

    Parameters
    ----------
    outcome : array of float64, shape (n,)
        Without NaN.
    covariates : array of float64, shape (n, k)
        Known before the draw. NaN is replaced by the mean of earlier values.

    Returns
    -------
    array of float64, shape (n,)
        NaN in the first row, before which there is nothing.
    """
    n, k = covariates.shape
    if n == 0:
        return np.empty(0)
    filled = _fill_from_before(covariates)
    counts = np.arange(1, n + 1, dtype=np.float64)
    mean_x = np.cumsum(filled, axis=0) / counts[:, None]
    mean_y = np.cumsum(outcome) / counts
    result = np.full(n, np.nan)
    result[1:] = mean_y[:-1]
    if k == 0 or n < 3:
        return result
    products = np.cumsum(filled[:, :, None] * filled[:, None, :], axis=0)
    crossed = np.cumsum(filled * outcome[:, None], axis=0)
    scatter = products - counts[:, None, None] * mean_x[:, :, None] * mean_x[:, None, :]
    moved = crossed - counts[:, None] * mean_x * mean_y[:, None]
    # From two rows on; the last row's own values are not used.
    use = slice(1, n - 1)
    spread = np.maximum(np.einsum("tkk->tk", scatter[use]), 0.0) / counts[use, None]
    floor = np.maximum(1e-9 * (mean_x[use] ** 2 + 1), 1e-12)
    penalty = _RIDGE * spread + floor
    slopes = np.linalg.solve(scatter[use] + penalty[:, :, None] * np.eye(k), moved[use, :, None])
    result[2:] += np.einsum("tk,tk->t", slopes[:, :, 0], filled[2:] - mean_x[use])
    # Two earlier moments that were nearly alike give a steep slope: never beyond what was seen.
    low, high = np.minimum.accumulate(outcome), np.maximum.accumulate(outcome)
    result[2:] = np.clip(result[2:], low[use], high[use])
    return result


def _fill_from_before(covariates: FloatArray) -> FloatArray:
    """Replace NaN by the mean of earlier finite values; 0 where there is none."""
    finite = np.isfinite(covariates)
    if finite.all():
        return covariates
    sums = np.cumsum(np.where(finite, covariates, 0.0), axis=0)
    counts = np.cumsum(finite, axis=0)
    means = np.divide(sums, counts, out=np.zeros_like(sums), where=counts > 0)
    return np.where(finite, covariates, means)
