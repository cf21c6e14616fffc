"""Which rows are held out: the same in every epoch and every run, without a list of them."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from distfit_counts.regression.checked import Ints


def chosen(rows: Ints, seed: int, share: float) -> npt.NDArray[np.bool_]:
    """A pseudo-random ``share`` of all row numbers [n].

    The bits of (seed, row) mixed as in SplitMix64 (Steele, Lea and Flood 2014), read as a uniform number in (0, 1).
    """
    # Products are meant modulo 2**64, as NumPy's arrays of uint64 have them without a warning.
    first = np.array([seed], dtype=np.uint64)
    z = _mixed(rows.astype(np.uint64) + np.uint64(1) + _mixed(first + np.uint64(1)))
    found: npt.NDArray[np.bool_] = (z >> np.uint64(11)).astype(np.float64) * 2.0**-53 < share
    return found


def _mixed(state: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    z = state * np.uint64(0x9E3779B97F4A7C15)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))
