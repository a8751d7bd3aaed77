"""A trial's model in the user's folder: loaded in place of a fit, or kept after one."""

from __future__ import annotations

import shutil
import tempfile
import traceback
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from adbench.detector import Saves
from adbench.errors import SkipTrial, one_line
from adbench.execution import models
from adbench.execution.models import Unusable
from adbench.record import version_changes

LOADED = "fitted model loaded from --model-dir: 'fit s' is of the fit that made it, 'MB' leaves that fit out"


@dataclass(frozen=True)
class Fit:
    """What is kept of a fit beside the detector's state; ``versions`` only of one that was loaded."""

    seconds: float
    curve: Mapping[str, NDArray[Any]]
    notes: Sequence[str]
    versions: Mapping[str, str] = field(default_factory=dict)


@dataclass
class Model:
    """A trial's place in the model folder, in the trial's process.

    Parameters
    ----------
    place, facts, skip_train, strict_versions
        As :meth:`adbench.execution.models.ModelDir.job_args` gives them.
    workdir
        The trial's own folder.
    """

    place: str
    facts: Mapping[str, Any]
    skip_train: bool
    strict_versions: bool
    workdir: Path
    notes: list[str] = field(default_factory=list)
    """What a reader must know: that the model was loaded, or why not."""
    unusable: bool = False
    """Whether there is a model that was not taken, and gives way to a new one."""

    def load_into(self, detector: Any) -> Fit | None:
        """Load a kept model.

        Returns
        -------
        Fit or None
            What is known of its fit; None if the detector is to be fitted. It may then be half loaded:
            take a new one.

        Raises
        ------
        SkipTrial
            If there is none, and nothing is to be fitted.
        Unusable
            If there is one that cannot be used, and nothing is to be fitted.
        """
        if not isinstance(detector, Saves):
            if self.skip_train:
                raise SkipTrial("a detector without save and load has no fitted model: run it without --skip-train")
            return None
        try:
            with self._folder() as folder:
                found = models.fetch(Path(self.place), self.facts["key"], folder)
                if found is not None:
                    return self._loaded(detector, folder, found)
        except Unusable as error:
            if self.skip_train:
                way_out = "with --retry-failed and without --skip-train it is fitted anew"
                raise Unusable(f"the model in --model-dir cannot be used: {error}; {way_out}") from None
            self.unusable = True
            self.notes.append(f"the model in --model-dir could not be used and was fitted anew: {error}")
        else:
            if self.skip_train:
                raise SkipTrial(f"no fitted model of it in --model-dir{self._near()}; run once without --skip-train")
        return None

    def keep(self, detector: Any, fit: Fit) -> None:
        """Have a fitted detector save itself, and keep what it wrote; any exception says why it could not be."""
        import adbench

        with self._folder() as folder:
            state = folder / models.STATE
            state.mkdir()
            detector.save(state)
            if fit.curve:
                np.savez(folder / models.CURVE, allow_pickle=False, **fit.curve)
            facts = {"adbench": adbench.__version__, "fit_seconds": fit.seconds, "notes": list(fit.notes)}
            models.keep(folder, Path(self.place), {**self.facts, **facts}, replace=self.unusable)

    def told(self, error: Exception) -> str:
        """Return an error as one line that names no folder of this machine."""
        if isinstance(error, OSError) and error.strerror:
            return error.strerror
        text = f"{type(error).__name__}: {error}"
        for folder in (self.workdir, Path(self.place).parent):
            text = text.replace(f"{folder}/", "").replace(str(folder), ".")
        return one_line(text, 200)

    def _loaded(self, detector: Any, folder: Path, found: Mapping[str, Any]) -> Fit:
        changes = version_changes(found["versions"], self.facts["versions"])
        if changes and self.strict_versions:
            raise Unusable(f"other versions fitted it ({changes})")
        try:
            detector.load(folder / models.STATE)
            curve = _curve(folder / models.CURVE)
        except MemoryError:
            raise
        except Exception as error:  # noqa: BLE001 - a plugin may raise anything; the model is then of no use
            traceback.print_exc()
            raise Unusable(self.told(error)) from None
        self.notes += [LOADED, *([f"other versions fitted it ({changes})"] if changes else [])]
        return Fit(found["fit_seconds"], curve, found["notes"], found["versions"])

    def _near(self) -> str:
        """Say whether there is a model of the same name, which another key made another trial's."""
        stem, _, _ = Path(self.place).name.rpartition("_")
        has_others = any(Path(self.place).parent.glob(f"{stem}_*"))
        return ", only one of other code, data or settings" if has_others else ""

    @contextmanager
    def _folder(self) -> Iterator[Path]:
        """Give an empty folder of the trial's own."""
        folder = Path(tempfile.mkdtemp(prefix="model-", dir=self.workdir))
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def _curve(path: Path) -> dict[str, NDArray[Any]]:
    if not path.exists():
        return {}
    with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
        return dict(arrays)
