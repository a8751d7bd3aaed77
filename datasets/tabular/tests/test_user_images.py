"""A user's own images: arrays, folders and archives, and what is said when they are wrong."""

import io
import os
import shutil
import struct
import tarfile
import zipfile
import zlib

import numpy as np
import pytest
from adbench_tabular import adbench_open_dataset
from adbench_tabular.tables import UserFile, UserImages
from PIL import Image

from adbench import Dataset, DatasetError, Finder, UsageError

rng = np.random.default_rng(0)
GREY = rng.integers(0, 256, (8, 6, 5), np.uint8)
COLOUR = rng.integers(0, 256, (8, 6, 5, 3), np.uint8)
IS_ANOMALY = [1, 1, 0, 0, 0, 0, 0, 0]
NAMES = [*(f"anomaly/{i}.png" for i in range(2)), *(f"normal/{i}.png" for i in range(6))]


def write_folder(root, images=GREY, names=NAMES, **options):
    for name, pixels in zip(names, images, strict=True):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels).save(root / name, **options)
    return root


def open_images(path, query=""):
    spec = adbench_open_dataset(f"file:{path}#{query}")
    dataset = {"UserFile": UserFile, "UserImages": UserImages}[spec.target.partition(":")[2]](**spec.params)
    return spec, dataset


def load(path, query=""):
    _, dataset = open_images(path, query)
    return dataset.load(dataset.locate(Finder(())))


@pytest.mark.parametrize("X", [GREY, GREY[..., None], COLOUR, COLOUR / 255, (COLOUR / 255).astype(np.float16)])
def test_an_npz_with_images_is_an_image_dataset(tmp_path, X):
    """Grey levels stay bytes, shares become float32; both have a channel axis."""
    np.savez_compressed(tmp_path / "mine.npz", X=X, y=IS_ANOMALY)
    spec, dataset = open_images(tmp_path / "mine.npz")
    arrays = dataset.load(dataset.locate(Finder(())))
    assert (spec.modality, [task.name for task in spec.tasks]) == ("image", ["novelty", "outlier"])
    assert arrays["X"].dtype == (np.uint8 if X.dtype == np.uint8 else np.float32)
    np.testing.assert_array_equal(arrays["X"], X.reshape(8, 6, 5, -1).astype(arrays["X"].dtype))
    assert arrays["y"].tolist() == IS_ANOMALY


@pytest.mark.parametrize("setting", ["novelty", "outlier"])
def test_images_reach_detectors_in_unit_range(tmp_path, setting):
    """They are divided by 255 and by nothing else: no pixel is standardised."""
    spec, dataset = open_images(write_folder(tmp_path / "photos", COLOUR), f"setting={setting}")
    arrays = dataset.load(dataset.locate(Finder(())))
    split = dataset.split(arrays, seed=1, repetition=0, **spec.tasks[0].params, **spec.tasks[0].sizes["quick"])
    test = split.tests["test"]
    for X, ids in ((split.X_train, split.train_ids), (test.X, test.row_ids)):
        assert X.dtype == np.float32
        np.testing.assert_array_equal(X, np.float32(COLOUR[ids]) / np.float32(255))
    assert (test.X is split.X_train) == (setting == "outlier")
    assert isinstance(dataset, Dataset)


def test_one_class_stands_against_the_rest(tmp_path):
    """Several classes in y need normal=; without it they are listed."""
    labels = [3, 3, 3, 3, 0, 1, 7, 9]
    np.savez(tmp_path / "mine.npz", X=GREY, y=labels)
    assert load(tmp_path / "mine.npz", "normal=3")["y"].tolist() == [0, 0, 0, 0, 1, 1, 1, 1]
    with pytest.raises(DatasetError, match=r"found 3, 0, 1, 7, 9\. Say which value is normal with normal=VALUE\.$"):
        load(tmp_path / "mine.npz")


def write_zip(root, path):
    with zipfile.ZipFile(path, "w") as archive:
        for name in NAMES:
            archive.write(root / name, name)


def write_tar(root, path):
    with tarfile.open(path, f"w:{path.suffix[1:]}") as archive:
        archive.add(root, "photos")


@pytest.mark.parametrize("name, write", [("p.zip", write_zip), ("p.tar.gz", write_tar), ("p.tar.xz", write_tar)])
def test_an_archive_is_read_like_its_folder(tmp_path, name, write):
    """The same arrays in the same order, whether or not the folder itself is packed with them."""
    root = write_folder(tmp_path / "photos")
    write(root, tmp_path / name)
    folder, archive = load(root), load(tmp_path / name)
    np.testing.assert_array_equal(folder["X"], GREY[..., None])
    np.testing.assert_array_equal(folder["X"], archive["X"])
    assert folder["y"].tolist() == archive["y"].tolist() == IS_ANOMALY


def test_folders_of_other_names_need_normal(tmp_path):
    """Any class folders serve once one of them is called normal."""
    root = write_folder(tmp_path / "parts", names=[name.replace("normal", "good") for name in NAMES])
    assert load(root, "normal=good")["y"].tolist() == IS_ANOMALY
    with pytest.raises(DatasetError, match=r"or normal and anomaly; found 'anomaly', 'good'\. Say which"):
        load(root)


@pytest.mark.parametrize("suffix, close", [(".bmp", 0), (".tif", 0), (".webp", 0), (".JPG", 20)])
def test_other_formats_are_read(tmp_path, suffix, close):
    """Lossless formats give the very pixels, JPEG near ones."""
    smooth = np.broadcast_to(np.arange(0, 80, 2, dtype=np.uint8)[:, None, None], (8, 40, 30, 3)).copy()
    names = [name.replace(".png", suffix) for name in NAMES]
    X = load(write_folder(tmp_path, smooth, names, **({"lossless": True} if suffix == ".webp" else {})))["X"]
    assert np.abs(X.astype(int) - smooth).max() <= close


def test_grey_images_among_colour_become_colour(tmp_path):
    """Nothing is lost: a grey level stands in all three channels."""
    write_folder(tmp_path, [*GREY[:4], *COLOUR[4:]])
    X = load(tmp_path)["X"]
    np.testing.assert_array_equal(X[:4], np.repeat(GREY[:4, ..., None], 3, axis=3))
    np.testing.assert_array_equal(X[4:], COLOUR[4:])


def test_images_are_resized_on_demand(tmp_path):
    """size= is width x height, and brings images of different sizes to one."""
    write_folder(tmp_path, [*GREY[:7], np.full((12, 10), 7, np.uint8)])
    X = load(tmp_path, "size=4x3")["X"]
    assert X.shape == (8, 3, 4, 1)
    assert (X[7] == 7).all()


def test_a_photo_stands_upright_and_opaque_alpha_is_dropped(tmp_path):
    """Images are read as a viewer shows them."""
    write_folder(tmp_path)
    turned = Image.Exif()
    turned[0x0112] = 6  # to be turned by 90 degrees clockwise
    Image.fromarray(np.ascontiguousarray(np.rot90(GREY[0]))).save(tmp_path / NAMES[0], exif=turned)
    Image.fromarray(GREY[1]).convert("LA").save(tmp_path / NAMES[1])
    np.testing.assert_array_equal(load(tmp_path)["X"], GREY[..., None])


def test_what_is_no_image_is_left_out_and_counted(tmp_path):
    """The note tells of files that were not read; a system's hidden ones are passed over."""
    root = write_folder(tmp_path)
    (root / "normal" / "notes.txt").write_text("seen", encoding="utf-8")
    (root / ".thumbnails" / "normal").mkdir(parents=True)
    shutil.copy(root / NAMES[0], root / ".thumbnails" / "normal")
    (root / "normal" / "._0.png").touch()
    found = UserImages(str(root)).locate(Finder(()))
    assert found.note == "A user's own folder of 8 images; 1 other file(s) in it are not read."
    assert len(UserImages(str(root)).load(found)["X"]) == 8


@pytest.mark.parametrize("change", ["moved", "altered", "added"])
def test_a_changed_folder_is_noticed(tmp_path, change):
    """What was located is what is read; the decoded arrays in the cache hold for that state alone."""
    write_folder(tmp_path)
    dataset = UserImages(str(tmp_path))
    found = dataset.locate(Finder(()))
    assert found == dataset.locate(Finder(()))
    if change == "moved":
        (tmp_path / "normal" / "5.png").rename(tmp_path / "anomaly" / "5.png")
    else:
        Image.fromarray(GREY[0] // 2).save(tmp_path / ("normal/5.png" if change == "altered" else "normal/6.png"))
    assert dataset.locate(Finder(())).details != found.details
    with pytest.raises(DatasetError, match=r"expected a folder at rest; found other files than a moment ago"):
        dataset.load(found)


def png_chunk(kind, contents=b""):
    return struct.pack(">I", len(contents)) + kind + contents + struct.pack(">I", zlib.crc32(kind + contents))


def png_bomb(width, height):
    """A PNG that claims a size and holds hardly anything."""
    header = png_chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + png_chunk(b"IDAT", zlib.compress(bytes(99))) + png_chunk(b"IEND")


def encoded(image, **options):
    buffer = io.BytesIO()
    image.save(buffer, **{"format": "PNG"} | options)
    return buffer.getvalue()


whole = encoded(Image.fromarray(COLOUR[0]))
frames = [Image.fromarray(pixels) for pixels in COLOUR[:3]]
BAD_IMAGES = {
    "another size": (
        encoded(Image.fromarray(GREY[0, :4])),
        ["one size, 5 x 6 as anomaly/0.png; found 5 x 4 in normal/3.png", "size=WIDTHxHEIGHT"],
    ),
    "cut short": (whole[: len(whole) // 2], ["whole, readable images; found a damaged one, normal/3.png"]),
    "altered": (whole.replace(b"IDAT", b"IDAT\xff", 1), ["found a damaged one, normal/3.png"]),
    "empty": (b"", ["found a damaged one, normal/3.png (UnidentifiedImageError)"]),
    "text": (b"%!PS-Adobe-3.0 EPSF-3.0\n", ["found a damaged one, normal/3.png (UnidentifiedImageError)"]),
    "bomb": (png_bomb(60_000, 60_000), ["at most 89,478,485 pixels; found one that would unpack to more, normal/3"]),
    "small bomb": (png_bomb(12_000, 9_000), ["found one that would unpack to more, normal/3.png"]),
    "transparent": (encoded(Image.new("RGBA", (5, 6), (0, 0, 0, 9))), ["opaque images; found transparent pixels in"]),
    "16 bits": (encoded(Image.new("I;16", (5, 6))), ["8 bits a channel; found Pillow's mode 'I;16' in normal/3.png"]),
    "cmyk": (encoded(Image.new("CMYK", (5, 6)), format="TIFF"), ["found Pillow's mode 'CMYK' in normal/3.png"]),
    "animated": (
        encoded(frames[0], save_all=True, append_images=frames[1:]),
        ["one image a file; found 3 in normal/3"],
    ),
}


@pytest.mark.parametrize("packed", [False, True], ids=["folder", "archive"])
@pytest.mark.parametrize("fault", BAD_IMAGES)
def test_a_bad_image_is_named_with_expected_found_and_a_way_out(tmp_path, fault, packed):
    """The first image that is not as the others must be is told by name."""
    contents, words = BAD_IMAGES[fault]
    path = write_folder(tmp_path / "photos")
    (path / "normal" / "3.png").write_bytes(contents)
    if packed:
        write_zip(path, tmp_path / "photos.zip")
        path = tmp_path / "photos.zip"
    check_message(path, words)


def no_class(root):
    write_folder(root, names=[name.replace("/", "-") for name in NAMES])


def too_deep(root):
    write_folder(root)
    write_folder(root / "ground_truth")


def only_normal(root):
    write_folder(root, GREY[2:], NAMES[2:])


def empty(root):
    root.mkdir()


def link_out(root):
    write_folder(root)
    elsewhere = root.parent / "secret.png"
    shutil.copy(root / NAMES[0], elsewhere)
    (root / "normal" / "9.png").symlink_to(os.path.relpath(elsewhere, root / "normal"))


def link_folder(root):
    write_folder(root)
    (root / "more").symlink_to(root / "normal", target_is_directory=True)


@pytest.mark.parametrize(
    "make, words",
    [
        (no_class, ["images in class folders, such as normal/1.png and anomaly/1.png; found none"]),
        (empty, ["images in class folders, such as normal/1.png and anomaly/1.png; found none"]),
        (too_deep, ["found images at different depths or places: '', 'ground_truth'"]),
        (only_normal, ["at least 4 normal rows and 1 anomaly; found 6 and 0"]),
        (link_out, ["found the link normal/9.png, to a folder or to elsewhere"]),
        (link_folder, ["found the link more, to a folder or to elsewhere"]),
    ],
)
def test_a_bad_folder_is_named_with_expected_found_and_a_way_out(tmp_path, make, words):
    """Nothing is guessed about which image belongs to which class, and nothing outside is read."""
    make(tmp_path / "photos")
    check_message(tmp_path / "photos", words)


def test_a_link_within_the_folder_is_followed(tmp_path):
    """A link to an image beside it is one more image."""
    write_folder(tmp_path)
    (tmp_path / "normal" / "9.png").symlink_to("0.png")
    np.testing.assert_array_equal(load(tmp_path)["X"][-1], GREY[2, ..., None])


@pytest.mark.parametrize(
    "X, words",
    [
        (GREY.astype(np.int64), ["found int64 from 0 to 255. Save X.astype(np.uint8)."]),
        (GREY.astype(float), ["found float64 from 0 to 255. Scale them, such as by X / 255."]),
        (GREY > 9, ["found bool from 0 to 1. Save X.astype(np.float32)."]),
        ((GREY > 9).astype(np.uint8), ["found uint8 from 0 to 1. Save X.astype(np.float32)."]),
        (GREY.astype(np.int16) - 9, ["found int16 from -9 to 246. Scale them"]),
        (np.where(GREY > 9, np.nan, 0.5), ["found float64 from nan to nan. Scale them"]),
        (GREY.astype(str), ["found dtype <U3"]),
        (np.moveaxis(COLOUR, 3, 1), ["found shape (8, 3, 6, 5). Put the channels last: X.transpose(0, 2, 3, 1)."]),
        (np.zeros((8, 9, 9, 9)), ["at most 4 channels; found shape (8, 9, 9, 9). Flatten"]),
        (GREY[:, :0], ["found shape (8, 0, 5, 1)"]),
    ],
    ids=["int64", "0-255 floats", "bool", "0-1 bytes", "negative", "NaN", "text", "first", "many channels", "no rows"],
)
def test_a_bad_array_of_images_is_named_with_expected_found_and_a_way_out(tmp_path, X, words):
    """A range that could mean two things is asked about, never guessed."""
    np.savez(tmp_path / "mine.npz", X=X, y=IS_ANOMALY)
    check_message(tmp_path / "mine.npz", words)


def test_pyods_split_of_images_is_a_usage_error(tmp_path):
    """It standardises columns, which is nothing for images."""
    np.savez(tmp_path / "mine.npz", X=GREY, y=IS_ANOMALY)
    with pytest.raises(UsageError, match=r"^mine\.npz: 'setting' of images must be novelty or outlier"):
        open_images(tmp_path / "mine.npz", "setting=pyod-6040")


def check_message(path, words):
    with pytest.raises(DatasetError) as caught:
        load(path)
    text = str(caught.value)
    assert text.startswith(f"{path.parent.name}/{path.name}: expected ") and "; found " in text and text.endswith(".")
    assert "\n" not in text and str(path.parent) not in text
    assert [word for word in words if word not in text] == [], text
