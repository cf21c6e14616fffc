"""The options of the commands that read and fit data, declared once."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Literal

import typer

from distfit_counts.settings import LEARNING_RATE, MAX_STEPS, STDOUT


class Optimizer(StrEnum):
    newton = "newton"
    adam = "adam"


class Interval(StrEnum):
    wald = "wald"
    profile = "profile"
    bootstrap = "bootstrap"


class Bootstrap(StrEnum):
    nonparametric = "nonparametric"
    parametric = "parametric"


class Errors(StrEnum):
    model = "model"
    hc0 = "hc0"
    hc1 = "hc1"


class SmallSample(StrEnum):
    full = "full"
    clusters = "clusters"
    none = "none"


class Format(StrEnum):
    table = "table"
    json = "json"
    csv = "csv"


class Device(StrEnum):
    cpu = "cpu"
    cuda = "cuda"
    auto = "auto"


_STDOUT = ("-", "/dev/stdout", "/dev/fd/1", "/proc/self/fd/1")


def results_path(text: str) -> Path | None:
    """Where results go: None for stdout, which they go to unless told."""
    return None if text in _STDOUT else Path(text)


def file_path(text: str) -> Path:
    """Where a picture or a model goes; - is stdout there too."""
    return STDOUT if text in _STDOUT else Path(text)


_STEPS = f"Steps of each restart at most  [default: {MAX_STEPS['newton']}, adam {MAX_STEPS['adam']}]"

# The data
Sources = Annotated[list[str] | None, typer.Argument(metavar="SOURCE...", help="CSV, TSV, Parquet, Arrow, JSON Lines, .mtx or .h5ad files, directories, quoted globs, or - for stdin.", show_default=False)]
Columns = Annotated[list[str] | None, typer.Option("--column", "-c", metavar="NAME|GLOB", help="Column of counts; repeat, or use a glob, for several.")]
By = Annotated[list[str] | None, typer.Option("--by", metavar="NAME", help="Every group of this column by itself; repeat for several.")]
Weights = Annotated[str | None, typer.Option("--weights", metavar="NAME", help="Column that says how often each row counts (a frequency table).")]
Together = Annotated[bool, typer.Option("--together", help="All sources are one data set.")]
Variables = Annotated[Literal["rows", "columns"] | None, typer.Option("--variables", help="Of a matrix (.mtx, .h5ad): what is fitted  [default: columns; of 10x files the genes]", show_default=False)]
Layer = Annotated[str | None, typer.Option("--layer", metavar="NAME", help="Of an .h5ad file, a layer, or raw.X, instead of X.")]
Connect = Annotated[str | None, typer.Option("--connect", metavar="ADDRESS", help="In place of SOURCE: duckdb://FILE, postgres://USER@HOST/DATABASE or pyspark:// (extras engines, spark).")]
Table = Annotated[str | None, typer.Option("--table", metavar="NAME", help="Of --connect: the table or view; for Spark also a path.")]
Sql = Annotated[str | None, typer.Option("--sql", metavar="QUERY", help="Of --connect: a SELECT, instead of --table.")]
MaxDistinct = Annotated[int | None, typer.Option("--max-distinct", metavar="N", min=1, help="Stop where a column has more distinct values (with --by, pairs of group and value)  [default: what --memory holds]")]
Memory = Annotated[str | None, typer.Option("--memory", metavar="SIZE", help="Memory to plan for, such as 500MB or 8GB  [default: a quarter of what is free]")]
Threads = Annotated[int | None, typer.Option("--threads", metavar="N", min=1, help="Threads of reading and fitting  [default: one per processor]")]
Where = Annotated[Device, typer.Option("--device", help="Where to fit; auto: a CUDA device if there is one.")]

# The fit
Spec = Annotated[str, typer.Option("--family", "-f", metavar="SPEC", help='What to fit: poisson, nb, zip, zinb, "hurdle(nb)", "2*poisson", ... (see distfit families).', show_default=False)]
Components = Annotated[int | None, typer.Option("--components", metavar="K", help="Components of --family mixture, poisson-mixture or nb-mixture.")]
Restarts = Annotated[int, typer.Option("--restarts", metavar="R", help="Different starts: the first from moments, the others random.")]
Seed = Annotated[int, typer.Option("--seed", help="Seed of the random starts.")]
Optimise = Annotated[Optimizer, typer.Option("--optimizer", help="newton: exact Hessian, damped; adam: first order.")]
MaxSteps = Annotated[int | None, typer.Option("--max-steps", metavar="N", help=_STEPS)]
Tolerance = Annotated[float, typer.Option("--tolerance", metavar="X", help="Largest gradient of the NLL per count that counts as converged.")]
LearningRate = Annotated[float, typer.Option("--learning-rate", metavar="X", help=f"Step length of adam; {LEARNING_RATE:g} suits scaled parameters.")]
Level = Annotated[float, typer.Option("--level", help="Level of the confidence intervals.")]

# How sure
Intervals = Annotated[Interval, typer.Option("--ci", help="Intervals from the Hessian (wald), the profile likelihood, or the bootstrap.")]
Replicates = Annotated[int, typer.Option("--replicates", metavar="B", help="Bootstrap replicates of --ci bootstrap.")]
Bootstraps = Annotated[Bootstrap, typer.Option("--bootstrap", help="Replicates resampled from the data (nonparametric) or drawn from the fit.")]
GofReplicates = Annotated[int, typer.Option("--gof-replicates", metavar="B", help="Simulate the goodness-of-fit p-values with so many samples, say 999.")]

# The output
Formats = Annotated[Format | None, typer.Option("--format", help="table for people, json (one object per fit and line) or csv for pipelines  [default: by the ending of -o, else table]")]
Output = Annotated[Path | None, typer.Option("--output", "-o", metavar="PATH", parser=results_path, help="Write the results here in place of stdout; .csv, .json and .parquet are written as such.")]
Plot = Annotated[Path | None, typer.Option("--plot", metavar="PATH", parser=file_path, help="A picture of it: .png, .svg, .pdf or .html (extra plot).")]
PlotOne = Annotated[Path | None, typer.Option("--plot", metavar="PATH", parser=file_path, help="A picture of one column and group: .png, .svg, .pdf or .html (extra plot).")]
Save = Annotated[Path | None, typer.Option("--save", metavar="MODEL.json", parser=file_path, help="Save the model for distfit show, sample, check and plot.")]
Fail = Annotated[bool, typer.Option("--fail", help="Exit with code 3 where the new data do not look like the model (a verdict marked !).")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Nothing on stderr but errors.")]
Verbose = Annotated[bool, typer.Option("--verbose", "-v", help="How the NLL, the parameters and the gradient moved; all restarts.")]
