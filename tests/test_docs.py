"""The documents are executed: what a page shows is what the command prints.

In a ```console block, every line ``$ command`` whose first word is in RUN is run, in order, in a copy of the
repository root that holds sample_data; the lines below it are its output (stdout and stderr), for which ``...``
alone on a line stands for any lines. Every ```python block is run, in order; one with >>> is a doctest.

    python tests/test_docs.py [PAGE ...]     writes the outputs in the console blocks anew
"""

from __future__ import annotations

import difflib
import doctest
import itertools
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md")), ROOT / "sample_data" / "README.md"]
# Other commands (make, pip, git) are for the reader, not for this test.
RUN = ("distfit", "printf", "echo", "cat", "head", "gzip", "for")
WIDTH = "100"
# What the last digits of float64 decide, or what the next release changes.
MASKS = (
    (re.compile(r"\b\d(\.\d+)?e[-+]?\d+\b"), "#e#"),
    (re.compile(r" \d+(?= +(converged|max_steps|stalled)\b)"), " #"),
    (re.compile(r"(\.\d{7})\d{4,}"), r"\1"),
    (re.compile(r"\b\d+\.\d+\.\d+\w*"), "#.#.#"),
)


@dataclass(frozen=True)
class Step:
    """A command, and the lines ``first`` to ``last`` (excluded) of the page that show its output."""

    command: str
    first: int
    last: int


def blocks(lines: list[str], language: str) -> Iterator[tuple[int, int]]:
    """First line and end of every fenced block in ``language``."""
    start = None
    for number, line in enumerate(lines):
        if start is None and line.strip() == f"```{language}":
            start = number + 1
        elif start is not None and line.strip() == "```":
            yield start, number
            start = None


def steps(lines: list[str]) -> list[Step]:
    found = []
    for start, end in blocks(lines, "console"):
        places = [i for i in range(start, end) if lines[i].startswith("$ ")]
        for place, following in zip(places, [*places[1:], end], strict=True):
            first, command = place + 1, lines[place][2:]
            while command.endswith("\\"):
                command, first = command[:-1] + lines[first].removeprefix("> ").strip(), first + 1
            if command.split()[0] in RUN:
                found.append(Step(command, first, following))
    return found


def outputs(commands: list[str], folder: Path) -> list[list[str]]:
    """What each command prints, all of them in one shell, so that ``echo $?`` and ``cd`` mean what they say."""
    mark = "=== end of output ==="
    script = "\n".join(f"{command}\n__code=$?; echo; echo '{mark}'; (exit $__code)" for command in commands)
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = os.environ | {"PATH": path, "COLUMNS": WIDTH, "PYTHONUTF8": "1", "LC_ALL": "C.UTF-8"}
    finished = subprocess.run(
        ["bash", "-c", f"exec 2>&1\n{script}"],
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        check=False,
    )
    printed = finished.stdout.decode().split(f"\n{mark}\n")
    return [without_blank_end([line.rstrip() for line in text.splitlines()]) for text in printed[: len(commands)]]


def without_blank_end(lines: list[str]) -> list[str]:
    while lines and not lines[-1]:
        lines = lines[:-1]
    return lines


def masked(lines: list[str]) -> list[str]:
    for pattern, mark in MASKS:
        lines = [pattern.sub(mark, line) for line in lines]
    return lines


def renewed(shown: list[str], printed: list[str]) -> list[str]:
    """What the page should show: ``printed``, with the parts left out that ``shown`` leaves out."""
    parts: list[list[str]] = [[]]
    for line in shown:
        if line.strip() == "...":
            parts.append([])
        else:
            parts[-1].append(line)
    if len(parts) == 1:
        return printed
    result, place = printed[: len(parts[0])], len(parts[0])
    for part in parts[1:-1]:
        starts = range(place, max(len(printed) - len(part), place) + 1)
        place = max(starts, key=lambda i, part=part: _likeness(part, printed[i : i + len(part)]))
        result += ["...", *printed[place : place + len(part)]]
        place += len(part)
    last = parts[-1]
    return [*result, "...", *printed[max(len(printed) - len(last), place) :]] if last else [*result, "..."]


def _likeness(part: list[str], other: list[str]) -> float:
    return difflib.SequenceMatcher(None, "\n".join(part), "\n".join(other), autojunk=False).ratio()


def scratch(folder: Path) -> Path:
    shutil.copytree(ROOT / "sample_data", folder / "sample_data")
    return folder


def run_python(page: Path) -> int:
    """Run the page's python blocks in this process; the number of doctests that fail."""
    lines = page.read_text().splitlines()
    names: dict[str, object] = {"__name__": "__main__"}
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE)
    for start, end in blocks(lines, "python"):
        code = "\n".join(lines[start:end]) + "\n"
        if ">>> " in code:
            test = doctest.DocTestParser().get_doctest(code, names, page.name, page.name, start)
            runner.run(test, clear_globs=False)
            names = test.globs
        else:
            exec(compile("\n" * start + code, page.name, "exec"), names)
    return runner.failures


def name(page: Path) -> str:
    return str(page.relative_to(ROOT))


# Pages with so many commands, each of which loads torch, that they take three seconds to half a minute.
LONG = (
    "docs/tutorial.md",
    "docs/regression.md",
    "docs/networks.md",
    "docs/verdicts.md",
    "docs/many-columns.md",
    "docs/matrices.md",
    "docs/comparing.md",
    "docs/how-sure.md",
    "docs/checking.md",
    "docs/large-data.md",
    "docs/engines.md",
    "docs/pictures.md",
    "sample_data/README.md",
)


def pages(has: Callable[[str], object]) -> list[object]:
    """The pages whose text has something to run, as parameters."""
    found = [page for page in PAGES if page.exists() and has(page.read_text())]
    return [pytest.param(p, id=name(p), marks=[pytest.mark.slow] if name(p) in LONG else []) for p in found]


@pytest.mark.parametrize("page", pages(lambda text: steps(text.splitlines())))
def test_commands_print_what_the_page_shows(page: Path, tmp_path: Path) -> None:
    lines = page.read_text().splitlines()
    listed = steps(lines)
    if any("jq" in step.command for step in listed) and shutil.which("jq") is None:
        pytest.skip("jq is not installed")
    for step, printed in zip(listed, outputs([s.command for s in listed], scratch(tmp_path)), strict=True):
        shown = without_blank_end([line.rstrip() for line in lines[step.first : step.last]])
        hint = f"{name(page)}: $ {step.command}\nif the new output is right: python tests/test_docs.py {name(page)}"
        assert masked(shown) == masked(renewed(shown, printed)), hint


@pytest.mark.parametrize("page", pages(lambda text: "```python" in text))
def test_python_of_the_page_runs(page: Path, tmp_path: Path) -> None:
    folder = scratch(tmp_path)
    lines = page.read_text().splitlines()
    # The library may read what the commands above it wrote.
    writers = [step.command for step in steps(lines) if "--save" in step.command]
    outputs(writers, folder)
    command = [sys.executable, __file__, "--run-python", str(page)]
    finished = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert finished.returncode == 0, finished.stdout + finished.stderr


def test_every_link_leads_to_a_file() -> None:
    for page in PAGES:
        if page.exists():
            for target in re.findall(r"\]\(([^)#:\s]+)(?:#[^)]*)?\)", page.read_text()):
                assert (page.parent / target).exists(), f"{name(page)} links to {target}"


@pytest.mark.parametrize("page", [page for page in PAGES if page.exists()], ids=name)
def test_tables_stand_alone(page: Path) -> None:
    """A line right below a table is a row of it, and one right above it may be its heading."""
    inside = False
    for line, following in itertools.pairwise(page.read_text().splitlines()):
        inside ^= line.startswith("```")
        if not inside and line.strip() and following.strip():
            assert line.startswith("|") == following.startswith("|"), following


def test_every_verdict_is_explained() -> None:
    from distfit_counts.optimise.minimise import STATUS

    explained = (ROOT / "docs" / "verdicts.md").read_text()
    source = ROOT / "src" / "distfit_counts"
    codes = {f"fit.{status}" for status in STATUS.values() if status not in ("converged", "retired")}
    stems = set()
    for file in [
        *(source / "families").glob("*.py"),
        *(source / "inference").rglob("*.py"),
        *(source / "regression").rglob("*.py"),
    ]:
        codes |= set(re.findall(r'"([a-z]+\.[a-z_]+)"', file.read_text()))
        # Where a file is damaged.
        codes -= set(re.findall(r'Damaged\(.*"([a-z._]+)"\)', file.read_text()))
        # What a code begins with when a family's name, or another code, follows.
        stems |= set(re.findall(r'f"([a-z_]+\.)\{', file.read_text())) - {"fit.", "layers."}
    assert len(codes) > 40
    assert len(stems) >= 3
    assert not {code for code in codes if f"`{code}`" not in explained}
    assert not {stem for stem in stems if f"`{stem}`" not in explained}


def test_every_family_is_described() -> None:
    from distfit_counts.families.spec import EXAMPLES, MIXTURE_WORDS, SHORTHANDS

    described = (ROOT / "docs" / "choosing-a-family.md").read_text()
    names = [*EXAMPLES, *EXAMPLES.values(), *SHORTHANDS, *MIXTURE_WORDS]
    assert not [spec for spec in names if f"`{spec}`" not in described]


def rewrite(page: Path) -> None:
    lines = page.read_text().splitlines()
    listed = steps(lines)
    with tempfile.TemporaryDirectory() as folder:
        printed = outputs([step.command for step in listed], scratch(Path(folder)))
    for step, output in reversed(list(zip(listed, printed, strict=True))):
        shown = without_blank_end([line.rstrip() for line in lines[step.first : step.last]])
        new = renewed(shown, output)
        if masked(shown) != masked(new):
            end = step.first + len(shown)
            lines[step.first : end] = new
            print(f"{name(page)}: $ {step.command}")
    page.write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--run-python"]:
        sys.exit(run_python(Path(sys.argv[2])) > 0)
    for chosen in [Path(argument).resolve() for argument in sys.argv[1:]] or [p for p in PAGES if p.exists()]:
        rewrite(chosen)
