"""The terms of Wilkinson and Rogers (1973): sums, interactions, nesting and powers of factors."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from distfit_counts.errors import DistfitError
from distfit_counts.formula.functions import check_factor
from distfit_counts.formula.syntax import Column, Node, Reader, column_name, columns_of, quoted, text_of

# What a formula may cost: terms, factors in one of them, and pairs of terms that one operator multiplies.
MOST_TERMS, MOST_FACTORS, _MOST_PAIRS, _MOST_POWER = 10_000, 10, 200_000, 10


@dataclass(frozen=True)
class Term:
    """A product of ``factors``; of none it is the intercept."""

    factors: tuple[Node, ...]

    @property
    def text(self) -> str:
        return ":".join(map(factor_text, self.factors)) or "1"

    def times(self, other: Term) -> Term:
        return Term(tuple(dict.fromkeys([*self.factors, *other.factors])))


def factor_text(factor: Node) -> str:
    """What a factor is called: a column by its name as it is."""
    return factor.name if isinstance(factor, Column) else text_of(factor)


# Terms in their order, by what they multiply: a:b is b:a.
_Terms = dict[frozenset[Node], Term]
_ONE: frozenset[Node] = frozenset()


@lru_cache(maxsize=256)
def read_terms(text: str) -> tuple[Term, ...]:
    """The terms of a right-hand side, those of fewer factors first; an intercept unless it is taken out.

    Raises DistfitError for what is no sum of terms, or computes what no term may.
    """
    reader = _TermReader(text)
    found = reader.total(nested=False)
    if reader.token.kind != "end":
        reader.refuse()
    terms = tuple(sorted(found.values(), key=lambda term: len(term.factors)))
    seen: dict[str, Node] = {}
    for factor in dict.fromkeys(factor for term in terms for factor in term.factors):
        check_factor(factor)
        if seen.setdefault(factor_text(factor), factor) != factor:
            problem = f"the terms {quoted(text)} have two that are called {quoted(factor_text(factor))}"
            raise DistfitError(problem, "rename the column of the data that is called so")
    return terms


def variables(text: str) -> list[str]:
    """The columns that the terms take, sorted."""
    factors = {factor for term in read_terms(text) for factor in term.factors}
    return sorted(set().union(*map(columns_of, factors)))


class _TermReader(Reader):
    def total(self, nested: bool) -> _Terms:
        """A sum of terms. The intercept is there from the start, and within brackets only where it is said."""
        found: _Terms = {} if nested else {_ONE: Term(())}
        added = self._sign(True)
        while True:
            own, added = self._summand(added)
            if not added:
                if nested and list(own) == [_ONE]:
                    raise DistfitError(
                        f"{quoted(self.source)} takes out the intercept within brackets", "write 0 + outside of them"
                    )
                for key in own:
                    found.pop(key, None)
            else:
                for key, term in own.items():
                    found.setdefault(key, term)
                self._bound(found)
            if not self.at("+", "-"):
                return found
            added = self._sign(True)

    def _sign(self, added: bool) -> bool:
        """Whether the signs at hand, of which there may be none or several, add what follows."""
        while self.at("+", "-"):
            added ^= self.take().text == "-"
        return added

    def _summand(self, added: bool) -> tuple[_Terms, bool]:
        """The next terms, and whether they are added: + 0 takes the intercept out, as - 1 does."""
        last = self.following.kind == "end" or (self.following.kind == "sign" and self.following.text in "+-)")
        if self.token.kind == "number" and self.token.text == "0" and last:
            self.take()
            return {_ONE: Term(())}, not added
        return self._product(), added

    def _product(self) -> _Terms:
        left = self._interaction()
        while self.at("*", "/", "%in%"):
            sign = self.take().text
            right = self._interaction()
            if sign == "*":
                self._refuse_square(left, right)
                left = self._bound({**left, **right, **self._crossed(left.values(), right.values())})
            else:
                outer, inner = (left, right) if sign == "/" else (right, left)
                whole = Term(())
                for term in outer.values():
                    whole = whole.times(term)
                left = self._bound({**outer, **self._crossed([whole], inner.values())})
        return left

    def _interaction(self) -> _Terms:
        left = self._power()
        while self.at(":"):
            self.take()
            right = self._power()
            self._refuse_square(left, right)
            left = self._crossed(left.values(), right.values())
        return left

    def _power(self) -> _Terms:
        base = self._operand()
        if not self.at("**", "^"):
            return base
        self.take()
        exponent = self.take()
        if exponent.kind != "number" or not exponent.text.isdigit() or not 1 <= int(exponent.text[:9]) <= _MOST_POWER:
            said = quoted(exponent.text or "nothing")
            raise DistfitError(
                f"the power {said} in {quoted(self.source)} is not a whole number from 1 to {_MOST_POWER}",
                "a power of terms crosses them: (a + b)**2 is a + b + a:b; arithmetic is written I(x**2)",
            )
        if len(base) == 1 and base.keys() != {_ONE}:
            raise self._no_square(next(iter(base.values())), f"**{exponent.text}", exponent.text)
        found = base
        for _ in range(int(exponent.text) - 1):
            found = self._crossed(found.values(), base.values())
        return found

    def _operand(self) -> _Terms:
        token = self.token
        if self.at("("):
            self.deeper()
            self.take()
            found = self.total(nested=True)
            self.expect(")")
            self.higher()
            return found
        if token.kind == "number":
            if token.text != "1":
                raise DistfitError(
                    f"the number {token.text[:20]} in {quoted(self.source)} is no term",
                    "1 is the intercept and 0 takes it out; arithmetic is written within I(): I(2 * x)",
                )
            self.take()
            return {_ONE: Term(())}
        if token.kind == "column" or (token.kind == "name" and self.following.text != "("):
            self.take()
            factor: Node = Column(column_name(token))
        elif token.kind == "name":
            factor = self.atom()
        elif token.kind == "text":
            raise DistfitError(
                f"{quoted(self.source)} has the text {quoted(token.text)} where a term belongs",
                "a column whose name is no plain word stands in backquotes",
            )
        else:
            self.refuse()
        return {frozenset([factor]): Term((factor,))}

    def _crossed(self, left: Iterable[Term], right: Iterable[Term]) -> _Terms:
        """Each of ``left`` times each of ``right``."""
        left, right = list(left), list(right)
        if len(left) * len(right) > _MOST_PAIRS:
            raise self._too_many()
        found: _Terms = {}
        for one in left:
            for other in right:
                term = one.times(other)
                if len(term.factors) > MOST_FACTORS:
                    raise DistfitError(
                        f"{quoted(self.source)} multiplies more than {MOST_FACTORS} factors", "leave interactions out"
                    )
                found.setdefault(frozenset(term.factors), term)
        return self._bound(found)

    def _bound(self, found: _Terms) -> _Terms:
        if len(found) > MOST_TERMS:
            raise self._too_many()
        return found

    def _too_many(self) -> DistfitError:
        return DistfitError(f"{quoted(self.source)} makes more than {MOST_TERMS:,} terms", "leave interactions out")

    def _refuse_square(self, left: _Terms, right: _Terms) -> None:
        """Refuse x:x and x*x, which are x alone."""
        if len(left) == 1 and left.keys() == right.keys() and _ONE not in left:
            term = next(iter(left.values()))
            raise self._no_square(term, f":{term.text}", "2")

    def _no_square(self, term: Term, said: str, power: str) -> DistfitError:
        """``said``: what stands behind the term."""
        own = " * ".join(map(text_of, term.factors))
        own = f"({own})" if len(term.factors) > 1 else own
        return DistfitError(
            f"{quoted(term.text + said)} is {quoted(term.text)} alone, as operators outside of I() cross terms",
            f"for the arithmetic write I({own}**{power})",
        )
