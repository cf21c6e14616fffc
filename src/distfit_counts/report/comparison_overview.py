"""Many comparisons for people: one line each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Console

from distfit_counts.comparison import Ranking
from distfit_counts.data.column import Column
from distfit_counts.report.narrow import Fitting
from distfit_counts.report.numbers import count, fixed
from distfit_counts.report.placed import of_what, placed
from distfit_counts.report.screen import Line
from distfit_counts.report.tables import plain_table
from distfit_counts.result import Fit

if TYPE_CHECKING:
    from distfit_counts.comparing import Comparisons

_COLUMNS = ("n", "best", "BIC", "runner-up", "ΔBIC", "verdicts")


def print_comparison_overview(console: Console, comparisons: Comparisons) -> None:
    """A table of all ``comparisons``: the best family of each, the next, and what is doubtful."""
    rows, places = [], []
    for index in range(len(comparisons)):
        ranking = comparisons.ranking(index)
        rows.append(_cells(ranking, comparisons.best(index)))
        places.append(Column(ranking.source, ranking.column, ranking.group))
    where, own = placed(places)
    console.print(Line(f"{count(len(rows))} comparisons", of_what(places), style="bold"))

    table = plain_table()
    for name in where:
        table.add_column(name, no_wrap=True)
    for name in _COLUMNS:
        words = name in ("best", "runner-up", "verdicts")
        table.add_column(name, justify="left" if words else "right", no_wrap=name != "verdicts", overflow="fold")
    for place, cells in zip(own, rows, strict=True):
        table.add_row(*place, *cells)
    console.print(Fitting(table, len(where)), crop=False)
    more = "-v prints the report of each; --format json or csv has them all with all numbers"
    console.print(Line(more, style="dim"))


def _cells(ranking: Ranking, fit: Fit) -> tuple[str, ...]:
    """``fit``: the best, whose verdicts are told too."""
    best, *others = ranking.candidates
    second = others[0] if others else None
    said = [verdict for verdict in (*ranking.verdicts, *fit.verdicts) if not verdict.reassuring]
    return (
        count(ranking.histogram.n),
        best.family if best.converged else f"{best.family} ({best.status})",
        fixed(best.bic, 2),
        "–" if second is None else second.family,
        "–" if second is None else fixed(second.delta, 2),
        " ".join(dict.fromkeys(verdict.code for verdict in said)),
    )
