"""A race of a column's starts: one that has come into the bowl of a better one joins it, those that fall behind retire.

Most starts end at a few optima, and it shows long before they arrive: all but a few need not be followed to their end.
"""

from __future__ import annotations

import torch
from torch import Tensor

from distfit_counts.optimise.newton import Newton
from distfit_counts.optimise.problem import Evaluation

# Better starts of its column that a start is held against at a time, the best of them first.
_LEADERS = 3
# Every how many steps they are held against each other: that costs a good part of a step.
_EVERY = 2
# Log-likelihood units between two starts up to which they may be in one bowl: a few standard errors, where a likelihood
# is about quadratic. Without that limit joining lost three of 9,500 maxima; with it none.
_NEAR = 5.0
# How far the mean curvature between two points may be from that at both of them, and a value from what the value,
# slopes and curvatures at both say, relative to that curvature.
_BEND, _VALUE = 2.0, 0.1
# After how many steps which share of a column's starts stays, and how many of them at least (successive halving,
# Jamieson and Talwalkar 2016).
_STAY = {8: 0.6, 12: 0.4, 16: 0.25, 20: 0.15}
_FEWEST = 4
# After so many steps a start also retires if so many times what Newton's model promises would not reach the best: on a
# flat ridge it could creep for a hundred steps more.
_LATE, _TIMES = 20, 100.0


class Race:
    """``column`` [B] of each start, ascending; ``n`` [C] observations of each column."""

    def __init__(self, column: Tensor, n: Tensor) -> None:
        self._column, self._n = column, n
        self._starts = torch.bincount(column)
        self._joined = torch.arange(len(column))
        # Rows where the objective is convex, and those of them that another can still join.
        self._convex = torch.zeros(len(column), dtype=torch.bool)
        self._open = self._convex.clone()

    def left(self, step: int, rows: Tensor, state: Newton, theta: Tensor, point: Evaluation) -> Tensor:
        """Which of the running ``rows`` [R], with their ``state``, leave after ``step``; ``theta`` [B, P] and its
        ``point`` are those of all rows, running or not.
        """
        if step % _EVERY:
            return torch.zeros_like(state.convex)
        running = torch.zeros_like(self._open).index_fill_(0, rows, True)
        self._convex[rows] = state.convex
        self._join((self._convex & (running | self._open)).nonzero()[:, 0], running, theta, point)
        left = self._joined[rows] != rows
        if step in _STAY:
            left |= self._behind(rows, left, point.value, _STAY[step])
        if step >= _LATE:
            left |= self._hopeless(rows, state.promise, point.value)
        self._open[rows] = ~left
        return left

    def ends(self) -> Tensor:
        """The row [B] whose end is that of each start: its own, or that of the one it joined."""
        ends = self._joined
        # Who was joined may have joined another since.
        while not torch.equal(ends, ends[ends]):
            ends = ends[ends]
        return ends

    @property
    def joined(self) -> Tensor:
        """Which starts [B] were not followed to their end, as another went there for them."""
        return self._joined != torch.arange(len(self._joined))

    def _join(self, free: Tensor, running: Tensor, theta: Tensor, point: Evaluation) -> None:
        for _ in range(_LEADERS):
            leader = self._lowest(free, point.value)[self._column[free]]
            others = running[free] & (leader != free)
            first, second = free[others], leader[others]
            if not len(first):
                return
            apart = (point.value[first] - point.value[second]) * self._n[self._column[first]]
            same = (apart <= _NEAR) & in_one_bowl(theta, point, first, second)
            self._joined[first[same]] = second[same]
            free = free[(leader != free) & (self._joined[free] == free)]

    def _lowest(self, rows: Tensor, value: Tensor) -> Tensor:
        """Of each column the row of ``rows`` with the lowest ``value`` [B]."""
        rows = rows[value[rows] == self._least(rows, value)[self._column[rows]]]
        none = torch.full((len(self._starts),), len(self._column))
        return none.scatter_reduce(0, self._column[rows], rows, "amin")

    def _least(self, rows: Tensor, value: Tensor) -> Tensor:
        """Of each column the lowest ``value`` [B] of its ``rows``."""
        none = value.new_full((len(self._starts),), torch.inf)
        return none.scatter_reduce(0, self._column[rows], value[rows], "amin")

    def _behind(self, rows: Tensor, left: Tensor, value: Tensor, share: float) -> Tensor:
        """Those of ``rows`` whose place among the running starts of their column is none of those that stay."""
        order = torch.where(left, torch.inf, value[rows]).argsort(stable=True)
        order = order[self._column[rows][order].argsort(stable=True)]
        column = self._column[rows][order]
        place = torch.empty_like(order)
        place[order] = torch.arange(len(order)) - torch.searchsorted(column, column)
        return place >= (share * self._starts[self._column[rows]]).ceil().clamp(min=_FEWEST)

    def _hopeless(self, rows: Tensor, promise: Tensor, value: Tensor) -> Tensor:
        """Those of ``rows`` that would not reach the best of their column, running or not, with many such promises."""
        least = self._least(torch.arange(len(self._column)), value)
        return _TIMES * promise < value[rows] - least[self._column[rows]]


def in_one_bowl(theta: Tensor, point: Evaluation, first: Tensor, second: Tensor) -> Tensor:
    """Whether the objective is convex and smooth all the way between the rows ``first`` and ``second`` [R], at both of
    which it is convex: its mean curvature on the way is like that at the ends, its rise what they say together.
    """
    assert point.hessian is not None
    step = theta[second] - theta[first]
    slope, end_slope = ((point.gradient[rows] * step).sum(dim=1) for rows in (first, second))
    along = step[:, :, None]
    curve, end_curve = ((along.mT @ point.hessian[rows] @ along)[:, 0, 0] for rows in (first, second))
    bend = end_slope - slope
    smooth = (bend >= torch.minimum(curve, end_curve) / _BEND) & (bend <= torch.maximum(curve, end_curve) * _BEND)
    # The integral of the slope, by its values and derivatives at both ends (Euler and Maclaurin).
    rise = (slope + end_slope) / 2.0 + (curve - end_curve) / 12.0
    before, after = point.value[first], point.value[second]
    return smooth & ((after - before - rise).abs() <= _VALUE * bend + 1e-15 * (1.0 + before.abs()))
