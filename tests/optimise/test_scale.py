"""However the work is cut, spread over threads or moved to a device: the same numbers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from distfit_counts.assembly import Fits
from distfit_counts.data.column import Column
from distfit_counts.data.histogram import Histogram
from distfit_counts.errors import DistfitError
from distfit_counts.families.family import Family
from distfit_counts.families.spec import parse
from distfit_counts.fitting import chunks, fit_columns
from distfit_counts.optimise import device, problem
from distfit_counts.optimise.problem import Batch, Objective, working
from distfit_counts.optimise.starts import nested_starts, own_starts
from distfit_counts.settings import WIDEST, FitSettings

RNG = np.random.default_rng(8)
MEANS = np.exp(RNG.uniform(-1.0, 6.0, 60))
COLUMNS = [
    Column("made", str(i), {}, Histogram.of(RNG.poisson(RNG.gamma(1.5, mean / 1.5, 400)) * RNG.binomial(1, 0.8, 400)))
    for i, mean in enumerate(MEANS)
]


def test_chunks_hold_every_column_once_and_little_padding() -> None:
    distinct = np.array([column.histogram.distinct for column in COLUMNS])
    for elements in (1, 2_000, 10**9):
        found = list(chunks(COLUMNS, restarts=3, elements=elements))
        assert sorted(i for chunk in found for i in chunk) == list(range(len(COLUMNS)))
        for chunk in found:
            widths = distinct[chunk]
            assert len(chunk) == 1 or 3 * len(chunk) * widths.max() <= elements
            assert widths.max() <= WIDEST * widths.min()
        padded = sum(len(chunk) * distinct[chunk].max() for chunk in found)
        assert padded < 2 * distinct.sum()


@pytest.mark.parametrize("spec", ["nb", "zip"])
def test_threads_and_memory_change_nothing(spec: str) -> None:
    family = parse(spec)
    once = fit_columns(COLUMNS, family, FitSettings(restarts=2, threads=1))
    for settings in (FitSettings(restarts=2, threads=3), FitSettings(restarts=2, memory=10**6)):
        again = fit_columns(COLUMNS, family, settings)
        assert again.log_likelihood == pytest.approx(once.log_likelihood, rel=1e-12)
        for one, other in zip(once, again, strict=True):
            for name, e in one.parameters.items():
                assert other.parameters[name].estimate == pytest.approx(e.estimate, rel=1e-12, nan_ok=True)


@pytest.mark.parametrize("spec", ["nb", "zinb", pytest.param("2*poisson", marks=pytest.mark.slow)])
def test_millions_of_distinct_values_are_a_sum_of_parts(spec: str, monkeypatch: pytest.MonkeyPatch) -> None:
    wide = [Column("made", "y", {}, Histogram.of(RNG.negative_binomial(2, 0.001, 80)))]
    whole = fit_columns(wide, parse(spec), FitSettings(restarts=2))[0]
    monkeypatch.setattr(problem, "PIECE_ELEMENTS", 20)
    parts = fit_columns(wide, parse(spec), FitSettings(restarts=2))[0]
    assert parts.log_likelihood == pytest.approx(whole.log_likelihood, rel=1e-12)
    for name, e in whole.parameters.items():
        assert parts.parameters[name].estimate == pytest.approx(e.estimate, rel=1e-7)
        assert parts.parameters[name].std_error == pytest.approx(e.std_error, rel=1e-6, nan_ok=True)


@pytest.mark.parametrize("spec", ["nb", "zinb", "3*poisson"])
def test_a_row_is_evaluated_the_same_beside_any_others(spec: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Pieces are cut to their widest column: what is cut off is padding."""
    family, batch = parse(spec), Batch.of([column.histogram for column in COLUMNS])
    scale = np.full((len(COLUMNS), len(family.names)), 3.0)
    column = torch.arange(len(COLUMNS)).repeat_interleave(2)
    theta = torch.from_numpy(np.random.default_rng(2).normal(0.0, 1.0, (len(column), family.n_parameters)))
    whole = Objective(family, batch, scale)(theta, column, hessian=True)
    monkeypatch.setattr(problem, "PIECE_ELEMENTS", 300)
    for found, expected in zip(
        Objective(family, batch, scale)(theta, column, hessian=True).tensors, whole.tensors, strict=True
    ):
        torch.testing.assert_close(found, expected, rtol=1e-11, atol=1e-13)
    width = int(batch.width[7])
    alone = Batch(batch.k[7:8, :width], batch.w[7:8, :width], batch.n[7:8])
    found = Objective(family, alone, scale[:1])(theta[14:16], column[:2], hessian=True)
    for one, expected in zip(found.tensors, whole.tensors, strict=True):
        torch.testing.assert_close(one, expected[14:16], rtol=1e-11, atol=1e-13)


@pytest.mark.parametrize("spec", ["3*poisson", "nb+poisson"])
def test_a_column_starts_where_it_starts_beside_wider_ones(spec: str) -> None:
    """Where a further component is looked for, too: the padding of a narrow column is no place."""
    family = parse(spec)
    narrow, wide = (min(COLUMNS, key=_distinct).histogram, max(COLUMNS, key=_distinct).histogram)
    limit = family.limits()[0]
    found = []
    for histograms in ([narrow], [narrow, wide]):
        batch = Batch.of(histograms)
        own, scale = own_starts(family, batch, 3, 0)
        values = own_starts(limit.family, batch, 1, 0)[1]
        nested = {name: values[:, i] for i, name in enumerate(limit.family.names)}
        found.append((own[0], nested_starts(family, batch, scale, [(limit, nested)])[0][0]))
    for alone, beside in zip(*found, strict=True):
        np.testing.assert_allclose(beside, alone, rtol=1e-12, atol=1e-12)


def _distinct(column: Column) -> int:
    return column.histogram.distinct


def test_a_device_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert device.chosen("auto") == device.chosen("cpu") == "cpu"
    with pytest.raises(DistfitError, match="--device cuda"):
        device.chosen("cuda")
    with pytest.raises(DistfitError, match="unknown device 'tpu'"):
        FitSettings(device="tpu")


SPECS = ["poisson", "nb", "zip", "zinb", "hurdle(nb)", "zt(nb)", "2*poisson", "2*nb"]


def _columns_for(family: Family) -> list[Column]:
    return [c for c in COLUMNS if c.histogram.values[0] >= family.lowest] or [
        Column("made", "y", {}, Histogram.of(COLUMNS[0].histogram.values + 1, COLUMNS[0].histogram.weights))
    ]


def _same_answers(one: Fits, other: Fits) -> None:
    assert other.log_likelihood == pytest.approx(one.log_likelihood, rel=1e-9)
    for a, b in zip(one, other, strict=True):
        assert b.reduced.parameters == pytest.approx(a.reduced.parameters, rel=1e-9)


@pytest.mark.gpu
@pytest.mark.parametrize("spec", SPECS)
def test_a_gpu_gives_the_same(spec: str) -> None:
    if not torch.cuda.is_available():
        pytest.skip("no CUDA device")
    family = parse(spec)
    settings = [FitSettings(restarts=3, device=name) for name in ("cpu", "cuda")]
    _same_answers(*(fit_columns(_columns_for(family), family, each) for each in settings))


@pytest.mark.slow
@pytest.mark.parametrize("spec", SPECS)
def test_sums_in_another_order_give_the_same(spec: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a GPU does to an objective: it rounds elsewhere."""
    family = parse(spec)
    columns, settings = _columns_for(family), FitSettings(restarts=3)
    one = fit_columns(columns, family, settings)

    def backwards(self: Objective, theta: torch.Tensor, column: torch.Tensor, part: slice = slice(None)) -> Any:
        k, share = (each.flip(-1) for each in self._data(column, part))
        log_prob = self.family.log_prob(working(self.family, theta, self.scale[column]), k)
        return -(share * log_prob).cumsum(-1)[..., -1]

    # By autograd, which asks for the value alone.
    monkeypatch.setattr(problem, "derivatives", lambda *_: None)
    monkeypatch.setattr(Objective, "value", backwards)
    _same_answers(one, fit_columns(columns, family, settings))
