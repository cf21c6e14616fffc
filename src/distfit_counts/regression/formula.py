"""The text of a formula -> which terms each parameter of the family has.

``y ~ x1 + x2 | z``: the response, the predictor of the mean, and behind the bar that of the zero part (without a bar it
has the same terms, as in R's pscl). ``--formula size='~ x'`` gives any parameter its own. The terms are those of
Wilkinson and Rogers (1973) as formulaic reads them.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from distfit_counts.errors import DistfitError
from distfit_counts.regression.expressions import check_expression, is_coding
from distfit_counts.regression.row_model import ZEROS, bare, heads_called

# Words of R that formulas do not have here, and what to write instead.
_OF_R = {
    r"\b(?:as\.)?factor\(": "write C(x) for levels",
    r"\bordered\(": "write C(x, contr.poly) for ordered levels",
    r"\bns\(": "write cr(x, df=4) for a natural spline",
    r"\bs\(": "write cr(x, df=4) or bs(x, df=4) for a spline",
}
# A dot that is a term, not part of a name, a number or a function.
_DOT = re.compile(r"(?<![^\s~+*:(|-])\.(?![^\s+*:)|-])")
# A dot less columns, none of which goes on as a product or a call.
_LESS = re.compile(r"^(\s*\.)((?:\s*-\s*(?:`[^`]+`|[^\W\d]\w*+)(?!\s*[.:*/^(]))+)")
_OPENING, _CLOSING, _QUOTES = "([{", ")]}", "'\"`"


@dataclass(frozen=True)
class Formula:
    """``response``: a column. ``terms``: the right-hand side of every predictor, by head."""

    text: str
    response: str
    terms: Mapping[str, str]


def parse(text: str, heads: Sequence[str], spec: str, own: Mapping[str, str] | None = None) -> Formula:
    """The formula for a family with these ``heads``; ``own``: ``~ terms`` by parameter.

    Raises DistfitError for what cannot be read, and FamilyError for a part that the family does not have.
    """
    sides = _sides(text)
    parts = [part.strip() for part in _split(sides[1], "|")]
    has_zeros = any(bare(head) in ZEROS for head in heads)
    if len(parts) > 2 or not all(parts):
        raise DistfitError(f"{text!r} has {len(parts)} parts", "one for the mean, and behind a | one for the zeros")
    if len(parts) == 2 and not has_zeros:
        raise DistfitError(f"{spec} has no zero part, but the formula has a |", "try zip, zinb or hurdle(nb)")
    terms = {head: _default(head, parts) for head in heads}
    given = {head: _right(of, name) for name, of in (own or {}).items() for head in heads_called(name, heads, spec)}
    _refuse_unused(parts, heads, given)
    terms |= given
    if not heads:
        raise DistfitError(f"{spec} has no parameter that could depend on covariates", "choose another family")
    response = _name(sides[0].strip(), text)
    for side in dict.fromkeys(terms.values()):
        check_terms(side)
        if response in variables(side):
            problem = f'the response "{response}" is also a covariate, in the terms {side!r}'
            raise DistfitError(problem, "it would explain itself: take it out of the terms")
    return Formula(text.strip(), response, terms)


def with_own(text: str, terms: Mapping[str, str]) -> str:
    """The formula for people: behind it those of ``terms``, by head, that it does not say itself."""
    parts = [part.strip() for part in _split(_sides(text)[1], "|")]
    return ", ".join([text, *(f"{head} ~ {own}" for head, own in terms.items() if own != _default(head, parts))])


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
    names = [name if re.fullmatch(r"[^\W\d]\w*", name) else f"`{name}`" for name in columns if name not in taken]
    if not names:
        raise DistfitError(f"{text!r}: there is no other column", f"the columns are: {', '.join(columns)}")
    left, right = _sides(text)
    return f"{left}~{'|'.join(_dot_written_out(part, names) for part in _split(right, '|'))}"


def _dot_written_out(part: str, names: Sequence[str]) -> str:
    """``. - a - b`` at the front without a and b at all; what is taken off elsewhere may be no part of the dot."""
    if found := _LESS.match(part):
        less = {name.strip("` ") for name in re.findall(r"`[^`]+`|\w+", found[2])}
        if left := [name for name in names if name.strip("`") not in less]:
            part, names = found[1] + part[found.end() :], left
    return _DOT.sub(lambda _: "(" + " + ".join(names) + ")", part)


def has_dot(text: str) -> bool:
    """Whether a dot stands for all other columns, as in ``y ~ .`` and ``y ~ . - x``."""
    return _DOT.search(_sides(text)[1]) is not None


def response_of(text: str) -> str:
    """The column of the response. Raises DistfitError where there is none."""
    return _name(_sides(text)[0].strip(), text)


def _sides(text: str) -> list[str]:
    sides = _split(text, "~")
    if len(sides) != 2 or not sides[0].strip() or not sides[1].strip():
        raise DistfitError(f"{text!r} is no formula", "write it as 'response ~ x1 + x2'")
    return sides


def _refuse_unused(parts: Sequence[str], heads: Sequence[str], given: Mapping[str, str]) -> None:
    """Refuse terms of the formula of which nothing is left: all parameters that would have them have their own."""
    for part in parts:
        users = [head for head in heads if _default(head, parts) is part]
        if part != "1" and users and all(head in given for head in users):
            problem = (
                f"the terms {part!r} of the formula and --formula {users[0]}='~ {given[users[0]]}' are for the same"
            )
            raise DistfitError(problem, "write all terms in one of them (1 in the other)")


def _default(head: str, parts: Sequence[str]) -> str:
    if bare(head) in ZEROS:
        return parts[-1]
    # Sizes and weights do not depend on anything unless they are asked to.
    return "1" if bare(head) in ("size", "weight") else parts[0]


def _right(given: str, name: str) -> str:
    sides = _split(given, "~")
    if len(sides) != 2 or sides[0].strip() or not sides[1].strip():
        raise DistfitError(f"the formula of {name}, {given!r}, is none", f"write it as {name}='~ x'")
    return sides[1].strip()


def _name(text: str, formula: str) -> str:
    """The response: the name of a column, in backquotes where it is no plain word."""
    plain = text[1:-1] if len(text) > 2 and text[0] == text[-1] == "`" else text
    if "`" in plain or (plain == text and not re.fullmatch(r"[^\W\d][\w.]*", text)):
        raise DistfitError(
            f"the response of {formula!r} is not the name of a column",
            "put backquotes around a name with spaces or signs; transform the response in the data",
        )
    return plain


def _split(text: str, separator: str) -> list[str]:
    """``text`` at every ``separator`` that is in no brackets and no quotes."""
    parts, depth, quote = [""], 0, ""
    for sign in text:
        if quote:
            quote = "" if sign == quote else quote
        elif sign in _QUOTES:
            quote = sign
        else:
            depth += (sign in _OPENING) - (sign in _CLOSING)
            if sign == separator and depth == 0:
                parts.append("")
                continue
        parts[-1] += sign
    return parts


@lru_cache
def read(terms: str) -> Any:
    """The terms as formulaic's formula, which is not to be changed. Raises DistfitError for what it cannot read."""
    from formulaic import SimpleFormula
    from formulaic.errors import FormulaicError

    for word, remedy in _OF_R.items():
        if found := re.search(word, terms):
            raise DistfitError(f"the terms {terms!r} call {found[0][:-1]}, which formulas here do not have", remedy)
    if "." in re.findall(r"(?<![\w.`])\.(?![\w.`])", terms):
        raise DistfitError(f"the terms {terms!r} hold a dot for all other columns", "name the columns that are meant")
    try:
        read_terms = SimpleFormula.from_spec(terms)
    except (FormulaicError, SyntaxError, ValueError) as error:
        # formulaic marks the place with terminal colours and brackets of its own.
        said = re.sub(r"\x1b\[[0-9;]*m|[⧛⧚]", "", str(error)).strip().splitlines()
        hint = said[0] if said else "check the signs"
        # Its own sentence on this most frequent slip is misspelt and names an arity.
        hint = "they end in an operator, or have two in a row" if hint.startswith("Operator `") else hint
        raise DistfitError(f"cannot read the terms {terms!r}", hint) from None
    return read_terms


def check_terms(terms: str) -> None:
    """Raises DistfitError for whatever is no arithmetic on columns."""
    for factor in _factors(terms):
        if not _is_plain(factor):
            check_expression(_parsed(factor.expr)[0])


def variables(terms: str) -> list[str]:
    """The columns that the terms use, sorted. (formulaic overlooks those within poly() and bs().)"""
    found: set[str] = set()
    for factor in _factors(terms):
        if _is_plain(factor):
            found |= {factor.expr} if factor.eval_method.value == "lookup" else set()
            continue
        tree, quoted = _parsed(factor.expr)
        called = {id(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
        modules = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
        coded = {id(own) for node in ast.walk(tree) if is_coding(node) for own in node.args[1:]}
        for node in ast.walk(tree):
            if isinstance(node, ast.Name) and id(node) not in called | modules | coded:
                found.add(quoted.get(node.id, node.id))
    return sorted(found)


def _factors(terms: str) -> list[Any]:
    return [factor for term in read(terms) for factor in term.factors]


def _is_plain(factor: Any) -> bool:
    """A column or a number, which is not evaluated."""
    return factor.eval_method is not None and factor.eval_method.value in ("lookup", "literal")


def _parsed(expression: str) -> tuple[ast.Expression, dict[str, str]]:
    """The expression's tree, and the names in backquotes by those that stand for them there."""
    quoted: dict[str, str] = {}

    def stand_in(found: re.Match[str]) -> str:
        name = f"quoted_{len(quoted)}"
        quoted[name] = found[1]
        return name

    try:
        return ast.parse(re.sub("`([^`]*)`", stand_in, expression), mode="eval"), quoted
    except SyntaxError:
        raise DistfitError(f"cannot read the term {expression!r}", "check its brackets and commas") from None
