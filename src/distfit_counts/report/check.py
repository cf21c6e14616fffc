"""A check for people: what new data say of a saved model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table

from distfit_counts.data.group_words import after_column
from distfit_counts.inference.verdicts.p_values import p_equals, p_text
from distfit_counts.report.as_csv import csv_lines
from distfit_counts.report.as_parquet import write_parquet
from distfit_counts.report.check_record import check_rows, json_lines
from distfit_counts.report.emit import emit_lines, emit_table
from distfit_counts.report.frequencies import frequency_table
from distfit_counts.report.gathered import gathered
from distfit_counts.report.narrow import Fitting, whole
from distfit_counts.report.numbers import count, fixed, number
from distfit_counts.report.placed import placed
from distfit_counts.report.residuals import residual_summary
from distfit_counts.report.screen import Data, Line
from distfit_counts.report.tables import plain_table
from distfit_counts.report.terminal import verdict_line

if TYPE_CHECKING:
    from distfit_counts.inference.new_data.check import Check

Band = tuple[Sequence[float], Sequence[float]]
# Narrower terminals get the tables without their bars.
_WIDE = 64


def write_checks(checks: Sequence[Check], format: str, output: Path | None) -> None:
    """Write ``checks`` as ``table``, ``json``, ``csv`` or ``parquet`` to ``output`` or stdout."""
    if format == "json":
        emit_lines(json_lines(checks), output)
    elif format == "csv":
        emit_lines(csv_lines(gathered(check_rows(checks))), output)
    elif format == "parquet" and output is not None:
        write_parquet(gathered(check_rows(checks)), checks, output)
    else:
        emit_table(lambda console: print_checks(console, checks), output)


def print_checks(console: Console, checks: Sequence[Check]) -> None:
    """One check in full, several with a line each."""
    if len(checks) == 1:
        console.print(_report(checks[0], console), crop=False)
        return
    specs = ", ".join(dict.fromkeys(check.fit.family for check in checks))
    console.print(Line(f"{specs}: {count(len(checks))} checks", style="bold"))
    console.print(_overview(checks), crop=False)


def _report(check: Check, console: Console) -> RenderableType:
    parts = [
        *_title(check),
        *(verdict_line(verdict) for verdict in check.verdicts),
        _scores(check),
        Padding(Line(_SCORES, style="dim"), (0, 0, 0, 1)),
        _moments(check),
        Padding(_chi_square(check), (0, 0, 0, 1)),
        frequency_table(check.frequencies, console.width),
        *pit_histogram(check.pit, check.pit_band, console.width),
        *residual_summary(check.residuals),
    ]
    return Group(*map(whole, parts))


def _title(check: Check) -> list[RenderableType]:
    missing = f", {count(check.histogram.n_missing)} missing" if check.histogram.n_missing else ""
    counts = f"{count(check.n)} count{'s' * (check.n != 1)}{missing}"
    new, own = (_place(place.source, place.column, place.group) for place in (check, check.fit))
    return [
        Line((check.fit.family, "bold cyan"), " checked on ", new, f": {counts}"),
        Line(f"fitted to {count(check.fit.n)} of ", own, style="dim"),
    ]


def _place(source: str, column: str, group: Mapping[str, object]) -> Data:
    return Data(f"{'stdin' if source == '-' else source}, column {column}{after_column(group)}")


_SCORES = "smaller is better; log score: mean −log p; ranked probability: in counts"


def _scores(check: Check) -> Table:
    table = plain_table()
    table.add_column("score")
    for name in ("new data", "expected", "z", "in sample"):
        table.add_column(name, justify="right", no_wrap=True)
    log_scores = [number(x) for x in (check.log_score, check.expected_log_score)]
    table.add_row("log score", *log_scores, fixed(check.log_score_z, 2), number(check.fit.nll_per_observation))
    table.add_row("ranked probability", number(check.rps))
    return table


def _moments(check: Check) -> RenderableType:
    table = plain_table()
    table.add_column("")
    table.add_column("new data", justify="right")
    table.add_column("model", justify="right")
    h, model = check.histogram, check.fit.derived
    table.add_row("mean", number(h.mean), number(model["mean"]))
    table.add_row("variance", number(h.variance), number(model["variance"]))
    table.add_row("P(Y = 0)", number(h.zeros / h.n), number(model["prob_zero"]))
    return table


def _chi_square(check: Check) -> Line:
    test = check.chi_square
    if test.p_value != test.p_value:
        return Line(f"{test.title}: {test.null}")
    found = f"{number(test.statistic)} on {test.df:.0f} df, {p_equals(test.p_value)}"
    return Line(f"{test.title} {found} (no parameter was estimated)")


_PIT = (
    "PIT: flat if the model is right; a U means that the data spread more than it says, a hump less, a slope that "
    "their mean is another."
)


def pit_histogram(heights: Sequence[float], band: Band, width: int) -> list[RenderableType]:
    """Each height beside its ``band``, with a bar where there is room, and how to read it."""
    table = plain_table()
    for name in ("PIT", "share", "95 % band"):
        table.add_column(name, justify="right", no_wrap=True)
    wide = width >= _WIDE
    if wide:
        table.add_column("", no_wrap=True)
    bins, longest = len(heights), max(heights)
    for i, (height, lower, upper) in enumerate(zip(heights, *band, strict=True)):
        outside = not lower <= height <= upper
        bar = "█" * round(height / longest * max(min(width - 48, 40), 8))
        cells = [f"{i / bins:.1f}–{(i + 1) / bins:.1f}", f"{height:.4f}", f"{lower:.4f} … {upper:.4f}"]
        table.add_row(*cells, *([bar + " !" * outside] if wide else []))
    return [whole(table), Padding(Line(_PIT, style="dim"), (0, 0, 0, 1))]


def _overview(checks: Sequence[Check]) -> Fitting:
    table = plain_table()
    where, places = placed(checks)
    for name in where:
        table.add_column(name, no_wrap=True)
    for name in ("n", "log score", "expected", "z", "RPS", "X² p"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("verdicts", min_width=15)
    for check, place in zip(checks, places, strict=True):
        scores = [number(check.log_score), number(check.expected_log_score), fixed(check.log_score_z, 2)]
        codes = ", ".join(verdict.code.removeprefix("check.") for verdict in check.verdicts)
        table.add_row(*place, count(check.n), *scores, number(check.rps), p_text(check.chi_square.p_value), codes)
    return Fitting(table, len(where))
