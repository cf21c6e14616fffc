"""Components of many columns are numbered by their means, as those of one are."""

from __future__ import annotations

import numpy as np
import pytest

from distfit_counts.families.labels import relabelled, taken
from distfit_counts.families.spec import parse


@pytest.mark.parametrize(
    "spec", ["nb", "zinb", "3*poisson", "2*nb", "nb+2*poisson", "zi(2*poisson)", "hurdle(2*poisson)"]
)
def test_every_column_is_numbered_as_if_alone(spec: str) -> None:
    """Equal means and undefined ones too."""
    family, rng = parse(spec), np.random.default_rng(6)
    values = rng.choice([0.1, 0.5, 2.0, 2.0, 7.0, np.nan], (60, len(family.names)))
    order = relabelled(family, values)
    for row, line in enumerate(values):
        labels = family.canonical(dict(zip(family.names, line.tolist(), strict=True)))
        assert [family.names[i] for i in order[row]] == [labels[name] for name in family.names]


def test_means_ascend() -> None:
    family, rng = parse("3*poisson"), np.random.default_rng(7)
    values = rng.uniform(0.1, 9.0, (40, 6))
    rates = taken(values, relabelled(family, values))[:, 3:]
    assert (np.diff(rates, axis=1) >= 0.0).all()
