"""The one look of all pictures: readable at 100 %, in grey, and by people who do not see all colours.

Colours: Okabe and Ito (2008). What tells two series apart is never colour alone: each has its own dash and shape.
"""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from distfit_counts.printable import printable

if TYPE_CHECKING:
    import altair as alt

    Layers = alt.LayerChart | alt.FacetChart

# Pixels of a picture with one panel; a panel among several is half as wide.
WIDTH, HEIGHT = 660, 340
PANEL_WIDTH, PANEL_HEIGHT = 300, 180

FONT = "Helvetica, Arial, 'Liberation Sans', sans-serif"
INK, MUTED, GRID = "#222222", "#555555", "#e4e4e4"
BLACK, BLUE, VERMILLION, GREEN = "#000000", "#0072b2", "#d55e00", "#009e73"
ORANGE, PURPLE, SKY = "#e69f00", "#cc79a7", "#56b4e9"

# Observed counts are light bars, so that every line shows on them.
OBSERVED, OBSERVED_EDGE = "#cccccc", "#8a8a8a"
# Where something is expected to lie: darker than the ground, lighter than the bars.
BAND, BAND_EDGE = "#9ec9e2", "#4a8fb5"

# Steps from good to bad, each lighter than the one before: the order shows in grey as well.
LEVELS = ["#2b6ca3", "#4f8fc0", "#77acd3", "#9cc4e0", "#bdd8ea", "#d7e7f2", "#e9f1f8", "#f6f9fc"]

_COLOURS = [BLUE, VERMILLION, GREEN, BLACK, PURPLE, ORANGE, SKY]
_DASHES = [[1, 0], [6, 3], [2, 2], [9, 3, 2, 3], [12, 4], [4, 4], [1, 3]]
_SHAPES = ["circle", "triangle-up", "square", "diamond", "cross", "triangle-down", "triangle-right"]


class Series:
    """Colour, dash and shape by name, and the key that explains them.

    Vega-Lite's own legends show a dash or a shape, never both on one line: the key is a small chart of its own.
    """

    def __init__(self, names: Sequence[str], bars: str = "") -> None:
        """``names``: lines, told apart in this order; ``bars``: what the grey bars are, where there are any."""
        import altair as alt

        self.names, self._bars = list(names), bars

        def scale(styles: Sequence[Any]) -> alt.Scale:
            return alt.Scale(domain=self.names, range=[styles[i % len(styles)] for i in range(len(self.names))])

        self.color = alt.Color("series:N", scale=scale(_COLOURS), legend=None)
        self.dash = alt.StrokeDash("series:N", scale=scale(_DASHES), legend=None)
        self.shape = alt.Shape("series:N", scale=scale(_SHAPES), legend=None)
        # The first is the largest: it shows behind the others.
        first = alt.FieldEqualPredicate(field="series", equal=self.names[0])
        self.size = alt.condition(first, alt.value(64), alt.value(30))

    def key(self, width: int = WIDTH) -> Layers:
        """A line with its point, or a bar, beside every name; in columns as wide as the longest name needs."""
        import altair as alt

        names = [*([self._bars] if self._bars else []), *self.names]
        columns = max(1, min(width // (7 * max(map(len, names)) + 50), len(names)))
        rows = -(-len(names) // columns)
        data = [
            {"series": name, "x": (i // rows) * width / columns, "y": -(i % rows), "bar": name == self._bars}
            for i, name in enumerate(names)
        ]
        x = alt.X("x:Q", scale=alt.Scale(domain=[0, width], nice=False), axis=None)
        y = alt.Y("y:Q", scale=alt.Scale(domain=[0.5 - rows, 0.5], nice=False), axis=None)
        base = chart_of(data).encode(x=x, y=y)
        line = base.transform_filter("!datum.bar")
        drawn = line.mark_rule(strokeWidth=2).transform_calculate(end="datum.x + 28").encode(x2="end:Q")
        point = line.mark_point(filled=True, opacity=1, xOffset=14)
        layers = [
            drawn.encode(color=self.color, strokeDash=self.dash),
            point.encode(color=self.color, shape=self.shape, size=self.size),
            base.mark_text(align="left", xOffset=36, fontSize=12, color=INK).encode(text="series:N"),
        ]
        if self._bars:
            square = base.transform_filter("datum.bar").mark_point(filled=True, shape="square", size=150, opacity=1)
            layers.append(
                square.encode(xOffset=alt.value(14), color=alt.value(OBSERVED), stroke=alt.value(OBSERVED_EDGE))
            )
        return alt.layer(*layers).properties(width=width, height=20 * rows)


def chart_of(rows: Sequence[Mapping[str, Any]]) -> alt.Chart:
    """A chart that carries its data."""
    import altair as alt

    return alt.Chart(alt.Data(values=list(rows)))


def dressed(chart: alt.TopLevelMixin, sentence: str, notes: Sequence[str], width: int = WIDTH) -> alt.TopLevelMixin:
    """``chart`` under the ``sentence`` that says what is seen and the ``notes`` that say how to read it."""
    import altair as alt

    title = alt.TitleParams(
        text=_wrapped(sentence, width, 7.7),
        subtitle=[line for note in notes for line in _wrapped(note, width, 6.1)],
        anchor="start",
        # With a frame of "group" the title begins where the axis does, and long lines would be cut off at the right.
        frame="bounds",
        offset=14,
    )
    result: alt.TopLevelMixin = chart.properties(title=title, config=_config())
    return result


def _config() -> alt.Config:
    # In one piece: each of Altair's configure_... copies the whole chart, which takes seconds for thirty panels.
    import altair as alt

    quiet: dict[str, Any] = {
        "labelFontSize": 12,
        "titleFontSize": 13,
        "titleFontWeight": "normal",
        "labelColor": INK,
        "titleColor": INK,
    }
    lines: dict[str, Any] = {
        "gridColor": GRID,
        "domainColor": MUTED,
        "tickColor": MUTED,
        "titlePadding": 8,
        "labelFlush": False,
    }
    title: dict[str, Any] = {
        "fontSize": 16,
        "color": INK,
        "subtitleFontSize": 12,
        "subtitleColor": MUTED,
        "subtitleLineHeight": 16,
    }
    return alt.Config(
        font=FONT,
        background="white",
        padding=14,
        view=alt.ViewConfig(stroke=None),
        axis=alt.AxisConfig(**quiet, **lines),
        legend=alt.LegendConfig(**quiet, symbolOpacity=1),
        title=alt.TitleConfig(**title, subtitlePadding=6),
    )


def small_title(text: str, notes: Sequence[str] = ()) -> alt.TitleParams:
    """The title of one panel among several, with ``notes`` where it is as wide as the picture."""
    import altair as alt

    title = alt.TitleParams(text=text, fontSize=13, anchor="start", frame="group", fontWeight="bold", offset=8)
    if notes:
        # Not an empty one: it would take its place all the same.
        title.subtitle = [line for note in notes for line in _wrapped(note, WIDTH, 6.1)]
    return title


def _wrapped(text: str, width: int, character: float) -> list[str]:
    # Wrapping would make blanks of the tabs and ends of lines in names.
    return textwrap.wrap(printable(text), int((width + 60) / character))
