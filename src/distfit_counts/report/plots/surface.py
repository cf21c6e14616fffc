"""The likelihood over two parameters, with the paths of the restarts on it."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from distfit_counts.errors import DistfitError
from distfit_counts.families.constraint import SIMPLEX, UNIT, Array
from distfit_counts.families.spec import parse
from distfit_counts.inference.likelihood.surface import surface
from distfit_counts.report.numbers import number
from distfit_counts.report.plots.axes import value_axis
from distfit_counts.report.plots.optima import is_wide, reached, starts
from distfit_counts.report.plots.theme import INK, LEVELS, WIDTH, chart_of, dressed
from distfit_counts.report.plots.words import about
from distfit_counts.result import Fit, Restart

if TYPE_CHECKING:
    import altair as alt

    from distfit_counts.report.plots.theme import Layers

_HEIGHT = 420
# Cells along each side; neighbours of one level in a row are one rectangle.
_CELLS = 90
# Log-likelihood units below the top. Within 3 lies the 95 % region of two parameters (half of chi-square's 5.99).
_LEVELS = [1.0, 3.0, 10.0, 30.0, 100.0, 300.0, 1e3, 3e3, 1e4, 3e4, 1e5, 1e6, 1e7, 1e9]
# Points of one path.
_POINTS = 60


@dataclass(frozen=True)
class Side:
    """One axis: a parameter and the borders of the cells along it, evenly spaced as it is drawn."""

    name: str
    borders: Array
    wide: bool

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


def surface_chart(fit: Fit, names: tuple[str, str] | None = None) -> alt.TopLevelMixin:
    """The picture of one fit whose restarts have a trace; ``names``: two parameters; else see ``_telling``."""
    x, y = (_side(fit, name) for name in _chosen(fit, names))
    # Where a maximum lies at a boundary the estimate has no finite value: the best end of all restarts has.
    best = min(fit.restarts, key=lambda restart: restart.nll)
    held = dict(best.estimate)
    found = surface(parse(fit.family), fit.histogram, held, (x.name, x.middles), (y.name, y.middles))
    top = max(float(np.nanmax(found)), -best.nll)
    drop = top - found
    levels = _levels(float(np.nanmax(drop[drop < np.inf])))
    others = [f"{name} = {_told(fit, held, name)}" for name in held if name not in (x.name, y.name)]
    notes = [
        about(fit),
        starts(fit),
        # With others held it is a slice: the region of the two would let those follow.
        f"A slice, held at the best end of all restarts: {', '.join(others)}."
        if others
        else "Within 3 log-likelihood units of the top lies the 95 % region of the two parameters.",
    ]
    where = ", ".join(f"{name} = {_told(fit, held, name)}" for name in (x.name, y.name))
    return dressed(
        _layers(fit, x, y, rectangles(drop, levels, x, y), levels), f"{reached(fit)}; highest at {where}", notes
    )


def _told(fit: Fit, held: dict[str, float], name: str) -> str:
    estimate = fit.parameters[name].estimate
    return number(estimate if np.isfinite(estimate) else held[name], 4)


def _chosen(fit: Fit, names: tuple[str, str] | None) -> tuple[str, str]:
    """Two parameters that can move apart. Of mixture weights all but the last are free."""
    family = parse(fit.family)
    if names is None:
        free = [name for p in family.parameters for name in p.names[: p.free]]
        if len(free) < 2:
            raise DistfitError(f"{fit.family} has fewer than two free parameters", "use --kind profile")
        return _telling(free)
    for name in names:
        if name not in family.names:
            known = ", ".join(family.names)
            raise DistfitError(f"{fit.family} has no parameter {name!r}", f"its parameters are: {known}")
    tied = any(p.constraint is SIMPLEX and set(p.names) <= set(names) for p in family.parameters)
    if names[0] == names[1] or tied:
        raise DistfitError(f"{names[0]} and {names[1]} cannot move apart", "choose two other parameters")
    return names


def _telling(free: Sequence[str]) -> tuple[str, str]:
    """The first two; of a mixture the first of two components, as rate[1] and rate[2]: two weights show little."""
    first: dict[str, str] = {}
    for name in free:
        if "[" in name and not name.startswith("weight["):
            first.setdefault(name.partition("[")[2], name)
    one, other = list(first.values())[:2] if len(first) > 1 else free[:2]
    return one, other


def _side(fit: Fit, name: str) -> Side:
    """Room for the starts and ends of all paths and four standard errors around the estimate, inside the range."""
    values = [value for r in fit.restarts for value in (r.start[name], r.estimate[name])]
    e = fit.parameters[name]
    values += [e.estimate - 4.0 * e.std_error, e.estimate + 4.0 * e.std_error]
    values = [value for value in values if np.isfinite(value)]
    wide = is_wide(fit, name, values)
    if wide:
        # Beyond a factor of a million around the typical start nothing changes any more.
        typical = float(np.median([restart.start[name] for restart in fit.restarts]))
        inside = [value for value in values if 1e-6 * typical < value < 1e6 * typical]
        return Side(name, np.geomspace(min(inside) / 1.3, max(inside) * 1.3, _CELLS + 1), wide)
    margin = 0.05 * (max(values) - min(values)) or 0.1 * abs(values[0]) or 0.1
    constraint = next(p.constraint for p in parse(fit.family).parameters if name in p.names)
    highest = 1.0 if constraint is UNIT or constraint is SIMPLEX else np.inf
    ends = max(min(values) - margin, 0.0), min(max(values) + margin, highest)
    return Side(name, np.linspace(*ends, _CELLS + 1), wide)


def _levels(deepest: float) -> list[float]:
    """1, 3 and, of the levels further down to ``deepest``, so many that their shades can be told apart."""
    below = [level for level in _LEVELS[2:] if level < deepest]
    most = len(LEVELS) - 3
    every = -(-len(below) // most) or 1
    return [*_LEVELS[:2], *below[::every]]


def rectangles(drop: Array, levels: list[float], x: Side, y: Side) -> list[dict[str, Any]]:
    """{x, x2, y, y2, level}: runs of cells whose ``drop`` [Y, X] below the top lies in one level; NaN is left out."""
    index = np.where(np.isnan(drop), -1, np.searchsorted(levels, drop))
    names = level_names(levels)
    found = []
    for row, line in enumerate(index.tolist()):
        place = 0
        for level, run in itertools.groupby(line):
            end = place + len(list(run))
            if level >= 0:
                borders = {"x": x.borders[place], "x2": x.borders[end], "y": y.borders[row], "y2": y.borders[row + 1]}
                found.append({name: float(value) for name, value in borders.items()} | {"level": names[level]})
            place = end
    return found


def level_names(levels: list[float]) -> list[str]:
    """``0 to 1``, ``1 to 3``, ..., ``over 1,000``."""
    ends = [f"{level:,.0f}" for level in levels]
    return [f"{a} to {b}" for a, b in itertools.pairwise(["0", *ends])] + [f"over {ends[-1]}"]


def path_rows(fit: Fit, x: Side, y: Side) -> list[dict[str, Any]]:
    """The data of the paths: where every restart was at each step inside the picture; its start and end are named."""
    found = []
    for restart in fit.restarts:
        path = _path(restart, x.name, y.name)
        for step, (across, up) in enumerate(path):
            if x.holds(across) and y.holds(up):
                point = "end" if step == len(path) - 1 else "start" if step == 0 else ""
                found.append({"restart": restart.restart, "step": step, "x": across, "y": up, "point": point})
    return found


def _path(restart: Restart, x: str, y: str) -> list[tuple[float, float]]:
    points = [(point.estimate[x], point.estimate[y]) for point in restart.trace]
    every = max(1, -(-len(points) // _POINTS))
    return [*points[:-1:every], *points[-1:]]


def _layers(fit: Fit, x: Side, y: Side, filled: list[dict[str, Any]], levels: list[float]) -> Layers:
    import altair as alt

    def scale(side: Side) -> alt.Scale:
        ends = [float(side.borders[0]), float(side.borders[-1])]
        return alt.Scale(type="log" if side.wide else "linear", domain=ends, nice=False, zero=False)

    def axis(side: Side) -> alt.Axis:
        found = value_axis(side.borders.tolist(), side.wide)[1]
        found.grid = False
        return found

    across = alt.X("x:Q", title=x.title, scale=scale(x), axis=axis(x))
    up = alt.Y("y:Q", title=y.title, scale=scale(y), axis=axis(y))
    names = level_names(levels)
    shades = alt.Scale(domain=names, range=LEVELS[: len(names)])
    legend = alt.Legend(title=["log-likelihood", "below the top"], symbolType="square", symbolStrokeWidth=0)
    colour = alt.Color("level:N", scale=shades, sort=None, legend=legend)
    heat = (
        chart_of(filled)
        .mark_rect(strokeWidth=0.5)
        .encode(
            x=across, x2="x2:Q", y=up, y2="y2:Q", color=colour, stroke=alt.Stroke("level:N", scale=shades, legend=None)
        )
    )
    paths = chart_of(path_rows(fit, x, y)).encode(x=across, y=up)
    line = paths.mark_line(color=INK, strokeWidth=1, opacity=0.75).encode(detail="restart:N", order="step:Q")
    marks = alt.Scale(domain=["start", "end"], range=["circle", "diamond"])
    points = (
        paths.transform_filter("datum.point !== ''")
        .mark_point(filled=True, fill="white", stroke=INK, strokeWidth=1.4, size=60, opacity=1)
        .encode(shape=alt.Shape("point:N", scale=marks, legend=alt.Legend(title="path")), tooltip=["restart:Q"])
    )
    return alt.layer(heat, alt.layer(line, points)).properties(width=WIDTH - 130, height=_HEIGHT)
