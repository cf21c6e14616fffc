"""How a regression and its responses agree, as one JSON object: the same of linear predictors and networks."""

from __future__ import annotations

from typing import Any

from distfit_counts.regression.natural_residuals import NaturalResiduals
from distfit_counts.regression.residuals import Residuals
from distfit_counts.report.as_json import finite


def residuals_record(seen: Residuals | NaturalResiduals) -> dict[str, Any]:
    """All but ``quantile`` is null where the response is no count."""
    quantile = {"mean": finite(float(seen.quantile.mean())), "sd": finite(float(seen.quantile.std()))}
    if isinstance(seen, NaturalResiduals):
        return dict.fromkeys(("dispersion", "mean", "variance", "zeros", "frequencies")) | {"quantile": quantile}
    return {
        "dispersion": finite(seen.dispersion),
        "mean": dict(zip(("observed", "expected"), seen.mean, strict=True)),
        "variance": dict(zip(("observed", "expected"), map(finite, seen.variance), strict=True)),
        "zeros": dict(zip(("observed", "expected"), seen.zeros, strict=True)),
        "quantile": quantile,
        "frequencies": [
            {"count": k, "observed": o, "expected": e}
            for k, (o, e) in enumerate(zip(seen.observed.tolist(), seen.expected.tolist(), strict=True))
        ],
    }
