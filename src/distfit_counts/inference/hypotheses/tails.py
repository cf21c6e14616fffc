"""Tail probabilities of the reference distributions, elementwise and correct far out."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from distfit_counts.families.constraint import Array


def chi_square_tail(x: npt.ArrayLike, df: npt.ArrayLike) -> Array:
    """P(chi-square with ``df`` degrees of freedom >= x) = Q(df/2, x/2), the regularised upper incomplete gamma.

    ``x`` and ``df`` broadcast. ``df`` = 0 is the point mass at 0: 1 for x <= 0, else 0. NaN where either is NaN or
    ``df`` is negative. Relative error 1e-13 for df <= 40 down to 1e-300, 2e-9 beyond (torch's expansion).
    """
    import torch

    x, df = np.broadcast_arrays(np.asarray(x, dtype=float), np.asarray(df, dtype=float))
    # gammaincc is 0 at df = 0, x > 0, as wanted, but NaN at (0, 0) and for negative x.
    inside = (df >= 0.0) & (x > 0.0)
    shape, at = (torch.from_numpy(np.where(inside, 0.5 * value, 1.0)) for value in (df, x))
    upper = torch.special.gammaincc(shape, at).numpy()
    known = (df >= 0.0) & ~np.isnan(x)
    result: Array = np.where(inside, upper, np.where(known, 1.0, np.nan))
    return result


def half_chi_square_tail(x: npt.ArrayLike) -> Array:
    """P(T >= x) for T ~ ½χ²₀ + ½χ²₁: a likelihood ratio whose null fixes one parameter at an end of its range.

    Chernoff (1954), Self and Liang (1987). 1 for x <= 0: half of all samples have their maximum at the boundary itself.
    """
    result: Array = 0.5 * (chi_square_tail(x, 0.0) + chi_square_tail(x, 1.0))
    return result


def normal_tail(z: npt.ArrayLike) -> Array:
    """P(N(0, 1) > z), one-sided."""
    import torch

    # Not ndtr(-z): torch's has lost all digits at z = 9. erfc keeps them to z = 37.
    scaled = torch.as_tensor(np.asarray(z, dtype=float) / np.sqrt(2.0))
    result: Array = 0.5 * torch.special.erfc(scaled).numpy()
    return result


def poisson_tail(k: npt.ArrayLike, rate: npt.ArrayLike) -> Array:
    """P(Poisson(rate) >= k) = P(k, rate), the regularised lower incomplete gamma, for counts k; 1 at k = 0."""
    import torch

    k, rate = np.broadcast_arrays(np.asarray(k, dtype=float), np.asarray(rate, dtype=float))
    shape, at = (torch.from_numpy(np.where(k <= 0.0, 1.0, value)) for value in (k, rate))
    result: Array = np.where(k <= 0.0, 1.0, torch.special.gammainc(shape, at).numpy())
    return result
