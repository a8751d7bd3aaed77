"""What many trials on one large dataset hold together, and how often they read its files."""

import os
import shutil
import threading
import time
from pathlib import Path

import psutil
import pytest

import adbench
from adbench import DetectorSpec, hookimpl
from adbench.registry import Registry

TRIALS = 20
DATA = Path(os.environ.get("ADBENCH_DATA") or "no-data-folder")


class Readers:
    """Twenty names for a detector that reads all rows and then waits, so that all are under way at once."""

    @hookimpl
    def adbench_detectors(self):
        target, params = "adbench_faults.reader:Reader", {"full": {"seconds": 15.0}}
        return [
            DetectorSpec(name=f"reader-{i}", target=target, summary="Reads.", accepts=("image",), params=params)
            for i in range(TRIALS)
        ]


class Watch(threading.Thread):
    """Adds up what this process's children hold: PSS counts a page that n processes share as 1/n in each."""

    def __init__(self):
        super().__init__(daemon=True)
        self.peak_mb, self.rss_mb, self.processes = 0.0, 0.0, 0
        self.running = True

    def run(self):
        while self.running:
            held = []
            for process in psutil.Process().children(recursive=True):
                try:
                    full = process.memory_full_info()
                    held.append((full.pss, full.rss))
                except psutil.Error:
                    continue
            pss = sum(part for part, _ in held) / 2**20
            if pss > self.peak_mb:
                self.peak_mb, self.rss_mb = pss, sum(part for _, part in held) / 2**20
                self.processes = len(held)
            time.sleep(0.2)


@pytest.mark.skipif(not (DATA / "mnist").is_dir(), reason="needs the official MNIST in ADBENCH_DATA")
def test_twenty_trials_on_full_mnist(faults, tell, tmp_path, monkeypatch):
    """The rows are held once, and the idx files are read once: they are overwritten after the first trial."""
    pairs = pytest.importorskip("adbench_image_pairs")
    folder = tmp_path / "data" / "mnist"
    shutil.copytree(DATA / "mnist", folder)
    shutil.copytree(DATA / "fashion_mnist", tmp_path / "data" / "fashion_mnist")
    registry = Registry.of(Readers(), pairs)

    def run(names, jobs):
        options = {"profile": "full", "seeds": 1, "jobs": jobs, "registry": registry, "store": tmp_path / "store"}
        return adbench.run(names, ["mnist-vs-fashion/mnist-normal"], data_dir=tmp_path / "data", **options)

    one, all_of_them = Watch(), Watch()
    one.start()
    run(["reader-0"], 1)
    one.running = False

    for path in folder.iterdir():
        stat = path.stat()
        path.chmod(0o644)
        path.write_bytes(bytes(stat.st_size))  # whoever reads it again fails
        os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))

    all_of_them.start()
    results = run([f"reader-{i}" for i in range(TRIALS)], TRIALS)
    all_of_them.running = False
    frame = results.to_frame()
    assert set(frame.status) == {"ok"} and frame.key.nunique() == TRIALS
    rows = 4 * 784 * (60_000 + 20_000) / 2**20
    tell(
        f"{TRIALS} trials at once on full MNIST ({rows:.0f} MB of rows): {all_of_them.peak_mb:.0f} MB held by "
        f"{all_of_them.processes} processes (their resident sizes add up to {all_of_them.rss_mb:.0f} MB); "
        f"one trial: {one.peak_mb:.0f} MB; the idx files were zeros by then"
    )
