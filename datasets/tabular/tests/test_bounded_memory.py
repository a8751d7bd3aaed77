"""Files that claim or unpack to far more than they weigh are refused before the memory is taken."""

import gzip
import io
import json
import struct
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from adbench_tabular.tables import UserFile, UserImages
from PIL import Image

from adbench import DatasetError, Finder

MEBI = 1 << 20


def long_line(path):
    """10 GB without a line break, in a gzip of 10 MB: many equal members, one after the other."""
    member = gzip.compress(b"a" * (100 * MEBI))
    with gzip.open(path, "wb") as file:
        file.write(b"a,label\n")
    with path.open("ab") as file:
        for _ in range(100):
            file.write(member)


def many_columns(path):
    path.write_text(",".join(map(str, range(1_000_000))) + ",label\n" + "0," * 1_000_000 + "0\n", encoding="ascii")


def many_lines(path):
    """2.5 GB of lines in a gzip of 3 MB."""
    member = gzip.compress((b"0" * 98 + b",1\n") * MEBI)
    with path.open("wb") as file:
        file.write(gzip.compress(b"a,label\n"))
        for _ in range(25):
            file.write(member)


def write_npz(path, shape, size, stated=None):
    """Write X that claims a shape and holds as many bytes of zeros; its entry may state another size."""
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(header, {"descr": "<f8", "fortran_order": False, "shape": shape})
    chunk = bytes(64 * MEBI)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        with archive.open("X.npy", "w", force_zip64=True) as member:
            member.write(header.getvalue())
            for _ in range(size // len(chunk)):
                member.write(chunk)
        labels = io.BytesIO()
        np.save(labels, np.zeros(shape[0] if shape[0] < 10**6 else 9))
        archive.writestr("y.npy", labels.getvalue())
        actual = len(header.getvalue()) + size // len(chunk) * len(chunk)
    if stated is not None:
        contents = path.read_bytes()
        directory = contents.rindex(b"PK\x01\x02", 0, contents.rindex(b"PK\x01\x02"))
        old, new = struct.pack("<I", actual), struct.pack("<I", len(header.getvalue()) + stated)
        path.write_bytes(contents[:directory] + contents[directory:].replace(old, new, 1))


def claimed_shape(path):
    write_npz(path, (10**6, 10**6), 0)


def hidden_bomb(path):
    """X claims 80 bytes and its entry says so, but 1 GiB comes out of it."""
    write_npz(path, (10, 1), 1 << 30, stated=80)


def many_rows(path):
    """1.2 thousand million values in 1 MB: runs of nothing."""
    n = 200_000_000
    table = pa.table({name: pa.nulls(n) for name in "abcdef"})
    pq.write_table(table, path, row_group_size=n)


def long_words(path):
    """A million times a word of 10 MB, kept once in the file."""
    words = pa.DictionaryArray.from_arrays(pa.array([0] * 1_000_000, pa.int32()), pa.array(["x" * 10_000_000]))
    table = pa.table({"a": words, "label": [0, 1] * 500_000})
    pq.write_table(table, path, row_group_size=1_000_000, store_schema=False)


CHILD = """
import json, re, sys
from pathlib import Path
import numpy, pandas, pyarrow.parquet
from adbench import DatasetError, Finder
from adbench_tabular.tables import UserFile

def kib(field):
    return int(re.search(field + r":\\s+(\\d+)", Path("/proc/self/status").read_text())[1])

Path("/proc/self/clear_refs").write_text("5")
before = kib("VmRSS")
table = UserFile(sys.argv[1])
try:
    table.load(table.locate(Finder(())))
    text = "read"
except DatasetError as error:
    text = str(error)
print(json.dumps([text, (kib("VmHWM") - before) >> 10]))
"""


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="peak memory is measured by Linux's /proc")
@pytest.mark.parametrize(
    "make, suffix, words",
    [
        (long_line, ".csv.gz", "lines of at most 16,777,216 bytes"),
        (many_columns, ".csv", "at most 100,000 columns"),
        (many_lines, ".csv.gz", "at most 2,147,483,648 bytes of text"),
        (claimed_shape, ".npz", "X.npy states shape (1000000, 1000000) of float64, which is not what its"),
        (hidden_bomb, ".npz", "X.npy"),
        (many_rows, ".parquet", "at most 8,589,934,592 bytes in memory; found 200,000,000 x 6 values"),
        (long_words, ".parquet", "numbers in every feature column; found others in 'a'"),
    ],
)
def test_a_bomb_is_refused_in_bounded_memory(tmp_path, make, suffix, words):
    """One line instead of gigabytes: at no moment does reading take more than 300 MB."""
    path = tmp_path / f"bomb{suffix}"
    make(path)
    done = subprocess.run([sys.executable, "-c", CHILD, path], capture_output=True, text=True, check=True)
    text, peak_mb = json.loads(done.stdout)
    assert words in text
    assert peak_mb < 300, f"{peak_mb} MB"


@pytest.mark.parametrize("suffix", [".npz", ".parquet", ".zip"])
def test_what_is_honestly_too_large_is_refused(tmp_path, monkeypatch, suffix):
    """The size is known from headers, or summed up on the way."""
    path = tmp_path / f"large{suffix}"
    frame = pd.DataFrame(np.ones((20, 4)), columns=[*"abc", "label"])
    if suffix == ".npz":
        np.savez(path, X=frame.to_numpy(np.uint8), y=frame.label)
    elif suffix == ".parquet":
        frame.to_parquet(path)
    else:
        with zipfile.ZipFile(path, "w") as archive:
            for number in range(2):
                with archive.open(f"normal/{number}.png", "w") as member:
                    Image.new("L", (20, 20)).save(member, format="PNG")
    dataset = UserImages(str(path)) if suffix == ".zip" else UserFile(str(path))
    monkeypatch.setattr("adbench_tabular.checks.MOST_BYTES", 600)
    with pytest.raises(DatasetError, match=rf"large{suffix}: expected at most 600 bytes in memory; found .* values"):
        dataset.load(dataset.locate(Finder(())))
