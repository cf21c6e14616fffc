"""The family language: "zip", "zi(nb)", "3*poisson", "poisson+nb" <-> Family.

sum     := product ("+" product)*          a mixture; nested mixtures are flattened
product := [integer "*"] atom
atom    := NAME | WRAPPER "(" sum ")" | "(" sum ")" | "point(" integer ")"
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from distfit_counts.errors import FamilyError
from distfit_counts.families.family import Family
from distfit_counts.families.geometric import Geometric
from distfit_counts.families.hurdle import Hurdle
from distfit_counts.families.log_series import LogSeries
from distfit_counts.families.mixture import Mixture
from distfit_counts.families.negative_binomial import NegativeBinomial
from distfit_counts.families.point_mass import PointMass
from distfit_counts.families.poisson import Poisson
from distfit_counts.families.truncated import truncate
from distfit_counts.families.zero_inflated import ZeroInflated

BASES: dict[str, Family] = {
    "poisson": Poisson(),
    "geometric": Geometric(),
    "nb": NegativeBinomial(),
    "logseries": LogSeries(),
}
WRAPPERS: dict[str, Callable[[Family], Family]] = {"zi": ZeroInflated, "hurdle": Hurdle, "zt": truncate}
SHORTHANDS: dict[str, str] = {
    "zip": "zi(poisson)",
    "zinb": "zi(nb)",
    "negbin": "nb",
    "negative-binomial": "nb",
    "geom": "geometric",
    "hurdle": "hurdle(poisson)",
    "ztp": "zt(poisson)",
    "ztnb": "zt(nb)",
}
# What ``distfit families`` lists, with an example that can be fitted.
EXAMPLES: dict[str, str] = {name: name for name in BASES} | {
    "zi(...)": "zip",
    "hurdle(...)": "hurdle(nb)",
    "zt(...)": "zt(poisson)",
    "K*..., ...+...": "2*poisson",
}
# Plain words for people who do not want to quote an asterisk; --components says how many.
MIXTURE_WORDS: dict[str, str] = {"mixture": "poisson", "poisson-mixture": "poisson", "nb-mixture": "nb"}
MAX_COMPONENTS = 20

_TOKEN = re.compile(r"\s*([a-z][a-z0-9_-]*|\d+|[()+*])", re.IGNORECASE)


def parse(text: str, components: int | None = None, beside: Sequence[str] = ()) -> Family:
    """The family that ``text`` names. ``components`` is K for ``mixture`` and its relatives (default 2).

    Raises FamilyError with the nearest known names, those ``beside`` the count families among them.
    """
    word = text.strip().lower()
    if word in MIXTURE_WORDS:
        return parse(f"{2 if components is None else components}*{MIXTURE_WORDS[word]}")
    if components is not None:
        raise FamilyError(
            f"--components goes with {', '.join(MIXTURE_WORDS)}, not with {text!r}",
            f"write {components}*({text}) for a mixture of {components}",
        )
    return _read(text, tuple(beside))


# Fits name their family by its spec: of thousands of columns it is the same few.
@lru_cache(maxsize=1024)
def _read(text: str, beside: tuple[str, ...]) -> Family:
    reader = _Reader(text, _tokens(text), beside)
    family = _sum(reader)
    if reader.peek() is not None:
        raise reader.error(f"unexpected {reader.peek()!r}")
    if len(set(family.names)) < len(family.names):
        raise reader.error("two of its parameters have the same name and cannot be told apart")
    return family


def _tokens(text: str) -> list[str]:
    tokens, place = [], 0
    while text[place:].strip():
        match = _TOKEN.match(text, place)
        if match is None:
            raise FamilyError(f"family {text!r}: cannot read {text[place:].strip()!r}", _HOW)
        tokens.append(match.group(1).lower())
        if tokens[-1].isdigit() and len(tokens[-1]) > 15:
            raise FamilyError(f"family {text[:40]!r}: the number {tokens[-1][:15]}... is too large", _HOW)
        place = match.end()
    return tokens


@dataclass
class _Reader:
    text: str
    tokens: list[str]
    beside: Sequence[str] = ()
    place: int = 0

    def peek(self) -> str | None:
        return self.tokens[self.place] if self.place < len(self.tokens) else None

    def take(self, expected: str | None = None) -> str:
        token = self.peek()
        if token is None:
            raise self.error("it ends too early" if self.tokens else "it is empty")
        if expected is not None and token != expected:
            raise self.error(f"expected {expected!r}, found {token!r}")
        self.place += 1
        return token

    def error(self, problem: str) -> FamilyError:
        return FamilyError(f"family {self.text!r}: {problem}", _HOW)


_HOW = (
    "a family is a name (poisson, nb, zip), a wrapper (zi(nb), hurdle(nb), zt(nb)), or a mixture (2*poisson, "
    "poisson+nb); see distfit families"
)


def _sum(reader: _Reader) -> Family:
    parts = _product(reader)
    while reader.peek() == "+":
        reader.take()
        parts += _product(reader)
    if len(parts) > MAX_COMPONENTS:
        raise reader.error(f"{len(parts)} components are more than {MAX_COMPONENTS}")
    return parts[0] if len(parts) == 1 else Mixture(tuple(parts))


def _product(reader: _Reader) -> list[Family]:
    count = 1
    token = reader.peek()
    if token is not None and token.isdigit():
        count = int(reader.take())
        reader.take("*")
        if not 1 <= count <= MAX_COMPONENTS:
            raise reader.error(f"the number of components must lie between 1 and {MAX_COMPONENTS}")
    atom = _atom(reader)
    return list(atom.components if isinstance(atom, Mixture) else (atom,)) * count


def _atom(reader: _Reader) -> Family:
    if reader.tokens[: reader.place].count("(") > 60:
        raise reader.error("too many brackets")
    token = reader.take()
    if token == "(":
        inner = _sum(reader)
        reader.take(")")
        return inner
    wrapped = reader.peek() == "("
    if token == "point" and wrapped:
        reader.take("(")
        value = reader.take()
        reader.take(")")
        if not value.isdigit():
            raise reader.error(f"point({value}) needs a count")
        return PointMass(int(value))
    if token in WRAPPERS and wrapped:
        reader.take("(")
        inner = _sum(reader)
        reader.take(")")
        return WRAPPERS[token](inner)
    if token in BASES:
        return BASES[token]
    if token in SHORTHANDS:
        return parse(SHORTHANDS[token])
    raise _unknown(reader, token)


# What the names of other tools are here, by their letters and digits.
_ALSO_CALLED = {
    **dict.fromkeys(["pois", "dpois"], "poisson"),
    **dict.fromkeys(["nbinom", "dnbinom", "nb1", "nb2", "nbinom1", "nbinom2", "pascal", "gammapoisson"], "nb"),
    **dict.fromkeys(["zeroinflatedpoisson", "zipoisson", "zeroinfl"], "zip"),
    **dict.fromkeys(["zeroinflatednegativebinomial", "zinbinom", "zinegbin"], "zinb"),
    **dict.fromkeys(["logarithmic", "log", "logser", "fisher"], "logseries"),
    **dict.fromkeys(["zerotruncatedpoisson", "truncpoisson", "posnegbinomial", "ztpoisson"], "zt(...)"),
}
# What is known, and why it is not fitted.
_NO_FAMILY = {
    **dict.fromkeys(
        ["binomial", "binom", "betabinomial", "betabinom", "hypergeometric", "multinomial"],
        "counts successes among a known number of trials, which no family here has",
    ),
    **dict.fromkeys(
        [
            "normal",
            "gaussian",
            "gamma",
            "exponential",
            "expon",
            "lognormal",
            "lognorm",
            "weibull",
            "beta",
            "t",
            "cauchy",
        ],
        "is a distribution of measurements, not of counts",
    ),
    **dict.fromkeys(["tweedie", "uniform", "randint"], "is not a count distribution that is fitted here"),
    **dict.fromkeys(["bernoulli", "logistic", "categorical"], "has no counts: distfit regress fits such responses"),
    **dict.fromkeys(
        ["quasipoisson", "quasi"], "has no likelihood: take nb, or poisson with distfit regress --errors hc0"
    ),
    **dict.fromkeys(
        ["compoisson", "conwaymaxwellpoisson", "cmp", "compois", "genpoisson", "generalizedpoisson", "genpois", "gp"],
        "is a Poisson with another dispersion, not fitted yet: nb follows counts with a larger variance",
    ),
    **dict.fromkeys(
        ["poissonlognormal", "pln", "pig", "poissoninversegaussian", "sichel", "delaporte", "neymana", "hermite"],
        "is an overdispersed family not fitted yet: nb and 2*poisson are the nearest",
    ),
    **dict.fromkeys(
        ["zipf", "zeta", "yule", "yulesimon", "borel", "waring", "powerlaw"],
        "is a long-tailed family not fitted yet: logseries, nb and zt(nb) are the nearest",
    ),
    "skellam": "is of differences of counts, which may be negative",
}
# What R and statsmodels call the families beside those of counts.
_ELSEWHERE = {"normal": "gaussian", "binomial": "bernoulli", "logistic": "bernoulli", "multinomial": "categorical"}


def _unknown(reader: _Reader, token: str) -> FamilyError:
    known = [*BASES, *SHORTHANDS, *WRAPPERS, *MIXTURE_WORDS, *reader.beside]
    near = difflib.get_close_matches(token, known, n=3, cutoff=0.5)
    near = [_ELSEWHERE[token]] if _ELSEWHERE.get(token) in reader.beside else near
    letters = re.sub(r"[^a-z0-9]", "", token)
    near = [_ALSO_CALLED[letters]] if letters in _ALSO_CALLED else near
    if token in WRAPPERS:
        return FamilyError(
            f"family {reader.text!r}: {token} wraps another family", f"for example {token}(poisson) or {token}(nb)"
        )
    if token in MIXTURE_WORDS:
        return FamilyError(
            f"family {reader.text!r}: {token!r} stands alone", "write 3*poisson, or --family mixture --components 3"
        )
    if letters in _NO_FAMILY and not set(near) & set(reader.beside):
        return FamilyError(f"{token} {_NO_FAMILY[letters]}", "distfit families lists what is fitted")
    nearest = f"did you mean {' or '.join(near)}? " if near else ""
    names = ", ".join([*BASES, *SHORTHANDS, *MIXTURE_WORDS, *reader.beside])
    wrappers = ", ".join(f"{name}(...)" for name in WRAPPERS)
    return FamilyError(
        f"unknown family {token!r}", f"{nearest}known: {names}; wrappers {wrappers}; mixtures 2*poisson, poisson+nb"
    )
