"""Where each of many results is from, in as few words as tell them apart."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence

from distfit_counts.data.group_words import group_words, label_text
from distfit_counts.inference.fitted.numbers import Place


def placed(places: Sequence[Place]) -> tuple[list[str], list[list[str]]]:
    """Headings and cells of the columns that name each place: source and column where they differ, and groups."""
    short = short_sources(places)
    groups = list(dict.fromkeys(name for place in places for name in place.group))
    columns = len({place.column for place in places}) > 1
    headings = [*(["source"] if len(short) > 1 else []), *(["column"] if columns else []), *groups]
    known = [
        {"source": short[place.source], "column": place.column} | {k: label_text(v) for k, v in place.group.items()}
        for place in places
    ]
    return headings, [[own[name] for name in headings] for own in known]


def of_what(places: Sequence[Place]) -> str:
    """``of counts.csv, column y``: what all places have in common; nothing where that is nothing."""
    sources, columns = ({getattr(place, name) for place in places} for name in ("source", "column"))
    if len(sources) > 1:
        return ""
    source, column = *sources, f", column {next(iter(columns))}" if len(columns) == 1 else ""
    return f" of {'stdin' if source == '-' else source}{column}"


def label(place: Place, short: Mapping[str, str]) -> str:
    """The same in one phrase; ``short`` as from ``short_sources``."""
    return " ".join([*([short[place.source]] if len(short) > 1 else []), *(group_words(place.group) or [place.column])])


def short_sources(places: Sequence[Place]) -> dict[str, str]:
    """File names without their folders, where that does not confuse them."""
    sources = {place.source for place in places}
    names = {source: os.path.basename(source) or source for source in sources}
    return names if len(set(names.values())) == len(sources) else {source: source for source in sources}
