"""The registry: which plugins are installed, what they offer, and which of them are broken.

Nothing here imports a framework or an array library: hook modules are light and targets stay strings.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import unquote

import pluggy

from adbench import hookspecs
from adbench.errors import AdbenchError, PluginError, UnknownName, UsageError
from adbench.specs import DatasetSpec, DetectorSpec, Spec, ThresholdSpec

_S = TypeVar("_S", DetectorSpec, DatasetSpec, ThresholdSpec)


@dataclass(frozen=True)
class Plugin:
    """An installed plugin; ``error`` is why it is broken, empty if it works."""

    name: str
    module: str
    distribution: str = ""
    version: str = ""
    error: str = ""

    @property
    def owner(self) -> str:
        """The distribution and version, as messages name it."""
        return f"{self.distribution} {self.version}".strip() or f"plugin {self.name}"


@dataclass
class Registry:
    """Everything installed, by name. Make it with :meth:`discover`, or :meth:`of` in tests."""

    plugins: list[Plugin] = field(default_factory=list)
    detectors: dict[str, DetectorSpec] = field(default_factory=dict)
    datasets: dict[str, DatasetSpec] = field(default_factory=dict)
    thresholds: dict[str, ThresholdSpec] = field(default_factory=dict)
    owners: dict[str, Plugin] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)
    """Names that two plugins claim -> a line naming both; neither is used."""
    addresses: dict[str, str] = field(default_factory=dict)
    """Datasets opened by address -> the address without the folder, as pages may show it."""
    _manager: pluggy.PluginManager = field(default_factory=lambda: pluggy.PluginManager(hookspecs.PROJECT))

    def __post_init__(self) -> None:
        self._manager.add_hookspecs(hookspecs)

    @classmethod
    def discover(cls) -> Registry:
        """Find every installed plugin package by its entry point."""
        registry = cls()
        points = entry_points(group=hookspecs.PROJECT)
        for point in sorted(points, key=lambda p: (p.module != "adbench.builtin", _distribution(p), p.name)):
            registry._load(point)
        return registry

    @classmethod
    def of(cls, *modules: object) -> Registry:
        """Make a registry of objects that have hooks: modules, or instances in tests."""
        registry = cls()
        for module in modules:
            name = getattr(module, "__name__", type(module).__name__)
            registry._register(Plugin(name=name, module=name), module)
        return registry

    def detector(self, name: str) -> DetectorSpec:
        """Return the detector of that name, or raise :class:`UnknownName`."""
        return self._get("detector", self.detectors, name)

    def dataset(self, name: str) -> DatasetSpec:
        """Return the dataset of that name, or raise :class:`UnknownName`."""
        return self._get("dataset", self.datasets, name)

    def open_dataset(self, address: str) -> DatasetSpec:
        """Return the dataset at an address such as ``file:PATH``, added to this registry."""
        try:
            spec = self._manager.hook.adbench_open_dataset(address=address)
        except AdbenchError:
            raise
        except (Exception, SystemExit) as error:
            raise PluginError(f"{address!r} cannot be opened: {_told(error)}") from error
        if spec is None:
            scheme = address.partition(":")[0]
            raise UsageError(f"no installed plugin opens {scheme!r} addresses; got {address!r}")
        if not isinstance(spec, DatasetSpec):
            raise PluginError(f"adbench_open_dataset must return a DatasetSpec or None; got a {type(spec).__name__}")
        if (spec.name in self.datasets and self.datasets[spec.name] != spec) or spec.name in self.detectors:
            raise UsageError(
                f"{address!r} would be named {spec.name!r}, which is taken; give it another with '#name=NAME'"
            )
        self.datasets[spec.name] = spec
        self.owners.setdefault(spec.name, self._opener(spec))
        scheme, _, rest = address.partition(":")
        path, mark, options = rest.partition("#")
        # A folder may be written in escapes, file:%2Fhome%2Fme.csv; those that an address needs go back in.
        shown = Path(unquote(path)).name.replace("%", "%25").replace("#", "%23")
        self.addresses[spec.name] = f"{scheme}:{shown}{mark}{options}"
        return spec

    def groups(self) -> dict[str, list[str]]:
        """Return group name -> detector names, for ``-d @GROUP``."""
        groups: dict[str, list[str]] = {}
        for name, spec in self.detectors.items():
            if not spec.default:
                continue
            own = {spec.family, self.owners[name].name, *spec.groups, "floors" if spec.role == "floor" else ""}
            for group in own - {""}:
                groups.setdefault(group, []).append(name)
        return groups

    def _load(self, point: EntryPoint) -> None:
        version = point.dist.version if point.dist else ""
        plugin = Plugin(point.name, point.module, _distribution(point), version)
        try:
            module = point.load()
        except (Exception, SystemExit) as error:  # noqa: BLE001 - one broken plugin must not take the others down
            self.plugins.append(_broken(plugin, error))
            return
        self._register(plugin, module)

    def _register(self, plugin: Plugin, module: object) -> None:
        """Call a plugin's hooks; take all of its specs, or none if anything is wrong with them."""
        handle = f"{plugin.distribution}:{plugin.name}"  # two distributions may give their entry points one name
        try:
            self._manager.register(module, name=handle)
            self._manager.check_pending()  # a misspelt hook would offer nothing, silently
            if not self._manager.get_hookcallers(module):
                raise PluginError("has no hook: mark adbench_detectors, or another, with @adbench.hookimpl")
            offers: list[Spec] = [
                *self._call("adbench_detectors", module, DetectorSpec),
                *self._call("adbench_datasets", module, DatasetSpec),
                *self._call("adbench_thresholds", module, ThresholdSpec),
            ]
        except (Exception, SystemExit) as error:  # noqa: BLE001 - one broken plugin must not take the others down
            if self._manager.has_plugin(handle):
                self._manager.unregister(name=handle)
            self.plugins.append(_broken(plugin, error))
            return
        self.plugins.append(plugin)
        for spec in offers:
            self._offer(spec, plugin)

    def _call(self, hook: str, module: object, kind: type[_S]) -> list[_S]:
        caller = getattr(self._manager.hook, hook)
        specs = [spec for impl in caller.get_hookimpls() if impl.plugin is module for spec in impl.function()]
        for spec in specs:
            if not isinstance(spec, kind):
                raise PluginError(f"{hook} must return a list of {kind.__name__}; got a {type(spec).__name__}")
        return specs

    def _offer(self, spec: Spec, plugin: Plugin) -> None:
        """Take a spec unless its name is claimed already: then neither claimant has it."""
        if spec.name in self.refused:
            return
        if spec.name in self.owners:
            first = self.owners.pop(spec.name)
            for table in (self.detectors, self.datasets, self.thresholds):
                table.pop(spec.name, None)
            self.refused[spec.name] = (
                f"{spec.name!r} is refused: both {first.owner} ({first.module}) and {plugin.owner} ({plugin.module}) "
                "provide it; uninstall one of them"
            )
            return
        self.owners[spec.name] = plugin
        table_of: dict[type, dict[str, Any]] = {
            DetectorSpec: self.detectors,
            DatasetSpec: self.datasets,
            ThresholdSpec: self.thresholds,
        }
        table_of[type(spec)][spec.name] = spec

    def _get(self, kind: str, table: dict[str, _S], name: str) -> _S:
        if name in self.refused:
            raise UsageError(self.refused[name])
        if name not in table:
            raise UnknownName(kind, name, table)
        return table[name]

    def _opener(self, spec: DatasetSpec) -> Plugin:
        """Return the plugin that a dataset opened by address belongs to: the one with its code."""
        package = spec.target.partition(":")[0].partition(".")[0]
        for plugin in self.plugins:
            if plugin.module.partition(".")[0] == package:
                return plugin
        return Plugin(name=package, module=package)


def _distribution(point: EntryPoint) -> str:
    return point.dist.name if point.dist else ""


def _broken(plugin: Plugin, error: BaseException) -> Plugin:
    return Plugin(plugin.name, plugin.module, plugin.distribution, plugin.version, _told(error))


def _told(error: BaseException) -> str:
    """Return one line on what went wrong; our own errors speak for themselves."""
    text = " ".join(str(error).split())
    return text if isinstance(error, PluginError) else f"{type(error).__name__}: {text}".removesuffix(": ")
