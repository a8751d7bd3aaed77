"""The offline page in a real browser: Chromium without a window, asked through its driver."""

import json
import os
import runpy
import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest

from adbench.reporting.site import page

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
DRIVER = shutil.which("chromedriver")


@pytest.fixture(scope="session")
def made_up():
    """The maker of made-up leaderboards."""
    return SimpleNamespace(**runpy.run_path(str(Path(__file__).with_name("made_up.py"))))


@pytest.fixture(scope="session")
def small(made_up):
    """A leaderboard with trials to open."""
    return made_up.leaderboard(9, 6, 2)


@pytest.fixture(scope="session")
def chromium():
    """One browser for all tests of a session."""
    webdriver = pytest.importorskip("selenium.webdriver", reason="needs selenium: pip install selenium")
    if not (CHROMIUM and DRIVER):
        pytest.skip("needs a browser: apt-get install chromium chromium-driver")
    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    for argument in (
        "--headless=new",
        "--disable-dev-shm-usage",
        "--window-size=1400,900",
        *(["--no-sandbox"] * (os.geteuid() == 0)),
    ):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(DRIVER))
    driver.set_script_timeout(30)
    yield driver
    driver.quit()


class Browser:
    """What a test does with an opened page."""

    def __init__(self, driver, folder):
        self.driver, self.folder = driver, folder
        self.requests, self.said = [], []

    def open(self, leaderboard, fragment="", *, ready=None):
        """Write and open a page; return once its table, or what ``ready`` selects, stands."""
        file = self.folder / "index.html"
        file.write_text(page(*leaderboard), encoding="utf-8")
        self.address = file.as_uri()
        self.go(self.address + fragment, ready=ready)
        return self

    def go(self, address, *, ready=None):
        self.driver.get("about:blank")
        self.hear()
        self.requests, self.said = [], []
        self.driver.get(address)
        self.until(f"return document.querySelector({json.dumps(ready or '.tabulator-row')}) !== null")

    def run(self, script, *arguments):
        return self.driver.execute_script(script, *arguments)

    def until(self, script, seconds=30):
        """Wait until a script returns something true, and return it."""
        from selenium.webdriver.support.ui import WebDriverWait

        return WebDriverWait(self.driver, seconds, poll_frequency=0.05).until(lambda _: self.run(script))

    def all(self, selector):
        return self.driver.find_elements("css selector", selector)

    def one(self, selector):
        return self.driver.find_element("css selector", selector)

    def texts(self, selector):
        return self.run("return [...document.querySelectorAll(arguments[0])].map(e => e.textContent)", selector)

    def press(self, *keys):
        """Press keys wherever the focus is."""
        from selenium.webdriver import ActionChains, Keys

        for key in keys:
            ActionChains(self.driver).send_keys(getattr(Keys, key, key)).perform()

    def point_at(self, selector):
        """Move the pointer over an element."""
        from selenium.webdriver import ActionChains

        ActionChains(self.driver).move_to_element(self.one(selector)).perform()

    def size(self, width, height=900):
        device = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 500}
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", device)

    def hear(self):
        """Take over what the browser said and asked for since the last time."""
        self.said += [entry["message"] for entry in self.driver.get_log("browser")]
        for entry in self.driver.get_log("performance"):
            message = json.loads(entry["message"])["message"]
            if message["method"] == "Network.requestWillBeSent":
                self.requests.append(message["params"]["request"]["url"])

    def asked_for(self):
        """Return the addresses that were asked for, but those within the page."""
        self.hear()
        return [address for address in self.requests if not address.startswith(("data:", "blob:", "about:"))]

    def fragment(self):
        return self.run("return decodeURIComponent(location.hash)")


@pytest.fixture
def browser(chromium, tmp_path):
    """A browser window of usual size; the page must not have complained, nor asked for anything but itself."""
    window = Browser(chromium, tmp_path)
    window.size(1400)
    yield window
    window.hear()
    assert window.said == []
    assert {address.partition("#")[0] for address in window.asked_for()} <= {window.address}
    window.run("localStorage.clear()")
