from dataclasses import dataclass

import numpy as np

from adbench import DataMissing, DatasetError, Found, Split, TestSet


@dataclass
class Table:
    paths: list
    stand_in: bool = True

    def locate(self, finder):
        files = tuple(path for path in map(finder.find, self.paths) if path)
        if len(files) == len(self.paths):
            return Found(files=files, note="The whole.")
        if files:
            raise DatasetError(f"only {len(files)} of its {len(self.paths)} files are here")
        if self.stand_in:
            return Found("standin", note="Made up.")
        raise DataMissing(f"put {self.paths[0]} into the data folder")

    def load(self, found):
        parts = [path.read_bytes() for path in found.files] or [bytes(range(250)) * 600]
        if any(len(part) % 300_000 for part in parts if found.files):
            raise DatasetError.in_file(found.files[0], expected="300,000 bytes", found="others", way_out="Look again.")
        X = np.frombuffer(b"".join(parts), np.uint8).reshape(-1, 100).astype(np.float64)
        return {"X": X, "y": np.arange(len(X)) % 2}

    def split(self, arrays, *, seed, repetition):
        X, y = np.array(arrays["X"])[:200], arrays["y"][:200]
        order = np.random.default_rng(seed).permutation(200)
        return Split(X[order[:100]], order[:100], {"test": TestSet(X[order[100:]], y[order[100:]], order[100:])})
