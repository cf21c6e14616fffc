"""``distfit sample``: draw counts from a family or a saved model, without torch."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from distfit_counts.commands import options
from distfit_counts.commands.outputs import check_outputs
from distfit_counts.errors import DistfitError, FamilyError

if TYPE_CHECKING:
    from distfit_counts.families.family import Family


def sample(
    n: Annotated[int, typer.Option("-n", metavar="N", min=0, help="How many counts to draw.")],
    family: Annotated[
        str | None, typer.Option("--family", "-f", metavar="SPEC", help="The family to draw from.")
    ] = None,
    param: Annotated[
        list[str] | None, typer.Option("--param", "-p", metavar="NAME=VALUE", help="A parameter; repeat for each.")
    ] = None,
    model: Annotated[
        Path | None, typer.Option("--model", "-m", metavar="MODEL.json", help="A model saved by distfit fit --save.")
    ] = None,
    components: Annotated[
        int | None,
        typer.Option("--components", metavar="K", min=1, help="Components of --family mixture and its relatives."),
    ] = None,
    seed: Annotated[
        int | None, typer.Option("--seed", "-s", min=0, help="Seed; the same seed draws the same counts.")
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="PATH",
            parser=options.results_path,
            help="Write here; .parquet writes Parquet, anything else CSV.",
        ),
    ] = None,
) -> None:
    """Draw counts from a distribution, to stdout as CSV or to a file.

    distfit sample --family zip --param pi=0.5 --param rate=5 -n 10000 > counts.csv
    """
    from distfit_counts.sampling import write_samples

    if (family is None) == (model is None):
        raise typer.BadParameter("give either --family with --param, or --model")
    if model is not None and param:
        raise typer.BadParameter("--param goes with --family; a model brings its own parameters")
    check_outputs(output, None, None, [] if model is None else [model])
    chosen, values = _from_model(model) if model else _from_options(family or "", components, param or [])
    write_samples(chosen, values, n, seed, output)


def _from_options(spec: str, components: int | None, pairs: list[str]) -> tuple[Family, dict[str, float]]:
    from distfit_counts.families.spec import parse

    family = parse(spec, components)
    values: dict[str, float] = {}
    for pair in pairs:
        name, equals, text = pair.partition("=")
        try:
            values[name.strip()] = float(text)
        except ValueError:
            hint = f"write --param NAME=VALUE; the parameters of {family.spec} are: {', '.join(family.names)}"
            raise FamilyError(
                f"--param {pair}: {text!r} is not a number" if equals else f"--param {pair}: no value", hint
            ) from None
    family.check(values)
    return family, values


def _from_model(path: Path) -> tuple[Family, dict[str, float]]:
    from distfit_counts.model_file import load

    fits = load(path)
    if len(fits) != 1:
        raise DistfitError(f"{path} holds {len(fits)} fits; sampling needs one", "save a model of one column and group")
    return fits[0].model
