"""A plugin for tests: one tiny dataset, and a detector for every way in which a trial can end."""

from adbench import DatasetSpec, DetectorSpec, TaskSpec, hookimpl

FAULTS = {
    "good": "ok",
    "slow-good": "ok",
    "prints": "ok",
    "bad-reconstruction": "ok",
    "raises": "error",
    "import-fails": "error",
    "not-installed": "skipped",
    "skips": "skipped",
    "segfaults": "crash",
    "exits": "crash",
    "leaves-silently": "crash",
    "hangs": "timeout",
    "allocates": "memory",
    "allocates-at-once": "memory",
    "allocates-in-child": "memory",
    "nan": "invalid",
    "infinite": "invalid",
    "wrong-length": "invalid",
    "wrong-shape": "invalid",
    "wrong-name": "invalid",
    "no-numbers": "invalid",
    "constant": "invalid",
    "masked": "invalid",
    "changes-its-input": "ok",
    "writes-garbage": "ok",
    "spoils-its-arrays": "crash",
    "stops-its-host": "timeout",
    "forks-twice": "memory",
    "prints-endlessly": "crash",
    "leaves-processes": "ok",
}
"""Detector -> the status its trial must end with."""


@hookimpl
def adbench_detectors():
    special = {
        "import-fails": {"target": "adbench_faults.no_such_module:Detector"},
        "not-installed": {"target": "adbench_faults.no_such_module:Detector", "needs": "something"},
    }
    return [
        DetectorSpec(
            **{
                "name": name,
                "target": f"adbench_faults.detector:{name.title().replace('-', '')}",
                "summary": "For tests.",
                **special.get(name, {}),
            }
        )
        for name in FAULTS
    ] + [DetectorSpec(name="flat-floor", target="adbench_faults.detector:Constant", summary="For tests.", role="floor")]


@hookimpl
def adbench_datasets():
    task = TaskSpec(name="novelty", setting="novelty", params={"n": 120})
    broken = TaskSpec(name="novelty", setting="novelty", params={"fault": "raise"})
    target = "adbench_faults.dataset:Tiny"
    return [
        DatasetSpec(name="tiny", target=target, summary="For tests.", modality="table", tasks=(task,)),
        DatasetSpec(name="bad-split", target=target, summary="For tests.", modality="table", tasks=(broken,)),
        DatasetSpec(
            name="unreadable",
            target=target,
            summary="For tests.",
            modality="table",
            tasks=(task,),
            params={"readable": False},
        ),
    ]
