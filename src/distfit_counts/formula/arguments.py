"""The options of a call: constants, each of a declared kind and range."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from distfit_counts.errors import DistfitError
from distfit_counts.formula.syntax import Call, Items, Node, Number, Text, Truth, Unary, quoted, text_of

# Knots that a spline may be given.
_MOST_NUMBERS = 100


@dataclass(frozen=True)
class Argument:
    """``value``: a constant -> what it means, ValueError where that is nothing; ``kind``: what it must be, in words."""

    value: Callable[[Any], Any]
    kind: str
    default: Any = None


def whole(least: int, most: int, default: int | None = None) -> Argument:
    def value(said: Any) -> int:
        if isinstance(said, bool) or not isinstance(said, int) or not least <= said <= most:
            raise ValueError
        return said

    return Argument(value, f"a whole number from {least} to {most}", default)


def number() -> Argument:
    return Argument(_number, "a number")


def truth(default: bool) -> Argument:
    def value(said: Any) -> bool:
        if not isinstance(said, bool):
            raise ValueError
        return said

    return Argument(value, "True or False", default)


def truth_or_number(default: bool) -> Argument:
    return Argument(lambda said: said if isinstance(said, bool) else _number(said), "True, False or a number", default)


def one_of(*words: str, default: str | None = None) -> Argument:
    def value(said: Any) -> str:
        if said not in words:
            raise ValueError
        return str(said)

    return Argument(value, " or ".join(map(repr, words)), default)


def numbers() -> Argument:
    def value(said: Any) -> tuple[float, ...]:
        if not isinstance(said, tuple) or len(said) > _MOST_NUMBERS:
            raise ValueError
        return tuple(map(_number, said))

    return Argument(value, f"a list of at most {_MOST_NUMBERS} numbers, as [1, 2]")


def level() -> Argument:
    """A level of a factor: a word or a number."""

    def value(said: Any) -> Any:
        if isinstance(said, tuple):
            raise ValueError
        return said

    return Argument(value, "a level")


def levels(most: int) -> Argument:
    def value(said: Any) -> tuple[Any, ...]:
        if not isinstance(said, tuple) or not said or len(said) > most or len(set(said)) < len(said):
            raise ValueError
        return said

    return Argument(value, "a list of different levels, as ['low', 'high']")


def _number(said: Any) -> float:
    if isinstance(said, bool) or not isinstance(said, int | float):
        raise ValueError
    found = float(said)
    if not math.isfinite(found):
        raise ValueError
    return found


def options(call: Call, allowed: Mapping[str, Argument], skipped: int = 1) -> dict[str, Any]:
    """The options of ``call``, defaults included; its first ``skipped`` arguments are none.

    Raises DistfitError for one that does not exist, or that is not of its kind.
    """
    given = dict(zip(allowed, call.arguments[skipped:], strict=False))
    called = text_of(call)
    if len(call.arguments) > skipped + len(allowed):
        raise DistfitError(f"the term {quoted(called)} has too many arguments", _known(call.function, allowed))
    for name, node in call.named:
        if name not in allowed:
            raise DistfitError(f"the term {quoted(called)} has no argument {name!r}", _known(call.function, allowed))
        if name in given:
            raise DistfitError(f"the term {quoted(called)} says {name} twice", "say it once")
        given[name] = node
    found = {name: argument.default for name, argument in allowed.items()}
    for name, node in given.items():
        try:
            found[name] = allowed[name].value(_constant(node))
        except (ValueError, OverflowError):
            raise DistfitError(
                f"the term {quoted(called)}: {name} is {quoted(text_of(node))}", f"{name} must be {allowed[name].kind}"
            ) from None
    return found


def _known(function: str, allowed: Mapping[str, Argument]) -> str:
    return f"{function} knows {', '.join(allowed)}" if allowed else f"{function} takes a column and nothing else"


def _constant(node: Node) -> Any:
    """The value of a node without columns, ValueError where there is none; a list is a tuple."""
    if isinstance(node, Number | Text | Truth):
        return node.value
    if isinstance(node, Unary) and node.sign in "+-" and isinstance(node.operand, Number):
        return -node.operand.value if node.sign == "-" else node.operand.value
    if isinstance(node, Items):
        return tuple(map(_constant, node.values))
    raise ValueError
