"""Benchmarks: run with ``pytest tests/benchmarks -o python_files='bench_*.py'``; nothing here asserts a time."""

import sys
from pathlib import Path

import pytest

PLUGINS = Path(__file__).parents[1] / "plugins"


@pytest.fixture
def faults(tmp_path, monkeypatch):
    """The test plugin's module, importable here and in hosts, with an empty cache."""
    monkeypatch.syspath_prepend(PLUGINS)
    monkeypatch.setenv("PYTHONPATH", str(PLUGINS))
    monkeypatch.setenv("ADBENCH_CACHE", str(tmp_path / "cache"))
    return __import__("adbench_faults")


@pytest.fixture
def command():
    """Words that start the command line."""
    return [sys.executable, "-c", "from adbench.cli import main; main()"]


@pytest.fixture
def tell():
    """Show a figure that pytest-benchmark's table has no column for."""

    def tell(line):
        sys.__stdout__.write(f"\n{line}\n")

    return tell
