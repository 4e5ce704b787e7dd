"""Debian's Chromium, headless, driven by Selenium; the flags keep it from calling anybody outside this machine."""

import base64
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.ui import WebDriverWait

from tests.services.store_notifier.pages.world import Lead, Site

ARTIFACTS = Path(__file__).parents[4] / "artifacts" / "inbox"
DESKTOP = (1280, 900)
PHONE = (390, 844)
_FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


class Browser:
    """One browser with one page; every method blocks, so call it from a thread."""

    def __init__(self, driver: webdriver.Chrome, size: tuple[int, int]) -> None:
        self.driver = driver
        self._size = size
        self._set_height(size[1])

    def open(self, url: str) -> None:
        """Go to an address."""
        self.driver.get(url)

    def log_in(self, url: str, site: Site) -> None:
        """As a person does: type the key, press Enter. The page is live (or, without scripts, there) afterwards."""
        self.open(url + site.path)
        self.complaints()  # those of earlier pages are not this one's
        self.one("#key").send_keys(site.key + "\n")
        self.until("#inbox")

    def until_live(self) -> None:
        """Wait for the stream."""
        self.until("#live:not([hidden]):not(.is-lost)")

    def one(self, selector: str) -> WebElement:
        """The one element that a CSS selector finds."""
        found = self.driver.find_elements(By.CSS_SELECTOR, selector)
        assert len(found) == 1, f"{len(found)} elements match {selector}"
        return found[0]

    def has(self, selector: str) -> bool:
        """Whether anything matches."""
        return bool(self.driver.find_elements(By.CSS_SELECTOR, selector))

    def until(self, selector: str, seconds: float = 15) -> None:
        """Wait until something matches."""
        WebDriverWait(self.driver, seconds, poll_frequency=0.05).until(
            lambda _: self.has(selector), f"nothing matches {selector}"
        )

    def until_state(self, lead: Lead, state: str) -> None:
        """Wait until the card of a lead shows a state."""
        self.until(f"#{lead.anchor}[data-state={state}]")

    def press(self, lead: Lead, selector: str) -> None:
        """Press something on the card of a lead."""
        self.one(f"#{lead.anchor} {selector}").click()

    def text(self, selector: str) -> str:
        """What an element says, seen or unseen."""
        return str(self.one(selector).get_property("textContent")).strip()

    def title(self) -> str:
        """The page's title."""
        return self.driver.title

    def source(self) -> str:
        """The page as it stands now, in HTML."""
        return self.driver.page_source

    def type(self, keys: str) -> None:
        """Type where the focus is."""
        self.driver.switch_to.active_element.send_keys(keys)

    def tab_until(self, selector: str) -> list[str]:
        """Press Tab until an element has the focus; returns what was passed on the way, the element included."""
        passed: list[str] = []
        for _ in range(40):
            self.type(Keys.TAB)
            passed.append(self.driver.switch_to.active_element.text)
            if self.run(f"return document.activeElement.matches({selector!r})"):
                return passed
        raise AssertionError(f"40 presses of Tab did not reach {selector}")

    def focus_is_in(self, selector: str) -> bool:
        """Whether the focus is on an element or inside it."""
        return bool(self.run(f"return document.querySelector({selector!r}).contains(document.activeElement)"))

    def run(self, script: str) -> object:
        """Run a script in the page."""
        return self.driver.execute_script(script)

    def complaints(self) -> list[str]:
        """What the browser's console holds against the page: errors, refused content."""
        entries = self.driver.execute("getLog", {"type": "browser"})["value"]
        return [entry["message"] for entry in entries if entry["level"] in {"SEVERE", "WARNING"}]

    def screenshot(self, name: str) -> Path:
        """Keep a picture of the whole page."""
        self.run("scrollTo(0, 0)")
        self._set_height(int(str(self.run("return document.documentElement.scrollHeight"))))
        picture = self.driver.execute_cdp_cmd("Page.captureScreenshot", {})["data"]
        self._set_height(self._size[1])
        ARTIFACTS.mkdir(parents=True, exist_ok=True)
        file = ARTIFACTS / f"{name}.png"
        file.write_bytes(base64.b64decode(picture))
        return file

    def _set_height(self, height: int) -> None:
        width = self._size[0]
        self.driver.execute_cdp_cmd(
            "Emulation.setDeviceMetricsOverride",
            {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600},
        )


@contextmanager
def chromium(
    profile: Path, *, size: tuple[int, int] = DESKTOP, language: str = "en", scripts: bool = True
) -> Iterator[Browser]:
    """A new browser with an empty profile, closed afterwards."""
    programs = {name: shutil.which(name) for name in ("chromium", "chromedriver")}
    assert all(programs.values()), "Chromium is missing: run deploy/install_chromium.sh"
    options = webdriver.ChromeOptions()
    options.binary_location = str(programs["chromium"])
    for flag in (*_FLAGS, f"--user-data-dir={profile}", f"--lang={language}"):
        options.add_argument(flag)
    preferences: dict[str, object] = {"intl.accept_languages": language}
    if not scripts:
        preferences["profile.managed_default_content_settings.javascript"] = 2
    options.add_experimental_option("prefs", preferences)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options=options, service=Service(str(programs["chromedriver"])))
    try:
        yield Browser(driver, size)
    finally:
        driver.quit()
