"""The text of a formula -> which terms each parameter of the family has.

``y ~ x1 + x2 | z``: the response, the predictor of the mean, and behind the bar that of the zero part (without a bar it
has the same terms, as in R's pscl). ``--formula size='~ x'`` gives any parameter its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from distfit_counts.errors import DistfitError
from distfit_counts.families.family import Role
from distfit_counts.formula.syntax import Token, column_name, column_text, quoted, tokens
from distfit_counts.formula.terms import variables
from distfit_counts.regression.row_model import heads_called

# Characters of a formula, names of a great many columns included.
_LONGEST = 1_000_000
# What goes on with a column, which is then no term of its own.
_GOES_ON = (":", "*", "/", "^", "**", "%in%", "(")


@dataclass(frozen=True)
class Formula:
    """``response``: a column. ``terms``: the right-hand side of every predictor, by head."""

    text: str
    response: str
    terms: Mapping[str, str]


def parse(text: str, roles: Mapping[str, Role], spec: str, own: Mapping[str, str] | None = None) -> Formula:
    """The formula for a family whose heads have these ``roles``; ``own``: ``~ terms`` by parameter.

    Raises DistfitError for what cannot be read, and FamilyError for a part that the family does not have.
    """
    sides = _sides(text)
    parts = [part.strip() for part in _split(sides[1], "|")]
    has_zeros = Role.ZEROS in roles.values()
    if len(parts) > 2 or not all(parts):
        raise DistfitError(
            f"{quoted(text)} has {len(parts)} parts", "one for the mean, and behind a | one for the zeros"
        )
    if len(parts) == 2 and not has_zeros:
        raise DistfitError(f"{spec} has no zero part, but the formula has a |", "try zip, zinb or hurdle(nb)")
    terms = {head: _default(role, parts) for head, role in roles.items()}
    given = {head: _right(of, name) for name, of in (own or {}).items() for head in heads_called(name, roles, spec)}
    _refuse_unused(parts, roles, given)
    terms |= given
    if not roles:
        raise DistfitError(f"{spec} has no parameter that could depend on covariates", "choose another family")
    response = _name(sides[0].strip(), text)
    for side in dict.fromkeys(terms.values()):
        if response in variables(side):
            problem = f'the response "{response}" is also a covariate, in the terms {side!r}'
            raise DistfitError(problem, "it would explain itself: take it out of the terms")
    return Formula(text.strip(), response, terms)


def with_own(text: str, terms: Mapping[str, tuple[Role, str]]) -> str:
    """The formula for people: behind it those of ``terms``, by head, with its role, that it does not say itself."""
    parts = [part.strip() for part in _split(_sides(text)[1], "|")]
    return ", ".join(
        [text, *(f"{head} ~ {own}" for head, (role, own) in terms.items() if own != _default(role, parts))]
    )


def with_more(text: str, terms: Iterable[str]) -> str:
    """The formula for people: behind it those of ``terms`` that it does not have itself."""
    parts = [part.strip() for part in _split(_sides(text)[1], "|")]
    return ", ".join([text, *(f"~ {own}" for own in terms if own not in (*parts, "1"))])


def without_dot(text: str, columns: Sequence[str], used: Sequence[str | None]) -> str:
    """``y ~ .`` with all ``columns`` in place of the dot, the response and those that are ``used`` elsewhere left out.

    Raises DistfitError where none is left.
    """
    if not has_dot(text):
        return text
    taken = {response_of(text), *used}
    names = [name for name in columns if name not in taken]
    if not names:
        raise DistfitError(f"{quoted(text)}: there is no other column", f"the columns are: {', '.join(columns)}")
    if "" in names:
        raise DistfitError(
            f"{quoted(text)}: a column of the data has no name", "name it, or name the columns that are meant"
        )
    left, right = _sides(text)
    return f"{left}~{'|'.join(_dot_written_out(part, names) for part in _split(right, '|'))}"


def _dot_written_out(part: str, names: Sequence[str]) -> str:
    """``. - a - b`` at the front without a and b at all; what is taken off elsewhere may be no part of the dot."""
    words = tokens(part)
    if _is_sign(words[0], "."):
        less, place = set(), 1
        while _is_sign(words[place], "-") and words[place + 1].kind in ("name", "column"):
            if _is_sign(words[place + 2], *_GOES_ON):
                break
            less.add(column_name(words[place + 1]))
            place += 2
        if left := [name for name in names if name not in less]:
            part, names = part[: words[0].stop] + part[words[place - 1].stop :], left
    written = "(" + " + ".join(map(column_text, names)) + ")"
    for word in reversed(_dots(part)):
        part = part[: word.start] + written + part[word.stop :]
    return part


def has_dot(text: str) -> bool:
    """Whether a dot stands for all other columns, as in ``y ~ .`` and ``y ~ . - x``."""
    return bool(_dots(_sides(text)[1]))


def _dots(part: str) -> list[Token]:
    """The dots that are terms of their own."""
    words = tokens(part)
    before: list[Token | None] = [None, *words]
    return [
        word
        for last, word, following in zip(before, words, words[1:], strict=False)
        if _is_sign(word, ".")
        and (last is None or _is_sign(last, "~", "+", "-", "*", "/", ":", "|", "(", "%in%"))
        and (following.kind == "end" or _is_sign(following, "+", "-", "*", "/", ":", "|", ")", "^", "**", "%in%"))
    ]


def response_of(text: str) -> str:
    """The column of the response. Raises DistfitError where there is none."""
    return _name(_sides(text)[0].strip(), text)


def _sides(text: str) -> list[str]:
    if len(text) > _LONGEST:
        raise DistfitError(f"a formula of {len(text):,} characters", f"at most {_LONGEST:,} are read")
    sides = _split(text, "~")
    if len(sides) != 2 or not sides[0].strip() or not sides[1].strip():
        raise DistfitError(f"{quoted(text)} is no formula", "write it as 'response ~ x1 + x2'")
    return sides


def _refuse_unused(parts: Sequence[str], roles: Mapping[str, Role], given: Mapping[str, str]) -> None:
    """Refuse terms of the formula of which nothing is left: all parameters that would have them have their own."""
    for part in parts:
        users = [head for head, role in roles.items() if _default(role, parts) is part]
        if part != "1" and users and all(head in given for head in users):
            problem = (
                f"the terms {part!r} of the formula and --formula {users[0]}='~ {given[users[0]]}' are for the same"
            )
            raise DistfitError(problem, "write all terms in one of them (1 in the other)")


def _default(role: Role, parts: Sequence[str]) -> str:
    if role is Role.ZEROS:
        return parts[-1]
    # Dispersions and weights do not depend on anything unless they are asked to.
    return parts[0] if role is Role.LOCATION else "1"


def _right(given: str, name: str) -> str:
    sides = _split(given, "~")
    if len(sides) != 2 or sides[0].strip() or not sides[1].strip():
        raise DistfitError(f"the formula of {name}, {given!r}, is none", f"write it as {name}='~ x'")
    return sides[1].strip()


def _name(text: str, formula: str) -> str:
    """The response: the name of a column, in backquotes where it is no plain word."""
    words = tokens(text)
    if len(words) != 2 or words[0].kind not in ("name", "column"):
        raise DistfitError(
            f"the response of {quoted(formula)} is not the name of a column",
            "put backquotes around a name with spaces or signs; transform the response in the data",
        )
    return column_name(words[0])


def _split(text: str, separator: str) -> list[str]:
    """``text`` at every ``separator`` that is in no brackets and no quotes."""
    parts, depth, start = [], 0, 0
    for word in tokens(text):
        depth += _is_sign(word, "(", "[") - _is_sign(word, ")", "]")
        if depth == 0 and _is_sign(word, separator):
            parts.append(text[start : word.start])
            start = word.stop
    return [*parts, text[start:]]


def _is_sign(word: Token, *signs: str) -> bool:
    return word.kind == "sign" and word.text in signs
