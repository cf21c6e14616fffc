"""Over 2,000 samples from a known model: do 95 % intervals cover in 95 %, and do tests reject as often as they say?

docs/calibration.md has the whole table, and the simulated p-values, which would take an hour here.
"""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.calibration import LEVELS, MODELS, SAMPLES, SIZES, calibrate, too_simple

pytestmark = pytest.mark.slow

# Where large-sample theory fails, as docs/calibration.md and the verdict sample.small say: (model, n, test) -> size.
LIBERAL = {("zinb", 50, "chi_square"), ("zinb", 50, "g_squared"), ("nb", 50, "g_squared")}
# Tests whose null is a limit that small samples stay below.
CONSERVATIVE = ("regression.overdispersion", "nb against poisson", "zinb against nb", "zinb against zip")


def error(share: float) -> float:
    """Three and a half standard errors of a share over SAMPLES; the cases are many."""
    return 3.5 * float(np.sqrt(share * (1.0 - share) / SAMPLES))


@pytest.mark.parametrize("n", SIZES)
@pytest.mark.parametrize("spec", MODELS)
def test_intervals_cover_and_tests_keep_their_size(spec: str, n: int) -> None:
    found = calibrate(spec, n)
    for name in MODELS[spec]:
        assert found.without[name] < 0.03
        # At n = 50 Wald's interval of a size or pi is too wide rather than too narrow.
        assert 0.95 - error(0.95) - 5.0 / n / 10.0 < found.coverage["wald"][name] < (0.99 if n == 50 else 0.972), name
        assert abs(found.coverage["profile"][name] - 0.95) < error(0.95) + 0.1 / n**0.5 * (n < 200), name
    for test in found.p_values:
        for level in LEVELS:
            size = found.size(test, level)
            assert size < (2.5 if (spec, n, test) in LIBERAL else 1.0) * level + error(level) + 0.2 * level, (
                test,
                level,
            )
            if test not in CONSERVATIVE:
                assert size > 0.7 * level - error(level), (test, level)


@pytest.mark.parametrize("rate", [2.0, 20.0])
def test_what_is_simpler_than_both_families_is_not_rejected_too_often(rate: float) -> None:
    """Poisson counts, and all tests of compare between larger families: 2*poisson against zip rejected 10 % at 5 %."""
    found = too_simple("poisson", {"rate": rate}, 200, samples=400)
    assert "2*poisson against zip" in found
    for test, p in found.items():
        for level in LEVELS:
            assert (p <= level).mean() < level + 3.5 * np.sqrt(level * (1.0 - level) / 400), (test, level)


def test_simulated_p_values_are_exact_enough() -> None:
    """200 samples with 39 simulated each: the sizes at 5 % and 10 % of all five statistics."""
    found = calibrate("zip", 50, samples=200, replicates=39)
    for test in ("chi_square", "g_squared", "kolmogorov_smirnov", "cramer_von_mises", "anderson_darling"):
        for level in (0.05, 0.10):
            size = found.size(f"{test}, simulated", level)
            assert abs(size - level) < 3.5 * np.sqrt(level * (1.0 - level) / 200), (test, level)
