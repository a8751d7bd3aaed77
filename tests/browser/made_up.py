"""A made-up leaderboard in the shape that the page takes: seeded, and as large as a test asks."""

import base64
import gzip
import json
import math
import random
import struct
import zlib

FAMILIES = ("neighbours", "vae", "gan", "density", "one-class", "autoencoder")
RULES = ("contamination", "zscore k=1", "zscore k=2", "zscore k=3", "mad", "iqr")


def packed(block):
    """Return a block as the page carries it."""
    text = json.dumps(rounded(block), separators=(",", ":"))
    return base64.b64encode(gzip.compress(text.encode(), mtime=0)).decode()


def rounded(value):
    """Return a value with its numbers to four digits, as pages print them."""
    if isinstance(value, dict):
        return {name: rounded(part) for name, part in value.items()}
    if isinstance(value, list):
        return [rounded(part) for part in value]
    return float(f"{value:.4g}") if isinstance(value, float) else value


def leaderboard(detectors=14, tasks=12, repetitions=3, *, blocks=True, seed=0, labels=True):
    """Return ``data, blocks, images`` of a standard board, a published one and one of detectors that use labels."""
    luck = random.Random(seed)
    kept = {}
    sections = [
        section(
            "standard", "standard", "corrected", False, detectors, tasks, repetitions, luck, kept if blocks else None
        ),
        section("quick", "quick", "corrected", False, 5, 3, 1, luck, None),
    ]
    if labels:
        sections.append(section("standard-labels", "standard", "corrected", True, 3, 3, 1, luck, None))
    data = {
        "title": "Leaderboard",
        "made_by": "adbench 0.1.0",
        "legend": [
            "AUROC and average precision are means over repetitions, with 95 % intervals.",
            "Floors are trivial detectors, in italics: a method marked ≈ floor is not separated from the best of them.",
            "Failed results rank last and are never left out.",
        ],
        "sections": sections,
    }
    return rounded(data), kept, {f"i{n}": picture(luck) for n in range(10)} if blocks else {}


def section(name, profile, lane, labels, n_detectors, n_tasks, repetitions, luck, kept):
    """Return one board; its trials' blocks go to ``kept``."""
    names = ["random", "mean-distance", *(f"method-{number:02d}" for number in range(n_detectors - 2))]
    specs, rows = [], []
    strengths = [0.5, 0.66, *(luck.uniform(0.62, 0.97) for _ in names[2:])]
    for number, (detector, strength) in enumerate(zip(names, strengths, strict=True)):
        cost = math.exp(luck.gauss(0.3, 1.4))
        specs.append(
            {"name": detector, "floor": number < 2, "family": "floor" if number < 2 else luck.choice(FAMILIES)}
        )
        specs[-1] |= {
            "labels": labels,
            "summary": f"Summary of {detector}.",
            "source": "Somebody and others (2019)",
            "failed": 0,
        }
        specs[-1] |= {
            "auroc": strength,
            "ap": strength**3,
            "datasets": f"{n_tasks} of {n_tasks}",
            "fit": cost,
            "score": cost / 9,
        }
        specs[-1] |= {"mb": luck.uniform(1, 800), "parameters": luck.choice([None, 1200, 218192, 4.1e6])}
        for task in range(n_tasks):
            rows += results(number, detector, strength, task, repetitions, luck, kept)
    rank(specs, rows)
    return {
        "id": name, "profile": profile, "lane": lane, "labels": labels,
        "title": f"Profile {profile}" + (", detectors that use labels" if labels else ""),
        "provenance": f"{repetitions} repetitions from root seed 0; 2026-11-22; 2 cores, 8 GB",
        "command": f"adbench run --all --profile {profile} --seeds {repetitions}",
        "verdict": "Friedman's test separates the detectors (p < .001); the smallest p-value possible is .0005.",
        "charts": charts(specs), "detectors": specs, "rows": rows,
    }  # fmt: skip


def results(number, detector, strength, task, repetitions, luck, kept):
    """Return the rows of a detector on a task: the declared score, and a second one of every third detector."""
    dataset = f"dataset-{task // 3}"
    found = []
    failed = number % 7 == 5 and task % 6 == 2
    ids = [f"{detector}-{task}-{repetition}" for repetition in range(repetitions)]
    for place, score in enumerate(("score", "latent")[: 2 if number % 3 == 2 else 1]):
        value = min(0.995, max(0.3, luck.gauss(strength, 0.04)))
        width = luck.uniform(0.006, 0.04)
        found.append({
            "d": number, "dataset": dataset, "task": f"{dataset}/part-{task % 3}",
            "modality": "image" if task % 2 else "table",
            "test": "test", "attack": False, "score": score, "declared": place == 0,
            "status": "error 1, ok 2" if failed else "ok", "rank": None,
            "auroc": None if failed else [value, max(0, value - width), min(1, value + width)],
            "ap": None if failed else [value**3, max(0, value**3 - 2 * width), min(1, value**3 + 2 * width)],
            "p_at_n": value**2, "fpr": 1 - value, "chance": 0.1,
            "mark": "≈ floor" if 1 < number and value < 0.68 else "",
            "tie": luck.random() < 0.1, "fit": luck.uniform(0.1, 90), "score_s": luck.uniform(0.01, 3),
            "mb": luck.uniform(1, 800),
            "parameters": None, "trials": ids if kept is not None else [f"-{name}" for name in ids],
        })  # fmt: skip
    if kept is not None:
        for repetition, name in enumerate(ids):
            broken = failed and repetition == 0
            kept[name] = packed(
                trial(name, repetition, [row["score"] for row in found], luck, image=bool(task % 2), broken=broken)
            )
    return found


def rank(specs, rows):
    """Rank each task's declared scores, and the detectors by their mean; failed results rank last."""
    for task in {row["task"] for row in rows}:
        of_task = [row for row in rows if row["task"] == task and row["declared"]]
        of_task.sort(key=lambda row: -(row["auroc"] or [0])[0])
        for place, row in enumerate(of_task, 1):
            row["rank"] = place
    for number, spec in enumerate(specs):
        own = [row for row in rows if row["d"] == number and row["declared"]]
        spec["rank"] = sum(row["rank"] for row in own) / len(own)
        spec["failed"] = sum(row["status"] != "ok" for row in own)
    for place, spec in enumerate(sorted(specs, key=lambda spec: spec["rank"])):
        spec["group"] = "" if spec["floor"] else "abcdefgh"[min(7, place // 4)]


def trial(name, repetition, scores, luck, *, image, broken):
    """Return one trial's block."""
    block = {
        "key": f"{zlib.crc32(name.encode()):08x}", "repetition": repetition, "root": 0,
        "finished": "2026-11-22T10:00:00", "seconds": luck.uniform(1, 60), "settings": {"epochs": 5},
        "versions": {"numpy": "2.4.6"}, "machine": "2 cores, 8 GB",
        "status": "error" if broken else "ok", "log": "epoch 1 loss 0.9\nepoch 2 loss 0.5", "notes": [],
    }  # fmt: skip
    if broken:
        return block | {
            "reason": "ValueError: the matrix is singular",
            "log": "Traceback\nValueError: the matrix is singular",
        }
    block["tests"] = {"test": {score: judged(luck) for score in scores}}
    block["curve"] = {"loss": [list(range(12)), [math.exp(-step / 4) + luck.random() / 20 for step in range(12)]]}
    block["embedding"] = {"test": scatter(luck)}
    if image:
        shown = [
            {"image": f"i{n}", "reconstruction": f"i{(n + 1) % 10}", "score": n / 3, "label": int(n > 5), "index": n}
            for n in range(10)
        ]
        block["images"] = {"test": {"rows": shown}}
    return block


def judged(luck):
    """Return the curves and decisions of one score."""
    bell = lambda at, mean, n: [round(n * math.exp(-((x - mean) ** 2) / at)) for x in range(32)]  # noqa: E731
    counts = {"normal": bell(18, 10, 160), "anomaly": bell(24, 19, 20), "train": bell(17, 10, 200)}
    edges = [round(at / 4, 3) for at in range(33)]
    rates = [at / 40 for at in range(41)]
    numbers = ("promised", "far", "precision", "recall", "f1", "f1_normal", "balanced_accuracy", "mcc")
    rules = [
        {"name": name, "lower": None, "upper": 4 + 0.4 * at, "oracle": False}
        | {number: luck.random() for number in numbers}
        for at, name in enumerate(RULES)
    ]
    rules.append(
        {"name": "always-normal", "lower": None, "upper": None, "oracle": False, "far": 0.0, "recall": 0.0, "f1": 0.0}
    )
    rules.append(
        {"name": "oracle", "lower": None, "upper": 4.6, "oracle": True} | {number: 0.8 for number in numbers[1:]}
    )
    train = [[at for at in range(0, 1000, 8)], [luck.gauss(2.5, 0.7) for _ in range(0, 1000, 8)]]
    labels = [int(luck.random() < 0.1) for _ in range(0, 800, 8)]
    test = [list(range(0, 800, 8)), [luck.gauss(4.6 if label else 2.6, 0.8) for label in labels], labels]
    return {
        "histogram": {"edges": edges} | counts, "thresholds": rules,
        "roc": [rates, [rate**0.2 for rate in rates]], "pr": [rates, [1 - 0.8 * rate**3 for rate in rates]],
        "auroc": 0.93, "ap": 0.71, "contamination": 0.1, "normal_fit": {"mean": 2.6, "std": 0.72},
        "by_index": {"train": train, "test": test, "n_train": 1000, "n_test": 800},
    }  # fmt: skip


def scatter(luck):
    """Return an embedding of 120 rows."""
    labels = [int(number < 20) for number in range(120)]
    return {
        "x": [luck.gauss(2 * label, 1) for label in labels],
        "y": [luck.gauss(-2 * label, 1) for label in labels],
        "label": labels,
    }


def charts(specs):
    """Return two charts of a board."""
    values = [
        {"name": spec["name"], "auroc": spec["auroc"], "seconds": spec["fit"], "mb": spec["mb"]} for spec in specs
    ]
    up = {"field": "auroc", "type": "quantitative", "title": "AUROC", "scale": {"zero": False}}

    def against(field, title):
        x = {"field": field, "type": "quantitative", "scale": {"type": "log"}, "title": title}
        spec = {"data": {"values": values}, "mark": {"type": "point", "filled": True, "size": 60}, "height": 260}
        return spec | {
            "encoding": {"x": x, "y": up, "tooltip": [{"field": "name"}, {"field": "auroc", "format": ".3f"}]}
        }

    return [
        {
            "title": "AUROC against seconds",
            "caption": "Upper left is better.",
            "spec": against("seconds", "seconds to fit"),
        },
        {"title": "AUROC against memory", "caption": "Upper left is better.", "spec": against("mb", "peak memory, MB")},
    ]


def picture(luck, side=14):
    """Return a small grey PNG as a data address."""
    rows = b"".join(b"\0" + bytes(luck.randrange(256) for _ in range(side)) for _ in range(side))
    parts = [
        (b"IHDR", struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)),
        (b"IDAT", zlib.compress(rows)),
        (b"IEND", b""),
    ]
    chunks = [
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body)) for kind, body in parts
    ]
    return "data:image/png;base64," + base64.b64encode(b"\x89PNG\r\n\x1a\n" + b"".join(chunks)).decode()
