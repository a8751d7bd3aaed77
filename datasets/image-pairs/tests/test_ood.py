"""The suites: what is found, which test sets there are, what they hold, and how rows are numbered."""

import os
import subprocess
import sys
from pathlib import Path
from typing import get_args, get_type_hints

import numpy as np
import pytest
from adbench_image_pairs import adbench_datasets, ood, suite
from adbench_image_pairs.corruptions import KINDS as CORRUPTIONS
from adbench_image_pairs.ood import PART, OutOfDistribution
from adbench_image_pairs.perturbations import KINDS as PERTURBATIONS
from adbench_image_sources.drawing import to_unit

from adbench import Dataset, Describes, Finder, Found, UsageError

DATA = Path(os.environ.get("ADBENCH_DATA") or "no-data-folder")
IDX_NAMES = [f"{part}-idx3-ubyte.gz".replace("labels-idx3", "labels-idx1")
             for part in ("train-images", "train-labels", "t10k-images", "t10k-labels")]  # fmt: skip
TASKS = ["suite", "suite-published", "corruptions", "perturbations"]


def load(normal, finder=None):
    dataset = OutOfDistribution(normal)
    return dataset.load(dataset.locate(finder or Finder(())))


@pytest.fixture(scope="session")
def fashion():
    return load("fashion")


@pytest.fixture(scope="session")
def cifar10():
    return load("cifar10")


def split(arrays, anomalies="suite", *, seed=1, normal="fashion", n_train=50, n_test=20, **more):
    dataset = OutOfDistribution(normal)
    return dataset.split(arrays, seed=seed, repetition=0, anomalies=anomalies, n_train=n_train, n_test=n_test, **more)


def put_files(folder, names=IDX_NAMES):
    folder.mkdir(parents=True)
    for name in names:
        (folder / name).touch()


def put_sets(folder, names):
    for name in names:
        one_file = {"emnist": "gzip.zip", "cifar10": "cifar-10-python.tar.gz", "svhn": "test_32x32.mat"}
        put_files(folder / name, [one_file[name]] if name in one_file else IDX_NAMES)


def test_the_hook_loads_no_array_library():
    """Listing the datasets imports adbench only, and looking for files imports no image library."""
    code = (
        "import sys, adbench_image_pairs as p; p.adbench_datasets(); assert 'numpy' not in sys.modules;"
        "import adbench_image_pairs.ood;"
        "sys.exit(any(m in sys.modules for m in ('scipy', 'PIL', 'skimage', 'matplotlib', 'sklearn', 'mlxtend')))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_only_the_suites_are_default_tasks():
    """Three datasets, each a block of its own, with a suite on the main board and three tasks to ask for."""
    _, *specs = adbench_datasets()
    assert [spec.name for spec in specs] == ["ood-mnist", "ood-fashion", "ood-cifar10"]
    for spec in specs:
        assert [(t.name, t.setting, t.lane, t.default, t.block) for t in spec.tasks] == [
            ("suite", "novelty", "corrected", True, ""),
            ("suite-published", "novelty", "published", False, ""),
            ("corruptions", "novelty", "corrected", False, ""),
            ("perturbations", "novelty", "corrected", False, ""),
        ]
        assert {file.checksum[:4] for file in spec.files} == {"md5:"}
        assert [t.params["anomalies"] for t in spec.tasks] == [t.name for t in spec.tasks] == TASKS
    assert list(get_args(get_type_hints(OutOfDistribution.split)["anomalies"])) == TASKS
    assert isinstance(OutOfDistribution("mnist"), Dataset) and isinstance(OutOfDistribution("mnist"), Describes)


@pytest.mark.parametrize(
    "normal, folders, variant",
    [
        ("mnist", [], "standin"),
        ("mnist", ["mnist", "fashion_mnist", "emnist"], ""),
        ("mnist", ["mnist", "fashion_mnist", "emnist", "kmnist"], ""),
        ("mnist", ["mnist"], "others-standin"),
        ("mnist", ["fashion_mnist", "emnist"], "mnist-standin"),
        ("fashion", ["fashion_mnist", "mnist"], "others-letters-standin"),
        ("fashion", ["emnist"], "fashion-standin_others-mnist-standin"),
        ("cifar10", [], "standin"),
        ("cifar10", ["cifar10", "mnist", "fashion_mnist"], ""),
        ("cifar10", ["mnist", "fashion_mnist", "svhn"], "cifar10-standin"),
        ("cifar10", ["cifar10", "mnist"], "others-fashion-standin"),
    ],
)
def test_the_variant_tells_what_is_not_official(tmp_path, normal, folders, variant):
    """The normal set by its name, the other sets together as ``others``."""
    put_sets(tmp_path, folders)
    assert OutOfDistribution(normal).locate(Finder((tmp_path,))).variant == variant


def test_the_longest_variant_is_short_enough():
    """Stand-ins and partial copies of everything fit the 60 characters of a variant."""
    join = ood.parts.join
    for normal, other in (("mnist", "fashion"), ("fashion", "mnist")):
        others = join({other: Found("standin"), "letters": Found("145599rows"), "kmnist": Found()})
        assert len(join({normal: Found("standin"), "others": others}).variant) <= 60
    others = join({"mnist": Found("standin"), "fashion": Found(), "svhn": Found()})
    assert len(join({"cifar10": Found("jpeg-59999rows"), "others": others}).variant) <= 60


def test_optional_sets_appear_only_where_they_are(tmp_path):
    """KMNIST and SVHN have no stand-in: without files they are left out, and the rest works."""
    grey, colour = OutOfDistribution("mnist"), OutOfDistribution("cifar10")
    assert set(grey.locate(Finder(())).details["others"]["details"]) == {"fashion", "letters"}
    put_sets(tmp_path, ["kmnist", "svhn"])
    assert set(grey.locate(Finder((tmp_path,))).details["others"]["details"]) == {"fashion", "letters", "kmnist"}
    assert set(colour.locate(Finder((tmp_path,))).details["others"]["details"]) == {"mnist", "fashion", "svhn"}


def test_other_sets_have_the_normal_sets_shape(fashion, cifar10):
    """Grey images stand in the middle of a colour image with a black rim; nothing is scaled."""
    assert {name: images.shape for name, images in fashion.items() if "labels" not in name} == {
        "train": (4_000, 28, 28, 1),
        "test": (1_000, 28, 28, 1),
        "other_mnist": (1_000, 28, 28, 1),
        "other_letters": (2_600, 28, 28, 1),
    }
    padded = cifar10["other_mnist"]
    assert padded.shape == (1_000, 32, 32, 3) and padded.dtype == np.uint8
    for channel in range(3):
        np.testing.assert_array_equal(padded[:, 2:-2, 2:-2, channel], fashion["other_mnist"][..., 0])
    assert not padded[:, :2].any() and not padded[:, :, -2:].any()


def test_a_partial_cifar10_is_named_once_it_is_read(cifar10):
    """How many images a copy holds is known after decoding: the variant and the note then tell it."""
    dataset = OutOfDistribution("cifar10")
    cifar = Found("partial", note="CIFAR-10: part.", details={"form": "batches"})
    others = {"mnist": Found(note="MNIST: all."), "fashion": Found("standin", note="Fashion-MNIST: some.")}
    others = ood.parts.join(others)
    found = ood.parts.join({"cifar10": cifar, "others": others})
    described = dataset.describe(found, cifar10)
    assert described.variant == "cifar10-6000rows_others-fashion-standin"
    counted = "CIFAR-10: part. Here: 5,000 training and 1,000 test images."
    assert described.note == f"{counted} MNIST: all. Fashion-MNIST: some."
    standin = dataset.locate(Finder(()))
    assert dataset.describe(standin, cifar10) == standin


def test_the_suites_test_sets(fashion, cifar10):
    """Other sets that are at hand first, then what is made; the published lane has the reference's."""
    assert list(split(fashion).tests) == ["mnist", "letters", *suite.SUITE]
    assert list(split(cifar10, normal="cifar10").tests) == ["mnist", "fashion", *suite.SUITE]
    assert list(split(fashion, "suite-published").tests) == ["mnist", "letters", *suite.PUBLISHED]
    corrupted = [f"{kind}-{severity}" for kind in CORRUPTIONS for severity in range(1, 6)]
    assert list(split(fashion, "corruptions").tests) == corrupted and len(corrupted) == 95
    assert list(split(fashion, "perturbations", n_sequences=2).tests) == list(PERTURBATIONS)


@pytest.mark.parametrize("normal", ["fashion", "cifar10"])
@pytest.mark.parametrize("anomalies", TASKS)
def test_every_test_set_holds_the_same_normal_images(request, normal, anomalies):
    """Balanced, mixed, float32; one set of normal test images; no id twice in a test set and none of training."""
    arrays = request.getfixturevalue(normal)
    made = split(arrays, anomalies, normal=normal, n_sequences=2)
    assert (made.X_train.shape, made.X_train.dtype) == ((50, *arrays["train"].shape[1:]), np.float32)
    np.testing.assert_array_equal(made.X_train, to_unit(arrays["train"][made.train_ids]))
    sets_of_normals = set()
    for name, test in made.tests.items():
        assert (test.X.dtype, test.X.shape[1:]) == (np.float32, made.X_train.shape[1:])
        assert np.isfinite(test.X).all()
        n_anomalies = 60 if anomalies == "perturbations" else 20
        assert np.bincount(test.y).tolist() == [20, n_anomalies], name
        assert 0 < test.y[:20].sum() < 20  # classes are mixed
        assert len(set(test.row_ids)) == len(test.row_ids)
        assert not np.intersect1d(test.row_ids, made.train_ids).size
        ids = test.row_ids[test.y == 0]
        np.testing.assert_array_equal(test.X[test.y == 0], to_unit(arrays["test"][ids - ood.NORMAL_TEST]))
        sets_of_normals.add(tuple(sorted(ids)))
    assert len(sets_of_normals) == 1


@pytest.mark.parametrize("anomalies", TASKS)
def test_the_seed_alone_draws_and_makes(fashion, anomalies):
    """Same seed, same rows to the bit; another seed, other rows in every test set of chance."""
    first, again, other = (split(fashion, anomalies, seed=seed, n_sequences=2).tests for seed in (1, 1, 2))
    for name, test in first.items():
        np.testing.assert_array_equal(test.X, again[name].X)
        np.testing.assert_array_equal(test.row_ids, again[name].row_ids)
        assert not np.array_equal(test.X, other[name].X)


def test_a_test_set_does_not_depend_on_which_others_there_are(fashion):
    """Without letters the rest stays as it is, bit for bit."""
    without = {name: images for name, images in fashion.items() if name != "other_letters"}
    some, fewer = split(fashion).tests, split(without).tests
    assert set(some) - set(fewer) == {"letters"}
    assert all(np.array_equal(some[name].X, fewer[name].X) for name in fewer)


def anomalies_of(test):
    return test.X[test.y == 1], test.row_ids[test.y == 1]


def test_row_ids_tell_the_part_and_the_image(fashion):
    """The millions tell the test set, the rest the row of the image that an anomaly is, or is made of."""
    tests = split(fashion).tests
    X, ids = anomalies_of(tests["letters"])
    np.testing.assert_array_equal(X, to_unit(fashion["other_letters"][ids - ood.OTHER["letters"]]))
    X, ids = anomalies_of(tests["hflip"])
    assert set(ids // PART) == {100}
    np.testing.assert_array_equal(X, to_unit(fashion["test"][ids % PART])[:, :, ::-1])
    X, ids = anomalies_of(tests["vflip"])
    np.testing.assert_array_equal(X[:, ::-1], to_unit(fashion["test"][ids % PART]))


def test_row_ids_of_different_anomalies_never_meet(fashion):
    """An id means one row of one task, wherever it stands."""
    everything = [
        anomalies_of(test)[1]
        for task in ("suite", "corruptions", "perturbations")
        for test in split(fashion, task, n_sequences=2).tests.values()
    ]
    ids = np.concatenate(everything)
    assert len(np.unique(ids)) == len(ids) and ids.min() >= 10 * PART


def test_the_noises_have_their_moments(fashion):
    """Uniform: mean .5, sd .289. Normal: mean 0, sd 1; clipped, half of it is black and a sixth white."""
    tests = split(fashion, n_test=200).tests
    X, _ = anomalies_of(tests["uniform-noise"])
    assert (X.mean(), X.std()) == pytest.approx((0.5, 12**-0.5), abs=0.005)
    X, _ = anomalies_of(tests["normal-noise-unclipped"])
    assert (X.mean(), X.std()) == pytest.approx((0, 1), abs=0.01)
    X, _ = anomalies_of(tests["normal-noise-clipped"])
    assert X.min() == 0 and X.max() == 1
    assert ((X == 0).mean(), (X == 1).mean()) == pytest.approx((0.5, 0.1587), abs=0.005)


def test_added_noise_and_light_are_a_tenth_and_clipped(fashion):
    """Added normal noise has sd .1 where nothing is clipped, added uniform noise lies in [0, .1], brightening is .1."""
    tests = split(fashion, n_test=200).tests

    def added(name):
        X, ids = anomalies_of(tests[name])
        assert X.min() >= 0 and X.max() <= 1
        x = to_unit(fashion["test"][ids % PART])
        return (X - x)[(x > 0.45) & (x < 0.55)]

    assert (added("added-normal-noise").mean(), added("added-normal-noise").std()) == pytest.approx((0, 0.1), abs=0.01)
    uniform = added("added-uniform-noise")
    assert uniform.min() >= -1e-6 and uniform.max() < 0.1 + 1e-6 and uniform.mean() == pytest.approx(0.05, abs=0.003)
    np.testing.assert_allclose(added("brightened"), 0.1, atol=1e-6)


@pytest.mark.parametrize("normal", ["fashion", "cifar10"])
def test_blobs_are_sparse_smooth_and_binary(request, normal):
    """Up to an eighth of the pixels is white, in few spots; on the raw scale black is grey."""
    tests = split(request.getfixturevalue(normal), normal=normal, n_test=200).tests
    X, _ = anomalies_of(tests["blobs"])
    assert set(np.unique(X)) == {0, 1}
    share = X.mean((1, 2, 3))
    assert 0.01 < share.min() and share.max() < 0.13
    alike = (X[:, 1:] == X[:, :-1])[X[:, 1:] == 1].mean()  # a white pixel's neighbour, white by chance in 7 of 100
    assert alike > 0.5
    assert (X == X[..., :1]).all() and len({image.tobytes() for image in X}) == 200
    X, _ = anomalies_of(tests["blobs-raw-scale"])
    assert set(np.unique(X)) == {0.5, 1}


ATTACKS = {
    "fgsm-uniform-clipped": (-1, True),
    "fgsm-uniform-unclipped": (-1, False),
    "fgsm-normal-clipped": (-1, True),
    "fgsm-normal-unclipped": (-1, False),
    "fgsm-input-clipped": (1, True),
    "fgsm-input-unclipped": (1, False),
}


def test_attacks_start_from_noise_or_from_normal_images(fashion):
    """Noise that hides (-1) and normal images that are pushed out (+1), .3 a step, at the rows' own gradient."""
    tests = split(fashion, n_test=200).tests
    attacks = {name: test.attack for name, test in tests.items() if test.attack}
    assert {name: (attack.direction, attack.clip) for name, attack in attacks.items()} == ATTACKS
    assert {attack.epsilon for attack in attacks.values()} == {0.3}
    assert all(attack.at is None for attack in attacks.values())
    X, ids = anomalies_of(tests["fgsm-input-clipped"])
    np.testing.assert_array_equal(X, to_unit(fashion["test"][ids % PART]))
    assert anomalies_of(tests["fgsm-normal-unclipped"])[0].std() == pytest.approx(1, abs=0.01)
    uniform = anomalies_of(tests["fgsm-uniform-clipped"])[0]
    assert 0 <= uniform.min() and uniform.max() <= 1 and uniform.std() == pytest.approx(12**-0.5, abs=0.005)


def test_the_published_lane_takes_first_rows_and_gradients_at_images(fashion):
    """The first rows of each set; noise moved by the gradient at a normal test image, one for each, not clipped."""
    tests = split(fashion, "suite-published").tests
    for name, test in tests.items():
        assert set(test.row_ids % PART) == set(range(20)), name
    for start in ("uniform", "normal"):
        test = tests[f"fgsm-{start}-published"]
        assert (test.attack.direction, test.attack.clip) == (-1, False)
        _, ids = anomalies_of(test)
        np.testing.assert_array_equal(test.attack.at, to_unit(fashion["test"][ids % PART]))


def test_a_small_other_set_is_met_by_as_many_normal_images(fashion):
    """Halves stay equal where a set has fewer images than asked for, and sizes are clipped."""
    few = fashion | {"other_letters": fashion["other_letters"][:10]}
    tests = split(few, n_train=60_000, n_test=10_000).tests
    assert np.bincount(tests["letters"].y).tolist() == [10, 10]
    assert np.bincount(tests["hflip"].y).tolist() == [1_000, 1_000]


@pytest.mark.parametrize("anomalies", TASKS)
@pytest.mark.parametrize("name", ["n_train", "n_test", "n_sequences"])
def test_a_size_below_one_is_refused(fashion, anomalies, name):
    """A negative size is a mistake, not a slice from the end, in every task."""
    with pytest.raises(UsageError, match=f"^'{name}' must be at least 1; got -3$"):
        split(fashion, anomalies, **{name: -3})


def test_the_licence_and_the_source_of_every_set_are_told():
    """Each set that a suite can hold is named with its terms, the restricted one with its restriction."""
    for spec in adbench_datasets()[1:]:
        normal = spec.params["normal"]
        sources = ood._NORMAL[normal], *(ood._OTHERS[name] for name in ood._BESIDE[normal])
        titles = {source.title.removesuffix("-Letters") for source in sources}
        assert {part.partition(":")[0] for part in spec.licence.split("; ")} == titles
    assert "SVHN: non-commercial use only" in spec.licence and "Netzer" in spec.source


@pytest.mark.skipif(not (DATA / "emnist").is_dir(), reason="needs MNIST, Fashion-MNIST and EMNIST in ADBENCH_DATA")
@pytest.mark.parametrize("normal, other", [("mnist", "fashion"), ("fashion", "mnist")])
def test_real_grey_sets_have_their_counts(normal, other):
    """60,000 and 10,000 images of the normal set, 10,000 of the other, and the letters that there are."""
    dataset = OutOfDistribution(normal)
    found = dataset.locate(Finder((DATA,)))
    arrays = dataset.load(found)
    assert found.variant == "others-letters-10000rows"
    counts = {name: len(images) for name, images in arrays.items() if "labels" not in name}
    assert counts == {"train": 60_000, "test": 10_000, f"other_{other}": 10_000, "other_letters": 10_000}


@pytest.mark.slow
@pytest.mark.skipif(not (DATA / "cifar10").is_dir(), reason="needs CIFAR-10 in ADBENCH_DATA")
def test_real_colour_sets_have_their_counts():
    """All of CIFAR-10, as JPEG, beside the grey sets."""
    dataset = OutOfDistribution("cifar10")
    found = dataset.locate(Finder((DATA,)))
    arrays = dataset.load(found)
    assert dataset.describe(found, arrays).variant == "cifar10-jpeg"
    assert [len(arrays[name]) for name in ("train", "test", "other_mnist", "other_fashion")] == [50_000, *[10_000] * 3]
