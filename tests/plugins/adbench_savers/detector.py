import json
import os
import resource
import signal
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

import adbench


@dataclass
class Saver:
    """Everything that a detector can give comes from what ``fit`` drew; each fit is a line in a file."""

    scale: float = 1.0

    def fit(self, X, *, seed):
        with Path(os.environ["ADBENCH_TEST_FITS"]).open("a") as fits:
            fits.write(f"{type(self).__name__}\n")
        rng = np.random.default_rng(seed)
        self.mean_ = X.mean(axis=0) + rng.normal(0, 0.1, X.shape[1])
        self.own_ = np.linalg.norm(X - self.mean_, axis=1)
        adbench.log(0, loss=1.5)
        adbench.log(1, loss=0.5, extra=rng.random())
        adbench.note("two steps\nwere enough")
        return self

    def score(self, X):
        return self.scale * np.linalg.norm(X - self.mean_, axis=1)

    def train_scores(self):
        return self.scale * self.own_

    def reconstruct(self, X):
        return np.broadcast_to(self.mean_, X.shape)

    def embed(self, X):
        return X - self.mean_

    def save(self, path):
        np.save(path / "mean.npy", self.mean_)
        (path / "more" / "still").mkdir(parents=True)
        (path / "more" / "still" / "own.json").write_text(json.dumps(self.own_.tolist()))

    def load(self, path):
        self.mean_ = np.load(path / "mean.npy", allow_pickle=False)
        self.own_ = np.array(json.loads((path / "more" / "still" / "own.json").read_text()))
        return self


class SlowSaver(Saver):
    def save(self, path):
        super().save(path)
        (path / "large").write_bytes(os.urandom(2**20) * 8)
        time.sleep(0.1)


class OtherSaver(Saver):
    pass


class SaveRaises(Saver):
    def save(self, path):
        super().save(path)
        raise RuntimeError(f"cannot write\n{path}/mean.npy, {path}")


class SaveWritesNothing(Saver):
    def save(self, path):
        pass


class SaveLinks(Saver):
    def save(self, path):
        super().save(path)
        (path / "link").symlink_to("/etc/hostname")


class SaveDies(Saver):
    def save(self, path):
        np.save(path / "mean.npy", self.mean_)
        os.kill(os.getpid(), signal.SIGKILL)


class SaveFillsTheDisk(Saver):
    def save(self, path):
        _let_files_grow_to(200_000)
        (path / "large").write_bytes(bytes(400_000))


class CopyFillsTheDisk(Saver):
    def save(self, path):
        super().save(path)
        (path / "large").write_bytes(bytes(400_000))
        _let_files_grow_to(200_000)


class SaveIsLarge(Saver):
    def save(self, path):
        super().save(path)
        held = np.ones(10_000_000)
        held += 1


class LoadRaises(Saver):
    def load(self, path):
        self.scale = 7.0  # whoever goes on with this half-loaded detector has other scores
        raise ValueError(f"{path}/mean.npy is\nof another kind")


class LoadTakesAllMemory(Saver):
    def load(self, path):
        np.ones(10**11)


class NeedsLuck(Saver):
    def score(self, X):
        if not Path(os.environ["ADBENCH_TEST_LUCK"]).exists():
            raise ValueError("out of luck")
        return super().score(X)


class Talks(Saver):
    def fit(self, X, *, seed):
        for number in range(100):
            adbench.note(f"note {number // 2} <b>*of*</b> many\x1b[31m " + "x" * 1_000_000 * (number == 7))
        return super().fit(X, seed=seed)


def _let_files_grow_to(largest):
    """Refuse what a full disk would refuse: the kernel does, whoever writes."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (largest, resource.getrlimit(resource.RLIMIT_FSIZE)[1]))
