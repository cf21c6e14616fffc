"""The house's rules: who may import whom, what stays light."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = "distfit_counts"
ROOT = Path(__file__).resolve().parents[1] / "src" / PACKAGE
FILES = sorted(ROOT.rglob("*.py"))


def name_of(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(part for part in parts if part != "__init__")


def imports(path: Path, module_level: bool = False) -> set[str]:
    """Full names of what a file imports, those for type checkers left out; inside functions too unless told."""
    found: set[str] = set()

    def visit(node: ast.AST) -> None:
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            # "from package import module" imports the module, "from module import name" does not hurt as a prefix.
            found.update(f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Call) and getattr(node.func, "id", "") == "LazyModule":
            if not module_level:
                found.add(ast.literal_eval(node.args[0]))
        elif isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test):
            for child in node.orelse:
                visit(child)
            return
        elif module_level and isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            return
        for child in ast.iter_child_nodes(node):
            visit(child)

    visit(ast.parse(path.read_text()))
    return found


def inner(path: Path) -> set[str]:
    """What a file imports of this package, by its name inside."""
    return {name.removeprefix(f"{PACKAGE}.") for name in imports(path) if name.startswith(f"{PACKAGE}.")}


def under(*folders: str) -> list[Path]:
    files = [path for path in FILES if name_of(path).split(".")[0] in folders]
    assert files
    return files


def touches(names: set[str], *modules: str) -> set[str]:
    return {name for name in names if any(name == m or name.startswith(f"{m}.") for m in modules)}


def test_the_walker_sees_imports() -> None:
    """These rules hold of nothing if the walker is blind."""
    assert "families.poisson.Poisson" in inner(ROOT / "families" / "spec.py")
    assert "families.log_pmf" in inner(ROOT / "families" / "poisson.py"), "the lazy ones too"
    assert "typer" in imports(ROOT / "cli.py", module_level=True)
    assert any(name.startswith("distributions") for name in inner(ROOT / "result.py")), "inside functions too"


@pytest.mark.parametrize("path", under("families"), ids=name_of)
def test_families_stand_alone(path: Path) -> None:
    assert not {name for name in inner(path) if not touches({name}, "families", "errors")}
    assert not touches(imports(path), "pyarrow", "pandas", "polars", "rich", "typer", "pathlib", "os", "io")


@pytest.mark.parametrize("path", under("optimise"), ids=name_of)
def test_optimisers_name_no_family(path: Path) -> None:
    allowed = ("optimise", "families.family", "families.constraint", "families.closed_form.find", "families.labels")
    allowed = (*allowed, "data.histogram", "settings", "errors")
    assert not {name for name in inner(path) if not touches({name}, *allowed)}
    text = path.read_text().lower()
    assert not [word for word in ("poisson", "binomial", "geometric", "hurdle") if word in text]


@pytest.mark.parametrize("path", under("data"), ids=name_of)
def test_data_know_nothing_of_fitting(path: Path) -> None:
    assert not {
        name for name in inner(path) if not touches({name}, "data", "errors", "settings", "output", "on_demand")
    }
    assert not touches(imports(path), "torch", "rich", "typer")


@pytest.mark.parametrize("path", under("formula"), ids=name_of)
def test_formulas_run_nothing(path: Path) -> None:
    """They come from saved models and headers too: no text reaches anything that Python would run or look up."""
    assert not {
        name for name in inner(path) if not touches({name}, "formula", "errors", "data.source", "data.covariates")
    }
    assert not touches(imports(path), "torch", "rich", "typer", "pathlib", "os", "io", "importlib", "ast", "formulaic")
    tree = ast.parse(path.read_text())
    called = {ast.unparse(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
    assert not called & {"eval", "exec", "compile", "__import__", "getattr", "setattr", "globals", "locals", "vars"}
    assert not [name for name in called if name.endswith((".eval", ".query"))], "nor what pandas would run"


@pytest.mark.parametrize("path", under("inference"), ids=name_of)
def test_inference_neither_reads_nor_prints(path: Path) -> None:
    assert not touches(inner(path), "commands", "report", "cli", "model_file", "fitting", "data.files", "data.source")
    assert not touches(imports(path), "rich", "typer", "pyarrow")


@pytest.mark.parametrize("path", under("report"), ids=name_of)
def test_reports_are_made_without_torch(path: Path) -> None:
    assert not touches(imports(path), "torch", "typer")
    assert not touches(inner(path), "optimise", "commands", "cli", "fitting", "distributions")


@pytest.mark.parametrize("path", under("commands"), ids=name_of)
def test_commands_are_light_at_module_level(path: Path) -> None:
    heavy = ("torch", "numpy", "pyarrow", "pandas", "scipy", "rich")
    assert not touches(imports(path, module_level=True), *heavy)
    own = {n.removeprefix(f"{PACKAGE}.") for n in imports(path, module_level=True) if n.startswith(PACKAGE)}
    assert not {name for name in own if not touches({name}, "errors", "settings", "printable", "commands")}


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_every_file(path: Path) -> None:
    name = name_of(path)
    if name != "__main__":
        assert not touches(inner(path), "cli"), "nothing imports the command line"
    if name not in ("cli", "commands.families") and not name.startswith("report"):
        assert not touches(imports(path), "rich"), "only the reports print"
    assert not touches(imports(path), "pickle", "shelve", "marshal", "joblib")
    assert path.stem not in {"utils", "util", "helpers", "helper", "misc", "common"}


def test_only_the_edge_exits() -> None:
    """The core raises; exit codes are made in __main__.py, cli.py and the commands."""
    for path in FILES:
        name = name_of(path)
        if name not in ("__main__", "cli") and not name.startswith("commands"):
            tree = ast.parse(path.read_text())
            calls = {ast.unparse(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
            assert not calls & {"sys.exit", "exit", "quit", "os._exit", "typer.Exit"}, name
            assert "print" not in calls, f"{name} prints"


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    """The command in a fresh interpreter that says on its last line which heavy modules it loaded."""
    code = (
        "import sys, os\n"
        "leave = os._exit\n"
        "def told(code):\n"
        "    names = {name.split('.')[0] for name in list(sys.modules)}\n"
        "    print('\\nLOADED', *sorted(names & {'torch', 'pandas', 'scipy', 'pyarrow', 'numpy'}))\n"
        "    sys.stdout.flush()\n"
        "    leave(code)\n"
        "os._exit = told\n"
        f"sys.argv = ['distfit', *{list(arguments)!r}]\n"
        f"from {PACKAGE}.cli import main\n"
        "main()\n"
    )
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=False)


ZIP = ["--family", "zip", "--param", "pi=0.5", "--param", "rate=5"]


@pytest.mark.parametrize(
    ("arguments", "code", "allowed"),
    [
        (["--help"], 0, set()),
        (["--version"], 0, set()),
        (["fit", "--help"], 0, set()),
        (["sample", "--help"], 0, set()),
        (["families"], 0, {"numpy"}),
        (["sample", *ZIP, "-n", "5", "--seed", "1"], 0, {"numpy", "pyarrow"}),
        (
            ["sample", "--family", "zinb", "-p", "pi=0.1", "-p", "mean=3", "-p", "size=2", "-n", "3"],
            0,
            {"numpy", "pyarrow"},
        ),
        (["sample", "--family", "hurdle(2*nb)", "-n", "3"], 2, {"numpy", "pyarrow"}),
        (["sample", *ZIP[:4], "--param", "rate=-5", "-n", "5"], 2, {"numpy", "pyarrow"}),
        (["fit"], 2, set()),
        (["fit", "x.csv", "--family", "possion"], 2, {"numpy"}),
        (["fit", "x.csv", "--family", "zip", "--optimizer", "sgd"], 2, set()),
        (["nonsense"], 2, set()),
        (["sample", "-n", "5"], 2, {"numpy", "pyarrow"}),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_what_needs_no_torch_loads_none(arguments: list[str], code: int, allowed: set[str]) -> None:
    done = run(*arguments)
    assert done.returncode == code, done.stderr
    loaded = set(done.stdout.rsplit("LOADED", 1)[1].split())
    assert loaded <= allowed
    if code == 2:
        assert done.stderr.strip()
        assert "Traceback" not in done.stderr
        assert not done.stdout.split("\nLOADED")[0].strip(), "nothing on stdout"


def test_a_saved_model_is_sampled_without_torch(tmp_path: Path, fit) -> None:
    from distfit_counts.model_file import save

    save(tmp_path / "m.json", [fit([0, 0, 0, 1, 2, 5, 9, 1], "zinb", restarts=1)])
    done = run("sample", "--model", str(tmp_path / "m.json"), "-n", "4", "--seed", "0")
    assert done.returncode == 0, done.stderr
    assert set(done.stdout.rsplit("LOADED", 1)[1].split()) <= {"numpy", "pyarrow"}
    counts = done.stdout.split("\nLOADED")[0].split()
    assert counts[0] == "count"
    assert len(counts) == 5
