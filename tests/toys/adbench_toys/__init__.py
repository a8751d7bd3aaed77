"""A plugin for tests: a method, a floor, two detectors with special needs, and a small table."""

from adbench import DatasetSpec, DetectorSpec, TaskSpec, UsageError, hookimpl


@hookimpl
def adbench_detectors():
    return [
        DetectorSpec(
            name="toy-distance",
            target="adbench_toys.detector:Distance",
            summary="Distance to the mean.",
            family="toy",
            params={"standard": {"power": 2.0}},
        ),
        DetectorSpec(name="toy-noise", target="adbench_toys.detector:Noise", summary="Noise.", role="floor"),
        DetectorSpec(
            name="toy-images", target="adbench_toys.detector:Distance", summary="For images.", accepts=("image",)
        ),
        DetectorSpec(
            name="toy-labels", target="adbench_toys.detector:Distance", summary="Takes labels.", supervision="labels"
        ),
    ]


@hookimpl
def adbench_datasets():
    return [
        DatasetSpec(
            name="toy-table",
            target="adbench_toys.dataset:Table",
            summary="Two clouds.",
            modality="table",
            tasks=(
                TaskSpec(name="novelty", setting="novelty", sizes={"quick": {"n_train": 60}}),
                TaskSpec(name="half", setting="novelty", default=False),
                TaskSpec(name="first-rows", setting="novelty", lane="published", default=False),
            ),
        ),
        DatasetSpec(
            name="toy-nowhere",
            target="adbench_toys.dataset:Table",
            summary="Is not here.",
            modality="table",
            tasks=(TaskSpec(name="novelty", setting="novelty"),),
            params={"is_here": False},
        ),
    ]


@hookimpl
def adbench_open_dataset(address):
    scheme, _, name = address.partition(":")
    if scheme != "toy":
        return None
    if name == "wrong":
        raise UsageError("no toy of that name")
    return DatasetSpec(
        name=name.rpartition("/")[2],
        target="adbench_toys.dataset:Table",
        summary="By address.",
        modality="table",
        tasks=(TaskSpec(name="novelty", setting="novelty"),),
    )
