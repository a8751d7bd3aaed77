"""A plugin for tests: detectors that save themselves, well or badly, on the dataset of ``adbench_faults``."""

from adbench import DetectorSpec, hookimpl

NAMES = (
    "saver",
    "slow-saver",
    "other-saver",
    "save-raises",
    "save-writes-nothing",
    "save-links",
    "save-dies",
    "save-fills-the-disk",
    "copy-fills-the-disk",
    "save-is-large",
    "load-raises",
    "load-takes-all-memory",
    "needs-luck",
    "talks",
)


@hookimpl
def adbench_detectors():
    return [
        DetectorSpec(name=name, target=f"adbench_savers.detector:{name.title().replace('-', '')}", summary="For tests.")
        for name in NAMES
    ]
