"""A training that ended -> its check-up, residuals and verdicts."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from distfit_counts.families.constraint import Array
from distfit_counts.regression.misfit import misfit
from distfit_counts.regression.natural import NaturalFamily
from distfit_counts.regression.natural_residuals import NaturalResiduals
from distfit_counts.regression.network.checkup import Checkup, checkup, weighted_mean
from distfit_counts.regression.network.feed import Batch, Feed
from distfit_counts.regression.network.net import predictors, row_nll
from distfit_counts.regression.network.scored import scored
from distfit_counts.regression.network.state import State
from distfit_counts.regression.network.verdicts import verdicts
from distfit_counts.regression.residuals import Residuals
from distfit_counts.regression.row_model import CountModel, RowModel
from distfit_counts.result import Verdict


@dataclass(frozen=True, eq=False)
class Judgement:
    """``model``: that which scores, with the variance of a normal response."""

    model: RowModel
    checkup: Checkup
    residuals: Residuals | NaturalResiduals
    verdicts: tuple[Verdict, ...]


def judge(model: RowModel, state: State, feed: Feed, judged: Batch, first: Array) -> Judgement:
    """By the rows ``judged``; ``first`` [H]: the predictors without covariates. Where rows were held out, the network
    is left with its best weights.
    """
    held_out = bool(feed.summary.share)
    climb = _climb(model, state, judged) if held_out else (0.0, 0.0)
    by = scored(model, state.net, feed, first)
    with torch.no_grad():
        eta = predictors(state.net, model, judged)
    found = checkup(by, eta, judged, held_out, climb)
    residuals = _residuals(by.own, eta.numpy(), judged, feed.settings.seed)
    return Judgement(by.own, found, residuals, (*verdicts(found, state.record.frozen(), model), *_misfit(residuals)))


def _climb(model: RowModel, state: State, judged: Batch) -> tuple[float, float]:
    """By how much the mean NLL of the held-out rows rose since the best epoch, and its standard error: the rows'
    differences, as both are of the same rows. Leaves the weights of the best epoch behind.
    """
    last = row_nll(state.net, model, judged).numpy()
    state.net.take(state.best)
    return weighted_mean(last - row_nll(state.net, model, judged).numpy(), judged.weights.numpy())


def _residuals(model: RowModel, eta: Array, judged: Batch, seed: int) -> Residuals | NaturalResiduals:
    """Of the rows that the network is judged by, to which no weight was fitted where they were held out: Pearson's
    chi-square has as many degrees of freedom as there are rows.
    """
    y, weights = judged.y.numpy(), judged.weights.numpy()
    if isinstance(model, CountModel):
        return Residuals.at(model, dict(zip(model.heads, eta, strict=True)), y, weights, seed)
    assert isinstance(model, NaturalFamily)
    return NaturalResiduals(model, eta, y, weights, seed)


def _misfit(residuals: Residuals | NaturalResiduals) -> tuple[Verdict, ...]:
    if not isinstance(residuals, Residuals):
        return ()
    return tuple(misfit(residuals.moments, residuals.model.family, errors=None))
