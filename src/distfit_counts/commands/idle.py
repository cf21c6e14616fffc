"""Options that would do nothing are refused: who gives one believes that it does something."""

from __future__ import annotations

import typer

from distfit_counts.errors import DistfitError


def only_with(ctx: typer.Context, needed: str, given: bool, *names: str) -> None:
    """Raises DistfitError where one of the parameters ``names`` is on the command line, and ``needed`` is not."""
    for name in names:
        source = ctx.get_parameter_source(name)
        if not given and source is not None and source.name == "COMMANDLINE":
            option = f"--{name.replace('_', '-')}"
            raise DistfitError(f"{option} does nothing without {needed}", f"add {needed}, or leave out {option}")
