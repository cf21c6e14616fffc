"""What a network is scored by: its model, and the fit without covariates."""

from __future__ import annotations

import sys
from dataclasses import dataclass

import torch

from distfit_counts.families.constraint import Array
from distfit_counts.regression.natural import Gaussian, Normal
from distfit_counts.regression.network.feed import Batch, Feed
from distfit_counts.regression.network.net import Net, predictors, with_offset
from distfit_counts.regression.row_model import RowModel


@dataclass(frozen=True, eq=False)
class Scored:
    """``own``: the model of the network; ``constant`` and its predictors ``first`` [H]: that without covariates."""

    own: RowModel
    constant: RowModel
    first: Array


def scored(model: RowModel, net: Net, feed: Feed, first: Array) -> Scored:
    """Goes once through the training rows of a normal response, for its two variances; of others through none.

    sigma^2 = sum w (y - mean)^2 / sum w over the training rows: the maximum-likelihood estimate, as for a linear model
    but without its degrees of freedom, which a network does not have.
    """
    if not isinstance(model, Gaussian):
        return Scored(model, model, first)
    total = own = constant = 0.0
    start = torch.from_numpy(first)[:, None]
    with torch.no_grad():
        for batch in feed.rows():
            eta = predictors(net, model, batch)
            total += batch.total
            own += _squares(batch, eta[0])
            constant += _squares(batch, with_offset(model, start.expand_as(eta), batch)[0])
    return Scored(Normal(_above_0(own / total)), Normal(_above_0(constant / total)), first)


def _squares(batch: Batch, mean: torch.Tensor) -> float:
    return float(batch.weights @ (batch.y - mean) ** 2)


def _above_0(variance: float) -> float:
    """Of a response that does not vary, a variance that still has a logarithm."""
    return max(variance, sys.float_info.min)
