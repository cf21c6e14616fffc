"""Where each of many results is from, in as few words as tell them apart."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence

from distfit_counts.data.group_words import group_words, label_text
from distfit_counts.inference.fitted.numbers import Place
from distfit_counts.report.screen import Data


def placed(places: Sequence[Place]) -> tuple[list[str], list[list[str]]]:
    """Headings and cells of the columns that name each place: source and column where they differ, and groups."""
    short = short_sources(places)
    groups = list(dict.fromkeys(name for place in places for name in place.group))
    columns = len({place.column for place in places}) > 1
    headings = [*(["source"] if len(short) > 1 else []), *(["column"] if columns else []), *map(Data, groups)]
    cells = [
        [
            *([Data(short[place.source])] if len(short) > 1 else []),
            *([Data(place.column)] if columns else []),
            *(Data(label_text(place.group[name])) if name in place.group else "" for name in groups),
        ]
        for place in places
    ]
    return headings, cells


def of_what(places: Sequence[Place]) -> Data:
    """``of counts.csv, column y``: what all places have in common; nothing where that is nothing."""
    sources, columns = ({getattr(place, name) for place in places} for name in ("source", "column"))
    if len(sources) > 1:
        return Data()
    source, column = *sources, f", column {next(iter(columns))}" if len(columns) == 1 else ""
    return Data(f" of {'stdin' if source == '-' else source}{column}")


def label(place: Place, short: Mapping[str, str]) -> str:
    """The same in one phrase; ``short`` as from ``short_sources``."""
    return " ".join([*([short[place.source]] if len(short) > 1 else []), *(group_words(place.group) or [place.column])])


def short_sources(places: Sequence[Place]) -> dict[str, str]:
    """File names without their folders, where that does not confuse them."""
    sources = {place.source for place in places}
    names = {source: os.path.basename(source) or source for source in sources}
    return names if len(set(names.values())) == len(sources) else {source: source for source in sources}
