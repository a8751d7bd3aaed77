"""adbench: an anomaly detection benchmark suite whose tables can be believed.

Names are imported when first used, so that listing plugins loads no array library.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from adbench.api import Results as Results
    from adbench.api import run as run
    from adbench.dataset import Attack as Attack
    from adbench.dataset import Dataset as Dataset
    from adbench.dataset import Describes as Describes
    from adbench.dataset import Found as Found
    from adbench.dataset import Split as Split
    from adbench.dataset import TestSet as TestSet
    from adbench.detector import Detector as Detector
    from adbench.errors import AdbenchError as AdbenchError
    from adbench.errors import DataMissing as DataMissing
    from adbench.errors import DatasetError as DatasetError
    from adbench.errors import PluginError as PluginError
    from adbench.errors import SkipTrial as SkipTrial
    from adbench.errors import StoreError as StoreError
    from adbench.errors import UnknownName as UnknownName
    from adbench.errors import UsageError as UsageError
    from adbench.evaluation import Evaluation as Evaluation
    from adbench.evaluation import evaluate as evaluate
    from adbench.files import ARCHIVE_SUFFIXES as ARCHIVE_SUFFIXES
    from adbench.files import check_checksum as check_checksum
    from adbench.files import check_text as check_text
    from adbench.files import open_binary as open_binary
    from adbench.files import read_members as read_members
    from adbench.files import read_pickle as read_pickle
    from adbench.files import reading as reading
    from adbench.finder import Finder as Finder
    from adbench.hookspecs import hookimpl as hookimpl
    from adbench.rows import check_rows as check_rows
    from adbench.specs import DatasetSpec as DatasetSpec
    from adbench.specs import DetectorSpec as DetectorSpec
    from adbench.specs import RemoteFile as RemoteFile
    from adbench.specs import TaskSpec as TaskSpec
    from adbench.specs import ThresholdSpec as ThresholdSpec
    from adbench.tracking import log as log
    from adbench.tracking import note as note
    from adbench.tracking import track as track

_HOME = {
    "api": ("Results", "run"),
    "dataset": ("Attack", "Dataset", "Describes", "Found", "Split", "TestSet"),
    "detector": ("Detector",),
    "errors": (
        "AdbenchError",
        "DataMissing",
        "DatasetError",
        "PluginError",
        "SkipTrial",
        "StoreError",
        "UnknownName",
        "UsageError",
    ),
    "evaluation": ("Evaluation", "evaluate"),
    "files": (
        "ARCHIVE_SUFFIXES",
        "check_checksum",
        "check_text",
        "open_binary",
        "read_members",
        "read_pickle",
        "reading",
    ),
    "finder": ("Finder",),
    "hookspecs": ("hookimpl",),
    "rows": ("check_rows",),
    "specs": ("DatasetSpec", "DetectorSpec", "RemoteFile", "TaskSpec", "ThresholdSpec"),
    "tracking": ("log", "note", "track"),
}
_MODULE_OF = {name: module for module, names in _HOME.items() for name in names}

__all__ = sorted(_MODULE_OF)  # noqa: PLE0605 - a list of strings, made from the table above


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from importlib.metadata import version

        return version("adbench-suite")
    if name not in _MODULE_OF:
        raise AttributeError(f"module 'adbench' has no attribute {name!r}")
    value = getattr(import_module(f"adbench.{_MODULE_OF[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
