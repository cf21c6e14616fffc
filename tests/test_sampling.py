"""Draws: whole numbers, the same for the same seed, in constant memory, to CSV and Parquet."""

from __future__ import annotations

import io
import subprocess
import sys
import tracemalloc
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from scipy import stats

from distfit_counts.errors import FamilyError, OutputError
from distfit_counts.families.poisson_draws import poisson_draws
from distfit_counts.families.spec import parse
from distfit_counts.sampling import BLOCK, draws, write_samples

VALUES = {"pi": 0.4, "rate": 3.0}
ZIP = parse("zip")


def all_draws(n: int, seed: int | None) -> np.ndarray:
    return np.concatenate(list(draws(ZIP, VALUES, n, seed)) or [np.zeros(0, dtype=np.int64)])


@pytest.mark.parametrize("n", [0, 1, 1000, BLOCK, BLOCK + 1])
def test_as_many_as_asked_for(n: int) -> None:
    drawn = all_draws(n, 0)
    assert drawn.dtype == np.int64
    assert len(drawn) == n


def test_the_seed_decides() -> None:
    assert np.array_equal(all_draws(1000, 5), all_draws(1000, 5))
    assert not np.array_equal(all_draws(1000, 5), all_draws(1000, 6))
    assert not np.array_equal(all_draws(1000, None), all_draws(1000, None))


def test_blocks_do_not_repeat_each_other() -> None:
    blocks = list(draws(ZIP, VALUES, 2 * BLOCK, 1))
    assert [len(block) for block in blocks] == [BLOCK, BLOCK]
    assert not np.array_equal(blocks[0], blocks[1])


def test_memory_does_not_grow_with_n() -> None:
    def peak(n: int) -> int:
        tracemalloc.start()
        seen = sum(len(block) for block in draws(ZIP, VALUES, n, 0))
        highest = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert seen == n
        return highest

    assert peak(6 * BLOCK) < 1.5 * peak(BLOCK)


@pytest.mark.parametrize(
    ("spec", "values"),
    [
        ("zip", VALUES),
        ("2*poisson", {"weight[1]": 0.5, "weight[2]": 0.5, "rate[1]": 1.0, "rate[2]": 90.0}),
        ("hurdle(nb)", {"p0": 0.2, "mean": 1e-4, "size": 1e-5}),
    ],
)
def test_a_block_needs_little_more_than_itself(spec: str, values: dict[str, float]) -> None:
    tracemalloc.start()
    next(draws(parse(spec), values, BLOCK, 0))
    highest = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert highest < 12 * 8 * BLOCK


@pytest.mark.parametrize("n", [0, 1, 1000, BLOCK + 3])
@pytest.mark.parametrize("name", ["y.csv", "y.parquet", "y.PQ", "y.txt"])
def test_files_read_back(name: str, n: int, tmp_path: Path) -> None:
    path = tmp_path / name
    write_samples(ZIP, VALUES, n, 3, path)
    if path.suffix.lower() in (".parquet", ".pq"):
        table = pq.read_table(path)
        assert table.schema.names == ["count"]
        assert str(table.schema.field("count").type) == "int64"
        read = table["count"].to_numpy()
    else:
        lines = path.read_text().splitlines()
        assert lines[0] == "count"
        read = np.array(lines[1:], dtype=np.int64)
    assert np.array_equal(read, all_draws(n, 3))
    assert list(tmp_path.iterdir()) == [path], "nothing is left beside it"


def test_stdout_is_the_csv_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    buffer = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(buffer))
    write_samples(ZIP, VALUES, 100, 3, None)
    sys.stdout.flush()
    write_samples(ZIP, VALUES, 100, 3, tmp_path / "y.csv")
    assert buffer.getvalue() == (tmp_path / "y.csv").read_bytes()


def test_large_counts_keep_every_digit(tmp_path: Path) -> None:
    """Beyond 2^53 a float blurs; int64 does not."""
    write_samples(parse("poisson"), {"rate": 1e17}, 50, 0, tmp_path / "y.csv")
    write_samples(parse("poisson"), {"rate": 1e17}, 50, 0, tmp_path / "y.parquet")
    text = [int(line) for line in (tmp_path / "y.csv").read_text().split()[1:]]
    assert pq.read_table(tmp_path / "y.parquet")["count"].to_pylist() == text
    assert len({count % 1000 for count in text}) > 20
    assert abs(np.mean(text) - 1e17) < 5 * (1e17 / 50) ** 0.5


def test_a_failure_leaves_the_earlier_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "y.csv"
    path.write_text("earlier\n")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("distfit_counts.sampling._lines", full)
    with pytest.raises(OutputError, match="No space left"):
        write_samples(ZIP, VALUES, 100, 0, path)
    assert path.read_text() == "earlier\n"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("error", [KeyboardInterrupt, ValueError, MemoryError])
def test_an_interruption_leaves_no_half_file(
    error: type[BaseException], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise error

    monkeypatch.setattr("distfit_counts.sampling._lines", broken)
    with pytest.raises(error):
        write_samples(ZIP, VALUES, 100, 0, tmp_path / "y.csv")
    assert not list(tmp_path.iterdir())


def test_no_such_folder(tmp_path: Path) -> None:
    with pytest.raises(OutputError) as caught:
        write_samples(ZIP, VALUES, 10, 0, tmp_path / "none" / "y.csv")
    assert "none" in caught.value.problem
    with pytest.raises(OutputError, match="directory"):
        write_samples(ZIP, VALUES, 10, 0, tmp_path)


def test_memory_of_the_whole_process_is_constant(tmp_path: Path) -> None:
    """Resident memory, which also sees what NumPy and Arrow hold."""
    code = (
        "import resource, sys\n"
        "from pathlib import Path\n"
        "from distfit_counts.families.spec import parse\n"
        "from distfit_counts.sampling import write_samples\n"
        "for n in (2_100_000, 8_400_000):\n"
        "    write_samples(parse('poisson'), {'rate': 3.0}, n, 0, Path(sys.argv[1]))\n"
        "    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)\n"
    )
    for name in ("y.csv", "y.parquet"):
        command = [sys.executable, "-c", code, str(tmp_path / name)]
        first, second = map(int, subprocess.run(command, capture_output=True, text=True, check=True).stdout.split())
        assert second - first < 32 * 1024, "kilobytes; three times as many draws are 50 MB more"


def test_what_is_drawn_can_be_fitted(fit) -> None:
    family, truth = parse("hurdle(nb)"), {"p0": 0.3, "mean": 6.0, "size": 2.0}
    found = fit(np.concatenate(list(draws(family, truth, 30_000, 2))), "hurdle(nb)")
    for name, value in truth.items():
        estimate = found.parameters[name]
        assert abs(estimate.estimate - value) < 4.0 * estimate.std_error
    again = found.sample(30_000, seed=1)
    assert again.dtype == np.int64
    assert abs(again.mean() - found.mean) < 5.0 * (found.variance / 30_000) ** 0.5
    assert np.array_equal(again, found.sample(30_000, seed=1))


@pytest.mark.parametrize("rate", [3.0, 9.99e7, 1.01e8, 1e12, 1e14, 1.5e16, 4e18])
def test_poisson_draws_have_their_moments_at_any_rate(rate: float) -> None:
    """The variance of NumPy's own draws is 1.01 times the rate at 1e14, 1.4 times at 1e16."""
    n = 200_000
    drawn = poisson_draws(np.random.default_rng(1), rate, n)
    z = (drawn - int(rate)).astype(np.float64) / rate**0.5
    assert abs(z.mean() + (int(rate) - rate) / rate**0.5) < 4.0 * n**-0.5
    assert abs(z.var() - 1.0) < 4.0 * ((2.0 + 1.0 / rate) / n) ** 0.5
    assert abs((z**3).mean() - rate**-0.5) < 4.0 * (15.0 / n) ** 0.5 + 3.0 * rate**-0.5
    assert drawn.dtype == np.int64


def test_poisson_draws_follow_the_poisson_where_the_expansion_begins() -> None:
    """Kolmogorov-Smirnov against scipy's cumulative probabilities, and both parities of counts."""
    drawn = poisson_draws(np.random.default_rng(2), 1.0000000025e8, 100_000)
    assert stats.kstest(drawn, stats.poisson(1.0000000025e8).cdf).pvalue > 1e-3
    assert abs((drawn % 2).mean() - 0.5) < 4.0 * 0.5 / 100_000**0.5


def test_negative_binomials_of_large_means_have_their_variance() -> None:
    mean, size, n = 1e15, 1e13, 200_000
    drawn = parse("nb").sample({"mean": mean, "size": size}, n, np.random.default_rng(3))
    ratio = (drawn - int(mean)).astype(np.float64).var() / (mean + mean**2 / size)
    assert abs(ratio - 1.0) < 4.0 * (2.0 / n) ** 0.5


def test_rates_beyond_64_bits_are_refused() -> None:
    with pytest.raises(FamilyError, match="too large to draw"):
        list(draws(parse("poisson"), {"rate": 1e19}, 5, 0))
