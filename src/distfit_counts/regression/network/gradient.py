"""From predictors to the gradient of the mean NLL, in two ways that agree step for step."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from distfit_counts.errors import DistfitError
from distfit_counts.families.poisson import Poisson
from distfit_counts.regression.link import LOG
from distfit_counts.regression.natural import NaturalFamily, NaturalPoisson
from distfit_counts.regression.network.feed import Batch
from distfit_counts.regression.row_model import CountModel, RowModel

# eta [H, n] of a batch -> its mean NLL, after the gradients were added to the leaves of eta's graph.
Backward = Callable[[Tensor, Batch], Tensor]


def autograd(model: RowModel) -> Backward:
    """Write the loss down and differentiate it."""

    def backward(eta: Tensor, batch: Batch) -> Tensor:
        loss = -(batch.share * model.log_prob(eta.unbind(0), batch.y)).sum()
        loss.backward()
        return loss.detach()

    return backward


def canonical(family: NaturalFamily) -> Backward:
    """Send share (fitted mean - T(y)) back from the last layer; the loss is only looked at.

    For log p(y) = eta'T(y) - A(eta) + log h(y) it is the derivative of the NLL by eta, since the gradient of the
    log-partition A is the mean of T (McCullagh and Nelder 1989, section 2.2).
    """

    def backward(eta: Tensor, batch: Batch) -> Tensor:
        with torch.no_grad():
            slope = batch.share * (family.mean(eta) - family.statistic(batch.y))
            loss = -(batch.share * family.log_prob(eta.unbind(0), batch.y)).sum()
        eta.backward(gradient=slope)
        return loss

    return backward


def chosen(name: str, model: RowModel) -> Backward:
    """Raises DistfitError where the model's gradient is not the canonical one."""
    if name == "autograd":
        return autograd(model)
    if not isinstance(model, NaturalFamily):
        raise DistfitError(
            "--gradient canonical needs a natural exponential family with its canonical link",
            "these are gaussian, bernoulli, categorical, and poisson with the log link; or leave --gradient out",
        )
    return canonical(model)


def natural(model: RowModel) -> RowModel:
    """The same model as a natural exponential family where it is one: cheaper, and open to both gradients."""
    if isinstance(model, CountModel) and model.family == Poisson() and model.links["rate"] is LOG:
        return NaturalPoisson()
    return model
