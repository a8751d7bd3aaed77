"""The offline page as a text: what stands in it, what cannot, and how large it is. tests/browser opens it."""

import json
import re
import runpy
from base64 import b64encode
from gzip import decompress
from hashlib import sha256
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import adbench.reporting.site as site
from adbench.reporting.site import page
from adbench.reporting.words import MARK

FOLDER = Path(site.__file__).parent
MADE_UP = runpy.run_path(str(Path(__file__).parent / "browser" / "made_up.py"))
NOTHING = ({"title": "Leaderboard", "sections": []}, {}, {})


class Elements(HTMLParser):
    """The elements of a page with their attributes, and the texts of its scripts by type and id."""

    def __init__(self, text):
        super().__init__()
        self.found, self.scripts, self._script = [], [], None
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))
        if tag == "script":
            self._script = dict(attrs)
            self.scripts.append((self._script, ""))

    def handle_endtag(self, tag):
        self._script = None if tag == "script" else self._script

    def handle_data(self, data):
        if self._script is not None:
            attributes, before = self.scripts[-1]
            self.scripts[-1] = (attributes, before + data)

    def json(self, name):
        return next(json.loads(text) for attributes, text in self.scripts if attributes.get("id") == name)


@pytest.fixture(scope="module")
def small():
    return MADE_UP["leaderboard"](4, 3, 1)


def test_first_line_marks_the_page_as_ours():
    """The first line is the mark by which our pages are known, the second the document type."""
    assert page(*NOTHING).split("\n")[:2] == [MARK, "<!DOCTYPE html>"]


def test_same_input_same_bytes(small):
    """Nothing but the input decides the page."""
    assert page(*small) == page(*MADE_UP["leaderboard"](4, 3, 1))


def test_all_of_the_input_is_in_the_page(small):
    """Data, blocks and images come back as they were given; rows only name their columns once."""
    data, blocks, images = small
    there = Elements(page(data, blocks, images))
    packed = there.json("data")
    for section, given_section in zip(packed["sections"], data["sections"], strict=True):
        rows = section.pop("rows")
        assert [dict(zip(rows["fields"], row, strict=True)) for row in rows["values"]] == given_section["rows"]
        assert section == {name: value for name, value in given_section.items() if name != "rows"}
    assert there.json("images") == images
    found = {attributes.get("id"): text for attributes, text in there.scripts}
    assert {name: found[f"block-{name}"] for name in blocks} == blocks


HOSTILE = st.one_of(
    st.text(),
    st.sampled_from(
        ["</script><script>x()</script>", "<!--<script>", "-->", "]]>", "\u2028\u2029", "\ud800", "\"'>`${x}$data"]
    ),
)


@settings(max_examples=40)
@given(title=HOSTILE, words=HOSTILE, name=HOSTILE)
def test_no_text_leaves_its_element(title, words, name):
    """Whatever a title, a summary, or the name of a block or image is, the page has the elements it has without it."""
    data, block = {"title": title, "sections": [], "legend": [words]}, MADE_UP["packed"]({})
    text = page(data, {name: block}, {name: words})
    usual, hostile = Elements(page(*NOTHING[:1], {"x": block}, {})), Elements(text)
    assert [tag for tag, _ in hostile.found] == [tag for tag, _ in usual.found]
    assert hostile.json("data")["legend"] == [words]
    assert hostile.json("images") == {name: words}
    text.encode()


@pytest.mark.parametrize("text", ["</script>", "", "ab c", "é" * 4])
def test_a_block_is_base64_or_refused(text):
    """A block of other signs could leave its element; it is refused with its name."""
    with pytest.raises(ValueError, match=r"block 'one' must be base64; got"):
        page(NOTHING[0], {"one": text}, {})


def test_numbers_that_json_lacks_are_refused():
    """NaN is a mistake of the caller: browsers could not read it."""
    with pytest.raises(ValueError, match="JSON"):
        page({**NOTHING[0], "legend": [float("nan")]}, {}, {})


def test_nothing_in_the_page_leads_outside(small):
    """No element, style or policy asks for anything but what the page carries."""
    text = page(*small)
    there = Elements(text)
    links = {value for _, attributes in there.found for name, value in attributes.items() if name in ("src", "href")}
    assert links == {"#", "data:,", "README.md"}
    style = text[text.index("<style>") : text.index("</style>")]
    assert not re.search(r"@import|url\((?!data:)", style)
    policy = next(a["content"] for tag, a in there.found if tag == "meta" and a.get("http-equiv"))
    assert policy.startswith("default-src 'none'; script-src 'sha256-")
    assert "unsafe-eval" not in policy and "http" not in policy


def test_the_policy_names_the_pages_scripts_and_no_other():
    """The scripts that run, and the charts' library once unpacked, are those of which the policy holds the sum."""
    text = page(*NOTHING)
    run = [script for attributes, script in Elements(text).scripts if "type" not in attributes]
    run.append(decompress((FOLDER / "vendor/charts.min.js.gz").read_bytes()).decode())
    allowed = [f"sha256-{b64encode(sha256(script.encode()).digest()).decode()}" for script in run]
    assert re.findall(r"'(sha256-[^']+)'", text) == allowed


def test_every_script_of_the_folder_is_in_the_page():
    """No script is forgotten, and none is listed that is not there."""
    assert {path.stem for path in FOLDER.glob("*.js")} == set(site.SCRIPTS)


@pytest.mark.parametrize("name", site.SCRIPTS)
def test_scripts_make_no_html_of_texts(name):
    """Our scripts set texts as texts: none of them knows a way to make HTML or code of one."""
    source = (FOLDER / f"{name}.js").read_text(encoding="utf-8")
    assert not re.search(
        r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|https?:", source
    )


def test_libraries_are_the_ones_written_down():
    """Each vendored file has the sum that the table beside it states, and its licence goes into the page."""
    table = (FOLDER / "vendor/README.md").read_text(encoding="utf-8")
    stated = re.findall(r"^\| `([^`]+)` .* `([0-9a-f]{64})` \|$", table, re.MULTILINE)
    assert len(stated) == 3
    for name, digest in stated:
        content = (FOLDER / "vendor" / name).read_bytes()
        assert sha256(decompress(content) if name.endswith(".gz") else content).hexdigest() == digest
    text = page(*NOTHING)
    assert all(
        f"{library} " in text for library in ("tabulator-tables", "vega", "vega-lite", "vega-interpreter", "d3-array")
    )


def test_sizes():
    """The empty page is under 1 MB, and 6,000 results with their intervals fit into 5 MB."""
    assert len(page(*NOTHING).encode()) < 1_000_000
    assert len(page(*MADE_UP["leaderboard"](100, 60, blocks=False)).encode()) < 5_000_000


@pytest.mark.parametrize("name", ["ink", "quiet", "accent", "good", "warn", "bad"])
@pytest.mark.parametrize("dark", [False, True])
def test_words_stand_out_from_their_ground(name, dark):
    """Every colour of text has a contrast of at least 4.5 to 1 on the page and on raised ground, light and dark."""
    style = (FOLDER / "style.css").read_text(encoding="utf-8")
    colours = {found[1]: found[2 + dark] for found in re.finditer(r"--(\w+): light-dark\(#(\w{6}), #(\w{6})\)", style)}
    for ground in ("ground", "raised", "hover"):
        light, deep = sorted((luminance(colours[name]), luminance(colours[ground])), reverse=True)
        assert (light + 0.05) / (deep + 0.05) >= 4.5


def luminance(colour):
    """Return the relative luminance of the Web Content Accessibility Guidelines 2.2."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (0, 2, 4)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True))
