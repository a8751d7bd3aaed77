"""What may import what, and what a light command must not load."""

import ast
import json
import subprocess
import sys
from pathlib import Path

import pytest

import adbench

ROOT = Path(__file__).parent.parent
CORE = Path(adbench.__file__).parent
HEAVY = {
    *("numpy", "pandas", "scipy", "sklearn", "pyarrow", "rich", "tabulate", "psutil", "dask"),
    *("torch", "tensorflow", "keras", "jax", "pyod", "numba", "pooch", "requests", "urllib3"),
}
FORBIDDEN = {
    "errors": {"specs", "planning", "execution", "reporting", "cli", "store", "registry", "api"},
    "specs": {"planning", "execution", "reporting", "cli", "store", "registry", "api"},
    "registry": {"planning", "execution", "reporting", "cli", "store", "api"},
    "planning": {"execution", "reporting", "cli", "store", "api"},
    "record": {"execution", "reporting", "cli", "store", "api"},
    "store": {"execution", "reporting", "cli", "api"},
    "metrics": {"planning", "execution", "reporting", "cli", "store", "registry", "api"},
    "evaluation": {"planning", "execution", "reporting", "cli", "store", "registry", "api"},
    "downloads": {"planning", "execution", "reporting", "cli", "store", "registry", "api"},
    "files": {"planning", "execution", "reporting", "cli", "store", "registry", "api"},
    "finder": {"planning", "execution", "reporting", "cli", "store", "registry", "api"},
    "dataset": {"planning", "execution", "reporting", "cli", "store", "registry", "api"},
    "inventory": {"planning", "reporting", "cli", "store", "api"},
    "testing": {"reporting", "cli", "store", "api"},
    "session": {"reporting", "cli", "api"},
    "execution": {"reporting", "cli", "api"},
    "reporting": {"execution", "cli", "api"},
    "api": {"cli"},
}
"""Part of the core -> parts it must not import, not even inside a function."""


def imports(path):
    """Return the modules that a file names in imports, wherever they stand in it."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {name.name for name in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level:
            found |= {node.module, *(f"{node.module}.{name.name}" for name in node.names)}
    return found


def files_of(part):
    return [CORE / f"{part}.py"] if (CORE / f"{part}.py").exists() else sorted((CORE / part).rglob("*.py"))


@pytest.mark.parametrize("part", FORBIDDEN)
def test_imports_point_one_way(part):
    """No step of the flow reaches forward to a later one."""
    wrong = {
        f"{path.name}: {name}"
        for path in files_of(part)
        for name in imports(path)
        if name.startswith("adbench.") and name.split(".")[1] in FORBIDDEN[part]
    }

    assert files_of(part)
    assert not wrong


PACKAGES = sorted(folder for kind in ("plugins", "datasets") for folder in (ROOT / kind).glob("*/src/*_*"))


@pytest.mark.skipif(not PACKAGES, reason="the plugins' sources are not beside the core's")
def test_plugins_use_the_public_names():
    """Packages of this repository import 'adbench' and 'adbench.testing', as anybody's would, and nothing deeper."""
    wrong = {
        f"{package.name}/{path.name}: {name}"
        for package in PACKAGES
        for path in package.rglob("*.py")
        for name in imports(path)
        if name.startswith("adbench.")
        and name.removeprefix("adbench.") not in {*adbench.__all__, "testing"}
        and not name.startswith("adbench.testing.")
    }
    assert not wrong


def loaded_after(statement, *folders):
    """Return the top-level modules that a new interpreter has after a statement."""
    code = f"import sys\n{statement}\nprint('\\n', *{{name.partition('.')[0] for name in sys.modules}})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(done.stdout.splitlines()[-1].split())


@pytest.mark.skipif(not PACKAGES, reason="the plugins' sources are not beside the core's")
@pytest.mark.parametrize("package", PACKAGES, ids=lambda package: package.name)
def test_hook_modules_are_light(package):
    """Importing a hook module loads the standard library, the light part of adbench, and the package itself."""
    pytest.importorskip(package.name)
    found = loaded_after(f"import {package.name}")
    assert not found & HEAVY


@pytest.mark.parametrize(
    "words",
    [
        ["list"],
        ["list", "--json"],
        *(["list", kind] for kind in ("detectors", "datasets", "thresholds", "metrics", "plugins")),
        ["--help"],
        ["--version"],
        *([command, "--help"] for command in ("list", "run", "data", "leaderboard", "show", "why", "export")),
        ["run"],
        ["list", "nonsense"],
    ],
    ids=" ".join,
)
def test_light_commands_load_nothing_heavy(words):
    """Listing, help and mistakes on the command line answer without any array library or framework."""
    statement = f"from adbench.cli import main\ntry: sys.argv[1:] = {words}; main()\nexcept SystemExit: pass"
    assert not loaded_after(statement) & HEAVY


def test_the_package_itself_is_light():
    """'import adbench' loads no array library until a name that needs one is used."""
    assert not loaded_after("import adbench; adbench.DetectorSpec, adbench.hookimpl, adbench.Finder") & HEAVY
    assert "numpy" in loaded_after("import adbench; adbench.evaluate")


def test_json_of_a_list_is_nothing_but_json():
    """What a script reads from 'list --json' parses."""
    code = "from adbench.cli import main; main()"
    done = subprocess.run([sys.executable, "-c", code, "list", "--json"], capture_output=True, text=True, check=True)
    assert set(json.loads(done.stdout)) == {"detectors", "datasets", "plugins"}
