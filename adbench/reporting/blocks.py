"""What a page shows when a row opens: a trial's histogram, curves, pictures and log, thinned to a few kilobytes."""

from __future__ import annotations

import json
import math
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from gzip import compress
from hashlib import sha256
from io import BytesIO
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from adbench.metric_names import DECISION_METRICS, ORACLE
from adbench.metrics import ranked_counts
from adbench.record import Record
from adbench.reporting.evaluator import Evaluations, scores_in
from adbench.reporting.words import all_visible

BLOCKS_VERSION = 1
"""Kept with cached blocks; raised whenever what is made here changes."""

_BINS, _CURVE, _POINTS, _EMBEDDED = 32, 40, 80, 120
_LOG = 4000  # characters
_OF_SECOND_SCORES = ("contamination", ORACLE)
"""Rules shown of scores that are not ranked: an ensemble has twenty of these."""


@dataclass
class Pictures:
    """Pictures shared by blocks: a test row is shown once however many detectors find it strange."""

    found: dict[str, str] = field(default_factory=dict)

    def add(self, image: NDArray[Any]) -> str:
        """Take an image in [0, 1], shape ``(height, width, channels)``, and return its name."""
        png = _png(image)
        name = sha256(png).hexdigest()[:12]
        self.found[name] = f"data:image/png;base64,{b64encode(png).decode()}"
        return name


def packed(block: Mapping[str, Any]) -> bytes:
    """Return a block as compressed JSON, the same bytes for the same block."""
    return compress(
        json.dumps(all_visible(block), sort_keys=True, separators=(",", ":"), allow_nan=False).encode(), mtime=0
    )


def block_of(
    record: Record,
    evaluations: Evaluations,
    arrays: Mapping[str, NDArray[Any]],
    *,
    machine: str = "",
    whole: bool = True,
    pictures: Pictures | None = None,
) -> dict[str, Any]:
    """Return what is shown of one trial, as plain JSON values.

    Parameters
    ----------
    record, evaluations, arrays
        The trial, test set -> score -> evaluation, and its stored arrays; both empty if it is not ``ok``.
    machine
        Where it ran, in words.
    whole
        Whether single points are shown too, by index and embedded, and images: one repetition is enough of these.
    pictures
        Takes the images; none are shown without.
    """
    trial = record.trial
    block: dict[str, Any] = {
        "key": record.key,
        "repetition": trial.repetition,
        "root": trial.root,
        "status": record.status,
        "reason": record.reason,
        "notes": list(record.notes),
        "log": record.log[-_LOG:].expandtabs(4),
        "finished": record.finished,
        "seconds": _short(record.seconds),
        "versions": dict(record.versions),
        "machine": machine,
        "settings": dict(trial.params),
    }
    if not arrays:
        return block
    tests: dict[str, dict[str, Any]] = {}
    declared = record.detector_facts["scores"][0]
    for test, score, scores in scores_in(arrays):
        if score in evaluations.get(test, {}):
            rows = arrays[f"y/{test}"].astype(bool), scores, arrays[f"train_scores/{score}"]
            tests.setdefault(test, {})[score] = _score(
                evaluations[test][score], *rows, declared=score == declared, points=whole and score == declared
            )
    parts = {"tests": tests, "curve": _training(arrays)}
    if whole:
        parts["embedding"] = {test: _embedding(arrays, test) for test in tests if f"embedding/{test}/xy" in arrays}
        if pictures is not None and len(record.rows.get("shape", ())) == 3:
            shape = tuple(record.rows["shape"])
            parts["images"] = {
                test: made for test in tests if (made := _images(arrays, test, declared, shape, pictures))
            }
    return block | {name: value for name, value in parts.items() if value}


def _score(
    evaluation: Any, y: NDArray[np.bool_], scores: NDArray[Any], train: NDArray[Any], *, declared: bool, points: bool
) -> dict[str, Any]:
    edges = _edges(scores, train)
    _, tp, fp = ranked_counts(y, scores)
    made = {
        "histogram": {
            "edges": _list(edges),
            "normal": _counts(scores[~y], edges),
            "anomaly": _counts(scores[y], edges),
            "train": _counts(train, edges),
        },
        "thresholds": [
            _threshold(name, decision)
            for name, decision in evaluation.decisions.items()
            if declared or name in _OF_SECOND_SCORES
        ],
        "roc": _thin_curve(np.append(0, fp / fp[-1]), np.append(0, tp / tp[-1])),
        "pr": _thin_curve(tp / tp[-1], tp / (tp + fp)),
        "auroc": _short(evaluation.auroc),
        "ap": _short(evaluation.average_precision),
        "contamination": _short(evaluation.contamination),
        "normal_fit": {"mean": _short(float(train.mean())), "std": _short(float(train.std()))},
    }
    if points:
        test, of_train = _thinned(len(scores), _POINTS), _thinned(len(train), _POINTS)
        made["by_index"] = {
            "train": [of_train.tolist(), _list(train[of_train], 3)],
            "test": [test.tolist(), _list(scores[test], 3), y[test].astype(int).tolist()],
            "n_train": len(train),
            "n_test": len(scores),
        }
    return made


def _edges(scores: NDArray[Any], train: NDArray[Any]) -> NDArray[np.float64]:
    """Return the histogram's edges: over nearly all scores; what lies beyond is counted in the outermost bins."""
    both = np.concatenate([scores, train]).astype(np.float64)
    low, high = np.quantile(both, [0.005, 0.995])
    least, most = float(both.min()), float(both.max())
    if most - least <= 2 * (high - low):
        low, high = least, most
    if not high > low:
        low, high = least - 0.5, least + 0.5
    return np.linspace(low, high, _BINS + 1)


def _counts(values: NDArray[Any], edges: NDArray[np.float64]) -> list[int]:
    counts, _ = np.histogram(np.clip(values, edges[0], edges[-1]), edges)
    return [int(count) for count in counts]


def _threshold(name: str, decision: Mapping[str, Any]) -> dict[str, Any]:
    limits = {side: None if math.isinf(decision[side]) else _short(decision[side]) for side in ("lower", "upper")}
    metrics = {metric: _short(decision[metric]) for metric in DECISION_METRICS if metric != "false_alarm_rate"}
    promised = decision["promised"]
    return {
        "name": name,
        **limits,
        "oracle": decision["uses_labels"],
        "promised": None if promised is None else _short(promised),
        "far": _short(decision["false_alarm_rate"]),
        **metrics,
    }


def _thin_curve(x: NDArray[Any], y: NDArray[Any]) -> list[list[float]]:
    """Return a curve by at most 40 of its points, evenly spaced along its length."""
    along = np.append(0, np.cumsum(np.abs(np.diff(x)) + np.abs(np.diff(y))))
    chosen = np.unique(np.searchsorted(along, np.linspace(0, along[-1], _CURVE)).clip(max=len(x) - 1))
    return [_list(x[chosen].round(3)), _list(y[chosen].round(3))]


def _training(arrays: Mapping[str, NDArray[Any]]) -> dict[str, Any]:
    steps = arrays.get("curve/step")
    if steps is None:
        return {}
    curves = {}
    for name in (name for name in arrays if name.startswith("curve/") and name != "curve/step"):
        logged = np.flatnonzero(np.isfinite(arrays[name]))
        if len(logged):
            chosen = logged[_thinned(len(logged), _CURVE)]
            curves[name.removeprefix("curve/")] = [_list(steps[chosen]), _list(arrays[name][chosen])]
    return curves


def _embedding(arrays: Mapping[str, NDArray[Any]], test: str) -> dict[str, Any]:
    index, xy = arrays[f"embedding/{test}/index"], arrays[f"embedding/{test}/xy"]
    chosen = _thinned(len(index), _EMBEDDED)
    labels = arrays[f"y/{test}"][index[chosen]].astype(int).tolist()
    return {"x": _list(xy[chosen, 0], 3), "y": _list(xy[chosen, 1], 3), "label": labels}


def _images(
    arrays: Mapping[str, NDArray[Any]], test: str, declared: str, shape: tuple[int, ...], pictures: Pictures
) -> dict[str, Any] | None:
    """Return the most and least anomalous images; None where they were not kept, or may not be shown."""
    X = arrays.get(f"extreme/{test}/X")
    if X is None or X[0].size != math.prod(shape):
        return None
    index, rebuilt = arrays[f"extreme/{test}/index"], arrays.get(f"extreme/{test}/reconstruction")
    return {
        "rows": [
            {
                "image": pictures.add(X[number].reshape(shape)),
                "reconstruction": None if rebuilt is None else pictures.add(rebuilt[number].reshape(shape)),
                "score": _short(arrays[f"scores/{test}/{declared}"][row]),
                "label": int(arrays[f"y/{test}"][row]),
                "index": int(row),
            }
            for number, row in enumerate(index)
        ]
    }


def _png(image: NDArray[Any]) -> bytes:
    from PIL import Image

    levels = np.clip(np.nan_to_num(image) * 255 + 0.5, 0, 255).astype(np.uint8)
    file = BytesIO()
    Image.fromarray(levels[:, :, 0] if levels.shape[2] == 1 else levels[:, :, :3]).save(file, "PNG", optimize=True)
    return file.getvalue()


def _thinned(n: int, most: int) -> NDArray[np.intp]:
    """Return at most so many of n places, evenly spread."""
    return np.unique(np.linspace(0, n - 1, min(n, most)).round().astype(np.intp))


def _list(values: ArrayLike, digits: int = 4) -> list[float]:
    return [_short(value, digits) for value in np.asarray(values, np.float64)]


def _short(value: float, digits: int = 4) -> float:
    """Return a few significant digits, as many as a plot can show."""
    short = float(f"{float(value):.{digits}g}")
    return int(short) if short.is_integer() and abs(short) < 1e15 else short
