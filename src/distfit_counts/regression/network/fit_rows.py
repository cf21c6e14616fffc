"""A request and where its rows are -> a trained network."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from distfit_counts.regression.design import design
from distfit_counts.regression.formula import parse, response_of
from distfit_counts.regression.network.block import Arrays
from distfit_counts.regression.network.fit import NetworkFit
from distfit_counts.regression.network.parquet import ParquetRows
from distfit_counts.regression.network.row_groups import distinct
from distfit_counts.regression.network.settings import NetworkSettings, Progress
from distfit_counts.regression.network.train import train
from distfit_counts.regression.regress import Request
from distfit_counts.regression.responses import response_kind, row_model

if TYPE_CHECKING:
    import pandas as pd


def train_frame(
    frame: pd.DataFrame,
    request: Request,
    settings: NetworkSettings,
    checkpoint: Path | None = None,
    progress: Progress | None = None,
) -> NetworkFit:
    """On rows in memory. Raises DistfitError."""
    response = response_of(request.formula)
    model, values = row_model(request.family, request.links, frame[response])
    formula = parse(request.formula, model.roles, request.family, request.own)
    data = design(
        formula, frame.assign(**{response: values}), model.roles, request.offset, request.exposure, request.weights
    )
    return train(model, Arrays.of(data), settings, checkpoint, progress)


def train_parquet(
    paths: Sequence[Path],
    request: Request,
    settings: NetworkSettings,
    checkpoint: Path | None = None,
    progress: Progress | None = None,
) -> NetworkFit:
    """On Parquet files that may be larger than memory. Raises DistfitError."""
    import pandas as pd

    response = response_of(request.formula)
    labels = response_kind(request.family) is None
    known = distinct(paths, response) if labels else pd.Series([], name=response, dtype=float)
    model, _ = row_model(request.family, request.links, known)
    formula = parse(request.formula, model.roles, request.family, request.own)
    source = ParquetRows.of(paths, formula, model, request.offset, request.exposure, request.weights)
    return train(model, source, settings, checkpoint, progress)
