"""Formulas: what they mean, and what they refuse."""

from __future__ import annotations

import pytest

from distfit_counts.errors import DistfitError
from distfit_counts.families import spec
from distfit_counts.families.family import Role
from distfit_counts.formula.terms import variables
from distfit_counts.regression.formula import parse, response_of, without_dot
from distfit_counts.regression.link import SOFTPLUS
from distfit_counts.regression.row_model import CountModel, roles_of

NAMES = ("nb", "zinb", "zip", "poisson", "2*poisson", "poisson+nb")
NB, ZINB, ZIP, POISSON, TWO, BOTH = (roles_of(spec.parse(name)) for name in NAMES)


def test_without_a_bar_the_zero_part_has_the_same_terms_and_the_size_none() -> None:
    assert parse("y ~ x + z", ZINB, "zinb").terms == {"pi": "x + z", "mean": "x + z", "size": "1"}


def test_a_bar_parts_the_zeros_but_not_within_brackets_or_quotes() -> None:
    found = parse("y ~ x + C(h, contr.treatment('a|b')) | z", ZINB, "zinb")
    assert found.terms["pi"] == "z"
    assert found.terms["mean"] == "x + C(h, contr.treatment('a|b'))"


def test_every_component_of_a_mixture_has_the_terms_and_any_parameter_its_own() -> None:
    assert parse("y ~ x", TWO, "2*poisson").terms == {"weight[1]": "1", "rate[1]": "x", "rate[2]": "x"}
    own = parse("y ~ x", TWO, "2*poisson", {"rate[2]": "~ x + z", "weight": "~ x"})
    assert own.terms == {"weight[1]": "x", "rate[1]": "x", "rate[2]": "x + z"}


@pytest.mark.parametrize(
    ("terms", "expected"),
    [
        ("poly(age, 2):b + C(h, contr.treatment('x'))", ["age", "b", "h"]),
        ("log(`my column`) + `a b` + np.sqrt(q)", ["a b", "my column", "q"]),
        ("bs(x, df=4) + I(u * v) + 1", ["u", "v", "x"]),
        ("C(g, Sum) + sqrt(x) + C(h, Treatment('b')) + Sum", ["Sum", "g", "h", "x"]),
    ],
)
def test_the_columns_that_terms_use(terms: str, expected: list[str]) -> None:
    assert variables(terms) == expected


@pytest.mark.parametrize(
    "terms",
    [
        "__import__('os').system('true')",
        "x:__import__('os').system('true')",
        "{__import__('os')}",
        "np.load(x)",
        "x.__class__.mro()",
        "eval('1')",
        "I([c for c in x])",
        "C(x).__class__",
    ],
)
def test_a_formula_holds_nothing_but_arithmetic_on_columns(terms: str) -> None:
    """Formulas are read from saved models too, and the library that makes the matrix evaluates Python."""
    with pytest.raises(DistfitError):
        parse(f"y ~ {terms}", POISSON, "poisson")


@pytest.mark.parametrize("text", ["y", "y ~", "~ x", "y ~ x ~ z", "y ~ x | ", "y ~ x | z | w", "log(y) ~ x", "y ~ x +"])
def test_what_is_no_formula_is_refused_with_what_to_write(text: str) -> None:
    with pytest.raises(DistfitError) as error:
        parse(text, ZINB, "zinb")
    assert error.value.hint


def test_a_zero_part_needs_a_family_that_has_one() -> None:
    with pytest.raises(DistfitError, match="no zero part"):
        parse("y ~ x | z", NB, "nb")


def test_parameters_that_do_not_exist_are_refused_by_name() -> None:
    with pytest.raises(DistfitError, match="'alpha'"):
        parse("y ~ x", NB, "nb", {"alpha": "~ x"})


def test_the_mean_is_called_by_either_name_whatever_the_family() -> None:
    """Another family is another word: ``mean=`` holds for the Poisson's rate too, and ``rate=`` for nb's mean."""
    assert parse("y ~ 1", POISSON, "poisson", {"mean": "~ z"}).terms == {"rate": "z"}
    assert parse("y ~ x", ZINB, "zinb", {"rate": "~ z"}).terms["mean"] == "z"
    assert parse("y ~ x", BOTH, "poisson+nb", {"mean[1]": "~ z"}).terms["rate[1]"] == "z"
    assert CountModel.of(spec.parse("poisson"), {"mean": "softplus"}).links["rate"] is SOFTPLUS


@pytest.mark.parametrize(
    ("formula", "roles", "own"),
    [("y ~ x", POISSON, {"mean": "~ z"}), ("y ~ x | z", ZIP, {"pi": "~ w"})],
)
def test_terms_of_which_nothing_would_be_left_are_refused(
    formula: str, roles: dict[str, Role], own: dict[str, str]
) -> None:
    with pytest.raises(DistfitError, match="are for the same"):
        parse(formula, roles, "zip", own)


def test_a_response_with_blanks_stands_in_backquotes() -> None:
    assert response_of("`number of visits` ~ x") == "number of visits"


@pytest.mark.parametrize(
    ("formula", "meant"),
    [
        ("y ~ . - b", "y ~ (a + `c d`)"),
        ("y ~ . - `c d` - b + a:b", "y ~ (a) + a:b"),
        ("y ~ . - a:b - b", "y ~ (a + b + `c d`) - a:b - b"),
        ("y ~ a + . - a", "y ~ a + (a + b + `c d`) - a"),
        ("y ~ . - a | .", "y ~ (b + `c d`) | (a + b + `c d`)"),
    ],
)
def test_a_dot_less_a_column_is_written_without_it(formula: str, meant: str) -> None:
    assert without_dot(formula, ["y", "a", "b", "c d"], [None]) == meant
