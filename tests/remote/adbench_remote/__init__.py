"""A plugin for tests: datasets whose files stand on a server that the test names in ADBENCH_TEST_SERVER."""

import hashlib
import os
import random

from adbench import DatasetSpec, RemoteFile, TaskSpec, hookimpl

SERVER = "ADBENCH_TEST_SERVER"
PATHS = ("remote/part-1.bin", "remote/part-2.bin", "free/free.bin")


def contents(path):
    """Return what stands at a path: 300 kB, always the same."""
    return random.Random(path).randbytes(300_000)


def _file(path, algorithm):
    checksum = f"{algorithm}:{hashlib.new(algorithm, contents(path)).hexdigest()}" if algorithm else ""
    url = f"{os.environ.get(SERVER, 'http://127.0.0.1:9')}/upstream/{path}"
    return RemoteFile(path=path, urls=(url,), checksum=checksum, size=300_000 if algorithm == "sha256" else None)


@hookimpl
def adbench_datasets():
    task = TaskSpec(name="novelty", setting="novelty")
    checked = tuple(_file(path, algorithm) for path, algorithm in zip(PATHS[:2], ("sha256", "md5"), strict=True))
    return [
        DatasetSpec(
            name="remote-table",
            target="adbench_remote.dataset:Table",
            summary="From two files.",
            source="Nobody (2024), Of bytes",
            licence="CC0",
            modality="table",
            tasks=(task,),
            files=checked,
            params={"paths": list(PATHS[:2])},
        ),
        DatasetSpec(
            name="remote-free",
            target="adbench_remote.dataset:Table",
            summary="From one file that nobody vouches for.",
            modality="table",
            tasks=(task,),
            files=(_file(PATHS[2], ""),),
            params={"paths": [PATHS[2]], "stand_in": False},
        ),
        *(
            DatasetSpec(
                name=f"by-hand-{number}",
                target="adbench_remote.dataset:Table",
                summary="Nobody serves it.",
                modality="table",
                tasks=(task,),
                params={"paths": [f"hand/{number}.bin"], "stand_in": False},
            )
            for number in range(20)
        ),
    ]
