"""A fit for people: rich tables that fit the terminal they are printed to."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table

from distfit_counts.data.group_words import after_column
from distfit_counts.families.spec import parse
from distfit_counts.report.blank_lines import SingleBlanks
from distfit_counts.report.frequencies import frequency_table
from distfit_counts.report.goodness import bins_line, bins_table, correlation_table, tests_table
from distfit_counts.report.narrow import Fitting, whole
from distfit_counts.report.numbers import count, fixed, number, resolved
from distfit_counts.report.screen import Data, Line, plain_text
from distfit_counts.report.tables import plain_table
from distfit_counts.result import JOINED, Estimate, Fit, Restart, Verdict

# Narrower terminals get the tables without their explaining columns.
_WIDE = 96


def print_fit(console: Console, fit: Fit, verbose: bool = False) -> None:
    """The whole report of one fit; ``verbose`` adds how every restart moved."""
    console.print(_report(fit, console, verbose), crop=False)


def to_text(fit: Fit, width: int = 100) -> str:
    """The report as plain text."""
    return plain_text(lambda console: print_fit(console, fit), width)


def _report(fit: Fit, console: Console, verbose: bool) -> RenderableType:
    parts: list[RenderableType] = [
        _title(fit),
        *(verdict_line(verdict) for verdict in fit.verdicts),
        _parameters(fit, console.width),
        Padding(_likelihood(fit), (0, 0, 0, 1)),
        _moments(fit),
        tests_table(fit, console.width),
        bins_line(fit),
        frequency_table(fit.frequencies(), console.width),
        _restarts(fit, console.width, verbose),
    ]
    if verbose:
        parts += [correlation_table(fit), bins_table(fit)]
        parts += [_trace(restart) for restart in fit.restarts if restart.trace]
    return Group(*map(whole, parts))


def verdict_line(verdict: Verdict) -> Line:
    """A sentence to act upon, or (+) one to rest upon."""
    mark = ("+ ", "bold green") if verdict.reassuring else ("! ", "bold yellow")
    return Line(mark, verdict.message)


def _title(fit: Fit) -> Line:
    source = "stdin" if fit.source == "-" else fit.source
    missing = f", {count(fit.histogram.n_missing)} missing" if fit.histogram.n_missing else ""
    counts = f"{count(fit.n)} count{'s' * (fit.n != 1)}{missing}"
    place = Data(f"{source}, column {fit.column}{after_column(fit.group)}")
    return Line((fit.family, "bold cyan"), " fitted to ", place, f": {counts}")


def _parameters(fit: Fit, width: int) -> RenderableType:
    meanings = {name: own.meaning for own in parse(fit.family).parameters for name in own.names}
    if width >= _WIDE:
        return Fitting(_parameter_table(fit, meanings))
    alike: dict[str, list[str]] = {}
    for name, meaning in meanings.items():
        alike.setdefault(meaning, []).append(name)
    said = "; ".join(f"{', '.join(names)}: {meaning}" for meaning, names in alike.items())
    return Group(Fitting(_parameter_table(fit, {})), Padding(Line(said, style="dim"), (0, 0, 1, 1)))


def _parameter_table(fit: Fit, meanings: Mapping[str, str]) -> Table:
    table = plain_table()
    table.add_column("parameter", style="bold")
    for name in ("estimate", "std. error", interval_title(fit)):
        table.add_column(name, justify="right", no_wrap=True)
    if meanings:
        table.add_column("meaning", style="dim", overflow="fold")
    for name, e in fit.parameters.items():
        meaning = [meanings[name]] if meanings else []
        table.add_row(name, estimate(e), number(e.std_error), interval(e), *meaning)
    derived = {k: v for k, v in fit.derived.items() if k not in ("mean", "variance", "prob_zero")}
    for name, value in derived.items():
        table.add_row(name, number(value), "", "", *(["derived"] if meanings else []), style="dim")
    return table


def interval_title(fit: Fit) -> str:
    """``95 % profile interval``."""
    kind = "" if fit.ci == "wald" else f" {fit.ci}"
    return f"{100 * fit.level:g} %{kind} interval"


def estimate(e: Estimate) -> str:
    """In as many digits as its error leaves it."""
    return resolved(e.estimate, _error(e))


def interval(e: Estimate) -> str:
    """``1.5 … 2.5``, or why there is none."""
    if e.lower == e.lower:
        return f"{resolved(e.lower, _error(e))} … {resolved(e.upper, _error(e))}"
    return "–" if e.boundary is None else "at the boundary"


def _error(e: Estimate) -> float:
    """The standard error; where there is none, a quarter of the interval is about as much."""
    return e.std_error if math.isfinite(e.std_error) else 0.25 * (e.upper - e.lower)


def _likelihood(fit: Fit) -> RenderableType:
    how_many = "1 parameter" if fit.n_parameters == 1 else f"{fit.n_parameters} parameters"
    first = f"log-likelihood {fixed(fit.log_likelihood, 4)} on {how_many}"
    second = f"AIC {fixed(fit.aic, 2)}  AICc {fixed(fit.aicc, 2)}  BIC {fixed(fit.bic, 2)}"
    return Group(Line(f"{first}  NLL/n {fixed(fit.nll_per_observation, 6)}"), Line(second))


def _moments(fit: Fit) -> RenderableType:
    table = plain_table()
    table.add_column("")
    table.add_column("observed", justify="right")
    table.add_column("fitted", justify="right")
    h = fit.histogram
    table.add_row("mean", number(h.mean), number(fit.derived["mean"]))
    table.add_row("variance", number(h.variance), number(fit.derived["variance"]))
    if h.mean > 0.0 and fit.derived["mean"] > 0.0:
        ratio = fit.derived["variance"] / fit.derived["mean"]
        table.add_row("variance/mean", number(h.variance / h.mean), number(ratio))
    table.add_row("P(Y = 0)", number(h.zeros / h.n), number(fit.derived["prob_zero"]))
    formula = parse(fit.family).variance_formula()
    return Group(whole(table), Padding(Line(formula, style="dim"), (0, 0, 0, 1))) if formula else table


def _restarts(fit: Fit, width: int, verbose: bool) -> RenderableType:
    own = [restart for restart in fit.restarts if restart.asked]
    reached = sum(restart.basin == 1 for restart in own)
    many = "restart" if len(own) == 1 else "restarts"
    device = f", on {fit.device}" if verbose else ""
    how = f"{reached} of {len(own)} {many} reached the best optimum ({fit.optimizer}, seed {fit.seed}{device})"
    # The rest is in -v and in JSON: a person reads the first dozen.
    nested = [restart for restart in fit.restarts if not restart.asked]
    shown = fit.restarts if verbose else [*own[:10], *nested[:2]]
    names = ", ".join(fit.restarts[0].start)
    wide = width >= _WIDE
    columns = {
        "#": [str(r.restart) for r in shown],
        "from": [r.origin for r in shown],
        f"start: {names}": [_values(r.start, 3) for r in shown],
        "estimate" if wide else names: [_values(r.estimate, 4) for r in shown],
        "NLL": [fixed(r.nll, 4) for r in shown],
        "|gradient|": [f"{r.gradient_norm:.0e}" for r in shown],
        "steps": [str(r.steps) for r in shown],
        "status": [r.status for r in shown],
        "optimum": [str(r.basin) for r in shown],
    }
    # In narrow terminals, how a restart began and moved stands below where all of them ended.
    path = [] if wide else [f"start: {names}", "|gradient|", "steps"]
    tables = [_restart_table(columns, names, [name for name in columns if name not in path])]
    tables += [_restart_table(columns, names, ["#", *path])] if path else []
    hidden = len(fit.restarts) - len(shown)
    notes = [f"  and {count(hidden)} more starts (-v shows them)"] if hidden else []
    notes += [f"  {line}" for line in point_masses(columns["from"])]
    if JOINED in columns["status"]:
        notes.append(
            f"  {JOINED}: after so many steps on the way to the end of a better start, and not followed further"
        )
    return Group(
        Line(how, style="bold"), SingleBlanks(Group(*map(whole, tables))), *(Line(note, style="dim") for note in notes)
    )


def _restart_table(columns: Mapping[str, list[str]], names: str, shown: Sequence[str]) -> Table:
    table = plain_table()
    for name in shown:
        values = name in ("estimate", names) or name.startswith("start")
        left = values or name in ("from", "status")
        # In narrow terminals estimates are broken between two of them, into three lines at most.
        least = -(-max(map(len, columns[name])) // 3) if values else None
        table.add_column(
            name, "", justify="left" if left else "right", no_wrap=not values, overflow="fold", min_width=least
        )
    for row in zip(*(columns[name] for name in shown), strict=True):
        table.add_row(*row)
    return table


def point_masses(texts: Iterable[str]) -> list[str]:
    """``point(0): a point mass at 0``, for each that is named in ``texts``."""
    places = dict.fromkeys(re.findall(r"point\((\d+)\)", " ".join(texts)))
    return [f"point({place}): a point mass at {place}" for place in places]


def _trace(restart: Restart) -> RenderableType:
    table = plain_table()
    for name in ("step", "NLL", "|gradient|"):
        table.add_column(name, justify="right")
    table.add_column(", ".join(restart.start), overflow="fold")
    points = restart.trace
    # A first-order path has thousands of steps: its course shows in forty.
    every = max(1, -(-len(points) // 40))
    for point in [*points[:-1:every], points[-1]]:
        values = _values(point.estimate, 6)
        table.add_row(str(point.step), fixed(point.nll, 6), f"{point.gradient_norm:.1e}", values)
    return Group(Line(f"restart {restart.restart}, from {restart.origin}", style="bold"), table)


def _values(values: Mapping[str, float], digits: int) -> str:
    return ", ".join(number(value, digits) for value in values.values())
