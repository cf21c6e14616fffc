"""The mean of a response, from its predictors."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from distfit_counts.families.constraint import Array
from distfit_counts.regression.natural import Bernoulli, Categorical, NaturalFamily
from distfit_counts.regression.row_model import CountModel, RowModel


def mean_tensor(model: RowModel, etas: Sequence[Tensor]) -> Tensor:
    """[1, N]; of a categorical response the probabilities [H, N] of all levels but the first."""
    if isinstance(model, NaturalFamily):
        return model.mean(torch.stack(list(etas)))
    assert isinstance(model, CountModel)
    mean: Tensor = model.family.mean(model.natural_tensors(etas))
    return mean.expand_as(etas[0])[None]


def shares_of(model: Bernoulli | Categorical, etas: Sequence[Array]) -> Array:
    """The probabilities of all levels, [K, N]."""
    found: Array = model.shares(torch.from_numpy(np.stack(list(etas)))).numpy()
    return found


def mean_of(model: RowModel, etas: Sequence[Array]) -> Array:
    """The same as an array; [N] where there is one mean."""
    with torch.no_grad():
        mean = mean_tensor(model, [torch.from_numpy(np.ascontiguousarray(eta)) for eta in etas]).numpy()
    found: Array = mean[0] if len(mean) == 1 else mean
    return found
