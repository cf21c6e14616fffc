"""The network: covariates -> the predictors of all parameters."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from distfit_counts.families.constraint import Array
from distfit_counts.families.family import Role
from distfit_counts.regression.link import LOG
from distfit_counts.regression.network.feed import Batch
from distfit_counts.regression.network.summary import Summary
from distfit_counts.regression.row_model import RowModel

# Of the customary weights: the first predictions stay near the start, whatever the scale of the response. It costs
# nothing: with 0, 0.1, 0.3 and 1 of them plain gradient descent at 0.2 lost the units of 2 of 35, 2 of 50, 3 of 30 and
# 0 of 35 networks on Poisson counts, and Adam reached the same held-out NLL of a negative binomial to 0.01.
_LAST_WEIGHTS = 0.1


class Net(nn.Module):
    """Layers of ``hidden`` units with ReLU between ``width`` covariates and one output for each head.

    The last layer begins at biases ``start`` [H] and small weights: every row's first prediction is near the fit
    without covariates, whatever the scale of the response.
    """

    def __init__(self, width: int, hidden: Sequence[int], start: Array, seed: int) -> None:
        super().__init__()
        widths = [width, *hidden, len(start)]
        # The caller's own random numbers stay as they were.
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.layers = nn.ModuleList(nn.Linear(a, b, dtype=torch.float64) for a, b in itertools.pairwise(widths))
        last = self.last
        with torch.no_grad():
            last.weight.mul_(_LAST_WEIGHTS)
            last.bias.copy_(torch.from_numpy(start))

    @property
    def last(self) -> nn.Linear:
        found = self.layers[-1]
        assert isinstance(found, nn.Linear)
        return found

    def forward(self, x: Tensor) -> Tensor:
        """``x`` [n, q] -> [H, n]."""
        for layer in self.layers[:-1]:
            x = torch.relu(layer(x))
        # [H, n] as it is computed, not as a view: a parameter's predictors lie side by side.
        return torch.addmm(self.last.bias[:, None], self.last.weight, x.mT)

    def arrays(self) -> dict[str, Array]:
        """A copy of the weights."""
        return {name: value.detach().numpy().copy() for name, value in self.named_parameters()}

    def take(self, arrays: Mapping[str, Array]) -> None:
        with torch.no_grad():
            for name, value in self.named_parameters():
                value.copy_(torch.from_numpy(arrays[name]))


def predictors(net: Net, model: RowModel, batch: Batch) -> Tensor:
    """eta [H, n], offsets added to the predictors of the means."""
    return with_offset(model, net(batch.x), batch)


def with_offset(model: RowModel, eta: Tensor, batch: Batch) -> Tensor:
    if batch.offset is None:
        return eta
    located = torch.tensor([[float(role is Role.LOCATION)] for role in model.roles.values()], dtype=eta.dtype)
    return eta + located * batch.offset


def start(model: RowModel, summary: Summary) -> Array:
    """Predictors [H] of the fit without covariates, by the moments; a mean is what it is beside the mean offset."""
    eta = model.start(summary.values, summary.counts)
    if summary.offset is None:
        return eta
    plain, log_mean_exp = summary.offset
    for i, head in enumerate(model.heads):
        if model.roles[head] is Role.LOCATION:
            eta[i] -= log_mean_exp if model.links[head] is LOG else plain
    return eta


# Rows that are predicted together, so that the layers' outputs stay near the processor.
_PIECE = 2**13


def row_nll(net: Net, model: RowModel, batch: Batch) -> Tensor:
    """The negative log-likelihood of every row, [n]."""
    with torch.no_grad():
        parts = [-model.log_prob(predictors(net, model, piece).unbind(0), piece.y) for piece in batch.pieces(_PIECE)]
    return torch.cat(parts)
