"""Many fits for people: one line each, then what must be said about them."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console

from distfit_counts.report.narrow import Fitting
from distfit_counts.report.numbers import count, fixed
from distfit_counts.report.placed import label, of_what, placed, short_sources
from distfit_counts.report.screen import Data, Line
from distfit_counts.report.tables import plain_table
from distfit_counts.report.terminal import estimate, interval, interval_title
from distfit_counts.result import Fit
from distfit_counts.settings import LEVEL

# Sentences of one kind, with different numbers, that are printed; of thousands of fits the rest is counted.
_SENTENCES = 5


def print_overview(console: Console, fits: Sequence[Fit]) -> None:
    """A table of all ``fits`` and their verdicts, each sentence once; of several families, without their parameters."""
    families = list(dict.fromkeys(fit.family for fit in fits))
    one = len(families) == 1
    names = list(dict.fromkeys(name for fit in fits for name in fit.parameters)) if one else []
    whose = families[0] if one else f"{count(len(families))} families"
    console.print(Line(f"{whose}: {count(len(fits))} fits", of_what(fits), style="bold"))
    asked = fits[0].ci != "wald" or fits[0].level != LEVEL
    console.print(_table(fits, names, asked), crop=False)
    _print_verdicts(console, fits)


def _table(fits: Sequence[Fit], names: list[str], intervals: bool) -> Fitting:
    where, places = placed(fits)
    table = plain_table()
    several = len({fit.family for fit in fits}) > 1
    for name in [*where, *["family"] * several]:
        table.add_column(name, no_wrap=True)
    title = interval_title(fits[0]).removesuffix(" interval")
    parameters = [own for name in names for own in ([name, f"{name} {title}"] if intervals else [name])]
    for name in ["n", *parameters, "log-lik.", "BIC", "status"]:
        table.add_column(name, justify="left" if name == "status" else "right", no_wrap=True)
    for fit, place in zip(fits, places, strict=True):
        estimates = []
        for name in names:
            e = fit.parameters.get(name)
            own = ["", ""] if e is None else [estimate(e), interval(e)]
            estimates += own if intervals else own[:1]
        criteria = [fixed(fit.log_likelihood, 3), fixed(fit.bic, 2)]
        status = fit.status if fit.converged else f"{fit.status} !"
        table.add_row(*place, *[fit.family] * several, count(fit.n), *estimates, *criteria, status)
    return Fitting(table, len(where) + several)


def _print_verdicts(console: Console, fits: Sequence[Fit]) -> None:
    short = short_sources(fits)
    codes: dict[str, dict[str, list[str]]] = {}
    for fit in fits:
        for verdict in fit.verdicts:
            codes.setdefault(verdict.code, {}).setdefault(verdict.message, []).append(label(fit, short))
    for code, messages in codes.items():
        listed = list(messages.items())
        few = listed[:_SENTENCES] if len(listed) > _SENTENCES + 1 else listed
        for message, where in few:
            places = "; ".join(where[:4]) + (f" and {count(len(where) - 4)} more" if len(where) > 4 else "")
            console.print(Line(("! ", "bold yellow"), (Data(f"{places}: "), "bold"), message))
        rest = sum(len(where) for _, where in listed[len(few) :])
        if rest:
            said = f"{code}, with other numbers; --format csv has all"
            console.print(Line(("! ", "bold yellow"), (f"{count(rest)} more fits: ", "bold"), said))
