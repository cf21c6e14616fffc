"""Whole commands against the bare imports that they cannot do without."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from benchmarks.measure import Figure, distfit, python, ratio

PAIRS = 9


def run() -> Iterator[Figure]:
    fit = distfit("fit", "sample_data/zip_10000.csv", "--family", "zip", "--restarts", "10")
    yield _against(fit, "import torch, pyarrow, typer, rich", "distfit fit zip_10000.csv --family zip", "1.25")
    yield _against(distfit("--help"), "import typer, rich", "distfit --help", "1.5")
    sample = distfit("sample", "--family", "nb", "--param", "mean=3", "--param", "size=0.5", "-n", "10")
    yield _against(sample, "import typer, rich, numpy, pyarrow", "distfit sample, 10 rows", "1.5")


def _against(command: Callable[[], object], imports: str, what: str, asked: str) -> Figure:
    found, ours, bare = ratio(command, python("-c", imports), PAIRS)
    return Figure(f"{what} / `python -c '{imports}'`", f"<= {asked}", f"{found:.2f}", f"{ours:.2f} s / {bare:.2f} s")
