"""Sentences about a training that went wrong, or did not pay."""

from __future__ import annotations

from collections.abc import Iterator

from distfit_counts.families.constraint import SIMPLEX, UNIT
from distfit_counts.families.family import Role
from distfit_counts.regression.natural import Bernoulli, NaturalPoisson
from distfit_counts.regression.network.checkup import Checkup, Spread
from distfit_counts.regression.network.history import History
from distfit_counts.regression.row_model import CountModel, RowModel
from distfit_counts.result import Verdict

# Share of the largest gradient that the gradient of a layer must reach at least once.
_VANISHED = 1e-7
# Standard errors by which the log score must exceed that of the fit without covariates.
_GAIN_ERRORS = 2.0
# Log score a row from which a gain is worth having (of a normal response R^2 = 0.1): where it may be as large within
# its error, rows are too few to say that there is none.
_WORTH = 0.05
# Rows below which no score is judged: its standard error is itself a guess.
_FEWEST = 30
# Relative spread of the middle 98 % of a predicted parameter below which it is the same for all rows.
_CONSTANT = 1e-3
# Where probabilities, and sizes and means towards 0, count as being at an end; sizes at infinity beyond its inverse.
_END = 1e-6
# Share of what training gained by which the held-out NLL must have climbed again, for so many epochs.
_CLIMB, _CLIMBING_EPOCHS = 0.05, 3
# Standard errors by which it must have climbed: more than of the gain, as the best of many epochs looks too good.
_CLIMB_ERRORS = 3.0


def verdicts(found: Checkup, history: History, model: RowModel) -> tuple[Verdict, ...]:
    """What to act upon, the gravest first; of the scores at most one sentence, and none where rows are too few."""
    judged = [] if found.n < _FEWEST else list(_climbs(found, history)) or list(_plateau(found))
    # Where nothing was learnt, all parameters are constant.
    pinned = [] if judged and judged[0].code == "network.plateau" else list(_pinned(found, model))
    return tuple([*judged, *_vanished(history), *pinned])


def _plateau(found: Checkup) -> Iterator[Verdict]:
    # Not "above": a gain without error is one of nothing at all.
    if found.gain > _GAIN_ERRORS * found.gain_error or found.gain + _GAIN_ERRORS * found.gain_error > _WORTH:
        return
    yield Verdict(
        "network.plateau",
        f"On {found.n:,} {'held-out ' * found.held_out}rows the network is no better than a fit without covariates "
        f"({_score(found)}). Either the covariates say nothing, or it was trained too briefly or at a learning rate "
        "that is too low.",
    )


def _score(found: Checkup) -> str:
    return f"log score {found.gain:+.2g} ± {found.gain_error:.2g}"


def _vanished(history: History) -> Iterator[Verdict]:
    largest = max(history.gradient_norm_max)
    dead = [str(i) for i, norm in enumerate(history.gradient_norm_max, 1) if norm <= _VANISHED * largest]
    if dead:
        yield Verdict(
            "network.gradient_vanished",
            f"No gradient reaches layer {', '.join(dead)} of {len(history.gradient_norm_max)}: its units are never "
            "active, and it learnt nothing. Try another seed, a lower learning rate or wider layers.",
        )


def _pinned(found: Checkup, model: RowModel) -> Iterator[Verdict]:
    for name, spread in found.parameters.items():
        end = _end(name, spread, model)
        if end:
            message = f"{name} is at {end} for nearly all rows (98 % lie in {spread.low:.3g} … {spread.high:.3g})"
            remedy = ": size at infinity is the Poisson there." if end == "infinity" else ": a simpler family would do."
            yield Verdict("network.parameter_pinned", message + remedy)
        elif spread.high - spread.low <= _CONSTANT * abs(spread.median):
            yield Verdict(
                "network.parameter_pinned",
                f"{name} is {spread.median:.4g} for nearly all rows: the covariates do not move it.",
            )


def _end(name: str, spread: Spread, model: RowModel) -> str:
    """The end of its range that a parameter is at, "" for none; a mean of a normal response has no range."""
    if isinstance(model, Bernoulli) or (isinstance(model, CountModel) and _is_share(name, model)):
        return "0" if spread.high < _END else "1" if spread.low > 1.0 - _END else ""
    if isinstance(model, CountModel | NaturalPoisson) and spread.low > 0.0:
        dispersed = model.roles[name] is Role.DISPERSION
        return "0" if spread.high < _END else "infinity" if dispersed and spread.low > 1.0 / _END else ""
    return ""


def _is_share(name: str, model: CountModel) -> bool:
    return any(name in own.names for own in model.family.parameters if own.constraint in (UNIT, SIMPLEX))


def _climbs(found: Checkup, history: History) -> Iterator[Verdict]:
    path = history.held_out
    if len(path) <= _CLIMBING_EPOCHS or not found.climb > _CLIMB_ERRORS * found.climb_error:
        return
    best = min(path)
    if min(path[-_CLIMBING_EPOCHS:]) > best + _CLIMB * (path[0] - best):
        gained = found.gain > _GAIN_ERRORS * found.gain_error
        told = (
            "" if gained else f" Even there it is not clearly better than a fit without covariates ({_score(found)})."
        )
        yield Verdict(
            "network.held_out_climbs",
            f"After epoch {path.index(best)} the held-out loss climbed from {best:.4f} to {path[-1]:.4f} "
            f"({found.climb:+.2g} ± {found.climb_error:.2g}): the network learnt its rows by heart. The weights of "
            f"that epoch are kept; fewer units or more rows would help.{told}",
        )
