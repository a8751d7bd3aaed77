"""Specs: what a plugin says about itself, as plain values.

Listing needs nothing else, so this module imports the standard library only.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from adbench.errors import PluginError
from adbench.metric_names import ORACLE

PROFILES = ("quick", "standard", "full")
SETTINGS = ("novelty", "outlier", "supervised")
LANES = ("corrected", "published")

_NAME = re.compile(r"[a-z0-9][a-z0-9_.-]*\Z")
_TARGET = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_]\w*\Z")
_CHECKSUM = re.compile(r"md5:[0-9a-f]{32}\Z|sha256:[0-9a-f]{64}\Z")


@dataclass(frozen=True, kw_only=True)
class DetectorSpec:
    """A detector, by name.

    Parameters
    ----------
    name
        Unique over all detectors and datasets; lower case, digits, ``-``, ``_``, ``.``.
    target
        ``"package.module:Class"``, imported only when a trial runs.
    summary
        One line for tables and ``adbench list``.
    source
        Citation of the method.
    family
        For instance ``vae``, ``gan``, ``neighbours``; ``-d @FAMILY`` selects it.
    groups
        Further group names for ``-d @GROUP``.
    role
        ``method``, or ``floor``: a trivial line to beat. Only a floor may score constantly.
    accepts
        The inputs it takes: ``vector`` (rows of features; images come flattened),
        ``image`` (``(n, height, width, channels)``), or both. With both, images stay images.
    supervision
        ``none``, or ``labels``: ``fit`` is given ``y``, and results stand in their own section.
    scores
        Names of the scores. The first is the declared headline score; it is never chosen by result.
    params
        Profile name -> keyword arguments of the target. Profiles not named use its defaults.
    preload
        Modules that a host imports once, before forking trials.
    needs
        What to ``pip install`` when the target cannot be imported.
    default
        Whether ``run --all``, globs and groups take it; others are run when named.
    """

    name: str
    target: str
    summary: str
    source: str = ""
    family: str = ""
    groups: tuple[str, ...] = ()
    role: str = "method"
    accepts: tuple[str, ...] = ("vector",)
    supervision: str = "none"
    scores: tuple[str, ...] = ("score",)
    params: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    preload: tuple[str, ...] = ()
    needs: str = ""
    default: bool = True

    def __post_init__(self) -> None:
        what = f"detector {self.name!r}"
        _check_name(what, self.name)
        _check_target(what, self.target)
        _check_choice(what, "role", self.role, ("method", "floor"))
        _check_choice(what, "supervision", self.supervision, ("none", "labels"))
        _check_names(what, "scores", self.scores)
        _check_profiles(what, "params", self.params)
        _check_plain(what, "params", self.params)
        for several in ("groups", "preload"):
            _check_tuple(what, several, getattr(self, several))
        for kind in _check_names(what, "accepts", self.accepts):
            _check_choice(what, "accepts", kind, ("vector", "image"))


@dataclass(frozen=True, kw_only=True)
class TaskSpec:
    """One protocol of a dataset, named ``dataset/task``.

    Parameters
    ----------
    name
        Says the protocol, for instance ``fashion-normal`` or ``outlier``.
    setting
        ``novelty`` (train on inliers), ``outlier`` (train on the unlabelled mixture) or ``supervised``.
    lane
        ``corrected``, or ``published``: a reference's protocol with its quirks, never on the main board.
    default
        Whether ``run --all`` takes it.
    block
        Tasks of one block count as one dataset in ranks; empty: the dataset's name.
    params
        Keyword arguments of the dataset's ``split``.
    sizes
        Profile name -> further keyword arguments of ``split``: how many rows to take.
    images_licence
        Licence under which any of its test images may be shown to others; empty if it is not known to
        be free. Published pages and bundles hold no other images but those of a stand-in.
    """

    name: str
    setting: str
    lane: str = "corrected"
    default: bool = True
    block: str = ""
    params: Mapping[str, Any] = field(default_factory=dict)
    sizes: Mapping[str, Mapping[str, int | None]] = field(default_factory=dict)
    images_licence: str = ""

    def __post_init__(self) -> None:
        what = f"task {self.name!r}"
        _check_name(what, self.name)
        _check_choice(what, "setting", self.setting, SETTINGS)
        _check_choice(what, "lane", self.lane, LANES)
        _check_profiles(what, "sizes", self.sizes)
        _check_plain(what, "params", {**self.params, **self.sizes})


@dataclass(frozen=True, kw_only=True)
class RemoteFile:
    """An upstream file that ``adbench data fetch`` can bring.

    Parameters
    ----------
    path
        Its place in a data folder, for instance ``mnist/train-images-idx3-ubyte.gz``: where it is
        looked for, kept after fetching, and asked for on a mirror.
    urls
        Addresses, tried in order: ``http:``, ``https:``, or ``kaggle:OWNER/DATASET/FILE``.
    checksum
        ``md5:HEX`` or ``sha256:HEX``; empty where none is published: then only ``load`` judges the contents.
    size
        Bytes, if known.
    elsewhere
        Other places in a data folder where the file counts as being here.
    """

    path: str
    urls: tuple[str, ...] = ()
    checksum: str = ""
    size: int | None = None
    elsewhere: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        what = f"file {self.path!r}"
        parts = self.path.split("/")
        if self.path.startswith("/") or "\\" in self.path or not all(part.strip(".") for part in parts):
            raise PluginError(f"{what}: 'path' must be relative to a data folder, without '.' or '..'")
        _check_tuple(what, "urls", self.urls)
        _check_tuple(what, "elsewhere", self.elsewhere)
        if self.checksum and not _CHECKSUM.match(self.checksum):
            raise PluginError(f"{what}: 'checksum' must look like 'md5:HEX' or 'sha256:HEX'; got {self.checksum!r}")


@dataclass(frozen=True, kw_only=True)
class DatasetSpec:
    """A dataset and the tasks it offers.

    Parameters
    ----------
    name, target, summary, source, needs
        As for :class:`DetectorSpec`.
    licence
        The data's licence, as a reader should see it.
    modality
        ``image`` (float32 in [0, 1], channels last) or ``table`` (float64, standardised by the task).
    tasks
        At least one.
    params
        Keyword arguments of the target's constructor. They do not enter a trial's identity:
        what they select is told by the data's fingerprint.
    files
        The upstream files that make it complete, for ``adbench data fetch``.
    preload
        Modules that ``load`` and ``split`` use, imported once by their host. The target's own module
        should import no more than ``locate`` needs: that is called at every run.
    """

    name: str
    target: str
    summary: str
    modality: str
    tasks: tuple[TaskSpec, ...]
    source: str = ""
    licence: str = ""
    params: Mapping[str, Any] = field(default_factory=dict)
    files: tuple[RemoteFile, ...] = ()
    preload: tuple[str, ...] = ()
    needs: str = ""

    def __post_init__(self) -> None:
        what = f"dataset {self.name!r}"
        _check_name(what, self.name)
        _check_target(what, self.target)
        _check_choice(what, "modality", self.modality, ("image", "table"))
        _check_names(what, "tasks", tuple(task.name for task in self.tasks))
        _check_plain(what, "params", self.params)
        _check_tuple(what, "files", self.files)


@dataclass(frozen=True, kw_only=True)
class ThresholdSpec:
    """A rule that turns training scores into limits, applied by the harness to every score.

    Parameters
    ----------
    name, target, summary
        As for :class:`DetectorSpec`; the target is a function
        ``(train_scores, rate, **params) -> (lower, upper)``. A score outside is flagged.
    params
        Further keyword arguments, so that one function serves several rules.
    promises
        Whether the rule promises a false-alarm rate: ``rate`` (the declared one), a number, or nothing.
    """

    name: str
    target: str
    summary: str
    params: Mapping[str, Any] = field(default_factory=dict)
    promises: str | float | None = None

    def __post_init__(self) -> None:
        what = f"threshold {self.name!r}"
        _check_name(what, self.name)
        if self.name == ORACLE:
            raise PluginError(f"{what}: that name marks the use of test labels; choose another")
        _check_target(what, self.target)
        _check_plain(what, "params", self.params)


Spec = DetectorSpec | DatasetSpec | ThresholdSpec


def _check_name(what: str, name: str) -> None:
    if not (isinstance(name, str) and _NAME.match(name) and len(name) <= 80):
        raise PluginError(f"{what}: a name is lower-case letters, digits, '-', '_' and '.'; got {name!r}")


def _check_target(what: str, target: str) -> None:
    if not (isinstance(target, str) and _TARGET.match(target)):
        raise PluginError(f"{what}: 'target' must look like 'package.module:Name'; got {target!r}")


def _check_choice(what: str, field_name: str, value: str, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        raise PluginError(f"{what}: {field_name!r} must be one of {', '.join(allowed)}; got {value!r}")


def _check_tuple(what: str, field_name: str, value: object) -> None:
    # A forgotten comma makes a string, and each of its letters a name.
    if not isinstance(value, tuple):
        raise PluginError(f"{what}: {field_name!r} must be a tuple; got {value!r}")


def _check_plain(what: str, field_name: str, value: Mapping[str, Any]) -> None:
    """Refuse what is no JSON: it could not be part of a trial's identity."""
    try:
        json.dumps(
            {name: dict(part) if isinstance(part, Mapping) else part for name, part in value.items()}, allow_nan=False
        )
    except (TypeError, ValueError) as error:
        raise PluginError(f"{what}: {field_name!r} must be plain values: {error}") from error


def _check_names(what: str, field_name: str, names: tuple[str, ...]) -> tuple[str, ...]:
    if not isinstance(names, tuple) or not names or len(set(names)) != len(names):
        raise PluginError(f"{what}: {field_name!r} must be a tuple of one or more distinct names; got {names!r}")
    for name in names:
        _check_name(f"{what}, {field_name!r}", name)
    return names


def _check_profiles(what: str, field_name: str, by_profile: Mapping[str, Any]) -> None:
    for profile in by_profile:
        _check_choice(what, f"{field_name} profile", profile, PROFILES)
