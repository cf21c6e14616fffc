"""The bars of a picture: single counts where they are small, bins where they are not."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from distfit_counts.data.histogram import Counts, Histogram
from distfit_counts.inference.fitted.pmf import Pmf
from distfit_counts.inference.fitted.tabulate import split
from distfit_counts.inference.goodness.frequencies import Frequency, bins

if TYPE_CHECKING:
    import altair as alt

# A field that holds the number of a bar -> its place on the axis.
CountX = Callable[[str], "alt.X"]

# More bars cannot be told apart at the width of a picture.
_MOST = 60


def bars_of(histogram: Histogram, pmf: Pmf) -> list[Frequency]:
    """0, 1, 2, ... one by one where 99 % of the counts lie below 60, else zero apart and bins of one width.

    The last bar is open; where the counts lie far from zero, the first holds all that lies below the regular ones.
    """
    edges = _edges(histogram)
    cumulative = np.concatenate([[0], np.cumsum(histogram.weights)])
    observed = np.diff(cumulative[np.append(np.searchsorted(histogram.values, edges), histogram.distinct)])
    return list(bins(edges, observed, histogram.n * split(pmf, edges).held(edges)))


def _edges(histogram: Histogram) -> Counts:
    """Lower ends of the bars, the first 0."""
    share = np.cumsum(histogram.weights) / histogram.n
    low, high = (int(histogram.values[np.searchsorted(share, min(at, share[-1]))]) for at in (0.01, 0.99))
    if high < _MOST:
        return np.arange(min(int(histogram.values[-1]), _MOST - 1) + 2)
    power = 10 ** int(np.log10(max((high - low) / _MOST, 1.0)))
    width = next(step * power for step in (1, 2, 5, 10) if step * power * (_MOST - 2) >= high - low)
    first = low // width * width
    regular = np.arange(first + 1, high + width + 1, width)
    return np.concatenate([[0], regular])


def masses(bars: Sequence[Frequency], pmf: Pmf) -> list[float]:
    """What ``pmf`` puts on every bar."""
    lows = np.array([bar.low for bar in bars])
    found: list[float] = split(pmf, lows).held(lows).tolist()
    return found


def label(bar: Frequency) -> str:
    """``7``, ``21–40``, ``≥61``: what a bar stands for."""
    if bar.high is None:
        return f"≥{bar.low:,}"
    return f"{bar.low:,}" if bar.low == bar.high else f"{bar.low:,}–{bar.high:,}"


def joined(bars: Sequence[Frequency]) -> range:
    """The bars of equal width, which a line may join: not the open one, nor what stands apart before the bins."""
    binned = any(bar.low != bar.high for bar in bars[:-1])
    return range(int(binned), len(bars) - 1)


def count_axis(bars: Sequence[Frequency], title: str, width: int) -> CountX:
    """field -> x: the bars side by side, equally wide, each labelled with its counts where there is room."""
    import altair as alt

    labels = [label(bar) for bar in bars]
    last = len(labels) - 1
    room = 6.5 * max(map(len, labels)) + 10.0
    every = next((step for step in (1, 2, 5, 10, 20) if step * width / len(labels) >= room), last)
    # Both ends are told, and what comes too close to them gives way.
    inner = range(joined(bars)[0] + every * (every > 1), last, every)
    ticks = [0, *(i for i in inner if i > 0 and i + every <= last), last]
    axis = alt.Axis(
        title=title,
        values=ticks,
        labelExpr=f"{labels!r}[datum.value]",
        grid=False,
        labelOverlap=False,
        labelLimit=300,
    )
    scale = alt.Scale(domain=[-0.7, last + 0.7], nice=False, zero=False)
    return lambda field: alt.X(f"{field}:Q", axis=axis, scale=scale)


def count_title(column: str) -> str:
    """The column and its unit, unless it says so itself."""
    return column if "count" in column.lower() else f"{column} (count)"
