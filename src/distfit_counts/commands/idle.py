"""Options that would do nothing are refused: who gives one believes that it does something."""

from __future__ import annotations

import typer

from distfit_counts.errors import DistfitError


def refuse(ctx: typer.Context, beside: str, *names: str) -> None:
    """Raises DistfitError where one of the parameters ``names`` is on the command line, ``beside`` which it is idle."""
    for name in names:
        if _given(ctx, name):
            option = _option(name)
            raise DistfitError(f"{option} does nothing with {beside}", f"leave out {option}")


def only_with(ctx: typer.Context, needed: str, given: bool, *names: str) -> None:
    """Raises DistfitError where one of the parameters ``names`` is on the command line, and ``needed`` is not."""
    for name in names:
        if not given and _given(ctx, name):
            option = _option(name)
            raise DistfitError(f"{option} does nothing without {needed}", f"add {needed}, or leave out {option}")


def _given(ctx: typer.Context, name: str) -> bool:
    source = ctx.get_parameter_source(name)
    return source is not None and source.name == "COMMANDLINE"


def _option(name: str) -> str:
    return f"--{name.replace('_', '-')}"
