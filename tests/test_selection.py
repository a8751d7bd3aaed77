import pytest

from adbench.errors import UnknownName, UsageError
from adbench.planning.selection import parse_overrides, select_detectors, select_tasks


def detectors(toys, *patterns):
    return [spec.name for spec in select_detectors(toys, patterns)]


def tasks(toys, *patterns, lane=None):
    return [f"{dataset.name}/{task.name}" for dataset, task in select_tasks(toys, patterns, lane)]


@pytest.mark.parametrize(
    ("patterns", "expected"),
    [
        ([], ["toy-distance", "toy-noise", "toy-images", "toy-labels"]),
        (["toy-noise", "toy-distance"], ["toy-noise", "toy-distance"]),
        (["toy-[dn]*"], ["toy-distance", "toy-noise"]),
        (["@floors"], ["toy-noise"]),
        (["@toy", "toy-*s"], ["toy-distance", "toy-images", "toy-labels"]),
    ],
)
def test_detectors(toys, patterns, expected):
    """Names, globs and groups select detectors, each once, in the order asked for; nothing selects all."""
    assert detectors(toys, *patterns) == expected


@pytest.mark.parametrize(
    ("patterns", "lane", "expected"),
    [
        ([], None, ["toy-table/novelty", "toy-nowhere/novelty"]),
        (["toy-table"], None, ["toy-table/novelty"]),
        (["toy-table"], "published", ["toy-table/first-rows"]),
        (["toy-table/*"], None, ["toy-table/novelty", "toy-table/half", "toy-table/first-rows"]),
        (["toy-table/*"], "corrected", ["toy-table/novelty", "toy-table/half"]),
        (["toy-table/first-rows"], None, ["toy-table/first-rows"]),
        (["*/novelty", "toy-table"], None, ["toy-table/novelty", "toy-nowhere/novelty"]),
        (["toy:/a/b/mine"], None, ["mine/novelty"]),
    ],
)
def test_tasks(toys, patterns, lane, expected):
    """A dataset means its default tasks in the corrected lane; a task is taken by name, glob or address."""
    assert tasks(toys, *patterns, lane=lane) == expected


@pytest.mark.parametrize(
    ("pattern", "words"),
    [
        ("toy-distanze", "no detector named 'toy-distanze'. Did you mean 'toy-distance'"),
        ("nothing*", "no detector named 'nothing*'."),
        ("@floor", "no group named '@floor'. Did you mean '@floors'?"),
        ("toy-table", "no detector named 'toy-table'."),
    ],
)
def test_unknown_detectors(toys, pattern, words):
    """What selects no detector is refused, with the nearest names."""
    with pytest.raises(UnknownName) as refusal:
        detectors(toys, pattern)

    assert str(refusal.value).startswith(words)


@pytest.mark.parametrize(
    ("pattern", "lane", "words"),
    [
        ("toy-tabel", None, "no dataset named 'toy-tabel'. Did you mean 'toy-table'"),
        ("nothing*", None, "no dataset named 'nothing*'."),
        ("toy-table/novelti", None, "no task named 'toy-table/novelti'. Did you mean 'toy-table/novelty'"),
        ("toy-table/novelty", "published", "no task named 'toy-table/novelty'."),
        ("toy-nowhere", "published", "'toy-nowhere' has no task to run by default in the lane 'published'"),
        ("toy:mine", "published", "'toy:mine' has no task to run by default in the lane 'published'"),
        ("toy:wrong", None, "no toy of that name"),
        ("gs:bucket", None, "no installed plugin opens 'gs' addresses"),
    ],
)
def test_unknown_tasks(toys, pattern, lane, words):
    """What selects no task is refused, with the nearest names."""
    with pytest.raises(UsageError) as refusal:
        tasks(toys, pattern, lane=lane)

    assert str(refusal.value).startswith(words)


def test_overrides():
    """Settings are JSON where they parse as such, Python's own constants, else text; the last dot parts the name."""
    found = parse_overrides(
        [
            "knn.k=5",
            "knn.metric=l1",
            "knn.p=1e-3",
            "magic.gamma.max_rows=null",
            "vae.flow=True",
            "vae.sizes=[8, 4]",
            "vae.note=",
            "vae.path=a=b",
        ]
    )

    assert found == {
        "knn": {"k": 5, "metric": "l1", "p": 0.001},
        "magic.gamma": {"max_rows": None},
        "vae": {"flow": True, "sizes": [8, 4], "note": "", "path": "a=b"},
    }


@pytest.mark.parametrize(
    "setting",
    ["knn", "knn.k", "k=5", ".k=5", "knn.=5", "knn.two words=5", "knn.k=1e999", "knn.k=NaN", "knn.k=[-1e999]"],
)
def test_wrong_overrides(setting):
    """A setting without name, parameter or value is refused, and so is a number that is not finite."""
    with pytest.raises(UsageError, match=r"--set takes"):
        parse_overrides([setting])
