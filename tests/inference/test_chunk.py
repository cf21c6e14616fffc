"""Many columns judged at once: nobody notices who else is in the batch, and arrays say what the single fits say."""

from __future__ import annotations

import dataclasses
import itertools
import math
from typing import Any

import numpy as np
import pytest

from distfit_counts.data.column import Column
from distfit_counts.data.histogram import Histogram
from distfit_counts.families.spec import parse
from distfit_counts.fitting import fit_columns
from distfit_counts.inference.fitted.numbers import Numbers
from distfit_counts.settings import FitSettings

SLOW = [pytest.param(spec, marks=pytest.mark.slow) for spec in ("zinb", "2*poisson", "2*nb", "zip+nb", "zi(2*poisson)")]
SPECS = ["poisson", "geometric", "nb", "zip", "hurdle(nb)", *SLOW]


def columns() -> list[Column]:
    """Narrow and wide counts, small and large samples, boundaries, and what no family fits."""
    rng = np.random.default_rng(11)
    drawn = [
        rng.poisson(rng.gamma(1.5, 4.0 / 1.5, 300)),
        rng.poisson(rng.gamma(0.4, 60.0 / 0.4, 500)),
        rng.poisson(rng.gamma(9.0, 2.0 / 9.0, 40)),
        rng.poisson(5.0, 800) * rng.binomial(1, 0.5, 800),
        rng.binomial(10, 0.7, 200),
        np.append(rng.poisson(3.0, 500), 60),
        rng.poisson(rng.gamma(2.0, 2500.0, 60)),
        rng.poisson(1e6, 50),
        np.concatenate([rng.poisson(1.0, 100), rng.poisson(60.0, 40)]),
        *([0] * 30, [7] * 12, [3], [0], [0, 5], [0, 1, 10**6], [1, 2, 2]),
    ]  # fmt: skip
    return [Column("test", f"c{i}", {}, Histogram.of(values)) for i, values in enumerate(drawn)]


def differences(a: Any, b: Any, where: str = "") -> list[str]:
    """What differs beyond rounding between two plain values."""
    if dataclasses.is_dataclass(a):
        names = [field.name for field in dataclasses.fields(a) if field.name != "histogram"]
        pairs = [(name, getattr(a, name), getattr(b, name)) for name in names]
    elif isinstance(a, dict):
        assert list(a) == list(b), where
        pairs = [(name, a[name], b[name]) for name in a]
    elif isinstance(a, tuple):
        assert len(a) == len(b), where
        pairs = [(str(i), x, y) for i, (x, y) in enumerate(zip(a, b, strict=True))]
    elif isinstance(a, float):
        same = math.isclose(a, b, rel_tol=1e-6, abs_tol=1e-6) or (math.isnan(a) and math.isnan(b))
        return [] if same else [f"{where}: {a} != {b}"]
    else:
        return [] if a == b else [f"{where}: {a} != {b}"]
    return [found for name, x, y in pairs for found in differences(x, y, f"{where}.{name}")]


@pytest.mark.parametrize("spec", ["nb", "zip", pytest.param("2*poisson", marks=pytest.mark.slow)])
def test_a_column_alone_has_the_same_fit(spec: str) -> None:
    family, settings = parse(spec), FitSettings(restarts=3)
    together = fit_columns(columns(), family, settings)
    for i, column in enumerate(columns()):
        alone = fit_columns([column], family, settings)[0]
        fit = together[i]
        # Gradients at an optimum, and the steps to it, are rounding; so are messages with their digits.
        names = ("parameters", "derived", "log_likelihood", "status", "reduced", "goodness", "tests")
        found = [d for name in names for d in differences(getattr(fit, name), getattr(alone, name), name)]
        assert not found, (column.column, found)
        assert [v.code for v in fit.verdicts] == [v.code for v in alone.verdicts]


@pytest.mark.parametrize("options", [{}, {"ci": "profile"}, {"restarts": 1}], ids=str)
@pytest.mark.parametrize("spec", SPECS)
def test_the_numbers_are_those_of_the_fits(spec: str, options: dict[str, Any]) -> None:
    if options.get("ci") and spec not in ("poisson", "nb"):
        pytest.skip("profiles take long")
    chosen = [c for c in columns() if not options.get("ci") or c.histogram.values[-1] < 1000]
    fits = fit_columns(chosen, parse(spec), FitSettings(**({"restarts": 2} | options)))
    numbers, expected = fits.numbers, Numbers.of(list(fits))
    for name in ("estimates", "boundary", "n", "n_missing", "log_likelihood", "converged", "chi_square"):
        np.testing.assert_array_equal(getattr(numbers, name), getattr(expected, name), err_msg=name)
    assert (numbers.family, numbers.names, numbers.n_parameters) == (
        expected.family,
        expected.names,
        fits[0].n_parameters,
    )
    np.testing.assert_allclose(numbers.prob_zero, expected.prob_zero, rtol=1e-12)
    assert numbers.status == expected.status
    assert numbers.equivalent == expected.equivalent
    assert numbers.codes == expected.codes, "codes without sentences are those of the sentences"
    for code, p in expected.p_values.items():
        # A test that has no p-value without replicates is not made for numbers alone.
        np.testing.assert_array_equal(numbers.p_values.get(code, np.full(len(p), np.nan)), p, err_msg=code)
    for name, i in itertools.product(("aic", "aicc", "bic"), range(len(fits))):
        assert getattr(numbers, name)[i] == pytest.approx(getattr(fits[i], name), rel=1e-14, nan_ok=True)
    assert [place.column for place in numbers.places] == [column.column for column in chosen]


def test_simulated_p_values_are_among_the_numbers() -> None:
    chosen = columns()[2:4]
    fits = fit_columns(chosen, parse("zip"), FitSettings(restarts=1, gof_replicates=19))
    p = fits.numbers.p_values["anderson_darling"]
    assert p.tolist() == [fit.goodness.tests[4].p_value for fit in fits]
    assert (p >= 0.05).all()


def test_negative_indices_and_slices() -> None:
    fits = fit_columns(columns()[:4], parse("poisson"))
    assert fits[-1].column == "c3"
    assert [fit.column for fit in fits[1:3]] == ["c1", "c2"]
    with pytest.raises(IndexError):
        fits[4]
