"""Which columns are meant: by name, by glob, or the only one that can be."""

from __future__ import annotations

import difflib
import re
from collections import Counter
from collections.abc import Sequence
from fnmatch import fnmatchcase

from distfit_counts.data.dialect import DELIMITER_HINT
from distfit_counts.data.source import Field, Reader
from distfit_counts.errors import DataError

_SHOWN = 20


def choose(reader: Reader, columns: Sequence[str], by: Sequence[str], weights: str | None) -> list[str]:
    """The columns to count, in the order of the file. Raises DataError if the choice is open or impossible."""
    others = [*by, *([weights] if weights is not None else [])]
    require(reader, *others)
    if not columns:
        return [_only_candidate(reader, others)]
    chosen: set[str] = set()
    for pattern in columns:
        chosen |= _matching(reader, pattern, others)
    found = [name for name in dict.fromkeys(reader.names) if name in chosen]
    require(reader, *found)
    return found


def require(reader: Reader, *names: str) -> None:
    """Raises DataError unless the file has exactly one column of each name."""
    times = Counter(reader.names)
    for name in names:
        if times[name] == 0:
            raise _no_column(reader, name)
        if times[name] == 1:
            continue
        places = ", ".join(str(i + 1) for i, other in enumerate(reader.names) if other == name)
        raise DataError(
            f'{reader.name}: {times[name]} columns are named "{name}" (columns {places})', "rename them in the header"
        )


def _matching(reader: Reader, pattern: str, others: list[str]) -> set[str]:
    if pattern in others:
        problem = f'column "{pattern}" is to be counted and also to group or weight by'
        raise DataError(f"{reader.name}: {problem}", "name it in one option only")
    if pattern in reader.names:
        return {pattern}
    found = {name for name in reader.names if fnmatchcase(name, pattern)} - set(others)
    if not found:
        raise _no_column(reader, pattern)
    return found


def _only_candidate(reader: Reader, others: list[str]) -> str:
    left = [name for name in reader.names if name not in others]
    if len(left) == 1:
        return left[0]
    if not left:
        raise DataError(f"{reader.name}: no column is left to count", f"columns: {_listed(reader.names)}")
    fields = [field for field in reader.fields() if field.name not in others]
    # A column without a name is the row number that pandas and R write.
    whole = [field for field in fields if field.whole and field.name]
    if len(whole) == 1:
        require(reader, whole[0].name)
        return whole[0].name
    if whole:
        names = _listed([field.name for field in whole])
        problem = f"{reader.name}: {len(whole)} columns hold whole numbers: {names}"
        raise DataError(problem, f"choose with --column NAME{_if_frequencies(whole)}")
    raise DataError(f"{reader.name}: no column holds whole numbers: {_with_types(fields)}", DELIMITER_HINT)


def _if_frequencies(fields: Sequence[Field]) -> str:
    """What to do if one of the columns says how often another one's values occur."""
    values, others = [field.name for field in fields if field.once], [field.name for field in fields if not field.once]
    if len(values) != 1:
        return ""
    weights, named = (others[0], others[0]) if len(others) == 1 else ("another column", "ITS_NAME")
    return f"; if {weights} says how often each value of {values[0]} occurs: --column {values[0]} --weights {named}"


def _no_column(reader: Reader, name: str) -> DataError:
    names = list(dict.fromkeys(reader.names))
    near = difflib.get_close_matches(name.lower(), [other.lower() for other in names], n=3, cutoff=0.5)
    names.sort(key=lambda other: near.index(other.lower()) if other.lower() in near else len(near))
    hint = f"columns: {_listed(names)}"
    if near:
        hint = f'did you mean "{names[0]}"? {hint}'
    elif f"/{name}=" in reader.name.replace("\\", "/"):
        # Hive's layout, year=2024/part.parquet.
        query = "SELECT * FROM read_parquet('FOLDER/**/*.parquet', hive_partitioning = true)"
        hint += f'; folder names are not read here, but DuckDB reads them: --connect duckdb:// --sql "{query}"'
    elif len(names) == 1 and re.search(r"\W", names[0]):
        hint += f"; {DELIMITER_HINT}"
    return DataError(f'{reader.name}: no column "{name}"', hint)


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(name or '""' for name in names[:_SHOWN]) + more


def _with_types(fields: Sequence[Field]) -> str:
    return _listed([f"{field.name} ({field.type})" for field in fields])
