"""The profile likelihood along every parameter, to be looked at."""

from __future__ import annotations

from statistics import NormalDist

import numpy as np

from distfit_counts.families.constraint import SIMPLEX, UNIT, Array
from distfit_counts.families.spec import parse
from distfit_counts.inference.likelihood.profile import profile_deviance
from distfit_counts.optimise.pinned import places
from distfit_counts.optimise.problem import Batch, natural
from distfit_counts.optimise.solve import Solution, solve
from distfit_counts.optimise.threads import one_thread
from distfit_counts.result import Fit
from distfit_counts.settings import FitSettings

# Where the end of a curve is looked for: standard errors from the estimate (of its logarithm or logit).
_OUTWARDS = np.array([1.0, 1.5, 2.0, 2.5, 3.0, 4.0, 6.0, 9.0, 14.0, 20.0, 30.0])
# A curve ends where the deviance is so many times that of the interval's ends.
_BEYOND = 1.7
# Points of a curve on the scale of logs or logits; twice as many as it is drawn; more at each end of the interval.
_EACH, _NEAR = 8, 4
# Ratio of the ends from which a positive parameter is drawn on a logarithmic axis.
_WIDE = 30.0


def profile_curves(fit: Fit) -> dict[str, tuple[Array, Array]]:
    """{parameter: (values [V], profile deviance [V])}, beyond both ends of the interval at the fit's level.

    The family is fitted again to the fit's histogram; ``profile`` says what the deviance is. The last of two weights,
    which mirrors the first, is left out.
    """
    family = parse(fit.family)
    own = sum(restart.asked for restart in fit.restarts)
    with one_thread():
        settings = FitSettings(restarts=max(own, 1), seed=fit.seed)
        solution = solve(family, Batch.of([fit.histogram]), settings, {})
        best = dict(zip(family.names, natural(family, solution.best_theta, solution.scale)[0].tolist(), strict=True))
        mirrored = {p.names[-1] for p in family.parameters if p.constraint is SIMPLEX and len(p.names) == 2}
        cut = NormalDist().inv_cdf(0.5 + fit.level / 2.0) ** 2
        found = {}
        # The components of a mixture are numbered by their means only when they are shown.
        for name, label in family.canonical(best).items():
            if label in places(family) and name not in mirrored:
                values = _values(solution, label, best[label], fit.parameters[name].std_error, cut)
                # In one call: every point goes on from its neighbour's solution, and stays on its ridge.
                found[name] = values, profile_deviance(solution, label, values)
    return found


def _values(solution: Solution, name: str, best: float, std_error: float, cut: float) -> Array:
    """Where to evaluate, from one end of the curve to the other: evenly as drawn and on the scale of logs or logits."""
    constraint = next(p.constraint for p in solution.family.parameters if name in p.names)
    bounded = constraint is UNIT or constraint is SIMPLEX

    def there(x: Array) -> Array:
        back: Array = np.exp(-np.logaddexp(0.0, -x)).clip(1e-12, 1.0 - 1e-12) if bounded else np.exp(x.clip(-60, 60))
        return back

    best = float(np.clip(best, 1e-12, 1.0 - 1e-12 if bounded else 1e12))
    here = np.log(best / (1.0 - best)) if bounded else np.log(best)
    slope = best * (1.0 - best) if bounded else best
    if 0.0 < std_error < np.inf:
        asked = here + std_error / slope * np.concatenate([-_OUTWARDS[::-1], _OUTWARDS])
    else:
        # At a boundary no curvature says how wide to look: everywhere.
        asked = np.linspace(-14.0, 14.0, 25) if bounded else here + np.linspace(-30.0, 30.0, 32)
    deviance = np.nan_to_num(profile_deviance(solution, name, there(asked)), nan=np.inf)
    # Both sides from the estimate outwards.
    sides = [
        (np.append(here, asked[side][::turn]), np.append(0.0, deviance[side][::turn]))
        for side, turn in ((asked < here, -1), (asked > here, 1))
    ]
    ends = [_end(x, d, _BEYOND * cut) for x, d in sides]
    even = there(np.concatenate([np.linspace(ends[0], ends[1], _EACH), *(_crossing(x, d, cut) for x, d in sides)]))
    low, high = there(np.array(ends))
    drawn = np.geomspace if not bounded and high > _WIDE * low else np.linspace
    return np.unique(np.concatenate([even, drawn(low, high, 2 * _EACH), [best]]))


def _crossing(x: Array, deviance: Array, cut: float) -> Array:
    """Points around the place where a curve, going outwards, passes ``cut``: there the interval is read off."""
    passed = np.flatnonzero(deviance > cut)
    return np.linspace(x[passed[0] - 1], x[passed[0]], _NEAR + 2)[1:-1] if len(passed) else np.zeros(0)


def _end(x: Array, deviance: Array, highest: float) -> float:
    """The place, going outwards, where a curve passes ``highest``, or soon after it has ceased to rise."""
    passed = np.flatnonzero(deviance > highest)
    if len(passed):
        inside, outside = passed[0] - 1, passed[0]
        rise = np.sqrt(deviance[[inside, outside]])
        share = (highest**0.5 - rise[0]) / (rise[1] - rise[0]) if np.isfinite(rise[1]) else 0.5
        return float(x[inside] + share * (x[outside] - x[inside]))
    risen = np.flatnonzero(np.diff(deviance) > 0.02)
    return float(x[min(risen[-1] + 2 if len(risen) else 2, len(x) - 1)])
