"""Options that would do nothing are refused: who gives one believes that it does something."""

from __future__ import annotations

from collections import Counter
from typing import Any

import typer
from typer.core import TyperCommand

from distfit_counts.errors import DistfitError


class OnceCommand(TyperCommand):
    """A command that refuses an option given twice unless it is a list: of two values, one would be dropped."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Raises DistfitError for a repeated option; the rest is click's."""
        _, _, order = self.make_parser(ctx).parse_args(args=list(args))
        for parameter, times in Counter(order).items():
            if times > 1 and parameter.param_type_name == "option" and not parameter.multiple:
                option = max(parameter.opts, key=len)
                hint = "give it once"
                if parameter.name == "family":
                    hint += "; distfit compare --families nb,zip fits several and ranks them"
                raise DistfitError(f"{option} is given {times} times", hint)
        return super().parse_args(ctx, args)


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
