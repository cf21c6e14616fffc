"""The words of a formula, and expressions as trees of a closed set of nodes.

Everything that a formula may say is one of the nodes below, and what is evaluated is the tree that was checked. A name
in backquotes is any text; a backquote within it is written twice.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NoReturn

from distfit_counts.errors import DistfitError

# A reader that calls itself must not exhaust Python's stack, whatever it is given.
DEEPEST = 50
# Of a message: the text that is quoted, and where a number has too many digits to be meant.
_QUOTED, _DIGITS = 80, 300

_TOKEN = re.compile(
    r"""(?P<blank>\s+)
    |(?P<number>(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)
    |(?P<name>[^\W\d][\w.]*)
    |(?P<column>`(?:[^`]|``)*+`)
    |(?P<text>'(?:[^'\\]|\\.)*+'|"(?:[^"\\]|\\.)*+")
    |(?P<sign>%in%|\*\*|//|<=|>=|==|!=|[-+*/:^%()\[\],=<>&|~.])""",
    re.VERBOSE | re.DOTALL,
)
_PLAIN = re.compile(r"[^\W\d][\w.]*")
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "\\": "\\", "'": "'", '"': '"'}


@dataclass(frozen=True)
class Token:
    """``kind``: number, name, column (in backquotes), text, sign or end; it is ``source[start:stop]``."""

    kind: str
    text: str
    start: int
    stop: int


@dataclass(frozen=True)
class Column:
    """The values of a column of the data."""

    name: str


@dataclass(frozen=True)
class Number:
    value: int | float


@dataclass(frozen=True)
class Text:
    value: str


@dataclass(frozen=True)
class Truth:
    value: bool


@dataclass(frozen=True)
class Items:
    """``[1, 2, 3]``."""

    values: tuple[Node, ...]


@dataclass(frozen=True)
class Unary:
    """``sign``: one of + - ~."""

    sign: str
    operand: Node


@dataclass(frozen=True)
class Power:
    base: Node
    exponent: Node


@dataclass(frozen=True)
class Chain:
    """``first`` and then, from left to right, each sign with its operand; the signs are of one precedence."""

    first: Node
    rest: tuple[tuple[str, Node], ...]


@dataclass(frozen=True)
class Call:
    function: str
    arguments: tuple[Node, ...]
    named: tuple[tuple[str, Node], ...] = ()


Node = Column | Number | Text | Truth | Items | Unary | Power | Chain | Call

# Signs of arithmetic, those that bind least first; one comparison alone, as a < b < c would be two.
_LEVELS: tuple[tuple[str, ...], ...] = (
    ("<", ">", "<=", ">=", "==", "!="), ("|",), ("&",), ("+", "-"), ("*", "/", "//", "%"),
)  # fmt: skip
_UNARY, _POWER, _ATOM = 5, 6, 7


def tokens(source: str) -> list[Token]:
    """The words of ``source``, and an end. Raises DistfitError for what is none."""
    found: list[Token] = []
    place = 0
    while place < len(source):
        match = _TOKEN.match(source, place)
        if match is None:
            raise DistfitError(f"cannot read {quoted(source)} at {_around(source, place)}", _remedy(source[place]))
        kind = match.lastgroup or ""
        if kind == "column" and match[0] == "``":
            raise DistfitError(f"cannot read {quoted(source)}: a name in backquotes is empty", "name the column")
        if kind != "blank":
            if found and found[-1].stop == place and _joined(found[-1].kind, kind):
                where = _around(source, found[-1].start)
                raise DistfitError(f"cannot read {quoted(source)} at {where}", "put backquotes around such a name")
            found.append(Token(kind, match[0], place, match.end()))
        place = match.end()
    return [*found, Token("end", "", len(source), len(source))]


def _joined(before: str, kind: str) -> bool:
    """Whether two words that touch are none: 2x, f'a'."""
    words = ("number", "name", "column", "text")
    return before in words and kind in words


def _remedy(sign: str) -> str:
    if sign == "`":
        return "a backquote opens a name and none closes it; within a name it is written twice"
    if sign in "'\"":
        return "a quotation mark opens a text and none closes it"
    return "write I(...) for arithmetic" if sign in "{}" else "put backquotes around a name with such signs"


def quoted(text: str) -> str:
    """``text`` for a message, on one line and not too long."""
    return repr(text if len(text) <= _QUOTED else f"{text[:_QUOTED]}…")


def _around(source: str, place: int) -> str:
    return quoted(source[place : place + 20])


def column_text(name: str) -> str:
    """A column as it is written in a formula."""
    return name if _PLAIN.fullmatch(name) else "`" + name.replace("`", "``") + "`"


def column_name(token: Token) -> str:
    """The column that a name, or a name in backquotes, stands for."""
    return token.text if token.kind == "name" else token.text[1:-1].replace("``", "`")


class Reader:
    """Reads ``source`` word by word. Raises DistfitError for what is no formula."""

    def __init__(self, source: str) -> None:
        self.source = source
        self._tokens = tokens(source)
        self._place = 0
        self._depth = 0

    @property
    def token(self) -> Token:
        return self._tokens[self._place]

    @property
    def following(self) -> Token:
        return self._tokens[min(self._place + 1, len(self._tokens) - 1)]

    def at(self, *signs: str) -> bool:
        return self.token.kind == "sign" and self.token.text in signs

    def take(self) -> Token:
        token = self.token
        self._place = min(self._place + 1, len(self._tokens) - 1)
        return token

    def expect(self, sign: str) -> None:
        if not self.at(sign):
            self.refuse()
        self.take()

    def refuse(self) -> NoReturn:
        """Raise for the word at hand."""
        said = quoted(self.source)
        if self.token.kind == "end":
            raise DistfitError(f"cannot read {said}: it ends too early", "close its brackets; end it in no operator")
        if self.at("."):
            raise DistfitError(f"{said} holds a dot for all other columns", "name the columns that are meant")
        raise DistfitError(
            f"cannot read {said} at {_around(self.source, self.token.start)}",
            "check the brackets, commas and operators there; arithmetic is written within I(...)",
        )

    def deeper(self) -> None:
        self._depth += 1
        if self._depth > DEEPEST:
            raise DistfitError(f"{quoted(self.source)} nests more than {DEEPEST} deep", "compute it in the data")

    def higher(self) -> None:
        self._depth -= 1

    def expression(self, level: int = 0) -> Node:
        """Arithmetic of at least the precedence ``level``."""
        if level == _UNARY:
            return self._signed()
        first = self.expression(level + 1)
        rest: list[tuple[str, Node]] = []
        while self.at(*_LEVELS[level]) and not (level == 0 and rest):
            sign = self.take().text
            rest.append((sign, self.expression(level + 1)))
        return Chain(first, tuple(rest)) if rest else first

    def _signed(self) -> Node:
        if not self.at("+", "-", "~"):
            return self._powered()
        self.deeper()
        found = Unary(self.take().text, self._signed())
        self.higher()
        return found

    def _powered(self) -> Node:
        base = self.atom()
        if self.at("^"):
            raise DistfitError(f"{quoted(self.source)} has a ^, which is no power within a term", "write it with **")
        if not self.at("**"):
            return base
        self.deeper()
        self.take()
        found = Power(base, self._signed())
        self.higher()
        return found

    def atom(self) -> Node:
        """A column, a constant, a call, or an expression in brackets."""
        self.deeper()
        token = self.take()
        found: Node
        if token.kind == "column":
            found = Column(column_name(token))
        elif token.kind == "number":
            found = _number(token.text)
        elif token.kind == "text":
            found = Text(_ESCAPED.sub(lambda sign: _ESCAPES.get(sign[1], sign[0]), token.text[1:-1]))
        elif token.kind == "name" and self.at("("):
            found = self._call(token.text)
        elif token.kind == "name":
            found = Truth(token.text == "True") if token.text in ("True", "False") else Column(token.text)
        elif token.text == "(" and token.kind == "sign":
            found = self.expression()
            self.expect(")")
        elif token.text == "[" and token.kind == "sign":
            found = Items(tuple(self._listed("]")))
        else:
            self._place -= token.kind != "end"
            self.refuse()
        self.higher()
        return found

    def _listed(self, end: str) -> list[Node]:
        found: list[Node] = []
        while not self.at(end):
            found.append(self.expression())
            if not self.at(end):
                self.expect(",")
        self.expect(end)
        return found

    def _call(self, function: str) -> Node:
        self.expect("(")
        arguments: list[Node] = []
        named: dict[str, Node] = {}
        while not self.at(")"):
            if self.token.kind == "name" and self.following.text == "=" and self.following.kind == "sign":
                name = self.take().text
                self.take()
                if name in named:
                    raise DistfitError(f"{quoted(self.source)} says {name}= twice in {function}", "say it once")
                named[name] = self.expression()
            elif named:
                self.refuse()
            else:
                arguments.append(self.expression())
            if not self.at(")"):
                self.expect(",")
        self.expect(")")
        if function == "Q" and len(arguments) == 1 and not named and isinstance(arguments[0], Text):
            # patsy's word for a column whose name is no plain word.
            return Column(arguments[0].value)
        return Call(function, tuple(arguments), tuple(named.items()))


def _number(text: str) -> Node:
    if len(text) > _DIGITS:
        raise DistfitError(f"the number {text[:20]}… has {len(text)} digits", "shorten it")
    return Number(int(text) if text.isdigit() else float(text))


def text_of(node: Node, level: int = 0) -> str:
    """``node`` as a formula has it, in the one spelling that names its columns; as Python spaces it."""
    if isinstance(node, Column):
        return column_text(node.name)
    if isinstance(node, Number | Text | Truth):
        return repr(node.value)
    if isinstance(node, Items):
        return f"[{', '.join(map(text_of, node.values))}]"
    if isinstance(node, Call):
        said = [*map(text_of, node.arguments), *(f"{name}={text_of(own)}" for name, own in node.named)]
        return f"{node.function}({', '.join(said)})"
    own, found = _spelled(node)
    return f"({found})" if own < level else found


def _spelled(node: Unary | Power | Chain) -> tuple[int, str]:
    """The precedence of an operation, and how it is written without brackets around it."""
    if isinstance(node, Unary):
        return _UNARY, node.sign + text_of(node.operand, _UNARY)
    if isinstance(node, Power):
        return _POWER, f"{text_of(node.base, _ATOM)} ** {text_of(node.exponent, _POWER)}"
    own = next(place for place, signs in enumerate(_LEVELS) if node.rest[0][0] in signs)
    rest = "".join(f" {sign} {text_of(operand, own + 1)}" for sign, operand in node.rest)
    # A comparison of comparisons keeps its brackets.
    return own, text_of(node.first, own + (own == 0)) + rest


def parts_of(node: Node) -> Sequence[Node]:
    """The operands or arguments of ``node``."""
    if isinstance(node, Call):
        return [*node.arguments, *(own for _, own in node.named)]
    if isinstance(node, Unary):
        return [node.operand]
    if isinstance(node, Power):
        return [node.base, node.exponent]
    if isinstance(node, Chain):
        return [node.first, *(operand for _, operand in node.rest)]
    return node.values if isinstance(node, Items) else []


def columns_of(node: Node) -> set[str]:
    """The columns whose values ``node`` takes."""
    if isinstance(node, Column):
        return {node.name}
    # Behind the first argument of C() stands a coding.
    taken = node.arguments[:1] if isinstance(node, Call) and node.function == "C" else parts_of(node)
    return set().union(*map(columns_of, taken))
