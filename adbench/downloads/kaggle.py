"""Files of Kaggle datasets, by way of kagglehub: most need the user's own Kaggle account."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import Any

from adbench.downloads.failures import SourceFailed
from adbench.errors import one_line

SCHEME = "kaggle:"


def download(url: str, output_file: str, pooch: Any = None) -> None:
    """Download ``kaggle:OWNER/DATASET/FILE`` to ``output_file``, as pooch asks for it.

    Raises
    ------
    SourceFailed
        If kagglehub is not installed, or does not give the file.
    """
    parts = url.removeprefix(SCHEME).split("/", 2)
    if len(parts) < 3 or not all(parts):
        raise SourceFailed("a Kaggle address is kaggle:OWNER/DATASET/FILE")
    owner, dataset, name = parts
    try:
        import kagglehub
    except ImportError as error:
        raise SourceFailed("it needs kagglehub: pip install 'adbench-suite[kaggle]'") from error
    with tempfile.TemporaryDirectory(prefix="kaggle-", dir=Path(output_file).parent) as folder:
        try:
            path = kagglehub.dataset_download(f"{owner}/{dataset}", path=name, output_dir=folder)
        except Exception as error:  # its own kinds, and those of three libraries below it
            raise SourceFailed(f"{type(error).__name__}: {one_line(str(error), 200)}") from error
        shutil.copyfile(path, output_file)
