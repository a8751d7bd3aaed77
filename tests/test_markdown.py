import html
import math
import os
import re
import shlex
from pathlib import Path

import pytest

from adbench import thresholds
from adbench.reporting.leaderboard import Leaderboard
from adbench.reporting.markdown import page_name, pages
from adbench.reporting.pages import write
from adbench.reporting.words import text

GOLDEN = Path(__file__).parent / "golden"
NASTY = "a|b <script>alert(1)</script> *x* `y` [l](http://e) \\ _u_ ~s~ #h\n\n## Not a heading\n\n```\n| no | table |"


@pytest.fixture
def pages_of(synthetic, tmp_path):
    """Return the pages of records."""

    def pages_of(*made, folder="store"):
        return pages(Leaderboard.of(synthetic.tasks(tmp_path / folder, *made)))

    return pages_of


@pytest.fixture
def small_board(synthetic):
    """A board with what a board can have: failures, floors, two scores, blocks, lanes, labels, variants, settings."""
    made = []
    for repetition in range(2):
        made += [
            synthetic.record("alpha", separation=2, scores=["elbo", "rate"], repetition=repetition),
            synthetic.record("beta", separation=0.1, repetition=repetition),
            synthetic.record("gamma", separation=-2, repetition=repetition, overrides={"k": 5}, params={"k": 5}),
            synthetic.record("noise", separation=0, role="floor", repetition=repetition),
        ]
    made += [
        synthetic.record("delta", separation=2),
        synthetic.record("epsilon", separation=1),
        synthetic.record("epsilon", repetition=1, status="missing", reason="not run yet", finished="", rows={}),
        synthetic.record("zeta", status="skipped", reason="cannot be imported: pip install 'zeta'"),
        synthetic.record("zeta", repetition=1, status="skipped", reason="cannot be imported: pip install 'zeta'"),
        synthetic.record("delta", repetition=1, status="invalid", reason=f"got {NASTY}"),
        synthetic.record("alpha", dataset="pets", task="cat", variant="standin", block="pets", scores=["elbo", "rate"]),
        synthetic.record("beta", dataset="pets", task="cat", variant="standin", block="pets", status="timeout"),
        synthetic.record("alpha", task="first-half", lane="published", tests=["test", "fog"]),
        synthetic.record("omega", task="with-labels", setting="supervised", supervision="labels"),
        synthetic.record("alpha", profile="standard", split={"n": 500}, finished="2024-06-02T00:00:00Z"),
    ]
    return made


def test_golden_pages(pages_of, small_board):
    """The pages of a small board are, to the byte, those under tests/golden (WRITE_GOLDEN=1 writes them anew)."""
    made = pages_of(*small_board)
    if os.environ.get("WRITE_GOLDEN"):
        write(made, GOLDEN)

    assert sorted(made) == sorted(path.name for path in GOLDEN.iterdir())
    for name, page in made.items():
        assert page == GOLDEN.joinpath(name).read_text(encoding="utf-8")


def test_same_input_same_bytes(pages_of, small_board):
    """The order in which trials ended leaves no trace."""
    assert pages_of(*small_board, folder="one") == pages_of(*reversed(small_board), folder="other")


def test_tables_are_whole(pages_of, small_board):
    """Every line of a table has the cells of its head, whatever stands in it."""
    for page in pages_of(*small_board).values():
        for table in re.findall(r"(?:^\|.*\n)+", page, re.MULTILINE):
            widths = {len(re.findall(r"(?<!\\)\|", line)) for line in table.splitlines()}
            assert len(widths) == 1


def without_code(page):
    return re.sub(r"^```sh\n.*?^```$", "", page, flags=re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize(
    "changes",
    [
        {"detector": NASTY},
        {"dataset": NASTY},
        {"task": NASTY},
        {"variant": NASTY},
        {"setting": NASTY},
        {"status": NASTY},
        {"status": "error", "reason": NASTY},
        {"finished": "<script>alert(1)</script>"},
        {"scores": ["score", NASTY.replace("/", "")]},
        {"overrides": {"note": NASTY}, "params": {"note": NASTY}},
        {"overrides": {"$(rm)": "`rm` $(rm) 'q' ```"}},
        {"dataset_facts": dict.fromkeys(("summary", "source", "licence", "note"), NASTY)},
        {"dataset_facts": {"address": f"file:{NASTY}.npz"}},
    ],
    ids=lambda changes: " ".join(changes),
)
def test_hostile_text_is_shown_as_it_is(pages_of, synthetic, changes):
    """Text of plugins, users or foreign stores starts no tag, heading, link, table or code block of its own."""
    made = pages_of(synthetic.record(**{"detector": "alpha", **changes}))
    plain = pages_of(synthetic.record("alpha"), folder="plain")

    for name, page in made.items():
        assert "<script" not in without_code(page)
        assert not re.search(r"(?<!\\)\[l(?<!\\)\]", without_code(page))
        assert page.count("\n```") == page.count("\n```sh\n") * 2
        if changes.keys() <= {"detector", "setting", "finished", "scores", "overrides", "params"}:
            assert headings(page) == headings(plain[name])


def headings(page):
    return [line for line in page.splitlines() if line.startswith("#")]


@pytest.mark.parametrize("value", [NASTY, "plain", "a & b &lt; c", "$x$", "ümläut ≈ 5 %", " two\u2028lines\r\n"])
def test_text_says_the_same(value):
    """What is escaped reads, once shown, as it was, on one line."""
    shown = html.unescape(re.sub(r"\\([\\`*_\[\]|~#!])", r"\1", text(value)))

    assert shown == " ".join(value.split())
    assert len(text(value).splitlines()) == 1


def command_of(page):
    (command,) = re.findall(r"```sh\n(.*?)\n```", page, re.DOTALL)
    return shlex.split(command.replace("\\\n", " "))


def test_command_reproduces(pages_of, synthetic):
    """The command names tasks, detectors, profile, repetitions, root and settings, as a shell takes them."""
    made = pages_of(
        *(
            synthetic.record(
                "alpha", repetition=number, root=7, overrides={"metric": "l1; rm -rf $HOME", "sizes": [8, 4]}
            )
            for number in range(2)
        )
    )

    assert command_of(made["moons.md"]) == [
        *("adbench", "run", "-D", "moons/novelty", "-d", "alpha", "--profile", "quick", "--seeds", "2", "--seed", "7"),
        *("--set", 'alpha.metric="l1; rm -rf $HOME"', "--set", "alpha.sizes=[8, 4]"),
    ]


def test_long_commands_are_wrapped(pages_of, synthetic):
    """A command of many tasks stays readable, and one command."""
    tasks = [f"protocol-number-{number}" for number in range(12)]
    made = pages_of(*(synthetic.record("alpha", task=task) for task in tasks))
    command = made["README.md"].partition("```sh\n")[2].partition("\n```")[0]

    assert max(map(len, command.splitlines())) <= 115
    assert [word for word in command_of(made["README.md"]) if "/" in word] == sorted(f"moons/{task}" for task in tasks)


def test_addresses_show_no_folder(pages_of, synthetic):
    """A user's own file is named by its address as the registry keeps it: without the folder, quoted."""
    made = pages_of(synthetic.record("alpha", dataset_facts={"address": "file:my data.csv#label=y&normal=ok"}))
    assert "file:my data.csv#label=y&normal=ok" in command_of(made["moons.md"])


@pytest.mark.parametrize(
    ("separation", "mark"), [(3, ""), (0.1, "≈ floor"), (-3, "below chance")], ids=["good", "floor", "inverted"]
)
def test_marks(pages_of, synthetic, separation, mark):
    """A detector is marked where it is not shown to beat the floors, and where it is surely below chance."""
    made = pages_of(
        synthetic.record("alpha", separation=separation), synthetic.record("noise", separation=0, role="floor")
    )
    (line,) = re.findall(r"^\|.*\| alpha .*$", made["moons.md"], re.MULTILINE)

    assert [cell.strip() for cell in line.split("|")][7] == mark


def test_a_detector_that_never_ran_took_no_time(pages_of, synthetic):
    """Where nothing finished there are no seconds to tell: the cells are empty, not 0."""
    made = pages_of(synthetic.record("alpha", status="crash"))
    (line, _) = re.findall(r"^\| alpha .*$", made["README.md"], re.MULTILINE)

    assert [cell.strip() for cell in line.split("|")][9:12] == ["", "", ""]


@pytest.mark.parametrize(
    ("dataset", "name"),
    [("cardio", "cardio.md"), ("cifar10@standin", "cifar10@standin.md"), ("a/../b c<d>", "a_.._b_c_d_-9f2b0c9a.md")],
)
def test_page_names(dataset, name):
    """A page's name is one file name, whatever the variant is called."""
    assert page_name(dataset) == name


def test_page_names_are_their_own():
    """No dataset takes another page's name, in whatever case, hides its page, or has a name too long for a file."""
    hostile = [
        "README",
        "readme",
        "cost",
        "index",
        "thresholds",
        "Con",
        "con",
        "CON",
        "x" * 400,
        "x" * 401,
        "../../x",
        ".x",
    ]
    names = [page_name(dataset).lower() for dataset in hostile]

    assert len(set(names)) == len(names)
    assert not {"readme.md", "cost.md", "thresholds.md", "index.md"} & set(names)
    assert all(len(name) < 150 and not name.startswith(".") and "/" not in name for name in names)


def test_the_lucky_repetitions_are_no_result(pages_of, synthetic):
    """A row with a failed repetition shows its status and not one number, nor does its decision."""
    made = pages_of(
        synthetic.record("alpha"), synthetic.record("alpha", repetition=1, status="crash"), synthetic.record("beta")
    )
    lines = re.findall(r"^\|.*\balpha\b.*$", made["moons.md"], re.MULTILINE)

    assert [[cell.strip() for cell in line.split("|")[1:-1]] for line in lines] == [
        ["2", "alpha", "**crash 1/2**", *[""] * 7]
    ]


@pytest.mark.parametrize("sign", ["\x1b", "\x00", "\x9b", "\u202e", "\u2066", "\ud800"])
def test_no_control_sign_enters_a_page(pages_of, synthetic, sign):
    """What steers a terminal or a line's direction, or is no text at all, is shown as a sign in its place."""
    nasty = f"a{sign}b"
    made = pages_of(
        synthetic.record("alpha", status="error", reason=nasty),
        synthetic.record(
            "beta",
            overrides={"k": nasty},
            dataset_facts={"address": f"file:{nasty}", **dict.fromkeys(("summary", "source", "licence"), nasty)},
        ),
    )
    for page in made.values():
        assert sign not in page
        assert page.encode()
    assert "a\ufffdb" in made["moons.md"]


def test_reasons_are_cut(pages_of, synthetic):
    """A page shows the beginning of a long reason."""
    page = pages_of(synthetic.record("alpha", status="error", reason="because " * 1000))["moons.md"]
    (line,) = re.findall(r"^- alpha .*$", page, re.MULTILINE)
    assert len(line) < 350
    assert line.endswith("…")


def test_notes_are_told(pages_of, synthetic):
    """What failed beside the scores is told with the failures, though the trial is ok."""
    page = pages_of(synthetic.record("alpha", notes=("no reconstruction today",)))["moons.md"]
    assert "- alpha on moons/novelty #0: **note**. no reconstruction today" in page


def test_a_rule_that_failed_leaves_blanks(pages_of, synthetic, monkeypatch):
    """A row for which the rule failed in any repetition has blanks where the rule's numbers would be; others stand."""
    made = [synthetic.record("alpha", repetition=number) for number in range(2)]
    made[0][1]["train_scores/score"] *= 1e300
    rule = thresholds.contamination
    monkeypatch.setattr(
        thresholds, "contamination", lambda scores, rate: (math.nan,) * 2 if scores.max() > 9 else rule(scores, rate)
    )
    page = pages_of(*made, synthetic.record("beta"))["moons.md"]
    decisions = page.partition("Decisions by")[2].partition("```sh")[0]
    alpha, beta = (
        [cell.strip() for cell in line.split("|")[1:-1]]
        for line in sorted(re.findall(r"^\| (?:alpha|beta) .*$", decisions, re.M))
    )

    assert (alpha[:9], alpha[10]) == (["alpha", *[""] * 8], "")
    assert alpha[9]
    assert beta[0] == "beta"
    assert all(beta[2:])
    assert "- alpha on moons/novelty #0: **note**. score: threshold 'contamination'" in page


def test_roots_are_boards_and_commands_of_their_own(pages_of, synthetic):
    """Trials of other root seeds stand on another board, and only their command gives that seed."""
    made = pages_of(synthetic.record("alpha"), synthetic.record("alpha", root=7, repetition=1))
    boards = made["moons.md"].split("\n## moons")[1:]
    overall = re.findall(r"```sh\n(.*?)\n```", made["README.md"], re.DOTALL)[0].splitlines()

    assert ["--seed 7" in board for board in boards] == [False, True]
    assert boards[1].startswith("/novelty(seed=7):")
    assert [("--seed 7" in line, "--seeds 2" in line) for line in overall] == [(False, False), (True, True)]
