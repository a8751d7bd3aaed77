"""CIFAR-10 as pictures: where they are found, what is read of them, and what is refused."""

import io
import os
import struct
import tarfile
import zipfile
import zlib
from pathlib import Path

import numpy as np
import pytest
from adbench_image_sources.cifar import CIFAR10
from adbench_image_sources.cifar_classes import CLASSES
from adbench_image_sources.images import Images
from PIL import Image

from adbench import DatasetError, Finder, Found

DATA = Path(os.environ.get("ADBENCH_DATA") or "no-data-folder")
EXACT = DATA / "cifar10" / "cifar-10-python-lossless-first4000.tar.gz"
ORDER = DATA / "cifar10" / "official_order_labels.npz"
needs_pictures = pytest.mark.skipif(
    not all(path.is_file() for path in (DATA / "cifar10" / "cifar10_jpeg.tar.xz", EXACT, ORDER)),
    reason="needs the JPEG pictures, the exact images and the official order in ADBENCH_DATA",
)


def picture(seed=0, kind="PNG", size=(32, 32), mode="RGB"):
    """Return an encoded picture of random pixels."""
    pixels = np.random.default_rng(seed).integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
    file = io.BytesIO()
    Image.fromarray(pixels).convert(mode).save(file, kind)
    return file.getvalue()


def tree(n_train=3, n_test=2, suffix=".png"):
    """Return ``{path: picture}`` for all ten classes."""
    kind = "PNG" if suffix == ".png" else "JPEG"
    paths = [
        f"{part}/{name}/{k:04}{suffix}"
        for part, n in (("train", n_train), ("test", n_test))
        for name in CLASSES
        for k in range(n)
    ]
    return {path: picture(seed, kind) for seed, path in enumerate(paths)}


def put(root, files):
    for name, contents in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(contents)


def pack(path, files):
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".zip":
        with zipfile.ZipFile(path, "w") as archive:
            for name, contents in files.items():
                archive.writestr(name, contents)
        return
    with tarfile.open(path, f"w:{path.suffix.removeprefix('.').replace('tgz', 'gz').replace('tar', '')}") as archive:
        for name, contents in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(contents)
            archive.addfile(info, io.BytesIO(contents))


def load(folder):
    found = CIFAR10.locate(Finder((folder,)))
    images = CIFAR10.load(found)
    return CIFAR10.describe(found, images), images


@pytest.mark.parametrize("suffix, kind", [(".png", "png"), (".jpg", "jpeg"), (".JPEG", "jpeg")])
@pytest.mark.parametrize("root", ["cifar10", "cifar10/CIFAR-10-images-master"])
def test_class_folders_are_found(tmp_path, root, suffix, kind):
    """PNG or JPEG pictures in folders by part and class; the variant says which, and how many if not all."""
    put(tmp_path / root, tree(suffix=suffix))
    found, images = load(tmp_path)
    assert found.variant == f"{kind}-50rows"
    assert ("lossy" in found.note) == (kind == "jpeg")
    assert (images.train.shape, images.test.shape) == ((30, 32, 32, 3), (20, 32, 32, 3))
    assert images.train_labels.tolist() == np.arange(10).repeat(3).tolist()
    assert images.train.dtype == images.train_labels.dtype == np.uint8


@pytest.mark.parametrize(
    "name", ["cifar10_png.zip", "CIFAR-10-images.tar", "cifar10.tgz", "cifar10.tar.bz2", "cifar10.tar.xz"]
)
@pytest.mark.parametrize("above", ["", "CIFAR-10-images-master/"])
def test_archives_of_class_folders_are_found(tmp_path, name, above):
    """Zip and tar, in any compression, with or without a folder at the top, hold the same as the folders do."""
    put(tmp_path / "folders" / "cifar10", tree())
    pack(tmp_path / "packed" / "cifar10" / name, {f"{above}{path}": part for path, part in tree().items()})
    found, packed = load(tmp_path / "packed")
    _, folders = load(tmp_path / "folders")
    assert found.variant == "png-50rows"
    for part in ("train", "train_labels", "test", "test_labels"):
        np.testing.assert_array_equal(getattr(packed, part), getattr(folders, part))


def test_png_pixels_are_exact_and_stand_in_the_order_of_their_numbers(tmp_path):
    """Within a class 2.png comes before 10.png, whatever the order of the files."""
    files = tree(0, 1) | {f"train/{name}/{k}.png": picture(100 + k) for name in CLASSES for k in (10, 2, 1)}
    pack(tmp_path / "cifar10" / "cifar10.zip", files)
    _, images = load(tmp_path)
    for row, seed in enumerate((101, 102, 110)):
        np.testing.assert_array_equal(images.train[row], np.asarray(Image.open(io.BytesIO(picture(seed)))))


def test_what_is_not_a_picture_of_a_class_is_passed_over(tmp_path):
    """Readmes, hidden files of other systems and further folders do no harm."""
    more = {
        "README.md": b"hello",
        "train/cat/._0001.png": b"?",
        "train/cat/notes.txt": b"?",
        "train/unicorn/0.png": b"?",
    }
    put(tmp_path / "cifar10", tree() | more)
    assert load(tmp_path)[0].variant == "png-50rows"


def test_pictures_without_a_test_part_give_one(tmp_path):
    """Class folders alone: the last sixth of each class is for testing."""
    put(tmp_path / "cifar10", {path.removeprefix("train/"): part for path, part in tree(6, 0).items()})
    found, images = load(tmp_path)
    assert found.variant == "png-60rows"
    assert (len(images.train), len(images.test)) == (50, 10)
    np.testing.assert_array_equal(images.test[0], np.asarray(Image.open(io.BytesIO(picture(5)))))


def test_all_pictures_are_the_plain_kind():
    """With 5,000 and 1,000 of each class the variant is ``jpeg`` and nothing more."""
    train, test = np.arange(10, dtype=np.uint8).repeat(5_000), np.arange(10, dtype=np.uint8).repeat(1_000)
    images = Images(np.zeros((50_000, 32, 32, 3), np.uint8), train, np.zeros((10_000, 32, 32, 3), np.uint8), test)
    assert CIFAR10.describe(Found("jpeg", details={"form": "pictures"}), images).variant == "jpeg"
    assert CIFAR10.describe(Found("", details={"form": "batches"}), images).variant == ""


def test_a_changed_picture_is_noticed(tmp_path):
    """What is found differs once a picture is rewritten, so that it is decoded anew."""
    put(tmp_path / "cifar10", tree())
    before = CIFAR10.locate(Finder((tmp_path,)))
    assert CIFAR10.locate(Finder((tmp_path,))) == before
    path = tmp_path / "cifar10" / "train" / "dog" / "0001.png"
    path.write_bytes(picture(777))
    os.utime(path, ns=(0, max(before.details["state"][2], path.stat().st_mtime_ns) + 1))
    assert CIFAR10.locate(Finder((tmp_path,))) != before


@pytest.mark.parametrize("name", ["cifar-10-binary.tar.gz", "cifar-10-matlab.tar.gz", "cifar100.zip", "cifar.txt"])
def test_other_versions_are_not_taken_for_pictures(tmp_path, name):
    """The binary and Matlab versions and CIFAR-100 are left alone."""
    put(tmp_path / "cifar10", {name: b"?"})
    assert CIFAR10.locate(Finder((tmp_path,))).variant == "standin"


def huge_png():
    """Return a PNG of 50,000 x 50,000 pixels in under a hundred bytes."""

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", 50_000, 50_000, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")


def large_png(side):
    """Return the header of a PNG that Pillow only warns of."""
    return huge_png().replace(struct.pack(">II", 50_000, 50_000), struct.pack(">II", side, side))


BAD_PICTURES = {
    "empty": (b"", "readable PNG pictures; found train/cat/0001.png, damaged"),
    "truncated": (picture()[:-600], "readable PNG pictures; found train/cat/0001.png, damaged"),
    "altered": (picture()[:200] + b"\0\1\2\3" + picture()[204:], "readable PNG pictures; found train/cat/0001.png"),
    "no picture": (b"<html>moved</html>", "readable PNG pictures; found train/cat/0001.png, damaged"),
    "another format": (picture(kind="JPEG"), "readable PNG pictures; found train/cat/0001.png, .*another format"),
    "another size": (picture(size=(28, 32)), "pictures of 32 x 32 in RGB; found train/cat/0001.png: 28 x 32 in RGB"),
    "grey": (picture(mode="L"), "pictures of 32 x 32 in RGB; found train/cat/0001.png: 32 x 32 in L"),
    "bomb": (huge_png(), "readable PNG pictures; found train/cat/0001.png, .*DecompressionBombError"),
}


@pytest.mark.parametrize("contents, words", BAD_PICTURES.values(), ids=BAD_PICTURES.keys())
@pytest.mark.parametrize("packed", [False, True])
def test_a_faulty_picture_is_named(tmp_path, contents, words, packed):
    """The line names the folder or archive, the picture, what was expected and what was found."""
    files = tree() | {"train/cat/0001.png": contents}
    if packed:
        pack(tmp_path / "cifar10" / "cifar10.tar.xz", files)
    else:
        put(tmp_path / "cifar10", files)
    with pytest.raises(DatasetError, match=rf"cifar10{'.tar.xz' if packed else ''}: expected {words}"):
        load(tmp_path)


def test_a_mere_warning_of_a_bomb_is_a_refusal_too(tmp_path):
    """A picture of a hundred million pixels is refused by its header: nothing is decoded or printed."""
    bomb = bytearray(large_png(10_000))
    bomb[29:33] = struct.pack(">I", zlib.crc32(bytes(bomb[12:29])))  # the changed header's own checksum
    put(tmp_path / "cifar10", tree() | {"train/cat/0001.png": bytes(bomb)})
    with pytest.raises(DatasetError, match=r"found train/cat/0001.png, .*DecompressionBombWarning"):
        load(tmp_path)


@pytest.mark.parametrize("part, told", [("train", "training"), ("test", "test")])
def test_a_missing_class_folder_is_named(tmp_path, part, told):
    """Nine class folders are a mistake: the tenth is named."""
    put(tmp_path / "cifar10", {path: file for path, file in tree().items() if not path.startswith(f"{part}/frog")})
    with pytest.raises(DatasetError, match=f"cifar10: expected images of all ten classes .* no {told} image of frog"):
        load(tmp_path)


@pytest.mark.parametrize("folders", [["train"], ["train/cat", "test/cat"], ["cat"]])
def test_empty_folders_are_a_mistake(tmp_path, folders):
    """Folders without any picture are an error, not a reason to take the stand-in silently."""
    for folder in folders:
        (tmp_path / "cifar10" / folder).mkdir(parents=True)
    with pytest.raises(DatasetError, match=r"cifar10: expected class folders such as train/cat/ .* found none"):
        CIFAR10.locate(Finder((tmp_path,)))


@pytest.mark.parametrize(
    "contents, words", [(b"<html>moved</html>", "readable archive"), (b"", "readable archive")], ids=["page", "empty"]
)
def test_what_is_no_archive_says_so(tmp_path, contents, words):
    """A file that only looks like the archive by name is damage."""
    put(tmp_path / "cifar10", {"cifar10.tar.xz": contents})
    with pytest.raises(DatasetError, match=rf"cifar10/cifar10.tar.xz: expected .*{words}"):
        CIFAR10.locate(Finder((tmp_path,)))


def test_a_truncated_archive_says_so(tmp_path):
    """Half an archive is found, and refused once it is read."""
    path = tmp_path / "cifar10" / "cifar10.tar.xz"
    pack(path, tree())
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(DatasetError, match=r"cifar10/cifar10.tar.xz: expected a whole, readable archive"):
        load(tmp_path)


@pytest.mark.parametrize("name", ["cifar10.zip", "cifar10.tar"])
def test_an_archive_without_class_folders_says_so(tmp_path, name):
    """An archive of something else is named, with what was expected."""
    pack(tmp_path / "cifar10" / name, {"hello.txt": b"hello"})
    with pytest.raises(DatasetError, match=f"cifar10/{name}: expected class folders such as train/cat/"):
        CIFAR10.locate(Finder((tmp_path,)))


def test_an_archive_that_leads_out_is_refused(tmp_path):
    """A member may not climb out of the archive, though its name ends like a picture's."""
    pack(tmp_path / "cifar10" / "cifar10.tar", {"../../train/cat/0.png": picture()})
    with pytest.raises(DatasetError, match="a path that leads out of the archive"):
        CIFAR10.locate(Finder((tmp_path,)))


def test_an_archive_of_too_many_members_is_refused(tmp_path):
    """More members than CIFAR-10 has pictures are not read through, though they are passed over."""
    path = tmp_path / "cifar10" / "cifar10.tar"
    pack(path, tree())
    pictures = path.read_bytes().rstrip(b"\0")
    pictures += bytes(-len(pictures) % 512)
    path.write_bytes(pictures + tarfile.TarInfo("readme.txt").tobuf() * 61_000 + bytes(1024))
    with pytest.raises(DatasetError, match=r"cifar10.tar: expected at most 61,000 members; found more"):
        load(tmp_path)


@pytest.fixture(scope="module")
def pictures():
    return load(DATA)


@needs_pictures
def test_the_complete_pictures_beat_the_partial_exact_copy(pictures):
    """With both at hand the complete one is taken, and the note names the other; 5,000 and 1,000 a class."""
    found, images = pictures
    assert found.variant == "jpeg" and f"The partial {EXACT.name} beside them is not used." in found.note
    assert np.bincount(images.train_labels).tolist() == [5_000] * 10
    assert np.bincount(images.test_labels).tolist() == [1_000] * 10


@needs_pictures
def test_the_pictures_show_the_exact_images(pictures, tmp_path):
    """Put in the official order, the first 4,000 differ from the exact ones by 5.8 grey levels in the mean."""
    (tmp_path / EXACT.name).symlink_to(EXACT.absolute())
    _, exact = load(tmp_path)
    with np.load(ORDER, allow_pickle=False) as order:
        labels = order["train_labels"][:4_000]
    images, n_compared, total = pictures[1], 0, 0.0
    for k in range(10):
        parts = [exact.train[exact.train_labels == k], exact.test[exact.test_labels == k]]
        mine = np.concatenate(parts).astype(float)
        assert len(mine) == np.count_nonzero(labels == k)
        errors = np.abs(images.train[images.train_labels == k][: len(mine)] - mine).mean(axis=(1, 2, 3))
        assert errors.max() < 14  # a wrong alignment gives 70
        n_compared, total = n_compared + len(mine), total + errors.sum()
    assert n_compared == 4_000
    assert total / n_compared == pytest.approx(5.8, abs=0.1)
