"""The family language."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from distfit_counts.errors import FamilyError
from distfit_counts.families.family import Family
from distfit_counts.families.hurdle import Hurdle
from distfit_counts.families.mixture import Mixture
from distfit_counts.families.negative_binomial import NegativeBinomial
from distfit_counts.families.poisson import Poisson
from distfit_counts.families.spec import EXAMPLES, MAX_COMPONENTS, SHORTHANDS, parse
from distfit_counts.families.truncated import Truncated
from distfit_counts.families.zero_inflated import ZeroInflated

POISSON, NB = Poisson(), NegativeBinomial()


@pytest.mark.parametrize(
    ("text", "family"),
    [
        ("poisson", POISSON),
        ("nb", NB),
        ("zip", ZeroInflated(POISSON)),
        ("zi(poisson)", ZeroInflated(POISSON)),
        ("zinb", ZeroInflated(NB)),
        ("hurdle(nb)", Hurdle(NB)),
        ("hurdle", Hurdle(POISSON)),
        ("zt(poisson)", Truncated(POISSON)),
        ("ztnb", Truncated(NB)),
        ("3*poisson", Mixture((POISSON,) * 3)),
        ("poisson+nb", Mixture((POISSON, NB))),
        ("poisson+poisson", Mixture((POISSON, POISSON))),
        ("poisson+2*nb", Mixture((POISSON, NB, NB))),
        ("zi(2*poisson)", ZeroInflated(Mixture((POISSON, POISSON)))),
        ("2*zip", Mixture((ZeroInflated(POISSON),) * 2)),
        ("zip+nb", Mixture((ZeroInflated(POISSON), NB))),
        ("(poisson+nb)+nb", Mixture((POISSON, NB, NB))),
        ("2*(poisson+nb)", Mixture((POISSON, NB, POISSON, NB))),
        ("1*poisson", POISSON),
        ("(((nb)))", NB),
        (" ZI ( NB ) ", ZeroInflated(NB)),
        ("Negative-Binomial", NB),
        ("hurdle(zt(poisson))", Hurdle(Truncated(POISSON))),
        ("zt(zt(poisson))", Truncated(POISSON)),
    ],
)
def test_accepted(text: str, family: Family) -> None:
    assert parse(text) == family
    assert parse(family.spec) == family


def test_shorthands_and_examples_parse() -> None:
    for short, spec in SHORTHANDS.items():
        assert parse(short) == parse(spec)
    for example in EXAMPLES.values():
        assert parse(example).parameters


@pytest.mark.parametrize(
    ("word", "components", "spec"),
    [
        ("mixture", 3, "3*poisson"),
        ("mixture", None, "2*poisson"),
        ("poisson-mixture", 4, "4*poisson"),
        ("nb-mixture", 2, "2*nb"),
        ("NB-Mixture", None, "2*nb"),
        ("mixture", 1, "poisson"),
    ],
)
def test_plain_words_for_mixtures(word: str, components: int | None, spec: str) -> None:
    assert parse(word, components) == parse(spec)


@pytest.mark.parametrize(
    ("text", "near"),
    [("possion", "poisson"), ("zimb", "zinb"), ("geometrc", "geometric"), ("negbinom", "negbin"), ("hurdel", "hurdle")],
)
def test_an_unknown_name_gets_the_nearest(text: str, near: str) -> None:
    with pytest.raises(FamilyError) as caught:
        parse(text)
    assert text in caught.value.problem
    assert near in caught.value.hint.split("known:")[0], "named before the list of all"
    for known in ("poisson", "nb", "zip", "zi(...)", "2*poisson"):
        assert known in caught.value.hint


@pytest.mark.parametrize(
    "text",
    [
        "",
        "   ",
        "+",
        "poisson+",
        "+poisson",
        "zi",
        "zi()",
        "zi(poisson",
        "zi(poisson))",
        "poisson poisson",
        "2poisson",
        "2*",
        "*poisson",
        "0*poisson",
        f"{MAX_COMPONENTS + 1}*poisson",
        pytest.param("9" * 5000 + "*poisson", id="5000 digits"),
        "10*poisson+11*nb",
        "5*(5*poisson)",
        "poisson(3)",
        "poisson, nb",
        "poisson*2",
        "point(-1)",
        "point(nb)",
        "point",
        "point()",
        "zi(mixture)",
        "mixture+nb",
        "nb;",
        "nb\x00",
        "пуассон",
        "²*poisson",
        pytest.param("point(" + "9" * 5000 + ")", id="point of 5000 digits"),
        pytest.param("(" * 5000 + "poisson" + ")" * 5000, id="5000 brackets"),
        pytest.param("hurdle(zt(" * 2500 + "poisson" + "))" * 2500, id="5000 wrappers"),
    ],
)
def test_malformed(text: str) -> None:
    with pytest.raises(FamilyError) as caught:
        parse(text)
    assert caught.value.problem
    assert caught.value.hint


@pytest.mark.parametrize("text", ["poisson", "zip", "2*poisson"])
def test_components_belong_to_mixture_words(text: str) -> None:
    with pytest.raises(FamilyError, match="components"):
        parse(text, 3)


@pytest.mark.parametrize("components", [0, -1, MAX_COMPONENTS + 1])
def test_impossible_numbers_of_components(components: int) -> None:
    with pytest.raises(FamilyError):
        parse("mixture", components)


pieces = st.sampled_from(
    [
        "poisson",
        "nb",
        "zip",
        "geometric",
        "logseries",
        "zi(",
        "hurdle(",
        "zt(",
        "point(",
        "(",
        ")",
        "+",
        "*",
        "2",
        "0",
        "3",
    ]
)


@given(st.one_of(st.text(max_size=30), st.lists(pieces, max_size=9).map("".join)))
@settings(max_examples=300)
def test_any_text_is_a_family_or_a_family_error(text: str) -> None:
    try:
        family = parse(text)
    except FamilyError:
        return
    assert parse(family.spec) == family


trees = st.recursive(
    st.sampled_from(["poisson", "nb", "geometric"]),
    lambda inner: st.one_of(
        st.tuples(st.sampled_from(["zi", "hurdle", "zt"]), inner).map(lambda pair: f"{pair[0]}({pair[1]})"),
        st.tuples(st.integers(1, 3), inner).map(lambda pair: f"{pair[0]}*({pair[1]})"),
        st.lists(inner, min_size=2, max_size=3).map("+".join),
    ),
    max_leaves=4,
)


@given(trees)
@settings(max_examples=100)
def test_every_nested_family_reads_back(text: str) -> None:
    try:
        family = parse(text)
    except FamilyError:
        return  # too many components, or two zero parts of one name
    assert parse(family.spec) == family
    assert len(set(family.names)) == len(family.names)


@pytest.mark.parametrize("text", ["zi(zip)", "zi(zi(nb))", "hurdle(hurdle)", "zi(zi(2*poisson))", "2*(zi(zip))"])
def test_two_parameters_never_share_a_name(text: str) -> None:
    """Zero inflation of a zero inflation has two pi that cannot be told apart: to be refused, not mixed up."""
    with pytest.raises(FamilyError):
        parse(text)


@pytest.mark.parametrize(
    ("spec", "values", "named"),
    [
        ("poisson", {"rate": -1.0}, "rate"),
        ("poisson", {"rate": float("nan")}, "rate"),
        ("poisson", {"rate": float("inf")}, "rate"),
        ("poisson", {}, "rate"),
        ("poisson", {"rate": 1.0, "pi": 0.5}, "pi"),
        ("zip", {"pi": 1.2, "rate": 1.0}, "pi"),
        ("zip", {"pi": -0.1, "rate": 1.0}, "pi"),
        ("nb", {"mean": 1.0, "size": -2.0}, "size"),
        ("nb", {"mean": float("inf"), "size": 2.0}, "mean"),
        ("hurdle(nb)", {"p0": 2.0, "mean": 1.0, "size": 1.0}, "p0"),
        ("2*poisson", {"weight[1]": 0.5, "weight[2]": 0.6, "rate[1]": 1.0, "rate[2]": 2.0}, "weights"),
        ("2*poisson", {"weight[1]": 0.5, "weight[2]": 0.5, "rate[1]": 1.0, "rate[2]": -2.0}, "rate[2]"),
        ("logseries", {"q": 1.5}, "q"),
    ],
)
def test_values_out_of_range_are_refused_by_name(spec: str, values: dict[str, float], named: str) -> None:
    with pytest.raises(FamilyError) as caught:
        parse(spec).check(values)
    assert named in caught.value.problem


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("binomial", "a known number of trials"),
        ("beta-binomial", "a known number of trials"),
        ("Normal", "a distribution of measurements"),
        ("lognormal", "a distribution of measurements"),
        ("quasi-poisson", "has no likelihood"),
        ("zipf", "long-tailed"),
        ("skellam", "may be negative"),
        ("bernoulli", "distfit regress fits"),
    ],
)
def test_known_distributions_that_are_no_families_are_told_what_they_are(name: str, said: str) -> None:
    with pytest.raises(FamilyError, match=said) as caught:
        parse(name)
    assert "did you mean" not in str(caught.value)


@pytest.mark.parametrize(("name", "known"), [("nbinom", "nb"), ("pois", "poisson"), ("log-ser", "logseries")])
def test_names_of_other_tools_are_known(name: str, known: str) -> None:
    with pytest.raises(FamilyError, match=f"did you mean {known}\\?"):
        parse(name)
