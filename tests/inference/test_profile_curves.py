"""Profile curves: a closed form, and what one can see at a boundary."""

from __future__ import annotations

import numpy as np

from distfit_counts.inference.likelihood.profile_curves import profile_curves


def test_a_poisson_has_a_closed_form(fit) -> None:
    """With one parameter the deviance is 2 n [ybar log(ybar / rate) - (ybar - rate)]; 3.84 is the 95 % cut."""
    counts = [0, 1, 1, 2, 3, 3, 4, 6]
    ((values, deviance),) = profile_curves(fit(counts, "poisson", restarts=1)).values()
    mean = np.mean(counts)
    np.testing.assert_allclose(deviance, 16 * (mean * np.log(mean / values) - (mean - values)), atol=1e-8)
    assert (np.diff(values) > 0).all()
    assert min(deviance[0], deviance[-1]) > 3.85


def test_a_limit_has_a_one_sided_curve(fit) -> None:
    """Horse kicks (Bortkiewicz 1898) are Poisson: size runs to infinity, where the curve is flat."""
    kicks = fit([0, 1, 2, 3, 4], "nb", [109, 65, 22, 3, 1], restarts=1)
    _, deviance = profile_curves(kicks)["size"]
    assert deviance[-1] < 1e-3
    assert deviance[0] > 3.85
    assert (np.diff(deviance) < 1e-6).all()


def test_the_last_of_two_weights_is_left_out(fit) -> None:
    counts = np.repeat([0, 1, 2, 3, 8, 9, 10, 11, 12], [20, 25, 12, 5, 6, 9, 9, 6, 4])
    curves = profile_curves(fit(counts, "2*poisson", restarts=2))
    assert list(curves) == ["weight[1]", "rate[1]", "rate[2]"]
    for name, (values, deviance) in curves.items():
        assert np.nanmin(deviance) < 1e-6, name
        assert values[0] < values[np.nanargmin(deviance)] < values[-1]
