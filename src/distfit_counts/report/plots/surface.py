"""The likelihood over two parameters, with the paths of the restarts on it."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from distfit_counts.errors import DistfitError
from distfit_counts.families.constraint import SIMPLEX, Array
from distfit_counts.families.family import Role
from distfit_counts.families.nesting import names_of
from distfit_counts.families.spec import parse
from distfit_counts.inference.likelihood.surface import surface
from distfit_counts.report.numbers import number
from distfit_counts.report.plots.axes import value_axis
from distfit_counts.report.plots.optima import reached, starts
from distfit_counts.report.plots.paths import mark_rows, path_rows
from distfit_counts.report.plots.sides import Side, framed
from distfit_counts.report.plots.theme import INK, LEVELS, WIDTH, chart_of, dressed
from distfit_counts.report.plots.words import about
from distfit_counts.result import Fit

if TYPE_CHECKING:
    import altair as alt

    from distfit_counts.report.plots.theme import Layers

_HEIGHT = 420
# Log-likelihood units below the top. Within 3 lies the 95 % region of two parameters (half of chi-square's 5.99).
_LEVELS = [1.0, 3.0, 10.0, 30.0, 100.0, 300.0, 1e3, 3e3, 1e4, 3e4, 1e5, 1e6, 1e7, 1e9]


def surface_chart(fit: Fit, names: tuple[str, str] | None = None) -> alt.TopLevelMixin:
    """The picture of one fit whose restarts have a trace; ``names``: two parameters; else see ``_telling``."""
    # Where a maximum lies at a boundary the estimate has no finite value: the best end of all restarts has.
    best = min(fit.restarts, key=lambda restart: restart.nll)
    held = dict(best.estimate)

    one, other = _chosen(fit, names)

    def log_likelihood(across: Array, up: Array) -> Array:
        return surface(parse(fit.family), fit.histogram, held, (one, across), (other, up))

    x, y = framed(fit, (one, other), held, log_likelihood)
    found = log_likelihood(x.middles, y.middles)
    drop = max(float(np.nanmax(found)), -best.nll) - found
    levels = _levels(float(np.nanmax(drop[drop < np.inf])))
    others = [f"{name} = {_told(fit, held, name)}" for name in held if name not in (x.name, y.name)]
    notes = [
        about(fit),
        f"{starts(fit)}. {_left_out(fit, x, y)}".strip(),
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
    return number(held[name] if np.isnan(estimate) else estimate, 4)


def _left_out(fit: Fit, x: Side, y: Side) -> str:
    outside = sum(not (x.holds(r.start[x.name]) and y.holds(r.start[y.name])) for r in fit.restarts)
    return f"{outside} of {len(fit.restarts)} starts lie outside the frame." if outside else ""


def _chosen(fit: Fit, names: tuple[str, str] | None) -> tuple[str, str]:
    """Two parameters that can move apart. Of mixture weights all but the last are free."""
    family = parse(fit.family)
    if names is None:
        free = [name for p in family.parameters for name in p.names[: p.free]]
        if len(free) < 2:
            raise DistfitError(f"{fit.family} has fewer than two free parameters", "use --kind profile")
        return _telling(free, names_of(family, Role.WEIGHT))
    for name in names:
        if name not in family.names:
            known = ", ".join(family.names)
            raise DistfitError(f"{fit.family} has no parameter {name!r}", f"its parameters are: {known}")
    tied = any(p.constraint is SIMPLEX and set(p.names) <= set(names) for p in family.parameters)
    if names[0] == names[1] or tied:
        raise DistfitError(f"{names[0]} and {names[1]} cannot move apart", "choose two other parameters")
    return names


def _telling(free: Sequence[str], weights: Sequence[str]) -> tuple[str, str]:
    """The first two; of a mixture the first of two components, as rate[1] and rate[2]: two weights show little."""
    first: dict[str, str] = {}
    for name in free:
        if "[" in name and name not in weights:
            first.setdefault(name.partition("[")[2], name)
    one, other = list(first.values())[:2] if len(first) > 1 else free[:2]
    return one, other


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
    path = chart_of(path_rows(fit, x, y)).encode(x=across, x2="x2:Q", y=up, y2="y2:Q")
    line = path.mark_rule(color=INK, strokeWidth=1, opacity=0.75)
    marks = alt.Scale(domain=["start", "end"], range=["circle", "diamond"])
    points = (
        chart_of(mark_rows(fit, x, y))
        .mark_point(filled=True, fill="white", stroke=INK, strokeWidth=1.4, size=60, opacity=1)
        .encode(
            x=across,
            y=up,
            shape=alt.Shape("point:N", scale=marks, legend=alt.Legend(title="path")),
            tooltip=["restart:Q"],
        )
    )
    return alt.layer(heat, alt.layer(line, points)).properties(width=WIDTH - 130, height=_HEIGHT)
