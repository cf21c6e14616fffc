"""Terms -> the columns of a design matrix: levels coded so that no column repeats what others span."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from distfit_counts.data.source import RowError
from distfit_counts.errors import DataError
from distfit_counts.formula.arguments import options
from distfit_counts.formula.contrasts import MOST_LEVELS, Factor, Level
from distfit_counts.formula.functions import Array, Rows
from distfit_counts.formula.state import State
from distfit_counts.formula.syntax import Call, Column, Node, quoted, text_of
from distfit_counts.formula.terms import Term, factor_text
from distfit_counts.formula.transforms import TRANSFORMS

if TYPE_CHECKING:
    pass

MOST_COLUMNS = 10_000

# A factor as part of a product, and whether its coding leaves out what the intercept spans.
_Part = tuple[Node, bool]


@dataclass(frozen=True, eq=False)
class Coding:
    """How ``terms`` become columns: the ``levels`` of factors that are coded by them, the ``states`` of transforms."""

    terms: tuple[Term, ...]
    levels: Mapping[Node, tuple[Level, ...]]
    states: Mapping[str, State]

    @classmethod
    def of(cls, terms: tuple[Term, ...], rows: Rows) -> Coding:
        """That of the rows of a fit. Raises DataError for a term that cannot be computed, or makes too much."""
        found: dict[Node, tuple[Level, ...]] = {}
        for factor in _factors(terms):
            if by_levels(factor) or rows.is_words(factor):
                found[factor] = _levels_of(factor, rows)
            else:
                rows.columns(factor)
        return cls(terms, found, rows.states)

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Of all columns, in their order."""
        products = [product for parts in self._layout for product in parts]
        return tuple(name for product in products for name in self._names(product, factor_text, self._fields))

    @cached_property
    def labels(self) -> dict[str, str]:
        """What columns and terms are called for people, by name: ``health[poor]`` for
        ``C(health, contr.treatment('average'))[T.poor]``.
        """
        products = [product for parts in self._layout for product in parts]
        labels = (label for product in products for label in self._names(product, _label, self._shown))
        terms = {term.text: ":".join(map(_label, term.factors)) or "1" for term in self.terms}
        return terms | dict(zip(self.names, labels, strict=True))

    @cached_property
    def by_term(self) -> dict[str, tuple[int, ...]]:
        """The columns of each term."""
        found, first = {}, 0
        for term, parts in zip(self.terms, self._layout, strict=True):
            width = sum(self._width(product) for product in parts)
            found[term.text] = tuple(range(first, first + width))
            first += width
        return found

    def matrix(self, rows: Rows) -> Array:
        """[N, p], column after column in memory. Raises DataError for a level that the fit did not have."""
        found = np.empty((len(rows), len(self.names)), order="F")
        encoded: dict[_Part, Any] = {}
        place = 0
        for product in itertools.chain.from_iterable(self._layout):
            for part in product:
                if part not in encoded:
                    encoded[part] = self._encoded(part, rows)
            # The first factor runs fastest.
            widths = [range(self._width((part,))) for part in reversed(product)]
            for chosen in itertools.product(*widths):
                column = found[:, place]
                column[:] = 1.0
                for i, (part, j) in enumerate(zip(product, reversed(chosen), strict=True)):
                    own = _column(encoded[part], j)
                    if i == 0:
                        column[:] = own
                    else:
                        column *= own
                place += 1
        return found

    @cached_property
    def _layout(self) -> list[list[tuple[_Part, ...]]]:
        """Products of parts by term. Raises DataError where they make too many columns."""
        found = list(_spanning(self.terms, self._spans))
        width = sum(self._width(product) for parts in found for product in parts)
        if width > MOST_COLUMNS:
            raise DataError(
                f"the terms make {width:,} columns, and a fit bears {MOST_COLUMNS:,}",
                "leave out interactions of columns with many levels, or group the levels",
            )
        return found

    def _spans(self, factor: Node) -> bool:
        """Whether the columns of a factor add up to the intercept."""
        if isinstance(factor, Call) and factor.function in TRANSFORMS:
            return bool(options(factor, TRANSFORMS[factor.function].arguments).get("include_intercept", False))
        return factor in self.levels

    def _width(self, product: Sequence[_Part]) -> int:
        width = 1
        for part in product:
            width *= len(self._fields[part])
        return width

    def _names(
        self, product: Sequence[_Part], called: Callable[[Node], str], fields_of: Mapping[_Part, Sequence[str]]
    ) -> Iterator[str]:
        """Of the columns of a product; ``called``: what a factor is called, ``fields_of``: what stands behind it."""
        if not product:
            yield "Intercept"
            return
        fields = [[called(part[0]) + field for field in fields_of[part]] for part in product]
        for chosen in itertools.product(*reversed(fields)):
            yield ":".join(reversed(chosen))

    @cached_property
    def _fields(self) -> dict[_Part, list[str]]:
        """What stands behind the name of a factor in those of its columns."""
        found: dict[_Part, list[str]] = {}
        for factor in _factors(self.terms):
            for reduced in (False, True):
                found[factor, reduced] = self._fields_of(factor, reduced)
        return found

    @cached_property
    def _shown(self) -> dict[_Part, list[str]]:
        """The same for people: a level against its reference is the level."""
        return {
            (factor, reduced): [re.sub(r"^\[T\.", "[", field) for field in fields]
            if reduced and factor in self.levels
            else fields
            for (factor, reduced), fields in self._fields.items()
        }

    def _fields_of(self, factor: Node, reduced: bool) -> list[str]:
        if factor in self.levels:
            return self._coded(factor, reduced)[0]
        if isinstance(factor, Call) and factor.function in TRANSFORMS:
            transform = TRANSFORMS[factor.function]
            fields = transform.fields(self.states[text_of(factor)], options(factor, transform.arguments))
            return fields[1:] if reduced and self._spans(factor) else fields
        return [""]

    def _coded(self, factor: Node, reduced: bool) -> tuple[list[str], Array]:
        try:
            return Factor.of(factor).coding(self.levels[factor], reduced)
        except DataError as error:
            raise DataError(f"the term {quoted(factor_text(factor))}: {error.problem}", error.hint) from None

    def _encoded(self, part: _Part, rows: Rows) -> Any:
        """The columns [N, K] of a factor, or the codes of its levels [N] and their coding [L, K]."""
        factor, reduced = part
        if factor in self.levels:
            return self._codes(factor, rows), self._coded(factor, reduced)[1]
        columns = rows.columns(factor)
        return columns[:, 1:] if reduced and self._spans(factor) else columns

    def _codes(self, factor: Node, rows: Rows) -> npt.NDArray[np.intp]:
        import pandas as pd

        labels, known = rows.labels(Factor.of(factor).inner), self.levels[factor]
        index = pd.Index(known, dtype=object if isinstance(known[0], str) else None)
        if isinstance(labels.dtype, pd.CategoricalDtype):
            codes = index.get_indexer(labels.cat.categories)[labels.cat.codes.to_numpy()]
        else:
            codes = index.get_indexer(pd.Index(labels))
        if (codes < 0).any():
            place = int((codes < 0).argmax())
            raise RowError(
                int(rows.rows[place]),
                f"the level {str(labels.iloc[place])!r} was not in the data of the fit",
                f"its levels are {', '.join(map(str, known[:20]))}; leave such rows out",
                source_column(factor) or text_of(factor),
            )
        return codes


def by_levels(factor: Node) -> bool:
    """Whether a factor is coded by levels whatever its column holds."""
    return isinstance(factor, Call) and factor.function == "C"


def source_column(factor: Node) -> str | None:
    """The column whose values are the levels of a factor, None where they are computed."""
    inner = Factor.of(factor).inner
    return inner.name if isinstance(inner, Column) else None


def _label(factor: Node) -> str:
    """``C(x, Sum)`` as x, ``C(x > 0, Sum)`` as C(x > 0)."""
    if not by_levels(factor):
        return factor_text(factor)
    inner = Factor.of(factor).inner
    return inner.name if isinstance(inner, Column) else text_of(Call("C", (inner,)))


def _factors(terms: Sequence[Term]) -> list[Node]:
    """All factors, each once."""
    return list(dict.fromkeys(factor for term in terms for factor in term.factors))


def _column(encoded: Any, j: int) -> Any:
    if isinstance(encoded, tuple):
        codes, coding = encoded
        return np.ascontiguousarray(coding[:, j])[codes]
    return encoded[:, j]


def _levels_of(factor: Node, rows: Rows) -> tuple[Level, ...]:
    own = Factor.of(factor)
    labels = rows.labels(own.inner)
    if own.levels is not None:
        return own.levels
    found = labels.astype("category").cat.categories.tolist()
    if isinstance(own.inner, Call) or len(found) > MOST_LEVELS:
        _check_levels(factor, found)
    return tuple(level if isinstance(level, str | bool | int | float) else str(level) for level in found)


def _check_levels(factor: Node, found: Sequence[Any]) -> None:
    if len(found) > MOST_LEVELS:
        name = source_column(factor)
        called = f'column "{name}"' if name is not None else f"the term {quoted(text_of(factor))}"
        raise DataError(
            f"{called} has {len(found):,} levels", "a label of rows is no covariate: leave it out, or group it"
        )


def _spanning(terms: Sequence[Term], spans: Any) -> Iterator[list[tuple[_Part, ...]]]:
    """The products of each term that the terms before it do not span, merged into as few as can be.

    A factor of levels spans the intercept and its contrasts: a term a:b is the sum of the products of either one for
    each of its factors. What an earlier term has is left out; what remains of 1 and a's contrasts is a in full.
    """
    spanned: set[frozenset[_Part]] = set()
    for term in terms:
        choices: list[list[_Part | None]] = [
            [(factor, True), None] if spans(factor) else [(factor, False)] for factor in term.factors
        ]
        own = [tuple(part for part in chosen if part is not None) for chosen in itertools.product(*choices)]
        new = [product for product in own if frozenset(product) not in spanned]
        spanned.update(map(frozenset, own))
        merged: list[tuple[_Part, ...]] = []
        for product in sorted(new, key=len):
            merged = _merged(merged, product)
        yield merged


def _merged(merged: list[tuple[_Part, ...]], product: tuple[_Part, ...]) -> list[tuple[_Part, ...]]:
    """``merged`` and ``product``: p and p times a's contrasts are p times a in full, which may merge again."""
    for i, shorter in enumerate(merged):
        more = set(product) - set(shorter)
        if len(shorter) == len(product) - 1 and len(more) == 1:
            ((factor, reduced),) = more
            if reduced:
                full = tuple((factor, False) if part[0] == factor else part for part in product)
                return _merged([*merged[:i], *merged[i + 1 :]], full)
    return [*merged, product]
