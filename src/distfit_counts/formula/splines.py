"""Bases of splines: B-splines (bs), natural and cyclic cubic regression splines (cr, cs, cc)."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from distfit_counts.errors import DataError
from distfit_counts.formula.arguments import Argument, number, numbers, one_of, truth, whole
from distfit_counts.formula.state import State, finite

Array = npt.NDArray[np.float64]

MOST_COLUMNS, _MOST_DEGREE = 100, 10
_BEYOND = ("raise", "clip", "na", "zero", "extend")


class Outside(Exception):
    """A value outside of the boundary knots, where the spline says nothing: its place."""

    def __init__(self, place: int) -> None:
        super().__init__(place)
        self.place = place


def _bounds(x: Array, options: Mapping[str, Any]) -> tuple[float, float]:
    lower = float(x.min()) if options["lower_bound"] is None else options["lower_bound"]
    upper = float(x.max()) if options["upper_bound"] is None else options["upper_bound"]
    if not lower < upper:
        raise DataError(f"its boundary knots are {lower:g} and {upper:g}", "a spline needs two distinct values")
    return lower, upper


def _bounded(state: State) -> bool:
    lower, upper = state["lower_bound"], state["upper_bound"]
    return finite([lower, upper]) and lower < upper


def _within(x: Array, state: State, beyond: str) -> tuple[Array, npt.NDArray[np.bool_]]:
    """``x`` as ``extrapolation`` has it, and which of it lie outside of the boundary knots."""
    lower, upper = state["lower_bound"], state["upper_bound"]
    outside = (x < lower) | (x > upper)
    if beyond == "raise" and outside.any():
        raise Outside(int(outside.argmax()))
    if beyond == "clip":
        x = np.clip(x, lower, upper)
    return x, outside


def _finished(basis: Array, outside: npt.NDArray[np.bool_], beyond: str) -> Array:
    if beyond in ("na", "zero"):
        basis[outside] = np.nan if beyond == "na" else 0.0
    return basis


def _inner(x: Array, options: Mapping[str, Any], lower: float, upper: float, count: int | None) -> Array:
    """The inner knots: those that are given, or ``count`` quantiles of ``x`` with equal shares between them."""
    given = options["knots"]
    if (given is None) == (count is None) and (given is not None or "degree" not in options):
        raise DataError("it has not one of df and knots", "say df=4, or knots=[1, 2]")
    if given is not None:
        found = np.sort(np.array(given, dtype=np.float64))
        if found.size and not lower <= found[0] <= found[-1] <= upper:
            raise DataError(f"a knot lies outside of {lower:g} to {upper:g}", "give inner knots only")
        return found
    if not count:
        return np.empty(0)
    return np.quantile(x, np.linspace(0.0, 1.0, count + 2)[1:-1])


class BSpline:
    """B-splines of a degree on knots at quantiles (R's splines::bs); without an intercept the first is left out."""

    arguments: Mapping[str, Argument] = {
        "df": whole(1, MOST_COLUMNS),
        "knots": numbers(),
        "degree": whole(0, _MOST_DEGREE, 3),
        "include_intercept": truth(False),
        "lower_bound": number(),
        "upper_bound": number(),
        "extrapolation": one_of(*_BEYOND, default="raise"),
    }

    def fitted(self, x: Array, options: Mapping[str, Any]) -> State:
        lower, upper = _bounds(x, options)
        degree = options["degree"]
        state: State = {"lower_bound": lower, "upper_bound": upper}
        seen, outside = _within(x, state, options["extrapolation"])
        if options["extrapolation"] in ("clip", "na", "zero"):
            seen = x[~outside]
        count = None
        if options["df"] is not None:
            least = degree + options["include_intercept"]
            count = options["df"] - least
            if count < 0:
                raise DataError(f"df is {options['df']}", f"df of a spline of this degree is at least {least}")
            if not seen.size:
                raise DataError("no value lies between its boundary knots", "widen the bounds")
        inner = _inner(seen, options, lower, upper, count)
        state["knots"] = [lower] * (degree + 1) + inner.tolist() + [upper] * (degree + 1)
        return state

    def known(self, state: State, options: Mapping[str, Any]) -> bool:
        degree = options["degree"]
        if set(state) != {"lower_bound", "upper_bound", "knots"} or not _bounded(state):
            return False
        knots = state["knots"]
        most = max(MOST_COLUMNS, len(options["knots"] or ())) + 2 * degree + 3
        return (
            isinstance(knots, list)
            and 2 * degree + 2 <= len(knots) <= most
            and finite(knots)
            and knots == sorted(knots)
            and knots[degree] < knots[-degree - 1]
        )

    def fields(self, state: State, options: Mapping[str, Any]) -> list[str]:
        first = 0 if options["include_intercept"] else 1
        return [f"[{i}]" for i in range(first, len(state["knots"]) - options["degree"] - 1)]

    def columns(self, x: Array, state: State, options: Mapping[str, Any]) -> Array:
        """[N, K]: the basis by its recursion (de Boor 1978), of which degree + 1 functions are not 0 at a value."""
        degree, knots = options["degree"], np.array(state["knots"], dtype=np.float64)
        x, outside = _within(x, state, options["extrapolation"])
        size = len(knots) - degree - 1
        # The interval of a value: the last one holds its right end, and no interval is empty.
        starts = np.flatnonzero(knots[degree:size] < knots[degree + 1 : size + 1]) + degree
        place = starts[np.clip(np.searchsorted(knots[starts], x, side="right") - 1, 0, len(starts) - 1)]
        values = [np.ones(len(x))]
        for d in range(1, degree + 1):
            higher = [np.zeros(len(x)) for _ in range(d + 1)]
            for r, value in enumerate(values):
                left, right = knots[place + r + 1 - d], knots[place + r + 1]
                share = value / (right - left)
                higher[r] += (right - x) * share
                higher[r + 1] += (x - left) * share
            values = higher
        basis = np.zeros((len(x), size), order="F")
        rows = np.arange(len(x))
        for r, value in enumerate(values):
            basis[rows, place - degree + r] = value
        return _finished(basis if options["include_intercept"] else basis[:, 1:], outside, options["extrapolation"])


class CubicSpline:
    """Cubic regression splines by their values at knots (Wood 2006, section 4.1.2), natural or cyclic."""

    arguments: Mapping[str, Argument] = {
        "df": whole(1, MOST_COLUMNS),
        "knots": numbers(),
        "lower_bound": number(),
        "upper_bound": number(),
        "constraints": one_of("center"),
        "extrapolation": one_of(*_BEYOND, default="extend"),
    }

    def __init__(self, cyclic: bool) -> None:
        self._cyclic = cyclic

    def fitted(self, x: Array, options: Mapping[str, Any]) -> State:
        lower, upper = _bounds(x, options)
        state: State = {"lower_bound": lower, "upper_bound": upper, "constraints": None, "cyclic": self._cyclic}
        seen, outside = _within(x, state, options["extrapolation"])
        centred = options["constraints"] is not None
        count = None
        if options["df"] is not None:
            count = options["df"] - 2 + centred + self._cyclic
            least = 1 if centred or self._cyclic else 2
            if options["df"] < least:
                raise DataError(f"df is {options['df']}", f"df of such a spline is at least {least}")
        # Of values that occur often one knot is enough.
        inner = _inner(np.unique(x[~outside]), options, lower, upper, count)
        knots = np.unique(np.concatenate([[lower, upper], inner]))
        if len(knots) != len(inner) + 2:
            raise DataError(f"its {len(inner) + 2} knots are not distinct", "lower df, or give other knots")
        if self._cyclic and len(knots) < 3:
            raise DataError("a cyclic spline needs an inner knot", "raise df")
        state["knots"] = knots.tolist()
        if centred:
            state["constraints"] = self._free(seen, knots).mean(axis=0)[None]
        return state

    def known(self, state: State, options: Mapping[str, Any]) -> bool:
        names = {"lower_bound", "upper_bound", "constraints", "cyclic", "knots"}
        if set(state) != names or not _bounded(state):
            return False
        knots, constraints = state["knots"], state["constraints"]
        most = max(MOST_COLUMNS, len(options["knots"] or ())) + 4
        if not isinstance(knots, list) or not 2 + self._cyclic <= len(knots) <= most or not finite(knots):
            return False
        if state["cyclic"] is not self._cyclic or any(a >= b for a, b in pairwise(knots)):
            return False
        if options["constraints"] is None:
            return constraints is None
        shape = (1, len(knots) - self._cyclic)
        return isinstance(constraints, np.ndarray) and constraints.shape == shape and finite(constraints[0])

    def fields(self, state: State, options: Mapping[str, Any]) -> list[str]:
        size = len(state["knots"]) - self._cyclic - (options["constraints"] is not None)
        return [f"[{i + 1}]" for i in range(size)]

    def columns(self, x: Array, state: State, options: Mapping[str, Any]) -> Array:
        x, outside = _within(x, state, options["extrapolation"])
        basis = self._free(x, np.array(state["knots"], dtype=np.float64))
        if state["constraints"] is not None:
            q, _ = np.linalg.qr(state["constraints"].T, mode="complete")
            basis = basis @ q[:, 1:]
        return _finished(basis, outside, options["extrapolation"])

    def _free(self, x: Array, knots: Array) -> Array:
        """[N, K]: what each knot's value adds to the spline at each ``x``."""
        size = len(knots) - self._cyclic
        if self._cyclic:
            x = _turned(x, knots[0], knots[-1])
        j = np.clip(np.searchsorted(knots, x) - 1, 0, len(knots) - 2)
        h = np.diff(knots)[j]
        right, left = knots[j + 1] - x, x - knots[j]
        # Linear beyond the ends: the second derivative is 0 there.
        bent_right = np.where(x > knots[-1], 0.0, right**3 / h) - h * right
        bent_left = np.where(x < knots[0], 0.0, left**3 / h) - h * left
        second = _second_derivatives(knots, self._cyclic)
        after = (j + 1) % size
        basis = (bent_right / 6.0)[:, None] * second[j] + (bent_left / 6.0)[:, None] * second[after]
        rows = np.arange(len(x))
        basis[rows, j] += right / h
        basis[rows, after] += left / h
        return basis


def _turned(x: Array, lower: float, upper: float) -> Array:
    """``x`` moved by whole periods into [lower, upper], from the end at which it lies outside."""
    period = upper - lower
    above = lower + np.mod(x - upper, period)
    below = upper - np.mod(lower - x, period)
    return np.where(x > upper, above, np.where(x < lower, below, x))


def _second_derivatives(knots: Array, cyclic: bool) -> Array:
    """[K, K]: from the values at the knots to the second derivatives there, B^-1 D; natural ends have none."""
    h = np.diff(knots)
    size = len(knots) - cyclic
    b, d = np.zeros((size, size)), np.zeros((size, size))
    for i in range(0 if cyclic else 1, size if cyclic else size - 1):
        before, after = h[i - 1], h[i]
        previous, following = (i - 1) % size, (i + 1) % size
        b[i, i] += (before + after) / 3.0
        b[i, previous] += before / 6.0
        b[i, following] += after / 6.0
        d[i, i] -= 1.0 / before + 1.0 / after
        d[i, previous] += 1.0 / before
        d[i, following] += 1.0 / after
    found = np.zeros((size, size))
    if cyclic:
        found[:] = np.linalg.solve(b, d)
        return found
    if size > 2:
        found[1:-1] = np.linalg.solve(b[1:-1, 1:-1], d[1:-1])
    return found
