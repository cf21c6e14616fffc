"""The saturated model, which deviances are measured from: every row's mean is its own response."""

from __future__ import annotations

import torch
from torch import Tensor

from distfit_counts.families.family import Role
from distfit_counts.regression.natural import Bernoulli, Categorical, Gaussian, NaturalPoisson
from distfit_counts.regression.row_model import CountModel, RowModel

# A mean that stands for 0, where log links have no value.
_NO_MEAN = 1e-300


def saturated_log_prob(model: RowModel, eta: Tensor, y: Tensor) -> Tensor | None:
    """log p(y) [N] with the mean at y and all other parameters as in ``eta`` [H, N]; None where one mean does not say
    what fits best (zero inflation, hurdles, mixtures).

    Deviance = 2 sum w (log p_saturated(y) - log p(y)): McCullagh and Nelder (1989), section 2.3.
    """
    if isinstance(model, Bernoulli | Categorical):
        return torch.zeros_like(y)
    if isinstance(model, Gaussian):
        return model.log_prob([y], y)
    if isinstance(model, NaturalPoisson):
        return model.log_prob([torch.log(y.clamp(min=_NO_MEAN))], y)
    if not isinstance(model, CountModel) or model.family.lowest > 0:
        return None
    located = [head for head, role in model.roles.items() if role is Role.LOCATION]
    if len(located) != 1 or not set(model.roles.values()) <= {Role.LOCATION, Role.DISPERSION}:
        return None
    working = model.working(eta.unbind(0)) | {located[0]: y.clamp(min=_NO_MEAN)}
    return model.family.log_prob(working, y)
