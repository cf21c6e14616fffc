"""--device is checked before anything is read, and results say which was used."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
import torch

from distfit_counts.commands.data import Data
from distfit_counts.commands.fitting import Fitting
from distfit_counts.commands.options import Device
from distfit_counts.data.column import Column
from distfit_counts.data.histogram import Histogram
from distfit_counts.errors import DistfitError
from distfit_counts.families.spec import parse
from distfit_counts.fitting import fit_columns
from distfit_counts.model_file import load
from distfit_counts.optimise import device
from distfit_counts.report.as_json import fit_record
from distfit_counts.report.screen import Screen
from distfit_counts.report.terminal import print_fit
from distfit_counts.settings import FitSettings

# As click tells that no option was given.
NOTHING_GIVEN: Any = SimpleNamespace(get_parameter_source=lambda name: None)


def test_a_device_that_is_not_there_is_said_before_the_data_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(DistfitError, match="--device cuda"):
        Fitting(device=Device.cuda).settings(NOTHING_GIVEN, Data())


def test_whoever_asks_for_no_gpu_does_not_wait_for_torch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(device, "chosen", lambda name: pytest.fail("torch is asked"))
    for name in (Device.cpu, Device.auto):
        assert Fitting(device=name).settings(NOTHING_GIVEN, Data()).device == name.value


def test_results_say_which_device_was_used(tmp_path: Any, capsys: pytest.CaptureFixture[str]) -> None:

    columns = [Column("made", "y", {}, Histogram.of([0, 1, 1, 2, 5]))]
    (fit,) = fit_columns(columns, parse("poisson"), FitSettings(restarts=1, device="auto"))
    used = "cuda" if torch.cuda.is_available() else "cpu"
    assert fit.device == fit_record(fit)["device"] == used
    fit.save(tmp_path / "model.json")
    assert load(tmp_path / "model.json")[0].device == used
    print_fit(Screen(width=100), fit, verbose=True)
    assert f"(newton, seed 0, on {used})" in capsys.readouterr().out
    print_fit(Screen(width=100), fit)
    assert "(newton, seed 0)" in capsys.readouterr().out
