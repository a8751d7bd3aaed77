import types

import pytest

from adbench.errors import PluginError, UnknownName, UsageError
from adbench.hookspecs import hookimpl
from adbench.registry import Registry
from adbench.specs import DatasetSpec, DetectorSpec, TaskSpec, ThresholdSpec


def detector(name="knn", **values):
    return DetectorSpec(**{"name": name, "target": "pkg:KNN", "summary": "Near.", **values})


def dataset(name="moons", **values):
    tasks = (TaskSpec(name="novelty", setting="novelty"),)
    return DatasetSpec(**{"name": name, "target": "pkg:Moons", "summary": "Two.", "modality": "table", "tasks": tasks})


def plugin(name, **hooks):
    """Return a module with hooks; a hook that is not callable is what it returns."""
    module = types.ModuleType(name)
    for hook, found in hooks.items():
        function = found if callable(found) else (lambda found=found: found)
        setattr(module, hook, hookimpl(function))
    return module


def raising(error):
    def hook():
        raise error

    return hook


def with_arguments(detectors):
    return [detector()]


@pytest.fixture
def install(tmp_path, monkeypatch):
    """Install a distribution as pip would: its files and its entry points in a folder that is searched."""
    monkeypatch.syspath_prepend(tmp_path)

    def install(distribution, module, code, point="knn"):
        (tmp_path / f"{module}.py").write_text(f"from adbench import DetectorSpec, hookimpl\n{code}\n")
        folder = tmp_path / f"{distribution.replace('-', '_')}-2.5.dist-info"
        folder.mkdir()
        folder.joinpath("METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 2.5\n")
        folder.joinpath("entry_points.txt").write_text(f"[adbench]\n{point} = {module}\n")

    return install


OFFER = """
@hookimpl
def adbench_detectors():
    return [DetectorSpec(name="{name}", target="{module}:KNN", summary="Near.")]
"""


def test_installed_plugins_are_found(install):
    """A package that advertises a hook module is found by its entry point, with distribution and version."""
    install("adbench-near", "near_one", OFFER.format(name="near", module="near_one"), point="nearest")

    registry = Registry.discover()

    assert registry.detector("near").target == "near_one:KNN"
    assert registry.owners["near"].owner == "adbench-near 2.5"
    assert registry.owners["near"].name == "nearest"
    assert "contamination" in registry.thresholds


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("import no_such_module_at_all", "ModuleNotFoundError: No module named 'no_such_module_at_all'"),
        ("def f(:", "SyntaxError: "),
        ("raise RuntimeError('two\\nlines')", "RuntimeError: two lines"),
        ("raise KeyError", "KeyError"),
        ("raise SystemExit(3)", "SystemExit: 3"),
    ],
)
def test_unimportable_plugin_is_listed(install, code, words):
    """A plugin that cannot be imported is listed with its reason in one line; the others work."""
    install("adbench-bad", "near_broken", code, point="bad")
    install("adbench-near", "near_sound", OFFER.format(name="near", module="near_sound"), point="good")

    registry = Registry.discover()

    (bad,) = (found for found in registry.plugins if found.name == "bad")
    assert bad.error.startswith(words)
    assert "\n" not in bad.error
    assert bad.owner == "adbench-bad 2.5"
    assert registry.detector("near")


@pytest.mark.parametrize(
    ("hooks", "words"),
    [
        ({"adbench_detectors": raising(ValueError("on a Monday"))}, "ValueError: on a Monday"),
        ({"adbench_detectors": lambda: [detector(role="judge")]}, "detector 'knn': 'role' must be one of"),
        ({"adbench_detectors": None}, "TypeError: 'NoneType' object is not iterable"),
        ({"adbench_detectors": detector()}, "TypeError: 'DetectorSpec' object is not iterable"),
        ({"adbench_detectors": [dataset()]}, "adbench_detectors must return a list of DetectorSpec; got a DatasetSpec"),
        ({"adbench_datasets": ["moons"]}, "adbench_datasets must return a list of DatasetSpec; got a str"),
        ({"adbench_thresholds": [detector()]}, "adbench_thresholds must return a list of ThresholdSpec"),
        ({"adbench_detectors": with_arguments}, "PluginValidationError: Plugin ':bad' for hook 'adbench_detectors'"),
        ({"adbench_detectorz": lambda: [detector()]}, "unknown hook 'adbench_detectorz'"),
        ({}, "has no hook: mark adbench_detectors, or another, with @adbench.hookimpl"),
    ],
)
def test_broken_hooks_are_listed(hooks, words):
    """A plugin whose hooks break the contract offers nothing and is listed with the reason; the others work."""
    registry = Registry.of(plugin("bad", **hooks), plugin("good", adbench_detectors=[detector("lof")]))

    assert [bool(found.error) for found in registry.plugins] == [True, False]
    assert words in registry.plugins[0].error
    assert list(registry.detectors) == ["lof"]


def test_a_broken_plugin_offers_nothing_at_all():
    """One broken hook takes back what the same plugin's other hooks offer."""
    registry = Registry.of(
        plugin("bad", adbench_detectors=[detector()], adbench_thresholds=raising(ValueError("no"))),
    )

    assert not registry.detectors
    assert not registry.owners


@pytest.mark.parametrize("second", [detector("twin"), dataset("twin")])
def test_names_claimed_twice_are_refused(second):
    """A name that two plugins claim is neither's, and asking for it names both owners."""
    hook = "adbench_detectors" if isinstance(second, DetectorSpec) else "adbench_datasets"
    registry = Registry.of(
        plugin("left", adbench_detectors=[detector("twin"), detector("single")]),
        plugin("right", **{hook: [second]}),
        plugin("third", adbench_detectors=[detector("twin")]),
    )

    assert list(registry.detectors) == ["single"]
    for find in (registry.detector, registry.dataset):
        with pytest.raises(UsageError, match=r"both plugin left \(left\) and plugin right \(right\) provide it"):
            find("twin")


def test_entry_points_may_share_a_name(install):
    """Two distributions may call their entry points the same: both work."""
    for name in ("left", "right"):
        install(f"adbench-{name}", f"near_{name}", OFFER.format(name=name, module=f"near_{name}"), point="near")

    registry = Registry.discover()

    assert registry.owners["left"].owner == "adbench-left 2.5"
    assert registry.owners["right"].owner == "adbench-right 2.5"


def test_unknown_names_get_the_nearest():
    """A wrong name is told with the kind of thing and the nearest known names."""
    registry = Registry.of(plugin("one", adbench_detectors=[detector("iforest"), detector("ocsvm")]))

    with pytest.raises(UnknownName, match=r"no detector named 'iforst'\. Did you mean 'iforest'\?"):
        registry.detector("iforst")
    with pytest.raises(UnknownName, match=r"no dataset named 'zzz'\. \('adbench list' shows all\.\)"):
        registry.dataset("zzz")


def test_groups():
    """A detector is in the groups of its family, of its plugin, of its own naming, and 'floors' if it is one."""
    registry = Registry.of(
        plugin(
            "pack",
            adbench_detectors=[
                detector("vae", family="vae", groups=("deep", "r4")),
                detector("gan", groups=("deep",)),
                detector("noise", role="floor"),
            ],
        )
    )

    assert registry.groups() == {
        "vae": ["vae"],
        "deep": ["vae", "gan"],
        "r4": ["vae"],
        "pack": ["vae", "gan", "noise"],
        "floors": ["noise"],
    }


def opening(found):
    @hookimpl
    def adbench_open_dataset(address):
        if isinstance(found, Exception):
            raise found
        return found if address.startswith("toy:") else None

    return plugin("opener", adbench_open_dataset=adbench_open_dataset)


def test_open_dataset():
    """A dataset opened by address is in the registry, owned by the plugin with its code, its folder left out."""
    registry = Registry.of(opening(dataset("moons")), plugin("pkg", adbench_detectors=[detector()]))

    spec = registry.open_dataset("toy:/home/me/secret/moons.npz#name=moons")

    assert registry.dataset("moons") is spec
    assert registry.owners["moons"].module == "pkg"
    assert registry.addresses["moons"] == "toy:moons.npz#name=moons"
    assert registry.open_dataset("toy:moons.npz") == spec


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("toy:%2Fhome%2Fme%2Fmoons.csv", "toy:moons.csv"),
        ("toy:/home/me/my%20m%C3%B6ons.csv#label=y", "toy:my möons.csv#label=y"),
        ("toy:/home/me/100%25%23.csv", "toy:100%25%23.csv"),
    ],
)
def test_escapes_hide_no_folder(address, shown):
    """A folder written in escapes is left out too; what must be escaped in an address stays so."""
    registry = Registry.of(opening(dataset("moons")), plugin("pkg", adbench_detectors=[detector()]))
    registry.open_dataset(address)
    assert registry.addresses["moons"] == shown


@pytest.mark.parametrize(
    ("found", "address", "kind", "words"),
    [
        (dataset(), "gs:bucket", UsageError, "no installed plugin opens 'gs' addresses; got 'gs:bucket'"),
        (dataset("taken"), "toy:taken", UsageError, "would be named 'taken', which is taken"),
        (UsageError("no such file"), "toy:x", UsageError, "no such file"),
        (ValueError("oh\nno"), "toy:x", PluginError, "'toy:x' cannot be opened: ValueError: oh no"),
        ("moons", "toy:x", PluginError, "must return a DatasetSpec or None; got a str"),
    ],
)
def test_addresses_that_do_not_open(found, address, kind, words):
    """An address that nobody opens, that is wrong, or whose plugin fails, is told in one line."""
    registry = Registry.of(opening(found), plugin("pkg", adbench_detectors=[detector("taken")]))

    with pytest.raises(kind) as refusal:
        registry.open_dataset(address)

    assert words in str(refusal.value)


def test_thresholds_are_offered_too():
    """A plugin's threshold rules are found by name."""
    rule = ThresholdSpec(name="tail", target="pkg:tail", summary="The tail.")
    assert Registry.of(plugin("rules", adbench_thresholds=[rule])).thresholds == {"tail": rule}
