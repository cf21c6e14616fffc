"""Plain values of JSON -> what frozen dataclasses declare: the one check of what a saved file holds.

The fields' own types are the schema. A field that is added to a dataclass is read, and refused where it is damaged,
without a line here.
"""

from __future__ import annotations

import hashlib
import json
import math
import types
from collections.abc import Callable, Mapping, Sequence
from dataclasses import MISSING, dataclass, fields, is_dataclass
from functools import cache
from typing import Annotated, Any, TypeVar, Union, get_args, get_origin, get_type_hints

from distfit_counts.errors import DistfitError

T = TypeVar("T")
Read = Callable[[Any], Any]

# What holds integers elsewhere has 64 bits.
_LARGEST = 2**63 - 1
# Of what is read as it is, such as the states of poly(): nothing that is written is nested so deep.
_DEEPEST = 40
# Of a value that cannot be, so much is quoted.
_QUOTED = 40


@dataclass(frozen=True)
class Range:
    """Where a number lies, both ends included; ``null``: whether it may be undefined (null, read as NaN)."""

    low: float
    high: float
    null: bool = True


@dataclass(frozen=True)
class OneOf:
    """The words that a text may be."""

    words: tuple[str, ...]


# A label, as it stands in a file.
Label = bool | int | float | str | None
Finite = Annotated[float, Range(-math.inf, math.inf, null=False)]
# To the last digits: a sum of probabilities.
Share = Annotated[float, Range(0.0, 1.0 + 1e-9)]
NotNegative = Annotated[float, Range(0.0, math.inf)]
Natural = Annotated[int, Range(0, _LARGEST)]


class Damaged(ValueError):
    """``place``: where in the file, outermost first; ``problem``: what is there."""

    def __init__(self, problem: str, place: str = "") -> None:
        super().__init__(f"{place.lstrip('.')}: {problem}" if place else problem)
        self.problem, self.place = problem, place

    def under(self, place: str) -> Damaged:
        return Damaged(self.problem, place + self.place)


def decoded(kind: Any, value: Any) -> Any:
    """``value`` as ``kind``: float (null is NaN), int, str, bool, tuple, list, Mapping of text, a dataclass, one of
    these or None, with the ranges that Annotated adds. Raises Damaged for anything else.
    """
    return reader(kind)(value)


def decoded_at(kind: Any, record: Any, name: str) -> Any:
    """The same of the part of ``record`` that is called ``name``."""
    return within(reader(kind), record, name)


def some_fields(kind: Any, record: Any, apart: Sequence[str], names: Mapping[str, str] | None = None) -> dict[str, Any]:
    """The fields of a dataclass but those ``apart``, which are written in another way; ``names``: where one is called
    otherwise in ``record``. One that has a default may be missing.
    """
    called = names or {}
    found = {}
    for own in fields(kind):
        place = called.get(own.name, own.name)
        if own.name not in apart and not (own.default is not MISSING and place not in record):
            found[own.name] = decoded_at(hints_of(kind)[own.name], record, place)
    return found


def part(record: Any, name: str) -> Any:
    """What an object holds under ``name``. Raises Damaged."""
    if type(record) is not dict:
        raise _wrong("an object", record)
    if name not in record:
        raise Damaged("is missing", f".{name}")
    return record[name]


def within(read: Callable[[Any], T], record: Any, name: str) -> T:
    """What ``read`` makes of the part called ``name``; where that is damaged, the message says so."""
    return within_place(read, part(record, name), f".{name}")


def within_place(read: Callable[[Any], T], value: Any, place: str) -> T:
    """What ``read`` makes of ``value``, which lies at ``place`` of the whole."""
    try:
        return read(value)
    except Damaged as error:
        raise error.under(place) from error


def require_same(value: Any, written: Any, place: str = "") -> None:
    """Raises Damaged where ``value``, which a file holds, is not what is ``written`` for what was read from it: a name
    that nothing reads, a derived number that does not follow. Sums may differ in their last digits between machines.
    """
    if type(value) is type(written) and value == written:
        return
    if isinstance(value, dict) and isinstance(written, dict):
        for name in [*value, *written]:
            if name not in value or name not in written:
                raise Damaged("is missing" if name in written else "is not known", f"{place}.{name}")
            require_same(value[name], written[name], f"{place}.{name}")
    elif isinstance(value, list) and isinstance(written, list | tuple):
        if len(value) != len(written):
            raise Damaged(f"has {len(value)} entries in place of {len(written)}", place)
        for i, pair in enumerate(zip(value, written, strict=True)):
            require_same(*pair, f"{place}[{i}]")
    elif not _alike(value, written):
        raise Damaged(f"{_shown(value)} does not follow from the rest, which gives {_shown(written)}", place)


def _alike(value: Any, written: Any) -> bool:
    numbers = [isinstance(x, int | float) and not isinstance(x, bool) for x in (value, written)]
    if all(numbers):
        try:
            return math.isclose(value, written, rel_tol=1e-9)
        except OverflowError:  # an integer that no float can hold
            return False
    return type(value) is type(written) and bool(value == written)


def digest_of(record: Mapping[str, Any]) -> str:
    """SHA-256 of the content: the order of names, blanks and line ends do not matter."""
    text = json.dumps(record, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"


@cache
def hints_of(kind: type) -> dict[str, Any]:
    """The types of a dataclass's fields, with their ranges."""
    return get_type_hints(kind, include_extras=True)


@cache
def reader(kind: Any) -> Read:
    """The function that reads ``kind``."""
    origin, given = get_origin(kind), get_args(kind)
    if origin is Annotated:
        (rule,) = (own for own in given[1:] if isinstance(own, Range | OneOf))
        return _ranged(reader(given[0]), rule) if isinstance(rule, Range) else _worded(reader(given[0]), rule)
    if origin in (Union, types.UnionType):
        return _either([reader(one) for one in given if one is not type(None)], type(None) in given)
    if origin is tuple and given[1:] != (...,):
        return _each(given)
    if origin in (tuple, list):
        return _several(reader(given[0]), origin)
    if origin is not None and issubclass(origin, Mapping):
        return _mapping(reader(given[1]))
    if is_dataclass(kind):
        return _fields(kind)
    return {float: _float, int: _int, str: _str, bool: _bool, Any: _plain}[kind]


def _wrong(expected: str, value: Any) -> Damaged:
    return Damaged(f"{_shown(value)} where {expected} is written")


def _shown(value: Any) -> str:
    if isinstance(value, dict | list):
        return "an object" if isinstance(value, dict) else "a list"
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) > _LARGEST:
        return "a number beyond 64 bits"
    text = "null" if value is None else ascii(value)
    return text if len(text) <= _QUOTED else text[:_QUOTED] + "..."


def _float(value: Any) -> float:
    if value is None:
        return math.nan
    if type(value) is int and abs(value) <= _LARGEST:
        return float(value)
    if type(value) is not float or not math.isfinite(value):
        raise _wrong("a number", value)
    return value


def _int(value: Any) -> int:
    if type(value) is not int or abs(value) > _LARGEST:
        raise _wrong("a whole number", value)
    return value


def _str(value: Any) -> str:
    if type(value) is not str:
        raise _wrong("text", value)
    if not value.isascii():
        try:
            # As Python reads the name of a file that is no UTF-8; no other half.
            value.encode(errors="surrogateescape")
        except UnicodeEncodeError:
            raise _wrong("text without half characters", value) from None
    return value


def _bool(value: Any) -> bool:
    if type(value) is not bool:
        raise _wrong("true or false", value)
    return value


def _plain(value: Any, depth: int = 0) -> Any:
    """Any JSON, with numbers that are some."""
    if depth > _DEEPEST:
        raise Damaged("is nested too deep")
    if isinstance(value, list):
        return [within_place(lambda own: _plain(own, depth + 1), own, f"[{i}]") for i, own in enumerate(value)]
    if isinstance(value, dict):
        return {
            _str(name): within_place(lambda own: _plain(own, depth + 1), own, f".{name}") for name, own in value.items()
        }
    if value is None or type(value) is bool:
        return value
    return _str(value) if type(value) is str else _int(value) if type(value) is int else _float(value)


def _ranged(read: Read, range: Range) -> Read:
    def checked(value: Any) -> Any:
        found = read(value)
        if found != found:
            if not range.null:
                raise _wrong("a number", value)
        elif not range.low <= found <= range.high:
            raise Damaged(f"{_shown(value)} does not lie between {range.low:g} and {range.high:g}")
        return found

    return checked


def _worded(read: Read, rule: OneOf) -> Read:
    def checked(value: Any) -> Any:
        if read(value) not in rule.words:
            raise _wrong(" or ".join(rule.words), value)
        return value

    return checked


def _either(reads: list[Read], none: bool) -> Read:
    def read(value: Any) -> Any:
        if value is None and none:
            return None
        for own in reads[:-1]:
            try:
                return own(value)
            except Damaged:
                continue
        return reads[-1](value)

    return read


def _several(read: Read, made: Callable[[list[Any]], Any]) -> Read:
    def listed(value: Any) -> Any:
        if type(value) not in (list, tuple):
            raise _wrong("a list", value)
        return made([within_place(read, own, f"[{i}]") for i, own in enumerate(value)])

    return listed


def _each(kinds: tuple[Any, ...]) -> Read:
    reads = [reader(kind) for kind in kinds]

    def listed(value: Any) -> tuple[Any, ...]:
        if type(value) not in (list, tuple) or len(value) != len(reads):
            raise _wrong(f"a list of {len(reads)}", value)
        return tuple(within_place(read, own, f"[{i}]") for i, (read, own) in enumerate(zip(reads, value, strict=True)))

    return listed


def _mapping(read: Read) -> Read:
    def mapped(value: Any) -> dict[str, Any]:
        if type(value) is not dict:
            raise _wrong("an object", value)
        return {_str(name): within_place(read, own, f".{name}") for name, own in value.items()}

    return mapped


def _fields(kind: Any) -> Read:
    reads = {name: reader(hint) for name, hint in hints_of(kind).items()}
    needed = {own.name for own in fields(kind) if own.default is MISSING and own.default_factory is MISSING}

    def built(value: Any) -> Any:
        if type(value) is not dict:
            raise _wrong("an object", value)
        for name in sorted(needed - value.keys()):
            raise Damaged("is missing", f".{name}")
        for name in sorted(value.keys() - reads.keys()):
            raise Damaged("is not known", f".{_str(name)}")
        found = {name: within_place(reads[name], own, f".{name}") for name, own in value.items()}
        try:
            return kind(**found)
        except Damaged:
            raise
        except (ValueError, DistfitError) as error:  # what the dataclass itself refuses
            raise Damaged(str(error).partition("\n")[0]) from None

    return built
