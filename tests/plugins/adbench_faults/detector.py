import ctypes
import os
import re
import signal
import subprocess
import sys
import time

import numpy as np

import adbench


class Good:
    def __init__(self, scale: float = 1.0):
        self.scale = scale

    def fit(self, X, *, seed):
        self.mean_ = X.mean(axis=0)
        for step in adbench.track(range(3), "step"):
            adbench.log(step, loss=1 / (step + 1))
        return self

    def score(self, X):
        return self.scale * np.linalg.norm(X - self.mean_, axis=1)


class SlowGood(Good):
    def fit(self, X, *, seed):
        time.sleep(0.3)
        return super().fit(X, seed=seed)


class Prints(Good):
    def fit(self, X, *, seed):
        print("from Python")
        os.write(1, b"from a descriptor\n")
        os.write(2, b"to the error stream\n")
        return super().fit(X, seed=seed)


class BadReconstruction(Good):
    def reconstruct(self, X):
        raise ValueError("no reconstruction today")


class Raises(Good):
    def fit(self, X, *, seed):
        raise ValueError("the matrix\nis singular")


class Skips(Good):
    def fit(self, X, *, seed):
        raise adbench.SkipTrial("needs at least 1,000 features")


class Segfaults(Good):
    def score(self, X):
        ctypes.string_at(0)


class Exits(Good):
    def fit(self, X, *, seed):
        sys.exit(3)


class LeavesSilently(Good):
    def fit(self, X, *, seed):
        os._exit(0)


class Hangs(Good):
    def fit(self, X, *, seed):
        # Backtracks for ages inside C, holding the interpreter's lock: no Python signal gets through.
        re.match(r"(a+)+$", "a" * 60 + "b")


class Allocates(Good):
    def fit(self, X, *, seed):
        hoard = []
        while True:
            hoard.append(np.ones(1_000_000))


class AllocatesAtOnce(Good):
    def fit(self, X, *, seed):
        np.ones(10**11)


class AllocatesInChild(Good):
    def fit(self, X, *, seed):
        # A child of its own has its own limits: only the watch over the whole tree sees it.
        code = "hoard = []\nwhile True: hoard.append(bytearray(b'x' * 4_000_000))"
        subprocess.run([sys.executable, "-c", f"import resource\n{_UNLIMITED}\n{code}"])
        return super().fit(X, seed=seed)


_UNLIMITED = "resource.setrlimit(resource.RLIMIT_DATA, (resource.getrlimit(resource.RLIMIT_DATA)[1],) * 2)"


class Nan(Good):
    def score(self, X):
        return np.where(np.arange(len(X)) == 1, np.nan, super().score(X))


class Infinite(Good):
    def score(self, X):
        return np.where(np.arange(len(X)) == 1, np.inf, super().score(X))


class WrongLength(Good):
    def score(self, X):
        return super().score(X)[1:]


class WrongShape(Good):
    def score(self, X):
        return super().score(X)[:, None]


class WrongName(Good):
    def score(self, X):
        return {"other": super().score(X)}


class NoNumbers(Good):
    def score(self, X):
        return np.array(["high"] * len(X))


class Constant(Good):
    def score(self, X):
        return np.zeros(len(X))


class LeavesProcesses(Good):
    def fit(self, X, *, seed):
        # One in the trial's group, one that left it; both would outlive the trial.
        for own_session in (False, True):
            child = subprocess.Popen(["sleep", "600"], start_new_session=own_session)
            print("left", child.pid, flush=True)
        return super().fit(X, seed=seed)


class Masked(Good):
    def score(self, X):
        return np.ma.masked_less(super().score(X), 1.0)


class ChangesItsInput(Good):
    def fit(self, X, *, seed):
        super().fit(X, seed=seed)
        X[:] = 1000
        return self


class WritesGarbage(Good):
    def fit(self, X, *, seed):
        for fd in range(3, 64):
            for junk in (b"\xff\xff\xff\xff", b"\x00\x00\x00\x02{]", _forged_end()):
                try:
                    os.write(fd, junk)
                except OSError:
                    break
        return super().fit(X, seed=seed)


def _forged_end():
    from adbench.execution import frames

    return frames.encode({"event": "ended", "code": 0, "signal": 11})


class SpoilsItsArrays(Good):
    def fit(self, X, *, seed):
        np.savez = lambda path, **arrays: path.write_bytes(b"PK no archive")
        return super().fit(X, seed=seed)


class StopsItsHost(Good):
    def fit(self, X, *, seed):
        os.kill(os.getppid(), signal.SIGSTOP)
        time.sleep(600)


class ForksTwice(Good):
    def fit(self, X, *, seed):
        if os.fork() == 0:
            if os.fork() == 0:
                os.setsid()
                import resource

                resource.setrlimit(resource.RLIMIT_DATA, (resource.getrlimit(resource.RLIMIT_DATA)[1],) * 2)
                hoard = []
                while True:
                    hoard.append(np.ones(1_000_000))
            os._exit(0)
        time.sleep(600)


class PrintsEndlessly(Good):
    def fit(self, X, *, seed):
        while True:
            os.write(1, b"x" * 65536)
