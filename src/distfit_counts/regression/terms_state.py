"""Terms as plain JSON values, and back: their text, the levels of categories, the states of poly() and its like."""

from __future__ import annotations

from typing import Any

import numpy as np

from distfit_counts.regression.design import Terms
from distfit_counts.regression.formula import check_terms, read


def terms_record(terms: Terms) -> dict[str, Any]:
    """Everything that new data need to be coded alike."""
    spec = terms.spec
    return {
        "text": terms.text,
        "names": list(terms.names),
        "by_term": {term: list(places) for term, places in terms.by_term.items()},
        "levels": [
            [str(factor), [_value(level) for level in state["categories"]]]
            for factor, (_, state) in spec.encoder_state.items()
            if "categories" in state
        ],
        "numbers": [str(factor) for factor, (_, state) in spec.encoder_state.items() if "categories" not in state],
        "states": _value(spec.transform_state),
    }


def terms_of(record: dict[str, Any]) -> Terms:
    """The terms of a record. Raises DistfitError where its text is no formula; KeyError and the like where it is
    damaged.
    """
    from formulaic import ModelSpec
    from formulaic.parser.types import Factor

    text = str(record["text"])
    # A formula is evaluated: one from a file may hold nothing but terms.
    check_terms(text)
    encoder: dict[str, Any] = {
        factor: (Factor.Kind.CATEGORICAL, {"categories": own}) for factor, own in record["levels"]
    }
    encoder |= {factor: (Factor.Kind.NUMERICAL, {}) for factor in record["numbers"]}
    states = dict(_plain(record["states"]))
    spec = ModelSpec(formula=read(text), transform_state=states, encoder_state=encoder)
    by_term = {term: tuple(places) for term, places in record["by_term"].items()}
    return Terms(text, tuple(record["names"]), by_term, spec)


def _value(value: Any) -> Any:
    """JSON has no integer keys and no arrays: both are marked."""
    if isinstance(value, dict):
        return {"pairs": [[_value(key), _value(own)] for key, own in value.items()]}
    if isinstance(value, np.ndarray):
        return {"array": value.tolist()}
    if isinstance(value, list | tuple):
        return [_value(own) for own in value]
    return value.item() if isinstance(value, np.generic) else value


def _plain(value: Any) -> Any:
    if isinstance(value, dict) and "pairs" in value:
        return {key: _plain(own) for key, own in value["pairs"]}
    if isinstance(value, dict):
        return np.array(value["array"])
    if isinstance(value, list):
        return [_plain(own) for own in value]
    return value
