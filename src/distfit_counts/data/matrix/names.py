"""Names of variables: made unique, and chosen by name or glob."""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Sequence
from fnmatch import fnmatchcase

from distfit_counts.errors import DataError

_SHOWN = 5


def unique(names: Sequence[str]) -> list[str]:
    """Names that occur again get "-1", "-2", ..., as AnnData's ``var_names_make_unique`` gives them."""
    taken = set(names)
    if len(taken) == len(names):
        return list(names)
    seen: set[str] = set()
    times: Counter[str] = Counter()
    found = []
    for name in names:
        new = name
        if name in seen:
            while new in taken:
                times[name] += 1
                new = f"{name}-{times[name]}"
            taken.add(new)
        seen.add(name)
        found.append(new)
    return found


def chosen(source: str, names: Sequence[str], patterns: Sequence[str]) -> list[int]:
    """The places of the ``names`` that a pattern names or matches, in their order; without patterns all of them."""
    if not patterns:
        return list(range(len(names)))
    place = {name: i for i, name in enumerate(names)}
    found: set[int] = set()
    for pattern in patterns:
        if pattern in place:
            found.add(place[pattern])
            continue
        matching = [i for i, name in enumerate(names) if fnmatchcase(name, pattern)]
        if not matching:
            raise no_such(source, "variable", pattern, names)
        found.update(matching)
    return sorted(found)


def no_such(source: str, what: str, name: str, names: Sequence[str]) -> DataError:
    """The error for a name that is not among ``names``."""
    if not names:
        return DataError(f'{source}: no {what} "{name}"', f"there is no {what} at all")
    near = difflib.get_close_matches(name, names, n=3, cutoff=0.6)
    shown = list(dict.fromkeys([*near, *names[:_SHOWN]]))[:_SHOWN]
    more = f" and {len(names) - len(shown)} more" if len(names) > len(shown) else ""
    guess = f'did you mean "{near[0]}"? ' if near else ""
    return DataError(f'{source}: no {what} "{name}"', f"{guess}{what}s: {', '.join(shown)}{more}")
