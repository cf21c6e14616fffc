"""Quantiles of many rows' own distributions at once: small ones by ``small_quantiles``, others by a search.

The search sums over pieces up to each quantile, then over ever smaller pieces. They are those of
``inference/fitted/tabulate``, the same number for every row: they double from 0 on, and around each peak are as wide as
its standard deviation. A quantile costs some hundred values of the pmf, whatever the mean.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from distfit_counts.families.constraint import Array
from distfit_counts.inference.fitted.quadrature import FEWEST, fitted, nodes, positions
from distfit_counts.optimise.threads import one_thread
from distfit_counts.regression.checked import Ints
from distfit_counts.regression.row_model import CountModel
from distfit_counts.regression.small_quantiles import small_quantiles

# Rows whose pieces are held together, and pieces that are summed at a time: few rows need them all.
_ROWS, _STRIDE = 4096, 8
# No count from here on is looked at.
_END = 2**62
_DOUBLES = np.append(0, 2 ** np.arange(63, dtype=np.int64))
# Standard deviations from a peak; beyond, doubling is fine enough.
_STEPS = np.concatenate([np.arange(5.0), 4.0 * 1.3 ** np.arange(1, 10)])
# Parts that a piece is cut into on the way to a single count.
_PARTS = 4
# A piece whose polynomial has higher terms than this in its two highest is halved: the sum is right to their square.
_ROUGH = 1e-7
# What a sum of the pmf may be short of the level that it reaches, by rounding.
_ROUNDING = 1e-13
# All but this share of a distribution must have been found.
_LOST = 1e-6


@dataclass(frozen=True, eq=False)
class _Rows:
    """The distributions of some rows, by ``etas`` [H] of [N]."""

    model: CountModel
    etas: Sequence[Array]

    def at(self, rows: Ints) -> _Rows:
        return _Rows(self.model, [eta[rows] for eta in self.etas])

    def pmf(self, rows: Ints, k: Ints) -> Array:
        """P(Y = k[i]) of row rows[i]."""
        counts = torch.from_numpy(k.astype(np.float64))
        lowest = float(self.model.family.lowest)
        with torch.no_grad():
            log_prob = self.model.log_prob([torch.from_numpy(eta[rows]) for eta in self.etas], counts.clamp(min=lowest))
        return torch.where(counts < lowest, 0.0, log_prob.exp()).numpy()

    def masses(self, rows: Ints, starts: Ints, sizes: Ints) -> Array:
        """P(starts <= Y < starts + sizes) of pieces [P] of ``rows`` [P]: short ones count by count, others by eight."""
        found, short, long = np.zeros(len(starts)), (sizes > 0) & (sizes < FEWEST), np.flatnonzero(sizes >= FEWEST)
        if short.any():
            many = sizes[short]
            p = self.pmf(np.repeat(rows[short], many), np.repeat(starts[short], many) + positions(many))
            found[short] = np.add.reduceat(p, np.cumsum(many) - many)
        if len(long):
            at = nodes(sizes[long])
            p = self.pmf(np.repeat(rows[long], at.shape[1]), (starts[long][:, None] + at).ravel()).reshape(at.shape)
            found[long], rough = fitted(p, at, sizes[long])
            if len(bent := long[rough > _ROUGH]):
                half = sizes[bent] // 2
                lower = self.masses(rows[bent], starts[bent], half)
                found[bent] = lower + self.masses(rows[bent], starts[bent] + half, sizes[bent] - half)
        return np.maximum(found, 0.0)

    def edges(self) -> Ints:
        """Where pieces begin, and the end [N, M]: rising, some of them twice."""
        n = len(self.etas[0])
        with np.errstate(all="ignore"):
            peaks = self.model.family.peaks(self.model.natural(self.etas))
            centres = [(np.broadcast_to(m, n), np.sqrt(np.maximum(np.broadcast_to(v, n), 1.0))) for m, v in peaks]
            own = [m[:, None] + sign * s[:, None] * _STEPS for m, s in centres for sign in (-1.0, 1.0)]
        around = np.nan_to_num(np.concatenate([np.zeros((n, 1)), *own], axis=1), nan=0.0, posinf=0.0, neginf=0.0)
        whole = np.floor(np.clip(around, 0.0, float(_END))).astype(np.int64)
        return np.sort(np.concatenate([np.broadcast_to(_DOUBLES, (n, len(_DOUBLES))), whole], axis=1), axis=1)


@one_thread()
def quantiles(model: CountModel, etas: Sequence[Array], asked: Sequence[float]) -> Array:
    """The smallest counts with P(Y <= count) >= q, [N, Q]; NaN where there is no distribution, or none below 2^62."""
    levels = np.asarray(asked, dtype=np.float64)
    found = small_quantiles(model, etas, levels * (1.0 - _ROUNDING))
    rest = np.flatnonzero(np.isnan(found).any(axis=1))
    large = searched(model, [eta[rest] for eta in etas], levels)
    found[rest] = np.where(np.isnan(found[rest]), large, found[rest])
    return found


def searched(model: CountModel, etas: Sequence[Array], levels: Array) -> Array:
    """The same by the search alone, whatever the mean."""
    n = len(etas[0])
    rows, parts = _Rows(model, etas), [np.arange(i, min(i + _ROWS, n)) for i in range(0, n, _ROWS)]
    found = [_of(rows.at(part), levels) for part in parts]
    return np.concatenate(found) if found else np.zeros((0, len(levels)))


def _of(rows: _Rows, asked: Array) -> Array:
    edges = rows.edges()
    starts, sizes = edges[:, :-1], np.diff(edges, axis=1)
    masses = _summed(rows, starts, sizes, asked.max())
    reached = np.cumsum(masses, axis=1)
    found = np.full((len(starts), len(asked)), np.nan)
    for i, q in enumerate(asked):
        # Near 1 all that there is may add up to a little less.
        level = np.minimum(q, reached[:, -1])
        there = np.flatnonzero(level >= q - _LOST)
        piece = (reached[there] >= level[there, None] * (1.0 - _ROUNDING)).argmax(axis=1)
        rest = level[there] - (reached[there, piece] - masses[there, piece])
        found[there, i] = _narrowed(rows, there, starts[there, piece], sizes[there, piece], rest, q * _ROUNDING)
    return found


def _summed(rows: _Rows, starts: Ints, sizes: Ints, top: float) -> Array:
    """P of the pieces [N, M], of every row as far as ``top`` is reached, and 0 from there on."""
    masses, reached = np.zeros(starts.shape), np.zeros(len(starts))
    for begin in range(0, starts.shape[1], _STRIDE):
        active = np.flatnonzero(reached < top)
        if not len(active):
            break
        part = slice(begin, begin + _STRIDE)
        first, many = starts[active, part], sizes[active, part]
        own = rows.masses(np.repeat(active, first.shape[1]), first.ravel(), many.ravel()).reshape(first.shape)
        masses[active, part] = own
        reached[active] += own.sum(axis=1)
    return masses


def _narrowed(rows: _Rows, own: Ints, starts: Ints, sizes: Ints, rest: Array, slack: float) -> Array:
    """The count within each piece at which ``rest`` of its probability is reached."""
    starts, sizes, rest = starts.copy(), sizes.copy(), rest.copy()
    while len(wide := np.flatnonzero(sizes > 1)):
        size, j = sizes[wide, None], np.arange(_PARTS + 1)
        # size j/4, which may overflow before it is divided.
        cuts = starts[wide, None] + (size // _PARTS) * j + (size % _PARTS) * j // _PARTS
        first, many = cuts[:, :-1], np.diff(cuts, axis=1)
        masses = rows.masses(np.repeat(own[wide], _PARTS), first.ravel(), many.ravel()).reshape(first.shape)
        reached = np.cumsum(masses, axis=1)
        there = reached >= rest[wide, None] - slack
        # Finer sums may end a little below the coarser: then it is the last part that holds a count.
        last = _PARTS - 1 - (many[:, ::-1] > 0).argmax(axis=1)
        place = np.where(there.any(axis=1), (there & (many > 0)).argmax(axis=1), last)
        line = np.arange(len(wide))
        rest[wide] -= reached[line, place] - masses[line, place]
        starts[wide], sizes[wide] = first[line, place], many[line, place]
    return starts.astype(np.float64)
