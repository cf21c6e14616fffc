"""The frame of a likelihood surface: as much of two parameters as the likelihood tells apart."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from distfit_counts.families.constraint import SIMPLEX, UNIT, Array
from distfit_counts.families.spec import parse
from distfit_counts.report.plots.optima import is_wide
from distfit_counts.result import Fit

# Cells along each side of the picture, and while its frame is looked for.
_CELLS, _COARSE = 90, 30
# The frame holds what lies so many log-likelihood units below the top: some eight standard errors to each side.
_NEAR = 30.0
# How often the frame is set anew at most; it is found when it keeps this share of its width.
_ROUNDS, _KEPT = 12, 0.7


@dataclass(frozen=True)
class Side:
    """One axis: a parameter and the borders of the cells along it, evenly spaced as it is drawn."""

    name: str
    borders: Array
    wide: bool

    @classmethod
    def of(cls, name: str, low: float, high: float, wide: bool, cells: int = _COARSE) -> Side:
        """``wide``: on a logarithmic axis."""
        return cls(name, (np.geomspace if wide else np.linspace)(low, high, cells + 1), wide)

    @property
    def middles(self) -> Array:
        """A value of the parameter for every cell."""
        low, high = self.borders[:-1], self.borders[1:]
        middles: Array = np.sqrt(low * high) if self.wide else 0.5 * (low + high)
        return middles

    @property
    def title(self) -> str:
        return f"{self.name} (log scale)" if self.wide else self.name

    def holds(self, value: float) -> bool:
        return bool(self.borders[0] <= value <= self.borders[-1])

    def through(self, value: float) -> Array:
        """The ``middles``, ``value`` in place of that of its own cell."""
        own = int(np.clip(np.searchsorted(self.borders, value, side="right") - 1, 0, len(self.borders) - 2))
        middles = self.middles
        middles[own] = value
        return middles

    def around(self, near: npt.NDArray[np.bool_], whole: Side) -> Side:
        """What its cells that are ``near`` reach, and one more at either end; where they reach an end, half as far
        again. No further than ``whole``.
        """
        places, cells = np.flatnonzero(near), len(self.borders) - 1
        first = places[0] - 1 if places[0] else -0.5 * cells
        last = places[-1] + 2 if places[-1] < cells - 1 else 1.5 * cells
        (low, high), limits = self._drawn(), whole._drawn()
        ends = np.clip(low + np.array([first, last]) / cells * (high - low), *limits)
        first, last = (np.exp(ends) if self.wide else ends).tolist()
        return Side.of(self.name, first, last, self.wide)

    def share(self, of: Side) -> float:
        """How many times as long as another side it is, as drawn."""
        (low, high), (first, last) = self._drawn(), of._drawn()
        return float((high - low) / (last - first))

    def _drawn(self) -> Array:
        ends: Array = self.borders[[0, -1]]
        return np.log(ends) if self.wide else ends

    def place(self, value: float) -> float:
        """Where ``value`` is drawn: 0 at the lower end of the frame, 1 at the upper."""
        low, high = self._drawn()
        return float(((np.log(value) if self.wide else value) - low) / (high - low))

    def value(self, place: float) -> float:
        """What is drawn at ``place``."""
        low, high = self._drawn()
        drawn = low + place * (high - low)
        return float(np.exp(drawn) if self.wide else drawn)


def framed(
    fit: Fit, names: tuple[str, str], held: Mapping[str, float], log_likelihood: Callable[[Array, Array], Array]
) -> tuple[Side, Side]:
    """The sides of the frame in which ``log_likelihood`` [Y, X] over values of the two parameters is near its top.

    ``held``: the top. It is one of the points of every grid, which is at first too coarse to find it.
    """
    whole = x, y = tuple(_broad(fit, name) for name in names)
    for _ in range(_ROUNDS):
        found = log_likelihood(x.through(held[x.name]), y.through(held[y.name]))
        near = found >= np.nanmax(found) - _NEAR
        before, x, y = (x, y), x.around(near.max(axis=0), whole[0]), y.around(near.max(axis=1), whole[1])
        if all(_KEPT < side.share(old) <= 1.0 for side, old in zip((x, y), before, strict=True)):
            break
    return _fine(fit, x), _fine(fit, y)


def _fine(fit: Fit, side: Side) -> Side:
    low, high = side.borders[[0, -1]].tolist()
    return Side.of(side.name, low, high, is_wide(fit, side.name, [low, high]), _CELLS)


def _broad(fit: Fit, name: str) -> Side:
    """Room for the starts and ends of all paths and sixteen standard errors around the estimate, inside the range."""
    values = [value for r in fit.restarts for value in (r.start[name], r.estimate[name])]
    e = fit.parameters[name]
    values += [e.estimate - 16.0 * e.std_error, e.estimate + 16.0 * e.std_error]
    values = [value for value in values if np.isfinite(value)]
    wide = is_wide(fit, name, values)
    if wide:
        # Beyond a factor of a million around the typical start nothing changes any more.
        typical = float(np.median([restart.start[name] for restart in fit.restarts]))
        inside = [value for value in values if 1e-6 * typical < value < 1e6 * typical]
        return Side.of(name, min(inside) / 1.3, max(inside) * 1.3, wide)
    margin = 0.05 * (max(values) - min(values)) or 0.1 * abs(values[0]) or 0.1
    constraint = next(p.constraint for p in parse(fit.family).parameters if name in p.names)
    highest = 1.0 if constraint is UNIT or constraint is SIMPLEX else np.inf
    return Side.of(name, max(min(values) - margin, 0.0), min(max(values) + margin, highest), wide)
