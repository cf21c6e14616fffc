"""Terms as plain JSON values, and back: their text, the levels of categories, the states of poly() and its like."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from distfit_counts.errors import DistfitError
from distfit_counts.formula.arguments import options
from distfit_counts.formula.contrasts import MOST_LEVELS, Level
from distfit_counts.formula.functions import transforms_of
from distfit_counts.formula.matrix import Coding, by_levels
from distfit_counts.formula.state import State, finite
from distfit_counts.formula.syntax import Column, Node, text_of
from distfit_counts.formula.terms import factor_text, read_terms
from distfit_counts.formula.transforms import TRANSFORMS
from distfit_counts.records import Damaged, Label, Natural, decoded
from distfit_counts.regression.design import Terms


def terms_record(terms: Terms) -> dict[str, Any]:
    """Everything that new data need to be coded alike."""
    return {
        "text": terms.text,
        "names": list(terms.names),
        "by_term": {term: list(places) for term, places in terms.by_term.items()},
        "levels": [[factor_text(factor), list(levels)] for factor, levels in terms.spec.levels.items()],
        "states": _value(terms.spec.states),
    }


def terms_of(record: Mapping[str, Any]) -> Terms:
    """The terms of a record, every part of which must be what ``terms_record`` writes.

    Raises DistfitError where its text is no formula; ValueError, KeyError and the like where it is damaged.
    """
    text = record["text"]
    if not isinstance(text, str):
        raise ValueError("the terms are no text")
    terms = read_terms(text)
    factors = list(dict.fromkeys(factor for term in terms for factor in term.factors))
    try:
        coding = Coding(terms, _levels_of(record["levels"], factors), _states_of(record["states"], factors))
        names, by_term = list(coding.names), {term: list(places) for term, places in coding.by_term.items()}
    except DistfitError as error:
        raise ValueError(error.problem) from None
    if record["names"] != names or record["by_term"] != by_term:
        raise ValueError(f"the columns of {text[:80]!r} are not those of its levels and states")
    return Terms(text, coding)


def _levels_of(record: Any, factors: list[Node]) -> dict[Node, tuple[Level, ...]]:
    named = {factor_text(factor): factor for factor in factors if by_levels(factor) or isinstance(factor, Column)}
    found: dict[Node, tuple[Level, ...]] = {}
    for name, levels in record:
        if name not in named or named[name] in found:
            raise ValueError(f"levels of {str(name)[:80]!r}, which is no factor")
        kinds = {type(level) for level in levels}
        same = kinds in ({str}, {bool}) or (kinds <= {int, float} and finite(levels))
        if not isinstance(levels, list) or not 0 < len(levels) <= MOST_LEVELS or not same:
            raise ValueError(f"the levels of {name[:80]!r} are no levels")
        if len(set(levels)) < len(levels):
            raise ValueError(f"a level of {name[:80]!r} occurs twice")
        found[named[name]] = tuple(levels)
    if any(by_levels(factor) and factor not in found for factor in factors):
        raise ValueError("a factor has no levels")
    return found


def _states_of(record: Any, factors: list[Node]) -> dict[str, State]:
    try:
        states = _plain(record)
    except OverflowError:
        raise ValueError("a state is beyond all floats") from None
    calls = {text_of(call): call for factor in factors for call in transforms_of(factor)}
    if not isinstance(states, dict) or set(states) != set(calls):
        raise ValueError("the states are not those of the terms")
    for name, call in calls.items():
        transform = TRANSFORMS[call.function]
        if not isinstance(states[name], dict) or not transform.known(states[name], options(call, transform.arguments)):
            raise ValueError(f"the state of {name[:80]} is none")
    return states


def _value(value: Any) -> Any:
    """JSON has no integer keys and no arrays: both are marked."""
    if isinstance(value, dict):
        return {"pairs": [[key, _value(own)] for key, own in value.items()]}
    return {"array": value.tolist()} if isinstance(value, np.ndarray) else value


def _plain(value: Any) -> Any:
    if isinstance(value, dict) and "pairs" in value:
        return {key: _plain(own) for key, own in value["pairs"]}
    if isinstance(value, dict):
        return np.array(value["array"], dtype=np.float64)
    return value


@dataclass(frozen=True)
class _Terms:
    """As ``terms_record`` writes it."""

    text: str
    names: tuple[str, ...]
    by_term: Mapping[str, tuple[Natural, ...]]
    levels: tuple[tuple[str, tuple[Label, ...]], ...]
    states: Any


def saved_terms(record: Any) -> Terms:
    """The terms of a record in a file. Raises Damaged where that is none, DistfitError where its text is no formula."""
    decoded(_Terms, record)
    try:
        return terms_of(record)
    except (LookupError, TypeError, AttributeError, ArithmeticError) as error:
        raise Damaged(f"no terms that were saved ({type(error).__name__})") from error
    except ValueError as error:
        raise Damaged(f"no terms that were saved: {error}") from error
