import json
import math
from dataclasses import replace

import numpy as np
import pytest

from adbench.builtin import adbench_thresholds
from adbench.bundles import layout, manifest
from adbench.bundles.verify import verify
from adbench.errors import StoreError
from adbench.specs import ThresholdSpec

RULES = adbench_thresholds()
SCORES = "scores-float64-0001.parquet"


def altered_numbers(bundling, path, choose, change):
    """Change the rows of the table of numbers that are chosen; a change to None takes them out."""
    rows = [change(row) if choose(row) else row for row in bundling.rows(path, layout.NUMBERS)]
    bundling.with_rows(path, layout.NUMBERS, [row for row in rows if row is not None])


def is_auroc(row):
    return (row["metric"], row["score"], row["test"]) == ("auroc", "rate", "test")


def test_what_was_published_is_what_its_scores_give(path):
    """Each number of an honest bundle is recomputed, and equal."""
    verdict = verify(path, RULES)

    assert verdict.altered == []
    assert verdict.not_run == []
    assert verdict.trials == 4
    # The floor has two pairs of test set and score, alpha four: 4 rank metrics, 3 costs, 7 numbers a rule and oracle.
    assert verdict.numbers == (2 + 4) * (4 + 3 + 7 * (len(RULES) + 1))


def test_a_compact_bundle_verifies(bundling, store, tmp_path):
    """Numbers are those of the scores that are published, rounded or not."""
    assert verify(bundling.of(tmp_path, store, compact=True), RULES).altered == []


def test_an_altered_number_is_found(bundling, path):
    """A number that was changed is named with what it should be, though all sums were mended."""
    (true,) = (row["value"] for row in bundling.rows(path, layout.NUMBERS) if is_auroc(row))
    altered_numbers(bundling, path, is_auroc, lambda row: {**row, "value": 0.999})

    (line,) = verify(path, RULES).altered

    assert "(alpha on moons/novelty, quick)" in line
    assert f"auroc of rate on test: expected {true!r} from its scores, got 0.999" in line


@pytest.mark.parametrize("moved", [1e-9, 1e-15])
def test_the_tolerance_is_that_of_another_library(bundling, path, moved):
    """A number that differs by the order of a sum is equal; one that differs in the ninth digit is not."""
    altered_numbers(bundling, path, is_auroc, lambda row: {**row, "value": row["value"] * (1 + moved)})

    assert bool(verify(path, RULES).altered) == (moved > 1e-12)


@pytest.mark.parametrize("value", [math.nan, math.inf, -0.25])
def test_a_number_that_is_none_is_found(bundling, path, value):
    """NaN and infinite values equal no number."""
    altered_numbers(bundling, path, is_auroc, lambda row: {**row, "value": value})

    assert len(verify(path, RULES).altered) == 1


def test_altered_scores_are_found_by_their_sum(bundling, path):
    """A score that was changed in its member, whose own sum was mended, is found by the sum of its array."""
    rows = bundling.rows(path, SCORES)
    bundling.with_rows(path, SCORES, [{"value": rows[0]["value"] + 1}, *rows[1:]])

    assert any("was altered: its sha256 is not the one stated" in line for line in verify(path, RULES).altered)


def test_altered_scores_are_found_by_their_numbers(bundling, synthetic, tmp_path):
    """Scores that were made better, with every sum mended, no longer give the numbers."""
    record, arrays = synthetic.record()
    better = {**arrays, "scores/test/score": arrays["scores/test/score"] + 3 * arrays["y/test"]}
    honest = bundling.of(tmp_path, synthetic.store(tmp_path / "a", (record, arrays)))
    altered = bundling.of(tmp_path, synthetic.store(tmp_path / "b", (record, better)), name="b.adbench.zip")
    bundling.rebuild(altered, {layout.NUMBERS: bundling.members(honest)[layout.NUMBERS]})

    lines = verify(altered, RULES).altered

    assert any("auroc of score on test" in line for line in lines)
    assert any("recall by iqr of score on test" in line for line in lines)


def test_altered_labels_are_found_by_the_other_trials(bundling, synthetic, tmp_path):
    """Labels changed to suit one detector, numbers and sums included, are not those of others on the same rows."""
    flattered, arrays = synthetic.record("alpha", separation=0.0)
    best = np.argsort(-arrays["scores/test/score"])
    arrays["y/test"] = np.isin(np.arange(120), best[:30]).astype(np.uint8)
    store = synthetic.store(tmp_path / "store", (flattered, arrays), synthetic.record("beta"))

    (line,) = verify(bundling.of(tmp_path, store), RULES).altered

    assert "'y/test' is not that of other trials on the same rows" in line


@pytest.mark.parametrize("place", ["fit_seconds", "params", "status"])
def test_an_altered_record_is_found(bundling, path, place):
    """Seconds are compared with the numbers; settings with the key; the status with where it stands."""
    values = {"fit_seconds": 0.001, "status": "ok"}
    rows = bundling.rows(path, layout.RECORDS)
    number = next(n for n, row in enumerate(rows) if row["detector"] == ("beta" if place == "status" else "alpha"))
    body = json.loads(rows[number]["body"])
    if place == "params":
        body["trial"]["params"] = {"layers": 100}
    else:
        body[place] = values[place]
    rows[number]["body"] = json.dumps(body)
    bundling.with_rows(path, layout.RECORDS, rows)

    told = {"fit_seconds": "expected 0.001", "params": "settings give the key", "status": "says ok"}
    assert any(told[place] in line for line in verify(path, RULES).altered)


def test_a_failure_made_a_success_is_found(bundling, path):
    """A failed trial that was given the status ok everywhere has no scores."""
    rows = bundling.rows(path, layout.RECORDS)
    for row in rows:
        row["status"] = row["status"].replace("error", "ok")
        row["body"] = row["body"].replace('"status": "error"', '"status": "ok"')
    bundling.with_rows(path, layout.RECORDS, rows)

    assert any("it is ok and has no scores" in line for line in verify(path, RULES).altered)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda rows: rows[1:], "is made, and not in the bundle"),
        (lambda rows: [*rows[:5], *rows[4:]], "stands twice"),
        (lambda rows: [row for row in rows if row["detector"] != "alpha"], "has no row of it in its place"),
        (lambda rows: [*rows, {**rows[0], "key": "0" * 64}], "belong to none"),
        (lambda rows: [{**rows[0], "metric": "glory"}, *rows], "is in the bundle, and not made"),
        (lambda rows: [{**row, "setting": "outlier"} for row in rows], "are not those of its record"),
    ],
)
def test_rows_that_are_missing_or_too_many_are_found(bundling, path, change, told):
    """The table of numbers holds just what it must: each number of each trial once."""
    bundling.with_rows(path, layout.NUMBERS, change(bundling.rows(path, layout.NUMBERS)))

    assert any(told in line for line in verify(path, RULES).altered)


def test_wrong_counts_are_found(bundling, path):
    """The manifest's counts are those of what is there."""
    bundling.alter_manifest(path, counts={"trials": 7, "arrays": 1, "numbers": 2})

    assert [line.split(",")[0] for line in verify(path, RULES).altered] == [
        "manifest.json: 7 trials are stated",
        "manifest.json: 1 arrays are stated",
        "manifest.json: 2 numbers are stated",
    ]


def test_scores_that_are_no_numbers_are_found(bundling, synthetic, tmp_path):
    """NaN among the scores is nothing that could have given numbers: told, and the rest is recomputed."""
    record, arrays = synthetic.record()
    other = synthetic.record("beta")
    honest = bundling.of(tmp_path, synthetic.store(tmp_path / "a", (record, arrays), other))
    rows = bundling.rows(honest, SCORES)
    rows[3]["value"] = math.nan
    bundling.with_rows(honest, SCORES, rows)
    values = np.array([row["value"] for row in rows[:120]])
    sums = bundling.rows(honest, layout.ARRAYS)
    first = next(row for row in sums if row["group"] == "scores")
    bundling.with_rows(
        honest, layout.ARRAYS, [{**row, "sha256": layout.digest_of(values)} if row is first else row for row in sums]
    )

    (line,) = verify(honest, RULES).altered

    assert "(alpha on moons/novelty, quick): scores must be finite; 1 of 120 are not" in line


def test_rules_that_are_not_here_are_told_and_not_run(path):
    """A rule that only its maker has is named; no code comes from a bundle, and the other numbers are recomputed."""
    own = [rule for rule in RULES if rule.name not in ("iqr", "mad")]
    other = replace(next(rule for rule in RULES if rule.name == "mad"), params={"k": 9})
    unused = ThresholdSpec(name="unused", target="no_such_module:rule", summary="")

    verdict = verify(path, [*own, other, unused])

    assert verdict.not_run == ["iqr", "mad"]
    assert verdict.altered == []
    assert verdict.numbers < verify(path, RULES).numbers


def test_the_numbers_of_another_evaluation_are_not_compared(bundling, path):
    """Numbers that another version made may differ honestly: the way out is that version."""
    bundling.alter_manifest(path, evaluation=999, adbench="7.1")

    with pytest.raises(StoreError, match=r"were made by evaluation 999, .* verify it with adbench-suite '7\.1'"):
        verify(path, RULES)


def test_a_manifest_survives_json(path, bundling):
    """What a manifest says comes back."""
    data = bundling.members(path)[layout.MANIFEST]

    assert manifest.read(data).to_json() == data


def test_the_command_says_equal(path, command):
    """An honest bundle is one line and exit code 0, named or as the only one of a folder."""
    for place in (path, path.parent):
        done = command("verify", place)
        assert done.returncode == 0
        assert done.stdout.startswith("some.adbench.zip: 4 trials, ")
        assert done.stdout.endswith(" numbers recomputed, all equal\n")


def test_the_command_lists_what_was_altered(bundling, path, command):
    """Altered numbers are exit code 1: twenty lines, how many more, and how many in all."""
    altered_numbers(bundling, path, lambda row: row["metric"] == "recall", lambda row: {**row, "value": 2.0})

    done = command("verify", path)

    lines = done.stdout.splitlines()
    assert done.returncode == 1
    assert len(lines) == 22
    assert lines[-2].startswith("some.adbench.zip: and ")
    assert lines[-1].endswith(" altered")


def test_what_a_bundle_says_does_not_steer_a_terminal(bundling, path, command):
    """Names from a bundle are printed as plain signs on one line."""
    altered_numbers(bundling, path, is_auroc, lambda row: {**row, "metric": "auroc\x1b[2J\nfine: all equal"})

    done = command("verify", path)

    assert done.returncode == 1
    assert "\x1b" not in done.stdout
    assert not any(line.startswith("fine") for line in done.stdout.splitlines())


@pytest.mark.parametrize("make", [lambda path: path.write_text("x"), lambda path: path.unlink()])
def test_the_command_refuses_what_is_no_bundle(path, command, make):
    """What is no bundle, or not there, is one line and exit code 2."""
    make(path)

    for place in (path, path.parent / "store"):
        done = command("verify", place)
        assert done.returncode == 2
        assert done.stderr.startswith("adbench: ")
        assert done.stderr.count("\n") == 1
