"""The options that say how a network is trained."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from distfit_counts.commands import options
from distfit_counts.commands.idle import only_with
from distfit_counts.errors import DistfitError

if TYPE_CHECKING:
    from distfit_counts.regression.network.settings import NetworkSettings


@dataclass(frozen=True)
class Training:
    """What ``--hidden`` needs beside it; nothing of it without."""

    hidden: Annotated[
        str | None,
        typer.Option("--hidden", metavar="30,20", help="A network: the widths of its ReLU layers; 0 for none of them."),
    ] = None
    gradient: Annotated[
        Literal["autograd", "canonical"],
        typer.Option(
            "--gradient", help="Of --hidden: differentiate the NLL, or send back (mean - y) from the last layer."
        ),
    ] = "autograd"
    optimizer: Annotated[
        Literal["adam", "sgd"], typer.Option("--optimizer", help="Of --hidden: adam, or plain gradient descent.")
    ] = "adam"
    learning_rate: Annotated[
        float | None,
        typer.Option("--learning-rate", metavar="X", help="Of --hidden  [default: 0.003, sgd 0.1]"),
    ] = None
    batch_size: Annotated[
        int, typer.Option("--batch-size", metavar="N", min=0, help="Of --hidden: rows of a step; 0 takes all of them.")
    ] = 256
    epochs: Annotated[int, typer.Option("--epochs", metavar="N", help="Of --hidden: passes over the rows at most.")] = (
        100
    )
    validation: Annotated[
        float, typer.Option("--validation", metavar="SHARE", help="Of --hidden: share of the rows that is held out.")
    ] = 0.1
    patience: Annotated[
        int, typer.Option("--patience", metavar="N", help="Of --hidden: epochs without gain, after which it ends.")
    ] = 10
    checkpoint: Annotated[
        Path | None,
        typer.Option(
            "--checkpoint",
            metavar="PATH",
            parser=options.file_path,
            help="Of --hidden: keep the state here; where it exists, go on.",
        ),
    ] = None

    def settings(self, ctx: typer.Context, seed: int) -> NetworkSettings | None:
        """None without --hidden. Raises DistfitError for values out of range and options that would do nothing."""
        own = ("gradient", "optimizer", "learning_rate", "batch_size", "epochs", "validation", "patience", "checkpoint")
        only_with(ctx, "--hidden", self.hidden is not None, *own)
        if self.hidden is None:
            return None
        from distfit_counts.regression.network.settings import NetworkSettings

        return NetworkSettings(
            hidden=_widths(self.hidden),
            optimizer=self.optimizer,
            learning_rate=self.learning_rate,
            batch_size=self.batch_size or None,
            epochs=self.epochs,
            validation=self.validation,
            patience=self.patience,
            gradient=self.gradient,
            seed=seed,
        )


def _widths(text: str) -> tuple[int, ...]:
    try:
        widths = tuple(int(part) for part in text.split(","))
    except ValueError:
        raise DistfitError(f"--hidden {text!r} names no layers", "write the widths of the layers: 30,20") from None
    return () if widths == (0,) else widths
