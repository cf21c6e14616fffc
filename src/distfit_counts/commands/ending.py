"""How a command that fitted ends."""

from __future__ import annotations

from typing import Protocol

import typer

from distfit_counts.errors import INTERNAL


class Fitted(Protocol):
    """``consistent``: whether every log-likelihood is that of its estimates; where not, that is an error of ours."""

    @property
    def converged(self) -> bool: ...

    @property
    def consistent(self) -> bool: ...


def end(fitted: Fitted) -> None:
    """Exit with 70 or 1 where something went wrong that was printed with the results."""
    if not fitted.consistent:
        raise typer.Exit(INTERNAL)
    if not fitted.converged:
        raise typer.Exit(1)
