"""How a value differs with group membership, with first-order autocorrelated errors."""

from __future__ import annotations

import numpy as np

from analytics._types import FloatArray
from analytics.association.slope_posterior import whiten

_MAX_RHO = 0.95


def group_difference(
    basis: FloatArray, group: FloatArray, value: FloatArray, min_dof: int
) -> tuple[float, float, int] | None:
    """Estimate the difference by generalised least squares (Cochrane and Orcutt 1949).

    Parameters
    ----------
    basis : array of float64, shape (n, q)
        Independent columns, of which ``value`` is free.
    group : array of float64, shape (n,)
        Membership; the difference is per unit.
    value : array of float64, shape (n,)
        In order of time. Its autocorrelation, from one row to the next, is estimated, corrected for
        the q columns, and bounded to 0 to 0.95.
    min_dof : int
        Fewer degrees of freedom are too few.

    Returns
    -------
    tuple of float, float and int, or None
        The difference in units of ``value``, its standard error, and the degrees of freedom; None
        where ``group`` does not differ from the columns, or these leave too few.
    """
    n, q = basis.shape
    raw = float(value[1:] @ value[:-1] / (value @ value))
    rho = float(np.clip((raw + q / n) / (1 - q / n), 0.0, _MAX_RHO))
    # From row to row: were errors to linger by the clock, rows beside a gap would have a variance
    # of their own, which may be what is compared.
    white, _ = whiten(np.column_stack([basis, group, value]), np.ones(n - 1), rho)
    orthonormal, _ = np.linalg.qr(white[:, :q])
    member, level = (white[:, q:] - orthonormal @ (orthonormal.T @ white[:, q:])).T
    size, dof = float(member @ member), n - q - 2
    if dof < min_dof or size < 1e-9:
        return None
    slope = float(member @ level) / size
    left = level - slope * member
    return slope, float(np.sqrt(left @ left / dof / size)), dof
