import dataclasses

import pytest

from adbench.errors import PluginError
from adbench.specs import DatasetSpec, DetectorSpec, TaskSpec, ThresholdSpec

DETECTOR = {"name": "knn", "target": "pkg.knn:KNN", "summary": "Nearest neighbours."}
TASK = {"name": "novelty", "setting": "novelty"}
DATASET = {**DETECTOR, "modality": "table", "tasks": (TaskSpec(**TASK),)}


@pytest.mark.parametrize(
    ("make", "values", "wrong", "words"),
    [
        (DetectorSpec, DETECTOR, {"name": "Nearest Neighbours"}, "a name is lower-case letters"),
        (DetectorSpec, DETECTOR, {"name": "a/b"}, "got 'a/b'"),
        (DetectorSpec, DETECTOR, {"name": "knn\n"}, "a name is lower-case letters"),
        (DetectorSpec, DETECTOR, {"name": "k" * 81}, "a name is lower-case letters"),
        (DetectorSpec, DETECTOR, {"name": 5}, "got 5"),
        (DetectorSpec, DETECTOR, {"target": "pkg.knn.KNN"}, "'target' must look like"),
        (DetectorSpec, DETECTOR, {"target": "pkg:KNN()"}, "'target' must look like"),
        (DetectorSpec, DETECTOR, {"role": "judge"}, "'role' must be one of method, floor; got 'judge'"),
        (DetectorSpec, DETECTOR, {"supervision": "some"}, "'supervision' must be one of none, labels"),
        (DetectorSpec, DETECTOR, {"accepts": ("sound",)}, "'accepts' must be one of vector, image; got 'sound'"),
        (DetectorSpec, DETECTOR, {"accepts": ()}, "'accepts' must be a tuple of one or more"),
        (DetectorSpec, DETECTOR, {"accepts": "vector"}, "'accepts' must be a tuple"),
        (DetectorSpec, DETECTOR, {"scores": ("elbo", "elbo")}, "'scores' must be a tuple of one or more distinct"),
        (DetectorSpec, DETECTOR, {"scores": ("a/b",)}, "got 'a/b'"),
        (DetectorSpec, DETECTOR, {"params": {"fast": {}}}, "'params profile' must be one of quick, standard, full"),
        (DetectorSpec, DETECTOR, {"params": {"quick": {"k": {1}}}}, "'params' must be plain values"),
        (DetectorSpec, DETECTOR, {"params": {"quick": {"k": float("nan")}}}, "'params' must be plain values"),
        (DetectorSpec, DETECTOR, {"groups": "deep"}, "'groups' must be a tuple; got 'deep'"),
        (DetectorSpec, DETECTOR, {"preload": "torch"}, "'preload' must be a tuple; got 'torch'"),
        (TaskSpec, TASK, {"setting": "semi"}, "'setting' must be one of novelty, outlier, supervised; got 'semi'"),
        (TaskSpec, TASK, {"lane": "fast"}, "'lane' must be one of corrected, published; got 'fast'"),
        (TaskSpec, TASK, {"name": "a/b"}, "task 'a/b'"),
        (TaskSpec, TASK, {"sizes": {"tiny": {"n": 3}}}, "'sizes profile' must be one of"),
        (TaskSpec, TASK, {"params": {"digits": {1, 2}}}, "'params' must be plain values"),
        (DatasetSpec, DATASET, {"modality": "sound"}, "'modality' must be one of image, table; got 'sound'"),
        (DatasetSpec, DATASET, {"tasks": ()}, "'tasks' must be a tuple of one or more"),
        (DatasetSpec, DATASET, {"tasks": (TaskSpec(**TASK),) * 2}, "distinct names"),
        (ThresholdSpec, DETECTOR, {"target": "3sigma:f"}, "threshold 'knn': 'target' must look like"),
    ],
)
def test_wrong_specs_are_refused(make, values, wrong, words):
    """A spec that breaks a rule is refused when it is made, in one line that names the field and the value."""
    with pytest.raises(PluginError) as refusal:
        make(**{**values, **wrong})

    assert words in str(refusal.value)
    assert "\n" not in str(refusal.value).replace("\\n", "")


@pytest.mark.parametrize("name", ["knn", "k", "2d-vae", "magic.gamma", "a_b", "k" * 80])
def test_names(name):
    """Names are lower case with digits, dots, dashes and underlines, up to 80."""
    assert DetectorSpec(**{**DETECTOR, "name": name}).name == name


def test_specs_are_plain_and_frozen():
    """A spec is plain values that nobody changes later."""
    spec = DatasetSpec(**DATASET)

    with pytest.raises(dataclasses.FrozenInstanceError):
        spec.name = "other"
    assert dataclasses.asdict(spec)["tasks"][0]["setting"] == "novelty"
    assert spec == DatasetSpec(**DATASET)
