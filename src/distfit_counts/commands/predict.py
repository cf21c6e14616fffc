"""``distfit predict``: a saved regression on new rows."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from distfit_counts.commands import options
from distfit_counts.commands.fitting import import_torch_meanwhile
from distfit_counts.commands.messages import say
from distfit_counts.commands.outputs import check_outputs, format_of
from distfit_counts.errors import DistfitError


def predict(
    model: Annotated[Path, typer.Argument(metavar="MODEL.json", help="Written by distfit regress --save.")],
    source: Annotated[list[str], typer.Argument(metavar="SOURCE...", help="Tables with the model's covariates, or -.")],
    pmf: Annotated[
        str | None, typer.Option("--pmf", metavar="COUNTS", help="P(Y = k) of these counts: 0..10, or 0,1,5.")
    ] = None,
    quantiles: Annotated[
        str | None,
        typer.Option("--quantiles", metavar="Q,...", help="Quantiles of the predicted counts: 0.05,0.5,0.95."),
    ] = None,
    interval: Annotated[
        bool, typer.Option("--interval", help="Interval of the mean, at the level of the model.")
    ] = False,
    format: Annotated[
        Literal["csv", "json"] | None,
        typer.Option("--format", help="csv, or json (one object per row and line)  [default: by -o, else csv]"),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", metavar="PATH", parser=options.results_path, help="Write here: .csv, .json or .parquet."
        ),
    ] = None,
    quiet: options.Quiet = False,
) -> None:
    """Predict counts for new rows: their mean, P(Y = 0), probabilities, quantiles. Rows keep their order.

    distfit predict model.json new.csv --quantiles 0.05,0.95 -o predicted.parquet
    """
    from distfit_counts.report.prediction import write_predictions
    from distfit_counts.report.progress import Watch

    written_as = format_of(None if format is None else options.Format(format), output)
    counts, levels = _counts(pmf), _levels(quantiles)
    check_outputs(output, None, None, [model, *(Path(s) for s in source if s != "-")])
    import_torch_meanwhile(None)
    with Watch(quiet) as watch:
        from distfit_counts.data.frames import stream_frames
        from distfit_counts.data.locate import files_of
        from distfit_counts.regression.model_file import load_whole
        from distfit_counts.regression.predict import Wanted, predict_parts

        def progress(done: int, total: int | None) -> None:
            watch.show("predicting", done, total, f"{done / 1e6:,.0f} MB")

        saved = load_whole(model)
        fitted = saved.model
        if not (saved.converged or quiet):
            say(f"the fit in {model} did not converge: its predictions are rough")
        wanted = Wanted(counts, levels, interval)
        parts = stream_frames(source, fitted.kinds(), progress if output is not None else None)
        several = sum(len(files_of(each)) for each in source) > 1
        write_predictions(predict_parts(fitted, parts, wanted, several), written_as, output, wanted.whole(fitted))


def _counts(text: str | None) -> list[int]:
    """``0..10`` or ``0,1,5``."""
    found: list[int] = []
    for part in (text or "").split(",") if text else []:
        first, dots, last = part.partition("..")
        try:
            begin, end = int(first), int(last) if dots else int(first)
        except ValueError:
            raise DistfitError(f"--pmf {text!r} names no counts", "write 0..10, or 0,1,5") from None
        if not 0 <= begin <= end or end - begin > 10_000:
            raise DistfitError(f"--pmf {part!r} is no range of counts", "from 0 on, at most 10,000 at a time")
        found += range(begin, end + 1)
    return list(dict.fromkeys(found))


def _levels(text: str | None) -> list[float]:
    try:
        found = [float(part) for part in text.split(",")] if text else []
    except ValueError:
        raise DistfitError(f"--quantiles {text!r} are no numbers", "write 0.05,0.5,0.95") from None
    if any(not 0.0 < q < 1.0 for q in found):
        raise DistfitError(f"--quantiles {text!r}: a quantile lies between 0 and 1", "write 0.05,0.5,0.95")
    return list(dict.fromkeys(found))
