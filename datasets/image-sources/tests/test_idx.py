"""The idx reader: what it accepts, and what it says of a bad file."""

import gzip
import struct

import numpy as np
import pytest
from adbench_image_sources.idx import read_idx

from adbench import DatasetError

SHAPE = (3, 2, 2)
PIXELS = bytes(range(12))


def header(*shape, type_code=0x08):
    return struct.pack(f">HBB{len(shape)}I", 0, type_code, len(shape), *shape)


@pytest.mark.parametrize("name, pack", [("images.gz", gzip.compress), ("images", bytes)])
def test_a_compressed_and_a_plain_file_read_the_same(tmp_path, name, pack):
    """The values come out in row order, whether the file is compressed or not."""
    path = tmp_path / name
    path.write_bytes(pack(header(*SHAPE) + PIXELS))
    np.testing.assert_array_equal(read_idx(path, SHAPE), np.arange(12, dtype=np.uint8).reshape(SHAPE))


GOOD = header(*SHAPE) + PIXELS
BAD_FILES = {
    "truncated gz": ("a.gz", gzip.compress(GOOD)[:-5], ["whole, readable file", "cut short or damaged"]),
    "damaged gz": ("a.gz", gzip.compress(GOOD, mtime=0)[:-8] + bytes(8), ["cut short or damaged (CRC check failed"]),
    "not gzip": ("a.gz", b"<html>404</html>", ["cut short or damaged (Not a gzipped file"]),
    "empty": ("a", b"", ["begins with 00000803", "found an empty file"]),
    "wrong format": ("a", b"\x89PNG" + bytes(24), ["begins with 00000803", "found 89504e47"]),
    "wrong type": ("a", header(*SHAPE, type_code=0x0D) + PIXELS, ["unsigned bytes", "found 00000d03"]),
    "labels for images": ("a", header(12) + PIXELS, ["in 3 dimension(s)", "found 00000801"]),
    "header only begun": ("a", header(*SHAPE)[:7], ["a header of 16 bytes", "found 7 bytes"]),
    "wrong shape": ("a", header(3, 2, 3) + bytes(18), ["expected shape 3 x 2 x 2", "found 3 x 2 x 3"]),
    "wrong count": ("a", header(4, 2, 2) + bytes(16), ["expected shape 3 x 2 x 2", "found 4 x 2 x 2"]),
    "bytes missing": ("a", GOOD[:-1], ["12 bytes after the header", "found 11"]),
    "bytes left over": ("a", GOOD + b"x", ["12 bytes after the header", "found more than 12"]),
    "value too high": ("a", header(*SHAPE) + PIXELS[:-1] + b"\x0c", ["values from 0 to 11", "found 12"]),
    "altered": ("a", header(*SHAPE) + PIXELS[::-1], ["official contents (sha256 ba3d3b5e", "altered ones"]),
}


@pytest.mark.parametrize("fault", BAD_FILES)
def test_a_bad_file_is_named_with_what_was_expected_and_found(tmp_path, fault):
    """Every fault gives one line: the file, what was expected, what was found, the way out."""
    name, contents, words = BAD_FILES[fault]
    path = tmp_path / "mnist" / name
    path.parent.mkdir()
    path.write_bytes(contents)
    with pytest.raises(DatasetError) as caught:
        read_idx(path, SHAPE, highest=11, sha256="ba3d3b5e" * 8)
    text = str(caught.value)
    assert text.startswith(f"mnist/{name}: expected ")
    assert "Get it again, or move the set away" in text
    assert "\n" not in text and str(tmp_path) not in text
    assert [word for word in words if word not in text] == []
