"""Many fits for people: one line each, then what must be said about them."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence

from rich.console import Console
from rich.measure import Measurement
from rich.text import Text

from distfit_counts.report.numbers import count, fixed, number
from distfit_counts.report.tables import plain_table
from distfit_counts.result import Fit


def print_overview(console: Console, fits: Sequence[Fit]) -> None:
    """A table of all ``fits`` (of one family) and their verdicts, each sentence once."""
    listed = list(fits)
    short = _short_sources(listed)
    groups = list(dict.fromkeys(name for fit in listed for name in fit.group))
    columns = len({fit.column for fit in listed}) > 1
    names = list(dict.fromkeys(name for fit in listed for name in fit.parameters))
    where = [*(["source"] if len(short) > 1 else []), *(["column"] if columns else []), *groups]
    table = plain_table()
    for name in where:
        table.add_column(name, no_wrap=True)
    for name in ["n", *names, "log-lik.", "BIC", "status"]:
        table.add_column(name, justify="left" if name == "status" else "right", no_wrap=True)
    for fit in listed:
        place = {"source": short[fit.source], "column": fit.column} | {k: str(v) for k, v in fit.group.items()}
        estimates = [number(fit.parameters[name].estimate) if name in fit.parameters else "" for name in names]
        numbers = [fixed(fit.log_likelihood, 3), fixed(fit.bic, 2), fit.status if fit.converged else f"{fit.status} !"]
        table.add_row(*(place[name] for name in where), count(fit.n), *estimates, *numbers)
    console.print(Text(f"{listed[0].family}: {count(len(listed))} fits", style="bold"))
    # A number broken in two is no number: where the terminal is too narrow, the lines run over its edge.
    width, unbounded = console.width, console.options.update(max_width=10_000)
    console.width = max(width, Measurement.get(console, unbounded, table).maximum)
    console.print(table)
    console.width = width
    _print_verdicts(console, listed, short)


def _print_verdicts(console: Console, fits: Sequence[Fit], short: Mapping[str, str]) -> None:
    seen: dict[str, list[str]] = {}
    for fit in fits:
        for verdict in fit.verdicts:
            seen.setdefault(verdict.message, []).append(_label(fit, short))
    for message, where in seen.items():
        places = "; ".join(where[:4]) + (f" and {count(len(where) - 4)} more" if len(where) > 4 else "")
        console.print(Text.assemble(("! ", "bold yellow"), (f"{places}: ", "bold"), message))


def _label(fit: Fit, short: Mapping[str, str]) -> str:
    group = [f"{name} = {value}" for name, value in fit.group.items()]
    return " ".join([*([short[fit.source]] if len(short) > 1 else []), *(group or [fit.column])])


def _short_sources(fits: Sequence[Fit]) -> dict[str, str]:
    """File names without their folders, where that does not confuse them."""
    sources = {fit.source for fit in fits}
    names = {source: os.path.basename(source) or source for source in sources}
    return names if len(set(names.values())) == len(sources) else {source: source for source in sources}
