"""The paths of the restarts over two parameters, as far as they lie in the frame."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

from distfit_counts.report.plots.optima import drawable
from distfit_counts.report.plots.sides import Side
from distfit_counts.result import Fit, Restart

# Points of one path.
_POINTS = 60

Place = tuple[float, float]


def path_rows(fit: Fit, x: Side, y: Side) -> list[dict[str, Any]]:
    """{restart, x, y, x2, y2}: the steps of every restart as straight lines, each cut off where it leaves the frame.

    Cut here, not by the renderer: to one, a line to infinity and back is a huge picture.
    """
    return [
        {"restart": restart.restart}
        | {"x": x.value(first[0]), "y": y.value(first[1]), "x2": x.value(last[0]), "y2": y.value(last[1])}
        for restart in fit.restarts
        for pair in itertools.pairwise(_places(restart, x, y))
        for first, last in _inside(*pair)
    ]


def mark_rows(fit: Fit, x: Side, y: Side) -> list[dict[str, Any]]:
    """{restart, point, x, y}: the starts and ends in the frame."""
    marks = [(r, point, at) for r in fit.restarts for point, at in (("start", r.start), ("end", r.estimate))]
    return [
        {"restart": restart.restart, "point": point, "x": at[x.name], "y": at[y.name]}
        for restart, point, at in marks
        if x.holds(at[x.name]) and y.holds(at[y.name])
    ]


def _places(restart: Restart, x: Side, y: Side) -> list[Place]:
    """Where the frame has its steps, (0, 0) to (1, 1) inside; those that no axis has a place for are left out."""
    points = [(point.estimate[x.name], point.estimate[y.name]) for point in restart.trace]
    every = max(1, -(-len(points) // _POINTS))
    return [
        (x.place(across), y.place(up))
        for across, up in [*points[:-1:every], *points[-1:]]
        if drawable(across, x.wide) is not None and drawable(up, y.wide) is not None
    ]


def _inside(first: Place, last: Place) -> Iterator[tuple[Place, Place]]:
    """The part of a line in the unit square, if it has one (Liang and Barsky 1984)."""
    enters, leaves = 0.0, 1.0
    for begin, end in zip(first, last, strict=True):
        if begin == end:
            if not 0.0 <= begin <= 1.0:
                return
            continue
        crossings = sorted((-begin / (end - begin), (1.0 - begin) / (end - begin)))
        enters, leaves = max(enters, crossings[0]), min(leaves, crossings[1])
    if enters < leaves:
        steps = [(b + t * (e - b)) for t in (enters, leaves) for b, e in zip(first, last, strict=True)]
        yield (steps[0], steps[1]), (steps[2], steps[3])
