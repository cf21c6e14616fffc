"""Comparisons for people."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from rich.console import Console, Group, RenderableType
from rich.table import Table

from distfit_counts.comparison import Candidate, Comparison, Components
from distfit_counts.data.group_words import after_column
from distfit_counts.families.spec import parse
from distfit_counts.inference.verdicts.p_values import p_equals, p_text
from distfit_counts.report.as_csv import csv_lines
from distfit_counts.report.as_json import dumps
from distfit_counts.report.as_parquet import write_parquet
from distfit_counts.report.blank_lines import SingleBlanks
from distfit_counts.report.comparison_json import comparison_record
from distfit_counts.report.comparison_overview import print_comparison_overview
from distfit_counts.report.comparison_table import comparison_rows
from distfit_counts.report.emit import emit_lines, emit_table
from distfit_counts.report.gathered import gathered
from distfit_counts.report.narrow import Fitting, least_width
from distfit_counts.report.numbers import count, fixed, number
from distfit_counts.report.progress import Report, reported
from distfit_counts.report.screen import Data, Line
from distfit_counts.report.tables import plain_table
from distfit_counts.report.terminal import point_masses, print_fit, verdict_line

if TYPE_CHECKING:
    from distfit_counts.comparing import Comparisons

# More comparisons than these are an overview.
_HANDFUL = 5
# What the last column says for a verdict; the others are in the fit's own report.
_NOTES = {
    "optimum.certified": "certified",
    "misfit.zeros": "zeros off",
    "misfit.tail": "tail off",
    "parameter.not_identified": "not identified",
    "restarts.rarely_best": "rarely reached",
}


def write_comparisons(
    comparisons: Comparisons, format: str, output: Path | None, verbose: bool, report: Report | None = None
) -> None:
    """Write ``comparisons`` as ``table``, ``json`` (a line per column), ``csv`` or ``parquet`` (a row per family)."""
    adjusted = comparisons.adjusted if len(comparisons) > 1 else None
    rankings = map(comparisons.ranking, reported(range(len(comparisons)), report))
    if format == "json":
        emit_lines(_json(comparisons, report), output)
    elif format == "csv":
        emit_lines(csv_lines(gathered(comparison_rows(rankings, adjusted))), output)
    elif format == "parquet" and output is not None:
        write_parquet(gathered(comparison_rows(rankings, adjusted)), comparisons.columns, output)
    else:
        emit_table(lambda console: _print(console, comparisons, verbose), output)


def _json(comparisons: Comparisons, report: Report | None) -> Iterator[str]:
    for index, comparison in enumerate(reported(comparisons, report)):
        adjusted = partial(comparisons.adjusted, index) if len(comparisons) > 1 else None
        yield dumps(comparison_record(comparison, adjusted)) + "\n"


def _print(console: Console, comparisons: Comparisons, verbose: bool) -> None:
    """The report of each, and with ``verbose`` that of every family; of many, one line each, and with ``verbose`` the
    report.
    """
    many = len(comparisons) > _HANDFUL
    if many:
        print_comparison_overview(console, comparisons)
    for i, comparison in enumerate(comparisons if verbose or not many else ()):
        if i > 0 or many:
            console.print()
        _print_one(console, comparison, verbose and not many)


def _print_one(console: Console, comparison: Comparison, families: bool) -> None:
    console.print(_title(comparison))
    for verdict in comparison.verdicts:
        console.print(verdict_line(verdict))
    console.print(_tables(comparison, console), crop=False)
    for line in _notes(comparison):
        console.print(Line(line, style="dim"))
    for candidate in comparison.candidates if families else ():
        print_fit(console, candidate.fit)


def _title(comparison: Comparison) -> Line:
    best = comparison.best
    source = "stdin" if comparison.source == "-" else comparison.source
    many = len(comparison.candidates)
    rank = f"has the lowest BIC of {many} families on" if many > 1 else "is the only family compared on"
    counts = f"{count(best.n)} count{'s' * (best.n != 1)}"
    place = Data(f"{source}, column {comparison.column}{after_column(comparison.group)}")
    return Line((best.family, "bold cyan"), f" {rank} ", place, f": {counts}")


def _tables(comparison: Comparison, console: Console) -> RenderableType:
    """All in one where it fits; else first what families are compared by."""
    wide = _with(_COLUMNS, comparison)
    if least_width(console, wide) <= console.width:
        return wide
    rest = [name for name in _COLUMNS if name == "family" or name not in _FIRST]
    return SingleBlanks(Group(*(Fitting(_with(names, comparison)) for names in (_FIRST, rest))))


def _with(names: Sequence[str], comparison: Comparison) -> Table:
    table = plain_table()
    for name in names:
        title = f"{name} sim." if name == "X² p" and _simulated(comparison) else name
        justify: Literal["left", "right"] = "left" if name in ("family", "") else "right"
        table.add_column(title, justify=justify, no_wrap=name != "", overflow="fold")
    for cells in _ceilings(comparison):
        table.add_row(*(cells.get(name, "") for name in names), style="dim")
    for i, candidate in enumerate(comparison.candidates):
        cells = _cells(candidate)
        table.add_row(*(cells[name] for name in names), style="bold green" if i == 0 else None)
    return table


# The last, without a name, holds notes.
_COLUMNS = ("family", "log-lik.", "df", "AIC", "AICc", "BIC", "ΔBIC", "weight", "X² p", "P(Y=0)", "")
_FIRST = ("family", "log-lik.", "df", "BIC", "ΔBIC", "X² p", "")


def _ceilings(comparison: Comparison) -> list[dict[str, str]]:
    """The rows that no model, and that no Poisson mixture, can exceed."""
    histogram, ceiling = comparison.histogram, comparison.ceiling
    top = {"family": "(saturated)", "log-lik.": fixed(comparison.saturated, 3), "df": str(histogram.distinct - 1)}
    found = [top | {"P(Y=0)": number(histogram.zeros / histogram.n, 4)}]
    if ceiling is not None:
        found.append({"family": "(Poisson mixture)", "log-lik.": fixed(ceiling.log_likelihood, 3)})
    return found


def _cells(candidate: Candidate) -> dict[str, str]:
    fit = candidate.fit
    cells = (
        fit.family,
        fixed(fit.log_likelihood, 3),
        str(fit.n_parameters),
        fixed(fit.aic, 2),
        fixed(fit.aicc, 2),
        fixed(fit.bic, 2),
        fixed(candidate.delta, 2),
        number(candidate.weight, 3),
        p_text(fit.goodness.tests[0].p_value),
        number(fit.prob_zero, 4),
        _note(candidate),
    )
    return dict(zip(_COLUMNS, cells, strict=True))


def _note(candidate: Candidate) -> str:
    fit = candidate.fit
    notes = [] if fit.converged else [fit.status]
    same = parse(fit.reduced.family).plain().spec
    if same != fit.family:
        notes.append(f"= {same}")
    codes = [verdict.code for verdict in fit.verdicts]
    notes += [note for code, note in _NOTES.items() if code in codes]
    return ", ".join(["best", *notes] if candidate.delta == 0.0 else notes)


def _simulated(comparison: Comparison) -> str:
    """From which null distribution, if the p-values are simulated; else empty: only then A² has one."""
    last = comparison.best.goodness.tests[-1]
    return last.null if math.isfinite(last.p_value) else ""


def _notes(comparison: Comparison) -> list[str]:
    lines = ["(saturated): the observed frequencies themselves; no model can exceed it"]
    if comparison.ceiling is not None:
        points = len(comparison.ceiling.rates)
        rates = f"{points} rate{'s' * (points != 1)}"
        lines.append(f"(Poisson mixture): the best of all, at {rates}; no zip, nb or K*poisson exceeds it")
    else:
        distinct = count(comparison.histogram.distinct)
        lines.append(f"(Poisson mixture): the best of all is not searched for {distinct} distinct values")
    if _simulated(comparison):
        lines.append(f"X² p sim.: simulated with {_simulated(comparison)}")
    lines += point_masses(_note(candidate) for candidate in comparison.candidates)
    for reason in dict.fromkeys(comparison.skipped.values()):
        families = ", ".join(spec for spec, own in comparison.skipped.items() if own == reason)
        lines.append(f"{families} left out: {reason}")
    lines += [line for group in comparison.components for line in _components(comparison, group)]
    lines += _tests(comparison)
    best = comparison.best.family
    for candidate in comparison.candidates:
        if candidate.vuong is not None and math.isfinite(candidate.vuong.statistic):
            z, p = candidate.vuong.statistic, candidate.vuong.p_value
            side = best if z > 0 else candidate.fit.family
            lines.append(f"Vuong, {best} against {candidate.fit.family}: z = {z:.2f} (for {side}), {p_equals(p)}")
    return lines


def _tests(comparison: Comparison) -> list[str]:
    """The score tests of the Poisson, and the likelihood ratios between families that are both compared."""
    compared = {candidate.fit.family for candidate in comparison.candidates}
    tests = [test for candidate in comparison.candidates for test in candidate.fit.tests]
    shown = [t for t in tests if not t.code.startswith("lr.") or t.code.removeprefix("lr.") in compared]
    return [f"{t.title}: {number(t.statistic, 4)}, {p_equals(t.p_value)}" for t in shown]


def _components(comparison: Comparison, group: Components) -> list[str]:
    fits = {candidate.fit.family: candidate for candidate in comparison.candidates}
    values = [
        f"K = {k}: BIC {fixed(fits[s].fit.bic, 2)}, ICL {fixed(fits[s].icl, 2)}" for k, s in group.candidates.items()
    ]
    tests = [f"  {t.title}: LR {number(t.statistic, 4)}, {p_equals(t.p_value)} ({t.null})" for t in group.tests]
    return [f"components of {group.component}  {'; '.join(values)}", *tests]
