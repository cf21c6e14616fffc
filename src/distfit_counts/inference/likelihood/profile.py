"""Profile likelihood: how far a parameter can move before the best fit of all the others falls too far behind.

profile deviance d(v) = 2 [l_max - max over the others l(v, others)]; the interval at ``level`` is {v: d(v) <= z^2},
z the normal quantile of (1 + level)/2 (z^2 is the chi-square(1) quantile of level). Venzon and Moolgavkar (1988).
It does not depend on how the parameter is written, needs no standard error, and has one end where the likelihood
stays above the cut up to the boundary.
"""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

from distfit_counts.families.constraint import Array
from distfit_counts.families.labels import relabelled
from distfit_counts.inference.likelihood.constrained import Constrained, Rows
from distfit_counts.optimise.pinned import Place, places
from distfit_counts.optimise.problem import natural
from distfit_counts.optimise.solve import Solution
from distfit_counts.optimise.threads import one_thread

# Where a coordinate has arrived at the end of its range: sigmoid(-40) is 4e-18, exp(40) 2e17.
_END = 40.0
# A positive value has no upper end; beyond this many times its typical size nothing is left to find.
_FAR = 1e12
# From here on a coordinate runs to its end, and the likelihood has ceased to change.
_TAIL = 8.0
_MAX_ROUNDS = 100
# Relative error of sqrt(deviance) at which an end of the interval is found.
_CLOSE = 1e-7
# Width of a bracket, relative to the way from the estimate, from which its outer end is nearby.
_NEARBY = 1e-3
# Relative width of a bracket that holds nothing more.
_LAST_DIGITS = 1e-14


@dataclass(frozen=True)
class Profile:
    """``lower`` and ``upper`` [C, P'] of natural values, in the family's own order. An end at the boundary of the range
    is that boundary (0, 1, infinity). NaN where there is nothing to hold fixed, or an end could not be found.
    """

    lower: Array
    upper: Array


@one_thread()
def profile(solution: Solution, level: float) -> Profile:
    """Profile intervals of every parameter of every column; the columns of a parameter are one batch."""
    return _profile(solution, np.arange(len(solution.best)), NormalDist().inv_cdf(0.5 + level / 2.0))


def _profile(solution: Solution, columns: Rows, cut: float) -> Profile:
    """As ``profile``, for some ``columns``; the rows of the others are NaN.

    Where a part of the model has vanished (a component without weight), nothing is known about its parameters, and
    the others are those of the model that is left: their profile is taken there.
    """
    names = solution.family.names
    shape = (len(solution.best), len(names))
    found = Profile(np.full(shape, np.nan), np.full(shape, np.nan))
    own = {name: columns for name in places(solution.family)}
    for i, (limit, inner) in enumerate(solution.nested):
        here = columns[solution.chosen[columns] == i]
        if len(here) == 0 or not any(np.isnan(value) for value in limit.fixed.values()):
            continue
        part = _profile(inner, here, cut) if inner.family.parameters else None
        for j, name in enumerate(names):
            if name in limit.fixed and not np.isnan(limit.fixed[name]):
                continue
            own[name] = np.setdiff1d(own.get(name, here), here)
            if name in limit.carried and part is not None:
                k = inner.family.names.index(limit.carried[name])
                found.lower[here, j], found.upper[here, j] = part.lower[here, k], part.upper[here, k]
    for name, place in places(solution.family).items():
        if len(own[name]):
            for ends, side in ((found.lower, -1.0), (found.upper, 1.0)):
                crossing = _Crossing(solution, place, own[name], side, cut, follow=True).find()
                # Where two components become one before the cut is reached, there is none left to follow.
                lost = np.flatnonzero(np.isnan(crossing))
                if len(lost):
                    crossing[lost] = _Crossing(solution, place, own[name][lost], side, cut, follow=False).find()
                ends[own[name], names.index(name)] = _natural(solution, place, own[name], crossing)
    return found


@one_thread()
def profile_deviance(solution: Solution, name: str, values: Array) -> Array:
    """The profile deviance [R] of column 0 where parameter ``name`` has the natural ``values`` [R]."""
    place = places(solution.family)[name]
    with np.errstate(divide="ignore"):
        if place.simplex:
            pinned = np.log(values) - np.log1p(-values)
        else:
            pinned = place.constraint.inverse(values, np.full(len(values), solution.scale[0, place.start + place.own]))
    constrained, column = Constrained(solution, place), np.zeros(1, dtype=np.int64)
    best, free = place.split(solution.best_theta[:1])
    found = np.full(len(values), np.nan)
    order = np.argsort(pinned)
    # From the estimate outwards, each value from the solution of its neighbour.
    for side in (order[pinned[order] <= best[0]][::-1], order[pinned[order] > best[0]]):
        near = free
        for i in side:
            at = np.clip(pinned[i : i + 1], -_FAR, _FAR)
            found[i : i + 1], near = constrained.deviance(at, column, near)
    return found


class _Crossing:
    """The search, for ``columns`` [C], of the pinned coordinate where sqrt(deviance) crosses ``cut`` on one ``side``.

    sqrt(deviance) is nearly linear (exactly, for a quadratic likelihood): a secant inside a bracket, with a bisection
    in every third round for the tails where it is not. ``inside`` and ``outside`` are the ends of the bracket (outside
    NaN: not passed yet), ``rise`` sqrt(deviance) there, ``free`` the other coordinates at ``inside``: the ridge.

    ``follow``: a fit in which equal components of a mixture stand in another order than at the maximum is that of
    another one of them, and lies outside; where it does however near one comes, nothing is found.
    """

    def __init__(self, solution: Solution, place: Place, columns: Rows, side: float, cut: float, follow: bool) -> None:
        self.order = self._labels(solution, solution.best_theta[columns], columns) if follow else None
        self.solution, self.place, self.columns, self.side, self.cut = solution, place, columns, side, cut
        self.constrained = Constrained(solution, place)
        best, self.free = (part[columns] for part in place.split(solution.best_theta))
        open_ended = side > 0 and place.unbounded
        self.farthest = _FAR if open_ended else _END
        # Out in the tail the likelihood is flat, and outwards it stays so.
        self.out = np.zeros(len(best), dtype=bool) if open_ended else side * best > _TAIL
        self.best = best
        self.inside, self.rise_inside = self.best.copy(), np.zeros(len(columns))
        self.outside, self.rise_outside = np.full(len(columns), np.nan), np.full(len(columns), np.inf)
        # Where further out is no worse (a component that has lost its weight may have any rate).
        self.level = np.zeros(len(columns), dtype=bool)
        # Whether the outer end, where components had swapped places, is tried once more from nearby.
        self.near = np.zeros(len(columns), dtype=bool)

    def find(self) -> Array:
        """The crossing [C]; +-infinity where the boundary itself is not worse by the cut, NaN where none is found."""
        found = np.full(len(self.columns), np.nan)
        active = np.flatnonzero(np.isfinite(self.best))
        x = self.best + self.side * self.cut * self._step()
        x = np.where(self.out, self.side * np.maximum(self.farthest, np.abs(self.best) + 1.0), x)
        for round_ in range(_MAX_ROUNDS):
            rise = self._rise(x, active)
            # Where the likelihood rounds coarsely, the crossing is known to the last digits all the same.
            close = np.abs(self.outside[active] - self.inside[active]) <= _LAST_DIGITS * np.abs(x[active])
            done = (np.abs(rise - self.cut) <= _CLOSE * self.cut) | close
            ended = (rise <= self.cut) & (self.side * x[active] >= self.farthest)
            # Even from nearby another component is found: this one is not there any more.
            swapped = np.isnan(self.rise_outside[active])
            gone, done, ended = swapped & self.near[active], done & ~swapped, ended & ~swapped
            active, done, ended = active[~gone], done[~gone], ended[~gone]
            found[active[done]] = x[active[done]]
            found[active[ended]] = self.side * np.inf
            active = active[~(done | ended)]
            if len(active) == 0:
                break
            self._reopen(active)
            x[active] = self._next(round_)[active]
        return found

    def _rise(self, x: Array, active: Rows) -> Array:
        """sqrt(deviance) at ``x``, from the ridge inside. (From elsewhere a mixture's components would swap places.)"""
        deviance, free = self.constrained.deviance(x[active], self.columns[active], self.free[active])
        rise = np.sqrt(deviance)
        swapped = self._swapped(x[active], free, active)
        beyond = (rise > self.cut) | swapped
        out, within = active[beyond], active[~beyond]
        # From nearby the component may be found where from afar it was another.
        reached = within[self.near[within]]
        self.outside[reached], self.rise_outside[reached] = np.nan, np.inf
        self.outside[out], self.rise_outside[out] = x[out], np.where(swapped, np.nan, rise)[beyond]
        self.level[within] = rise[~beyond] - self.rise_inside[within] < _CLOSE * self.cut
        self.inside[within], self.rise_inside[within], self.free[within] = x[within], rise[~beyond], free[~beyond]
        return rise

    def _swapped(self, x: Array, free: Array, active: Rows) -> npt.NDArray[np.bool_]:
        """Whether, with ``x`` pinned and the others at ``free``, components stand in another order."""
        if self.order is None:
            return np.zeros(len(active), dtype=bool)
        import torch

        theta = self.place.join(torch.from_numpy(x), torch.from_numpy(free)).numpy()
        return np.asarray((self._labels(self.solution, theta, self.columns[active]) != self.order[active]).any(axis=1))

    @staticmethod
    def _labels(solution: Solution, theta: Array, columns: Rows) -> Rows:
        return relabelled(solution.family, natural(solution.family, theta, solution.scale[columns]))

    def _reopen(self, active: Rows) -> None:
        """The profile is continuous: a bracket that closes on a jump has an outer end whose fit was in a wrong optimum.
        Forget it, and go on along the ridge.
        """
        width = np.abs(self.outside[active] - self.inside[active])
        # Measured by the way from the estimate: for 300 counts near 1e9 all of the interval is 1e-5 wide.
        jump = (width < 1e-5 * np.abs(self.outside[active] - self.best[active])) & (
            self.rise_outside[active] - self.rise_inside[active] > 0.05 * self.cut
        )
        self.outside[active[jump]], self.rise_outside[active[jump]] = np.nan, np.inf

    def _next(self, round_: int) -> Array:
        """Where to look next: further out until the cut is passed, then between."""
        with np.errstate(divide="ignore", invalid="ignore"):
            factor = np.clip(1.1 * self.cut / self.rise_inside, 1.2, np.where(self.rise_inside < 0.1, 3.0, 2.0))
            further = np.maximum(np.abs(self.inside - self.best), 1e-3) * np.where(self.level, 10.0, factor)
            share = (self.cut - self.rise_inside) / (self.rise_outside - self.rise_inside)
            halves = (round_ % 3 == 2) | ~np.isfinite(share)
            width = self.outside - self.inside
            between = self.inside + width * np.where(halves, 0.5, np.clip(share, 0.001, 0.999))
        end = np.maximum(self.farthest, self.side * self.best + 1.0)
        outwards = self.side * np.minimum(self.side * self.best + further, end)
        self.near = np.isnan(self.rise_outside) & (np.abs(width) <= _NEARBY * np.abs(self.outside - self.best))
        between = np.where(self.near, self.outside, between)
        result: Array = np.where(np.isnan(self.outside), outwards, between)
        return result

    def _step(self) -> Array:
        """A first guess [C] of the coordinate's standard deviation; at a boundary, where there is none, 1."""
        n, place = self.solution.batch.n[self.columns], self.place
        if place.simplex:
            weight = 1.0 / (1.0 + np.exp(-np.clip(self.best, -20.0, 20.0)))
            deviation = 2.0 / np.sqrt(n * weight * (1.0 - weight))
        else:
            information = self.solution.hessian[self.columns] * n[:, None, None]
            with np.errstate(invalid="ignore", divide="ignore"):
                deviation = np.sqrt(np.linalg.pinv(information)[:, place.first + place.own, place.first + place.own])
        # Where softplus is linear a coordinate, and its deviation, may be large.
        widest = np.maximum(1.0, 0.25 * np.abs(self.best))
        step: Array = np.clip(np.nan_to_num(deviation, nan=1.0), 1e-6, widest)
        return step


def _natural(solution: Solution, place: Place, columns: Rows, pinned: Array) -> Array:
    with np.errstate(invalid="ignore"):
        if place.simplex:
            return np.asarray(0.5 * (1.0 + np.tanh(0.5 * pinned)))
        return place.constraint.show(pinned, solution.scale[columns, place.start + place.own])
