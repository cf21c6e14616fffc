"""Formulas, names of columns and saved terms are data: nothing of them runs, and each is read or refused in a line."""

from __future__ import annotations

import copy
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from distfit_counts import DistfitError, regress
from distfit_counts.families.family import Role
from distfit_counts.formula.syntax import column_text
from distfit_counts.formula.terms import read_terms, variables
from distfit_counts.regression.formula import has_dot, parse, without_dot
from distfit_counts.regression.terms_state import terms_of, terms_record

RUN = "__import__('pathlib').Path('ran-code').touch()"
HEADER = f"x` + I(x + 0 * ('`' == str({RUN}) + '`')) + `x2"
TERMS = f"I(x + 0 * ('`' == str({RUN}) + '`'))"


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def command(*arguments: str) -> subprocess.CompletedProcess[str]:
    code = "import sys; from distfit_counts.__main__ import main; main()"
    return subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, text=True, timeout=120, check=False
    )


@pytest.fixture
def frame() -> pd.DataFrame:
    rng = np.random.default_rng(3)
    return pd.DataFrame({"y": rng.poisson(2, 40), "x": rng.normal(size=40), "x2": rng.integers(0, 9, 40)})


def test_a_header_that_closes_its_quotes_is_a_name(frame: pd.DataFrame) -> None:
    frame[HEADER] = np.arange(40) % 7
    fit = regress(frame, "y ~ .")
    assert list(fit.coefficients["rate"]) == ["Intercept", "x", "x2", HEADER]
    assert fit.predict(frame)["mean"].notna().all()
    assert not Path("ran-code").exists()


def test_a_saved_model_runs_nothing(frame: pd.DataFrame) -> None:
    regress(frame, "y ~ x").save(Path("m.json"))
    record = json.loads(Path("m.json").read_text())
    record["model"]["predictors"][0]["terms"]["text"] = TERMS
    Path("m.json").write_text(json.dumps(record))
    frame.to_csv("t.csv", index=False)
    for arguments in (["predict"], ["check"], ["plot", "-o", "p.html"]):
        done = command(arguments[0], "m.json", "t.csv", *arguments[1:])
        assert done.returncode == 2, (arguments, done.stderr)
        assert "Traceback" not in done.stderr
        assert not Path("ran-code").exists()


@pytest.mark.parametrize(
    "name",
    ["a`b", "``", "`", "'", '"', "{x}", "a\nb", "a\\", "\\`", "x + z", "C(x)", "I(x**2)", "log(x)", "np.log", "é ü",
     "1",
     "2x", "in", "None", "True", "x:z", "a|b", "a~b", ".", "%in%", " ", "\x1b[31m", "\u202e", "__class__", "x.y",
     "T.a"],
)  # fmt: skip
def test_a_column_may_have_any_name(name: str, frame: pd.DataFrame) -> None:
    """It is one column, from the dot and in its backquotes, through a saved model and back."""
    plain = regress(frame.rename(columns={"x": "plain"})[["y", "plain"]], "y ~ plain")
    odd = frame.rename(columns={"x": name})[["y", name]]
    for formula in ("y ~ .", f"y ~ {column_text(name)}", f"y ~ {column_text(name)} | 1"):
        if "|" in formula:
            assert variables(column_text(name)) == [name]
            continue
        fit = regress(odd, formula)
        assert list(fit.coefficients["rate"]) == ["Intercept", name]
        assert fit.log_likelihood == pytest.approx(plain.log_likelihood, abs=1e-9)
    back = terms_of(json.loads(json.dumps(terms_record(fit.predictors[0].terms))))
    assert back.names == ("Intercept", name)


def test_a_column_that_is_called_as_a_term_is_not_taken_for_it(frame: pd.DataFrame) -> None:
    odd = frame.assign(**{"I(x ** 2)": 1.0 * np.arange(40)})
    with pytest.raises(DistfitError, match="called 'I\\(x \\*\\* 2\\)'"):
        regress(odd, "y ~ I(x**2) + `I(x ** 2)`")
    with pytest.raises(DistfitError, match="called 'x:x2'"):
        regress(odd.rename(columns={"I(x ** 2)": "x:x2"}), "y ~ x*x2 + `x:x2`")


def test_labels_are_made_from_terms_and_not_from_names(frame: pd.DataFrame) -> None:
    """A column called C(q) or x[T.b] and a level T.z are shown as they are; C(x2, ...)[T.3] as x2[3]."""
    odd = frame.assign(
        **{"C(q)": frame["x"] ** 2, "x[T.b]": np.arange(40) % 3.0, "g": ["T.y", "T.z"] * 20, "a\nb": frame["x"]}
    )
    fit = regress(odd, "y ~ `C(q)` + `x[T.b]` + g + C(x2 // 5, contr.treatment(1)) + C(g):x + `a\nb`")
    own = fit.predictors[0]
    assert [own.label(c.name) for c in own.coefficients] == [
        *("Intercept", "C(q)", "x[T.b]", "g[T.z]", "C(x2 // 5)[0]", "a\nb", "g[T.y]:x", "g[T.z]:x"),
    ]
    assert own.label(own.tests[-1].term) == "g:x"
    shown = fit.summary()
    assert "x[T.b]" in shown
    assert "C(q)" in shown
    assert "a\nb" not in shown
    assert "collinear" in shown


def test_a_colon_in_a_name_is_no_interaction(frame: pd.DataFrame) -> None:
    """Likelihood-ratio tests leave out terms that are part of others: x is no part of the column x:q."""
    odd = frame.assign(**{"x:q": np.arange(40) % 5})
    fit = regress(odd, "y ~ x + `x:q`", likelihood_ratios=True)
    assert all(test.likelihood_ratio is not None for test in fit.predictors[0].tests)


@pytest.mark.parametrize(
    "terms",
    ["(x]", "C(x``)", "{``}", "I(None)", "I(1)", "x +", "x x2", "x,x2", "(x", "I(x", "x)", "`x", "'x'", "I(x) I(x2)",
     "x.__class__()", "(x).real", "I(x)[0]", "I(x2 := 1)", "lambda: x", "I(x if x else x2)", "[x]", "I([x])",
     "I(f'{x}')",
     "I(b'x')", "I(x.__class__)()", "I(*x)", "I(**x)", "f(x)", "C()", "C(x)(x)", "poly()", "log(x, base=2)", "log()",
     "x@x2", "I(x @ x2)", "I(x < x2 < 3)", "2 * x", "0:x", "x**0", "x**-1", "x**x2", "(x + x2)**99", "x$", "x;x2",
     "x\\",
     "I(not x)", "I(x and x2)", "I('a')", "I(poly(x, 2))", "scale(poly(x, 2))", "offset(x)", "C(x, 3)", "C(x, x2)",
     "bs(x, df=x2)", "bs(x, df='4')", "bs(x, df=4.5)", "bs(x, 4, df=4)", "bs(x, foo=1)", "scale(x, ddof='a')",
     "Q(x)", "Q('a' + 'b')", "np.load(x)", "np.char(x)", "contr.sum(x)", "hashed(x)", "lag(x)", "(0 + x)",
     "(x - 1):x2"],
)  # fmt: skip
def test_what_is_no_formula_is_refused_with_a_remedy(terms: str, frame: pd.DataFrame) -> None:
    with pytest.raises(DistfitError) as error:
        regress(frame, f"y ~ {terms}")
    assert error.value.hint
    assert "\n" not in error.value.problem


def test_a_square_outside_of_brackets_is_refused_with_what_to_write(frame: pd.DataFrame) -> None:
    for terms in ("x + x**2", "x^2", "x*x", "x2 + x:x", "(x)**3", "log(x2 + 1)**2"):
        with pytest.raises(DistfitError, match="alone, as operators outside of I") as error:
            regress(frame, f"y ~ {terms}")
        assert "write I(" in error.value.hint
    assert list(regress(frame, "y ~ (x + x2)**2").coefficients["rate"]) == ["Intercept", "x", "x2", "x:x2"]


@pytest.mark.parametrize(
    "terms",
    ["I(x + 10**10**9)", "bs(x, df=10**8)", "bs(x, df=100000000)", "poly(x, 100000)", "cr(x, df=1e9)",
     "(" * 5000 + "x" + ")" * 5000, "I(" * 5000 + "x" + ")" * 5000, "I(" + "-" * 5000 + "x)",
     "I(x" + "**x" * 5000 + ")",
     "(a+b+c+d+e+f+g+h+i+j+k+l+m+n)**10", "*".join(f"v{i}" for i in range(40)), "I(x + " + "9" * 5000 + ")",
     "bs(x, knots=[" + "1, " * 5000 + "2])", "I(" + "[" * 5000 + "x", "bs(x, degree=1000)", "x" * 2_000_000],
    ids=lambda terms: terms[:24],
)  # fmt: skip
def test_a_term_costs_no_more_than_its_rows(terms: str, frame: pd.DataFrame) -> None:
    """What ran for ever is refused; each takes less than a second."""
    import time

    begun = time.process_time()
    with pytest.raises(DistfitError) as error:
        regress(frame.assign(**{name: 1.0 for name in "abcdefghijklmn"}), f"y ~ {terms}")
    assert time.process_time() - begun < 5.0
    assert len(str(error.value)) < 600


def test_long_formulas_are_read(frame: pd.DataFrame) -> None:
    names = [f"v{i}" for i in range(3000)]
    assert len(read_terms(" + ".join(names))) == 3001
    assert variables("I(" + " + ".join(names) + ")") == sorted(names)
    assert without_dot("y ~ . - v1", ["y", "v1", "v 2", "v`3"], [None]) == "y ~ (`v 2` + `v``3`)"


@pytest.mark.parametrize(
    ("formula", "found"), [("y ~ .", True), ("y ~ x.z + .5", False), ("y ~ (x).y", False), ("y ~ `.`", False)]
)
def test_a_dot_is_a_term_only_between_operators(formula: str, found: bool) -> None:
    assert has_dot(formula) is found


def test_a_bar_or_a_tilde_in_a_name_parts_nothing() -> None:
    found = parse("y ~ `a|b` + `c~d` | `e|f`", {"pi": Role.ZEROS, "rate": Role.LOCATION}, "zip")
    assert found.terms == {"pi": "`e|f`", "rate": "`a|b` + `c~d`"}


def test_saved_terms_are_those_that_are_written(frame: pd.DataFrame) -> None:
    """Whatever of them is changed is refused: text, names, levels, states."""
    odd = frame.assign(g=[*"abcd"] * 10)
    record = terms_record(regress(odd, "y ~ poly(x, 2) + g + bs(x2, df=4) + scale(x)").predictors[0].terms)
    assert terms_of(json.loads(json.dumps(record))).names == tuple(record["names"])
    for path, value in [
        (("text",), "poly(x, 2) + g + bs(x2, df=4) + scale(x2)"),
        (("text",), 5),
        (("names", 1), "z"),
        (("by_term", "g"), [3]),
        (("levels", 0, 0), "h"),
        (("levels", 0, 1), ["a", "b", "c"]),
        (("levels", 0, 1), ["a", "b", "c", 4]),
        (("levels", 0, 1), ["a", "b", "c", "c"]),
        (("levels", 0, 1), "abcd"),
        (("states", "pairs", 0, 1, "pairs", 0, 1), None),
        (("states", "pairs", 0, 0), "poly(x, 3)"),
        (("states", "pairs", 1, 1, "pairs", 2, 1), [0.0] * 9),
        (("states", "pairs", 1, 1, "pairs", 2, 1), [0.0, "1"] * 5),
        (("states", "pairs", 2, 1, "pairs", 2, 1), 0.0),
        (("states", "pairs", 2, 1, "pairs", 1, 1), float("nan")),
        (("states", "pairs", 2, 1, "pairs", 1, 1), 10**400),
        (("states",), {"pairs": []}),
    ]:
        damaged = json.loads(json.dumps(record))
        place = damaged
        for key in path[:-1]:
            place = place[key]
        assert place[path[-1]] != value
        place[path[-1]] = copy.deepcopy(value)
        with pytest.raises((DistfitError, ValueError, TypeError, KeyError)):
            terms_of(damaged)


@pytest.mark.slow
def test_nothing_runs_of_20000_hostile_formulas_and_names(repository: Path) -> None:
    """In a process of its own: an audit hook cannot be taken back."""
    script = Path(__file__).with_name("hostile_formulas.py")
    done = subprocess.run(
        [sys.executable, str(script), "20000"], capture_output=True, text=True, timeout=900, check=False
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert done.stdout.startswith("20000 cases, "), done.stdout
