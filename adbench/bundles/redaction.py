"""What a record may hold that is nobody else's business: where things lie on its user's machine."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from adbench.errors import UsageError
from adbench.record import Record

_PART = r"[^\s/\\:\"'<>|,;()\[\]{}*?]+"
_NO_PATH_BEFORE = r"(?<![\w.~…/-])"
_HOME = rf"(?:/(?:home|Users|var/home)/{_PART}|/root(?![\w.-]))"
_RULES = (
    (re.compile(r"\bfile:///"), "/"),
    (re.compile(rf"{_NO_PATH_BEFORE}(?:/{_PART})*/(?:site|dist)-packages/"), ""),
    # Of a home folder and of all other folders, what comes before the last name is left out.
    (re.compile(rf"{_NO_PATH_BEFORE}{_HOME}(?:/{_PART}(?=/))*"), "~"),
    (re.compile(rf"{_NO_PATH_BEFORE}/(?!/)(?:{_PART}/)+"), "…/"),
    (re.compile(rf"\b[A-Za-z]:\\(?:{_PART}\\)*"), r"…\\"),
)


def without_paths(text: str) -> str:
    r"""Return a text with absolute paths cut down to their last name, or to what follows ``site-packages``.

    It knows no folder of the machine it runs on: the same text gives the same everywhere.

    Examples
    --------
    >>> without_paths('File "/home/ada/env/lib/python3.12/site-packages/torch/nn/modules.py", line 1')
    'File "torch/nn/modules.py", line 1'
    >>> without_paths("/home/ada/data/cats.csv: not found, nor /mnt/disk/cats.csv; see https://example.org/a/b")
    '~/cats.csv: not found, nor …/cats.csv; see https://example.org/a/b'
    """
    for pattern, stands_for in _RULES:
        text = pattern.sub(stands_for, text)
    return text


def publishable(record: Record) -> Record:
    """Return a record without paths of its user's machine.

    Raises
    ------
    UsageError
        If the trial's own settings hold one: they cannot change without making it another trial.
    """
    for name in ("params", "split", "overrides", "split_overrides"):
        for value in _texts(getattr(record.trial, name)):
            if without_paths(value) != value:
                shown = json.dumps(without_paths(value), ensure_ascii=False)
                raise UsageError(
                    f"trial {record.key[:12]} of {record.trial.detector!r} cannot be published: {name} holds a path of "
                    f"this machine ({shown}), and without it would be another trial; run it with a relative one"
                )
    return replace(
        record,
        reason=without_paths(record.reason),
        notes=tuple(map(without_paths, record.notes)),
        log=without_paths(record.log),
        dataset_facts=_cleaned(record.dataset_facts),
        detector_facts=_cleaned(record.detector_facts),
    )


def _cleaned(facts: Mapping[str, Any]) -> dict[str, Any]:
    return {name: without_paths(value) if isinstance(value, str) else value for name, value in facts.items()}


def _texts(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    if isinstance(value, Mapping):
        value = value.values()
    elif not isinstance(value, list | tuple):
        return []
    return [text for part in value for text in _texts(part)]
