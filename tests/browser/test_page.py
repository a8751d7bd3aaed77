"""The offline page as a reader meets it."""

import pytest

RESULT = "method-01/dataset-0/part-1/test/score"
AXIS_COLOUR = "document.querySelector('#charts .role-axis-label text')?.getAttribute('fill')"
ROWS = "#table .tabulator-row .open"


def test_opens_in_standards_mode_and_asks_for_nothing(browser, small):
    """The page opens from the file system, asks for nothing but itself, and complains of nothing."""
    browser.open(small)
    assert browser.run("return document.compatMode") == "CSS1Compat"
    assert browser.asked_for() == [browser.address]
    assert browser.texts("h1") == ["Leaderboard"]
    assert len(browser.all(ROWS)) == 9


def test_every_view_says_how_many_it_shows(browser, small):
    """Detectors, results and charts are a click away each, and the rows are counted."""
    browser.open(small)
    assert browser.one("#count").text == "9 detectors"
    browser.one("[data-name=results]").click()
    browser.until("return document.documentElement.dataset.ready === 'results'")
    assert browser.one("#count").text == "54 of 72 results"
    browser.one("[data-name=charts]").click()
    browser.until("return document.querySelectorAll('#charts svg').length === 2")
    assert browser.fragment() == "#view=charts"


def test_sorts_by_click_and_by_keyboard(browser, small):
    """A head sorts by its column in both directions, says so, and what is missing stays last."""
    browser.open(small, "#view=results")
    head = browser.one("[tabulator-field=auroc][role=columnheader]")
    head.click()
    browser.until("return document.querySelector('[tabulator-field=auroc]').ariaSort === 'descending'")
    assert values(browser) == sorted(values(browser), reverse=True)
    browser.run("arguments[0].focus()", head)
    browser.press("ENTER")
    browser.until("return document.querySelector('[tabulator-field=auroc]').ariaSort === 'ascending'")
    assert values(browser) == sorted(values(browser))
    assert browser.fragment() == "#view=results&sort=auroc:asc"
    browser.run("document.querySelector('.tabulator-tableholder').scrollTop = 1e6")
    browser.until(
        "return [...document.querySelectorAll('.tabulator-row')].at(-1).textContent.includes('error 1, ok 2')"
    )


def values(browser):
    return [float(text) for text in browser.texts("#table [tabulator-field=auroc] .value")]


def test_filters_and_search_narrow_the_rows(browser, small):
    """A choice and a word together leave the rows that fit both; Clear brings the others back."""
    browser.open(small, "#view=results")
    choose(browser, "kind", "method")
    browser.until("return document.querySelector('#count').textContent === '42 of 72 results'")
    browser.one("#search").send_keys("part-2 method-00")
    browser.until("return document.querySelector('#count').textContent === '2 of 72 results'")
    assert set(browser.texts(ROWS)) == {"method-00"}
    assert browser.fragment() == "#view=results&q=part-2+method-00&kind=method"
    browser.one(".clear").click()
    browser.until("return document.querySelector('#count').textContent === '54 of 72 results'")


def choose(browser, name, value):
    script = (
        "const s = document.getElementById(arguments[0]); s.value = arguments[1]; s.dispatchEvent(new Event('change'))"
    )
    browser.run(script, f"filter-{name}", value)


@pytest.mark.parametrize(
    ("name", "value", "left"),
    [
        ("dataset", "dataset-1", 27),
        ("detector", "random", 6),
        ("modality", "image", 27),
        ("status", "failed", 1),
        ("kind", "floor", 12),
        ("kind", "second", 18),
    ],
)
def test_each_filter_leaves_what_it_names(browser, small, name, value, left):
    """Every filter, restored from a link, leaves the rows of its value."""
    browser.open(small, f"#view=results&{name}={value}")
    assert browser.one("#count").text == f"{left} of 72 results"
    assert browser.one(f"#filter-{name}").get_attribute("value") == value


def test_second_scores_wait_for_their_switch(browser, small):
    """Only declared scores show until the switch is set."""
    browser.open(small, "#view=results")
    browser.one("#filter-second").click()
    browser.until("return document.querySelector('#count').textContent === '72 results'")
    assert "second score" in browser.texts("#table .pill")


def test_boards_never_mix(browser, small):
    """Profiles, and detectors that use labels, are boards of their own; a choice leads to the nearest board."""
    browser.open(small)
    browser.one("#boards [data-value=quick]").click()
    browser.until("return document.querySelector('#count').textContent === '5 detectors'")
    assert browser.one("#about h2").text == "Profile quick"
    browser.one("#boards [data-value=used]").click()
    browser.until("return document.querySelector('#count').textContent === '3 detectors'")
    assert browser.one("#about h2").text == "Profile standard, detectors that use labels"


def test_a_row_opens_into_its_trials(browser, small):
    """A click on a result shows its plots, decisions, images and provenance; the other repetition is a tab away."""
    browser.open(small, "#view=results&q=method-01")
    row = browser.until(
        f"return [...document.querySelectorAll('.tabulator-row')].find(row => row.dataset.key === '{RESULT}')"
    )
    row.click()
    browser.until("return document.querySelectorAll('#trial .chart svg').length >= 4")
    assert browser.one("#dialog-title").text == "method-01 on dataset-0/part-1"
    assert browser.texts("#trial h4")[:5] == [
        "Scores and thresholds",
        "Scores by row",
        "ROC",
        "Precision and recall",
        "Decisions",
    ]
    assert len(browser.all("#trial tbody tr")) == 8
    assert (
        browser.run("return [...document.querySelectorAll('#trial img')].map(i => getComputedStyle(i).imageRendering)")
        == ["pixelated"] * 20
    )
    browser.until("return [...document.querySelectorAll('#trial .images img')].some(i => i.naturalWidth === 14)")
    browser.all("dialog [role=tab]")[1].click()
    browser.until("return document.querySelector('#trial dl')?.textContent.includes('Repetition1')")
    assert browser.fragment().endswith(f"open={RESULT}&rep=1")


def test_every_threshold_is_drawn_on_the_histogram(browser, small):
    """The histogram numbers each rule that has a limit as the table of decisions does, and names the oracle."""
    browser.open(small, f"#view=results&open={RESULT}", ready="#trial .chart svg")
    browser.until("return document.querySelector('#trial .chart svg').textContent.includes('oracle')")
    labels = browser.texts("#trial figure:first-child .mark-text.role-mark text")
    assert set(labels) == {"1", "2", "3", "4", "5", "6", "oracle"}


def test_a_link_restores_the_view(browser, small):
    """A link brings back board, view, filter, order and the opened row with its repetition."""
    browser.open(small, f"#view=results&family=&kind=method&sort=auroc:asc&open={RESULT}&rep=1", ready="#trial dl")
    assert browser.one("#dialog-title").text == "method-01 on dataset-0/part-1"
    assert browser.one("dialog [aria-selected=true]").text == "Repetition 1"
    assert browser.one("#filter-kind").get_attribute("value") == "method"
    assert values(browser) == sorted(values(browser))


def test_a_link_with_nonsense_opens_the_page_all_the_same(browser, small):
    """Unknown boards, views, columns, filters and rows in a link are passed over."""
    browser.open(small, "#section=none&view=%3Cb%3E&sort=x:y&kind=none&open=__proto__&rep=-7&other=1")
    assert browser.one("#count").text == "9 detectors"
    assert not browser.one("dialog").is_displayed()


def test_back_closes_the_opened_row(browser, small):
    """The browser's back button returns from a row to the table."""
    browser.open(small)
    browser.all(ROWS)[0].click()
    browser.until("return document.querySelector('dialog').open")
    browser.driver.back()
    browser.until("return !document.querySelector('dialog').open")
    assert browser.fragment() == ""


def test_the_keyboard_is_enough(browser, small):
    """From the skip link by arrows to a row, by Enter into it, by Escape back to the same row."""
    browser.open(small)
    browser.press("TAB")
    assert browser.run("return document.activeElement.id") == "skip"
    browser.press("ENTER", "ARROW_DOWN", "ARROW_DOWN", "ARROW_DOWN")
    browser.until("return document.activeElement.matches('.tabulator-row:nth-child(3)')")
    key = browser.run("return document.activeElement.dataset.key")
    browser.press("ENTER")
    browser.until("return document.querySelector('dialog').open")
    assert browser.one("#dialog-title").text == key
    browser.press("ESCAPE")
    browser.until(f"return !document.querySelector('dialog').open && document.activeElement.dataset.key === '{key}'")
    browser.press("SPACE")
    browser.until("return document.querySelector('dialog').open")


def test_views_are_tabs_for_the_keyboard(browser, small):
    """Arrow keys move between tabs, and the focus stays on them."""
    browser.open(small)
    browser.run("document.querySelector('[data-name=detectors]').focus()")
    browser.press("ARROW_RIGHT")
    browser.until("return document.documentElement.dataset.ready === 'results'")
    assert browser.run("return document.activeElement.dataset.name") == "results"


def test_a_failed_trial_gives_its_reason(browser, made_up):
    """A failure is said in words: on the row, and in the opened trial with what it printed last."""
    browser.open(made_up.leaderboard(9, 6, 2), "#view=results&status=failed", ready=".pill.bad")
    assert browser.texts("#table .pill.bad") == ["error 1, ok 2"]
    browser.one(ROWS).click()
    browser.until("return document.querySelector('#trial .notice')")
    assert browser.one("#trial .notice").text == "error: ValueError: the matrix is singular"
    assert browser.one("#trial pre").text.startswith("Traceback")


def test_a_trial_left_out_says_where_it_is(browser, made_up):
    """A row whose trial is not in the page names the command that shows it; a damaged block is one sentence."""
    data, _, images = made_up.leaderboard(3, 2, 1, blocks=False)
    row = data["sections"][0]["rows"][0]
    row["trials"] = ["-9ab3", "damaged"]
    key = f"random/{row['task']}/test/score"
    browser.open((data, {"damaged": "AAAA"}, images), f"#view=results&open={key}", ready="#trial code")
    assert browser.one("#trial .notice").text == "Left out of this page to keep it small; adbench show 9ab3 has it."
    browser.all("dialog [role=tab]")[1].click()
    browser.until("return document.querySelector('#trial .bad')?.textContent.startsWith('This trial cannot be read')")


@pytest.mark.parametrize(
    "fragment", ["", "#view=results", "#view=charts", f"#view=results&open={RESULT}", "#open=method-01"]
)
def test_a_phone_scrolls_no_page_sideways(browser, small, fragment):
    """At 375 pixels the page is no wider than the screen; tables scroll in their box."""
    browser.size(375, 800)
    browser.open(small, fragment, ready=".chart svg" if "charts" in fragment or "/" in fragment else None)
    widths = (
        "return [document.documentElement, document.querySelector('dialog')].map(e => e.scrollWidth - e.clientWidth)"
    )
    assert browser.run(widths) == [0, 0]
    assert browser.run("return document.documentElement.clientWidth") == 375


def test_dark_and_light(browser, small):
    """The button turns the page and its charts dark and light again, and the choice outlives the page."""
    browser.open(small, "#view=charts", ready="#charts svg text")
    look = "return getComputedStyle(document.body).backgroundColor + ' ' + " + AXIS_COLOUR
    light, dark = "rgb(255, 255, 255) #4b535e", "rgb(20, 23, 27) #c9ced6"
    assert browser.run(look) == light
    browser.one("#theme").click()
    browser.until(f"{look} === '{dark}'")
    browser.go(browser.address + "#view=charts", ready="#charts svg text")
    assert browser.run(look) == dark
    browser.one("#theme").click()
    browser.until(f"{look} === '{light}'")


def test_follows_the_systems_dark_mode(browser, small):
    """Without a choice of the reader the page is as dark as the system."""
    dark = [{"name": "prefers-color-scheme", "value": "dark"}]
    browser.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": dark})
    browser.open(small)
    assert browser.run("return getComputedStyle(document.body).backgroundColor") == "rgb(20, 23, 27)"
    browser.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})


HOSTILE = """<script>window.hacked=1</script><img src=x onerror="window.hacked=1">'"`${1}</script><!--\u2028&lt;"""


def test_hostile_texts_stay_texts(browser, made_up):
    """HTML and script in every text a plugin gives are shown as they are: table, filters, sheet, charts, tooltips."""
    data, blocks, images = made_up.leaderboard(4, 3, 1)
    section = data["sections"][0]
    detector = section["detectors"][2]
    data |= {"title": HOSTILE, "made_by": HOSTILE, "legend": [HOSTILE]}
    section |= {name: HOSTILE for name in ("title", "provenance", "command", "verdict", "profile", "lane")}
    detector |= {name: HOSTILE for name in ("name", "family", "summary", "source", "group", "datasets")}
    rows = [row for row in section["rows"] if row["d"] == 2]
    for row in rows:
        row |= {name: HOSTILE for name in ("dataset", "modality", "status", "mark", "score", "test")}
        row["task"] = HOSTILE + row["task"]
    block = {
        "key": HOSTILE,
        "status": HOSTILE,
        "reason": HOSTILE,
        "notes": [HOSTILE],
        "log": HOSTILE,
        "settings": {HOSTILE: HOSTILE},
    }
    block |= {"curve": {HOSTILE: [[0, 1], [1, 2]]}, "tests": {HOSTILE: {HOSTILE: trial_of(made_up)}}}
    rows[0]["trials"] = [HOSTILE]
    browser.open((data, blocks | {HOSTILE: made_up.packed(block)}, images | {HOSTILE: "javascript:alert(1)"}))
    assert HOSTILE in browser.texts(ROWS)
    browser.one("[data-name=results]").click()
    browser.until("return document.documentElement.dataset.ready === 'results'")
    choose(browser, "family", HOSTILE)
    browser.until("return document.querySelectorAll('.tabulator-row').length === 3")
    browser.all(ROWS)[0].click()
    browser.until("return document.querySelectorAll('#trial .chart svg').length >= 2")
    assert browser.texts("#trial h4")[0] == "Scores and thresholds"
    assert browser.texts("#trial .notice")[:2] == [f"{HOSTILE}: {HOSTILE}", HOSTILE]
    browser.point_at("#trial figure:first-child .mark-text.role-mark text")
    browser.until("return document.querySelector('#tooltip')?.textContent.includes('onerror')")
    assert browser.run("return window.hacked ?? null") is None
    assert (
        browser.all(
            "img[src=x], h1 *, #made-by *, .tabulator-row script, dialog script, dialog [onerror], #tooltip img"
        )
        == []
    )


def trial_of(made_up):
    """Return one score's part of a block, with a rule of a hostile name."""
    import random

    judged = made_up.judged(random.Random(0))
    judged["thresholds"][0]["name"] = HOSTILE
    return judged


def test_a_charts_specification_reaches_nothing(browser, made_up):
    """A specification that names an address or asks for code loads nothing, leads nowhere and runs nothing."""
    data, blocks, images = made_up.leaderboard(3, 2, 1, blocks=False)
    values = {"values": [{"x": 1, "u": "https://example.org/i.png"}]}
    x = {"field": "x", "type": "quantitative"}
    data["sections"][0]["charts"] = [
        {
            "title": "data",
            "caption": "",
            "spec": {"data": {"url": "https://example.org/d.json"}, "mark": "point", "encoding": {"x": x}},
        },
        {
            "title": "image",
            "caption": "",
            "spec": {"data": values, "mark": "image", "encoding": {"x": x, "url": {"field": "u"}}},
        },
        {
            "title": "link",
            "caption": "",
            "spec": {"data": values, "mark": "point", "encoding": {"x": x, "href": {"field": "u"}}},
        },
        {"title": "broken", "caption": "", "spec": {"mark": 7}},
    ]
    browser.open((data, blocks, images), "#view=charts", ready="#charts .chart p")
    browser.until("return document.querySelectorAll('#charts svg').length >= 2")
    assert browser.texts("#charts h3") == ["data", "image", "link", "broken"]
    assert browser.asked_for() == [browser.address]


def test_code_from_the_data_cannot_run(browser, small):
    """The page's policy lets only its own scripts run: an added one is refused."""
    browser.open(small)
    browser.run(
        "const s = document.createElement('script'); s.textContent = 'window.hacked = 1'; document.body.append(s)"
    )
    assert browser.run("return window.hacked ?? null") is None
    browser.hear()
    assert len(browser.said) == 1 and "Content Security Policy" in browser.said.pop()


def test_a_hundred_detectors_on_sixty_tasks(browser, made_up):
    """Six thousand results open as a table that draws only the rows in sight, and End leads to the last."""
    browser.open(made_up.leaderboard(100, 60, blocks=False, labels=False), "#view=results")
    assert browser.one("#count").text.startswith("6,000 of")
    assert len(browser.all(ROWS)) < 200
    browser.run("document.querySelector('.tabulator-tableholder').focus()")
    browser.press("ARROW_DOWN", "END")
    last = "return document.activeElement.dataset.key?.includes('dataset-19/part-2')"
    assert browser.until(last)


def test_quick_turns_leave_the_last_view(browser, small):
    """Tabs clicked faster than tables are drawn end in the last of them, once."""
    browser.open(small)
    views = "['results', 'charts', 'detectors', 'results']"
    browser.run(f"for (const name of {views}) document.querySelector(`[data-name=${{name}}]`).click()")
    browser.until("return document.querySelector('#count').textContent === '54 of 72 results'")
    assert len(browser.all("#table .tabulator")) == 1


def test_an_empty_leaderboard_says_so(browser):
    """A page without results is a sentence."""
    browser.open(({"title": "Leaderboard", "sections": []}, {}, {}), ready="#panel .notice")
    assert browser.one("#panel").text == "There is no result yet: adbench run makes some."


def test_a_printed_table_has_every_row(browser, small):
    """Paper shows all rows of the filtered table, not only those in sight."""
    browser.open(small, "#view=results")
    browser.run("dispatchEvent(new Event('beforeprint'))")
    assert len(browser.all(".tabulator-print-table tbody tr")) == 54
    browser.run("dispatchEvent(new Event('afterprint'))")
    assert browser.all(".tabulator-print-table") == []


def test_the_link_is_copied(browser, small):
    """Copy link puts the address of the present view where it can be pasted from, and says so."""
    browser.open(small, "#view=results&kind=floor")
    browser.one("#copy-link").click()
    browser.until("return document.querySelector('#copy-link').textContent === 'Copied'")
    assert browser.one("#said").get_attribute("textContent") == "Copied"
    browser.one("#search").click()
    from selenium.webdriver import ActionChains, Keys

    ActionChains(browser.driver).key_down(Keys.CONTROL).send_keys("v").key_up(Keys.CONTROL).perform()
    assert browser.one("#search").get_attribute("value") == browser.address + "#view=results&kind=floor"
