"""Log-pmfs of the family language from their textbook definitions, in as many digits as mpmath is asked for."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

import mpmath

from distfit_counts.families.constraint import SIMPLEX, UNIT
from distfit_counts.families.family import Family
from distfit_counts.families.geometric import Geometric
from distfit_counts.families.hurdle import Hurdle
from distfit_counts.families.log_series import LogSeries
from distfit_counts.families.mixture import Mixture
from distfit_counts.families.negative_binomial import NegativeBinomial
from distfit_counts.families.point_mass import PointMass
from distfit_counts.families.poisson import Poisson
from distfit_counts.families.truncated import Truncated
from distfit_counts.families.zero_inflated import ZeroInflated

# Enough for 1 - e^-700 to keep 50 digits of e^-700, and for differences of such numbers to be divided by squares.
DIGITS = 800
STEP = "1e-120"


def pmf(family: Family, v: Mapping[str, Any], k: int) -> Any:
    """P(Y = k); ``v``: natural values, and behind "not " what a probability leaves, as 1 - p is 0 where p is near 1."""
    match family:
        case Poisson():
            return mpmath.exp(-v["rate"]) * v["rate"] ** k / mpmath.factorial(k)
        case Geometric():
            return v["mean"] ** k / (1 + v["mean"]) ** (k + 1)
        case NegativeBinomial():
            mean, size = v["mean"], v["size"]
            rising = mpmath.fprod(size + j for j in range(k))
            return rising / mpmath.factorial(k) * (mean / (size + mean)) ** k * (size / (size + mean)) ** size
        case LogSeries():
            return mpmath.mpf(0) if k == 0 else -(v["q"] ** k) / (k * mpmath.log(v["not q"]))
        case PointMass():
            return mpmath.mpf(k == family.value)
        case ZeroInflated():
            return v["not pi"] * pmf(family.base, v, k) + (v["pi"] if k == 0 else 0)
        case Truncated():
            return mpmath.mpf(0) if k == 0 else pmf(family.base, v, k) / positive(family.base, v)
        case Hurdle():
            return v["p0"] if k == 0 else v["not p0"] * pmf(family.base, v, k) / positive(family.base, v)
        case Mixture():
            total = mpmath.mpf(0)
            for i, component in enumerate(family.components, start=1):
                own = {name: v[f"{name}[{i}]"] for name in component.names}
                own |= {f"not {name}": v[f"not {name}[{i}]"] for name in component.names if f"not {name}[{i}]" in v}
                total += v[f"weight[{i}]"] * pmf(component, own, k)
            return total
    raise AssertionError(family.spec)


def positive(family: Family, v: Mapping[str, Any]) -> Any:
    """P(Y > 0)."""
    if isinstance(family, ZeroInflated):
        return v["not pi"] * positive(family.base, v)
    return 1 - pmf(family, v, 0)


def natural(family: Family, eta: Sequence[Any], link: str = "log") -> dict[str, Any]:
    """Natural values by predictors: the ``link`` of positive parameters, logits, log-ratios of weights to the last."""
    found: dict[str, Any] = {}
    rest = iter(eta)
    for parameter in family.parameters:
        own = [mpmath.exp(next(rest)) for _ in range(parameter.free)]
        if parameter.constraint is SIMPLEX:
            shares = [*own, mpmath.mpf(1)]
            found |= {name: share / sum(shares) for name, share in zip(parameter.names, shares, strict=True)}
        elif parameter.constraint is UNIT:
            found |= {parameter.names[0]: own[0] / (1 + own[0]), f"not {parameter.names[0]}": 1 / (1 + own[0])}
        else:
            found[parameter.names[0]] = mpmath.log(1 + own[0]) if link == "softplus" else own[0]
    return found


def with_derivatives(family: Family, eta: Sequence[float], k: int, link: str = "log") -> tuple[Any, list[Any], Any]:
    """log P(Y = k) with its first derivatives by the predictors, and the second by pairs, as central differences."""
    step, at, known = mpmath.mpf(STEP), [mpmath.mpf(float(value)) for value in eta], {}

    def f(*moves: tuple[int, int]) -> Any:
        shift = [0] * len(at)
        for place, way in moves:
            shift[place] += way
        if tuple(shift) not in known:
            moved = [value + way * step for value, way in zip(at, shift, strict=True)]
            known[tuple(shift)] = mpmath.log(pmf(family, natural(family, moved, link), k))
        return known[tuple(shift)]

    places = range(len(at))
    first = [(f((i, 1)) - f((i, -1))) / (2 * step) for i in places]
    second = {(i, i): (f((i, 1)) - 2 * f() + f((i, -1))) / step**2 for i in places}
    for i, j in itertools.combinations(places, 2):
        cross = f((i, 1), (j, 1)) - f((i, 1), (j, -1)) - f((i, -1), (j, 1)) + f((i, -1), (j, -1))
        second[i, j] = cross / (4 * step**2)
    return f(), first, second
