"""Hostile formulas, names of columns and saved terms: ``python hostile_formulas.py N [SEED]``.

Each must be read or refused (DistfitError; of a record also what says that it is damaged) in little time, and an audit
hook ends the process with 99 at once if anything is compiled, imported, opened or started meanwhile.
"""

from __future__ import annotations

import json
import os
import random
import sys
import time
from contextlib import suppress
from typing import Any

import numpy as np
import pandas as pd

from distfit_counts.errors import DistfitError
from distfit_counts.families.family import Role
from distfit_counts.regression.design import design, matrix_of
from distfit_counts.regression.formula import parse, without_dot
from distfit_counts.regression.terms_state import terms_of, terms_record

ALLOWED_SECONDS = 5.0
FORBIDDEN = (
    "exec", "compile", "import", "open", "subprocess", "os.", "socket", "ctypes", "code.", "pickle", "marshal",
    "shutil",
    "pathlib", "glob", "tempfile", "webbrowser", "urllib", "mmap", "builtins", "sys.", "function.", "cpython",
)  # fmt: skip
# What Python itself does while it computes, and raises and shows errors.
HARMLESS = ("sys._getframe", "builtins.id")

CODE = "__import__('os').system('true')"
NAMES = [
    *("x", "z", "g", "k", "__import__", "__builtins__", "np", "np.log", "os", "self", "lambda", "None", "True", "eval"),
    *("x.__class__", "__class__", "contr.sum", "Sum", "_", "é", "x1", "`x`", "`g`", "`a b`", "`a``b`", f"`{CODE}`"),
    *("``", "`", "`x", "x`", "`'`", "`{x}`", "`\n`", "`\\`", f"`x` + I({CODE}) + `z`", "quoted_0", "_formulaic_0"),
]
CALLS = [
    *("I", "C", "log", "np.sqrt", "sqrt", "where", "maximum", "exp10", "poly", "bs", "cr", "cc", "scale", "center"),
    *("standardize", "Q", "eval", "exec", "open", "__import__", "getattr", "np.load", "np.fromfile", "str", "print"),
    *("x.__class__", "np.lib.utils", "hashed", "lag", "offset", "factor", "contr.treatment", "Treatment", "type"),
]
LITERALS = [
    *("0", "1", "2", "-1", ".5", "1e3", "1e999", "10**10**9", "0x10", "1_000", "2j", "None", "True", "...", "1."),
    *("'a'", '"a"', "''", "'`'", "'\\''", "'{x}'", "f'{x}'", f"f'{{{CODE}}}'", "b'a'", "r'\\'", "'%s' % x", "'''a'''"),
    *("[1, 2]", "[]", "()", "{}", "{1: 2}", "{x}", "[[1], [2]]", "'{0.__class__}'.format(x)", "9" * 500, "'\\x00'"),
]
SIGNS = [
    *(
        "+",
        "-",
        "*",
        "/",
        ":",
        "**",
        "^",
        "%in%",
        "|",
        "~",
        "&",
        "//",
        "%",
        "<",
        "==",
        "!=",
        ">=",
        "@",
        "<<",
        ":=",
        "=",
    ),
    *(",", ".", ";", "and", "or", "not", "in", "is", "if", "else", "for", "->", "$", "\\", "\x00", "\u202e", "#", "!"),
]
WHOLE = [
    CODE, f"I({CODE})", f"{{{CODE}}}", f"I(x + 0 * ('`' == str({CODE}) + '`'))", "[x for x in [1]]", "(lambda: x)()",
    "I((y := x))", "x.__class__.__mro__[1].__subclasses__()", "I(x).__class__", "bs(x, df=10**8)", "(x]", "C(x``)",
    "{``}", "I(" * 300 + "x" + ")" * 300, "(" * 300 + "x", "-" * 300 + "x", "(x + z + g + k)**9", "x:" * 50 + "g",
    "C(x):C(z):C(k)", "I(x" + " + x" * 2000 + ")", "'" + "a" * 999, "print(x)", "x if x else z", "*x", "**x",
]  # fmt: skip


def expression(rng: random.Random, depth: int) -> str:
    way = rng.random()
    if depth <= 0 or way < 0.25:
        return rng.choice(rng.choice((NAMES, NAMES, LITERALS)))
    if way < 0.5:
        arguments = [expression(rng, depth - 1) for _ in range(rng.choice((0, 1, 1, 1, 2, 3)))]
        if rng.random() < 0.3:
            word = rng.choice(("df", "knots", "degree", "levels", "contrasts", "extrapolation", "_state", "__class__"))
            arguments.append(f"{word}={expression(rng, depth - 1)}")
        return f"{rng.choice(CALLS)}({', '.join(arguments)})"
    if way < 0.8:
        return f"{expression(rng, depth - 1)} {rng.choice(SIGNS)} {expression(rng, depth - 1)}"
    if way < 0.9:
        opening, closing = rng.choice(("()", "()", "[]", "{}", "(]", "''", "``", '""'))
        return f"{opening}{expression(rng, depth - 1)}{closing}"
    if way < 0.95:
        return rng.choice(WHOLE)
    return expression(rng, depth - 1) + rng.choice((".__class__", "[0]", "()", ".x", "'", "`", "(", "::", " "))


def mutated(rng: random.Random, text: str) -> str:
    """With a few signs of the alphabet of formulas put in, taken out or doubled."""
    signs = list(text)
    for _ in range(rng.choice((0, 0, 0, 1, 2, 4))):
        place = rng.randrange(len(signs) + 1)
        if rng.random() < 0.5:
            signs.insert(place, rng.choice("`'\"(){}[]\\.,:~|+-*/%^=<>&#@!$ x0_\n\x00é"))
        elif signs:
            signs.pop(min(place, len(signs) - 1))
    return "".join(signs)


def name_of_column(rng: random.Random) -> str:
    return mutated(rng, expression(rng, 2))[:200] or "v"


def changed(rng: random.Random, value: Any) -> Any:
    """A record with one of its values replaced."""
    if isinstance(value, dict) and value and rng.random() < 0.9:
        key = rng.choice(list(value))
        return value | {key: changed(rng, value[key])}
    if isinstance(value, list) and value and rng.random() < 0.9:
        place = rng.randrange(len(value))
        return [*value[:place], changed(rng, value[place]), *value[place + 1 :]]
    return rng.choice([None, True, -1, 10**400, 1e308, float("nan"), "", [], {}, {"pairs": [[[], 1]]}, {"array": "x"},
                       [[]], mutated(rng, expression(rng, 2))])  # fmt: skip


def main(count: int, seed: int) -> None:
    rng, numbers = random.Random(seed), np.random.default_rng(seed)
    n = 24
    frame = pd.DataFrame(
        {
            "y": numbers.poisson(2, n),
            "x": numbers.normal(size=n),
            "z": numbers.random(n) + 0.1,
            "k": numbers.integers(0, 4, n),
            "g": ["a", "b", "c"] * (n // 3),
            "a b": numbers.random(n),
        }
    )
    roles = {"pi": Role.ZEROS, "rate": Role.LOCATION}

    def one(text: str, rows: pd.DataFrame) -> Any:
        return design(parse(text, roles, "zip"), rows, roles)

    record = terms_record(
        one("y ~ poly(x, 2) + bs(z, df=4) + C(k, Sum):g + cr(x, df=3) + cc(x, df=3) + scale(x)", frame)
        .predictors[0]
        .terms
    )
    # All that is imported when it is first used.
    terms_of(json.loads(json.dumps(record)))
    for warm in ("y ~ I(g == 'a') + C(x > 0) + where(x > 0, z, 1)", "y ~ C(x"):
        with suppress(DistfitError):
            one(warm, frame)
    hook_on = False

    def audit(event: str, arguments: tuple[Any, ...]) -> None:
        if hook_on and event.startswith(FORBIDDEN) and event not in HARMLESS:
            os.write(2, f"{event} {str(arguments)[:300]} while reading {case!r}\n".encode(errors="replace"))
            os._exit(99)

    sys.addaudithook(audit)
    fitted = 0
    for i in range(count):
        begun = time.process_time()
        kind = i % 4
        case: Any = None
        hook_on = True
        try:
            if kind < 2:
                case = "y ~ " + mutated(rng, expression(rng, 4))
                one(case, frame)
            elif kind == 2:
                case = list(dict.fromkeys(["y", *(name_of_column(rng) for _ in range(3))]))
                odd = pd.DataFrame({name: numbers.random(n) for name in case} | {"y": frame["y"]})
                found = one(without_dot("y ~ .", case, [None]), odd)
                assert found.predictors[0].terms.names == ("Intercept", *case[1:]), found.predictors[0].terms.names
            else:
                case = json.dumps(changed(rng, record))
                read = terms_of(json.loads(case))
                matrix_of(read, frame, np.arange(n))
            fitted += 1
        except DistfitError as error:
            if "\n" in error.problem and "\n" not in str(case):
                raise ValueError(f"several lines: {error.problem!r}") from None
        except (LookupError, TypeError, ValueError, AttributeError):
            # What the reader of saved models answers with "damaged"; formulas and names never end so.
            if kind != 3:
                print(f"case {i}: {case!r}", file=sys.stderr)
                raise
        finally:
            hook_on = False
        if time.process_time() - begun > ALLOWED_SECONDS:
            sys.exit(f"case {i} took {time.process_time() - begun:.1f} s: {case!r}")
    print(f"{count} cases, {fitted} of them computed")


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 0)
