"""``distfit plot``: a picture of a saved model."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from distfit_counts.commands import options
from distfit_counts.commands.data import Data
from distfit_counts.commands.idle import only_with, refuse
from distfit_counts.commands.messages import say
from distfit_counts.commands.of_regression import plot_saved
from distfit_counts.commands.picking import pick, the_only
from distfit_counts.errors import DistfitError

if TYPE_CHECKING:
    import altair as alt

    from distfit_counts.result import Fit


class Kind(StrEnum):
    pmf = "pmf"
    rootogram = "rootogram"
    qq = "qq"
    pit = "pit"
    trace = "trace"
    restarts = "restarts"
    profile = "profile"
    surface = "surface"


class Style(StrEnum):
    hanging = "hanging"
    standing = "standing"
    suspended = "suspended"


# They show how the model was fitted: new data have no part in them.
_SEARCH = (Kind.trace, Kind.restarts, Kind.profile, Kind.surface)

_PARAMETERS = "Of --kind surface  [default: the first two; of a mixture, those of two components]"


def plot(
    ctx: typer.Context,
    model: Annotated[Path, typer.Argument(metavar="MODEL.json", help="Written by distfit fit or regress --save.")],
    output: Annotated[
        Path,
        typer.Option(
            "--output",
            "-o",
            metavar="PATH",
            parser=options.file_path,
            help="A .png, .svg, .pdf or .html file; - writes SVG to stdout.",
        ),
    ],
    source: Annotated[
        str | None, typer.Argument(metavar="[SOURCE]", help="New data to see the model on; else what it was fitted to.")
    ] = None,
    kind: Annotated[Kind, typer.Option("--kind", "-k", help="What to draw.")] = Kind.pmf,
    column: options.Columns = None,
    by: options.By = None,
    weights: options.Weights = None,
    group: Annotated[
        list[str] | None, typer.Option("--group", metavar="NAME=VALUE", help="Of a model of groups, the one to draw.")
    ] = None,
    style: Annotated[Style, typer.Option("--style", help="Of --kind rootogram.")] = Style.hanging,
    parameters: Annotated[str | None, typer.Option("--parameters", metavar="A,B", help=_PARAMETERS)] = None,
    seed: Annotated[
        int | None, typer.Option("--seed", min=0, help="Of the random residuals of --kind qq  [default: the fit's]")
    ] = None,
    quiet: options.Quiet = False,
) -> None:
    """Draw a saved model; of a regression, the rows of a SOURCE beside it.

    Needs the extra plot: pip install 'distfit-counts[plot]'.

    distfit plot model.json --kind rootogram -o fit.png
    """
    from dataclasses import replace

    from distfit_counts.model_file import HINT, fits_of
    from distfit_counts.report.plots.render import check, render
    from distfit_counts.saved import is_regression, read

    only_with(ctx, "--kind rootogram", kind is Kind.rootogram, "style")
    only_with(ctx, "--kind surface", kind is Kind.surface, "parameters")
    only_with(ctx, "--kind qq", kind is Kind.qq, "seed")
    check(output)
    if source is None and (by or weights):
        raise DistfitError("--by and --weights say how to read a SOURCE", "give one, or leave them out")
    if source is not None and kind in _SEARCH:
        raise DistfitError(f"--kind {kind.value} shows how the model was fitted", "leave out SOURCE")
    names = _two(parameters)
    record = read(model, HINT)
    if is_regression(record):
        refuse(ctx, "a regression", "kind", "column", "by", "group")
        plot_saved(model, source, weights, output, quiet)
        return
    fits = fits_of(record, model)
    if source is not None:
        fits = _on_new_data(fits, source, column, by, weights, quiet)
    fits = pick(fits, column or [], group or [])
    if seed is not None:
        fits = [replace(fit, seed=seed) for fit in fits]
    if kind in _SEARCH:
        render(_search(the_only(fits, f"--kind {kind.value}"), kind, names), output)
    else:
        render(_data(fits, kind, style, source), output)


def _two(text: str | None) -> tuple[str, str] | None:
    if text is None:
        return None
    names = [name.strip() for name in text.split(",")]
    if len(names) != 2:
        raise DistfitError(f"--parameters {text} names {len(names)}", "name two, for example --parameters pi,rate")
    return names[0], names[1]


def _on_new_data(
    fits: list[Fit], source: str, column: list[str] | None, by: list[str] | None, weights: str | None, quiet: bool
) -> list[Fit]:
    """The fits with the new data's column, group and histogram in place of their own."""
    from dataclasses import replace

    from distfit_counts.matching import match
    from distfit_counts.report.progress import Watch

    with Watch(quiet) as watch:
        pairs, left = match(fits, Data([source], column, by, weights).read(watch, quiet))
    for counts in left if not quiet else []:
        say(f"the model has no fit for {counts.label}: left out")
    return [replace(fit, column=counts.column, group=counts.group, histogram=counts.histogram) for fit, counts in pairs]


def _data(fits: list[Fit], kind: Kind, style: Style, source: str | None) -> alt.TopLevelMixin:
    from distfit_counts.report.plots.kinds import data_chart
    from distfit_counts.report.plots.pmf import pmf_panels
    from distfit_counts.report.plots.words import about_new

    if kind is Kind.pmf and len(fits) > 1:
        return pmf_panels(fits)
    fit = the_only(fits, f"--kind {kind.value}")
    return data_chart(fit, kind.value, style.value, "" if source is None else about_new(fit, source))


def _search(fit: Fit, kind: Kind, names: tuple[str, str] | None) -> alt.TopLevelMixin:
    if kind is Kind.profile:
        from distfit_counts.inference.likelihood.profile_curves import profile_curves
        from distfit_counts.report.plots.profile import profile_chart

        return profile_chart(fit, profile_curves(fit))
    from distfit_counts.report.plots.kinds import search_chart

    if kind is not Kind.restarts and not any(restart.trace for restart in fit.restarts):
        fit = _traced(fit)
    return search_chart(fit, kind.value, names)


def _traced(fit: Fit) -> Fit:
    """The same fit again, this time with the path of every restart."""
    from distfit_counts.data.column import Column
    from distfit_counts.families.spec import parse
    from distfit_counts.fitting import fit_columns
    from distfit_counts.settings import FitSettings

    own = sum(restart.asked for restart in fit.restarts)
    settings = FitSettings(restarts=max(own, 1), seed=fit.seed, optimizer=fit.optimizer, level=fit.level, trace=True)
    return fit_columns([Column(fit.source, fit.column, fit.group, fit.histogram)], parse(fit.family), settings)[0]
