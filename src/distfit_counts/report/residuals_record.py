"""How a regression and its responses agree, as one JSON object: the same of linear predictors and networks."""

from __future__ import annotations

from typing import Any

from distfit_counts.regression.agreement import Agreement
from distfit_counts.report.as_json import finite


def residuals_record(seen: Agreement) -> dict[str, Any]:
    """All but ``quantile`` is null where the response is no count."""
    quantile = dict(zip(("mean", "sd"), map(finite, seen.quantile), strict=True))
    moments = seen.moments
    names = ("mean", "variance", "zeros")
    if moments is None:
        absent = ("n", "dispersion", "chi_square", "df", "settled", *names, "frequencies")
        return dict.fromkeys(absent) | {"quantile": quantile}
    return {
        "n": moments.n,
        "dispersion": finite(moments.dispersion),
        "chi_square": finite(moments.chi_square),
        "df": moments.df,
        "settled": moments.settled,
        **{
            name: dict(zip(("observed", "expected"), map(finite, getattr(moments, name)), strict=True))
            for name in names
        },
        "quantile": quantile,
        "frequencies": [
            {"count": k, "observed": o, "expected": e}
            for k, (o, e) in enumerate(zip(seen.observed, seen.expected, strict=True))
        ],
    }
