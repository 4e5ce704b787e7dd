"""The page of unmet demand in a real browser, opened as the file that it is. Pictures are kept in artifacts/gaps/."""

import base64
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from services.router.gaps.page import render
from services.router.gaps.report import Report
from tests.services.router.gaps.builders import HEFEI, NOWHERE, SUZHOU, report, unmet
from tests.services.store_notifier.pages.browser import DESKTOP, Browser, chromium

ARTIFACTS = Path(__file__).parents[4] / "artifacts" / "gaps"
SEEN = "return [...document.querySelectorAll(arguments[0])].map(e => e.textContent.trim().replace(/\\s+/g, ' '))"
MIDDLES = (
    "return arguments[0].map(s => [s, document.querySelector('figure ' + s).getBoundingClientRect()])"
    ".map(([s, box]) => [box.x + box.width / 2, s.includes('path') ? box.bottom : box.y + box.height / 2])"
)
DESCRIBED = (
    "return [...document.querySelectorAll('figure svg')].every(svg => svg.getAttribute('role') === 'img' && "
    "svg.getAttribute('aria-labelledby').split(' ').every(id => svg.querySelector('#' + id).textContent.length))"
)
PHONE_WIDTH = 390


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with chromium(tmp_path_factory.mktemp("gaps")) as browser:
        yield browser


@pytest.fixture
def opened(browser: Browser, tmp_path: Path) -> "Opened":
    """Opens the page of a report."""
    return Opened(browser, tmp_path)


class Opened:
    """A page in the browser."""

    def __init__(self, browser: Browser, folder: Path) -> None:
        self.browser = browser
        self._file = folder / "gaps.html"

    def __call__(self, told: Report) -> "Opened":
        """Write the page and look at it."""
        self._file.write_text(render(told), encoding="utf-8")
        self.browser.open(self._file.as_uri())
        return self

    def texts(self, selector: str) -> list[str]:
        """What all elements of a selector say."""
        found: list[str] = self.browser.driver.execute_script(SEEN, selector)
        return found

    def middles(self, *selectors: str) -> list[list[float]]:
        """Where the first of each stands in the first figure: the pixels of its middle, or of the tip of a pin."""
        found: list[list[float]] = self.browser.driver.execute_script(MIDDLES, selectors)
        return found

    def keep(self, name: str) -> None:
        """Keep a picture of the whole page."""
        height = int(str(self.browser.run("return document.documentElement.scrollHeight")))
        self.resize(DESKTOP[0], height)
        picture = self.browser.driver.execute_cdp_cmd("Page.captureScreenshot", {})["data"]
        self.resize(*DESKTOP)
        ARTIFACTS.mkdir(parents=True, exist_ok=True)
        (ARTIFACTS / f"{name}.png").write_bytes(base64.b64decode(picture))

    def resize(self, width: int, height: int) -> None:
        """Another window."""
        metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        self.browser.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)

    def printed_pages(self) -> int:
        """How many sheets of A4 it prints on."""
        paper = {"printBackground": False, "paperWidth": 8.27, "paperHeight": 11.69}
        pdf = base64.b64decode(self.browser.driver.execute_cdp_cmd("Page.printToPDF", paper)["data"])
        return pdf.count(b"/Type /Page\n") + pdf.count(b"/Type /Page/") + pdf.count(b"/Type/Page/")


def leads_in(titles: list[str]) -> Counter[str]:
    """Leads by place, as the circles of a map say them."""
    counted: Counter[str] = Counter()
    for title in titles:
        place, rest = title.split(": ")
        counted[place] += int(rest.split(" ")[0].replace(",", ""))
    return counted


def test_the_page_shows_demand_suggestions_and_sites_on_maps_and_in_tables(opened: Opened) -> None:
    page = opened(report(*HEFEI, *SUZHOU, *NOWHERE, count=2))
    page.keep("suzhou-hefei")
    assert page.texts("h1") == ["Unmet demand"]
    assert page.texts("figure h3") == [
        "The network and its unmet demand",
        "Around suggestion 1: Hefei Shushan",
        "Around suggestion 2: Suzhou Gusu",
    ]
    assert page.texts("section[aria-labelledby=gaps] tbody th") == ["Hefei Shushan", "Suzhou Gusu"]
    assert page.texts("section[aria-labelledby=gaps] tbody td:nth-child(2)") == ["6", "1"]
    assert page.texts("section[aria-labelledby=suggestions] tbody td:last-child") == [
        "a delivery center all, an agent store 5",
        "a delivery center all, an agent store all",
    ]
    overview = "figure:first-of-type "
    assert page.texts(overview + ".suggested title")[0] == "Suggestion 1, Hefei Shushan: 6 leads would gain"
    assert len(page.texts(overview + ".sites rect.open")) == 2
    assert page.texts(overview + ".sites rect.coming title") == ["Hefei store, agent store, recruiting"]
    assert leads_in(page.texts(overview + ".demand title")) == {"Hefei Shushan": 6, "Suzhou Gusu": 1}
    assert {"Hefei", "Suzhou"} <= set(page.texts(overview + ".names text"))
    assert "4 of them have no clear place" in page.texts(".lead")[0]


def test_marks_stand_where_they_are_on_the_map(opened: Opened) -> None:
    page = opened(report(*HEFEI, *SUZHOU))
    suggested, coming, working, middle = page.middles(".suggested path", ".sites .coming", ".sites .open", "svg")
    # The suggestion stands by the store that recruits in Hefei; Suzhou is in the south-east of it.
    assert suggested == pytest.approx(coming, abs=6)
    assert working[0] > middle[0] > suggested[0]
    assert working[1] > middle[1] > suggested[1]


def test_the_page_asks_nobody_for_anything_and_runs_no_script(opened: Opened) -> None:
    opened.browser.complaints()
    page = opened(report(*HEFEI, *SUZHOU))
    assert page.browser.run("return performance.getEntriesByType('resource').length") == 0
    outside = "[src], [href], script, link, iframe, object, embed, form, image, use"
    assert page.texts(outside) == []
    # The policy of the page is in force: what somebody would put into it is refused.
    page.browser.run(
        "const s = document.createElement('script'); s.textContent = 'window.ran = 1'; document.body.append(s)"
    )
    assert page.browser.run("return window.ran === undefined")
    assert any("Content Security Policy" in complaint for complaint in page.browser.complaints())


def test_words_of_the_network_file_are_text_and_never_markup(opened: Opened) -> None:
    page = opened(report(unmet(31.22, 120.58, reason="all_full")))
    assert "Suzhou <1> center, delivery center, open" in page.texts(".sites title")


def test_every_map_has_a_name_and_a_description_and_every_column_a_heading(opened: Opened) -> None:
    page = opened(report(*HEFEI, *SUZHOU, count=2))
    assert page.browser.run(DESCRIBED)
    assert page.browser.run("return document.documentElement.lang") == "en"
    assert page.browser.run("return [...document.querySelectorAll('table')].every(t => t.caption.textContent.length)")
    headed = "return [...document.querySelectorAll('table')].every(t => [...t.rows].every(r => r.cells.length === 8))"
    assert page.browser.run(headed)
    assert page.texts("th:not([scope])") == []
    ids = "const ids = [...document.querySelectorAll('[id]')].map(e => e.id); return ids.length === new Set(ids).size"
    assert page.browser.run(ids)


def test_the_page_fits_a_phone_and_a_sheet_of_paper(opened: Opened) -> None:
    page = opened(report(*HEFEI, *SUZHOU))
    page.resize(PHONE_WIDTH, 844)
    assert page.browser.run("return document.documentElement.scrollWidth <= window.innerWidth")
    page.resize(*DESKTOP)
    assert 1 <= page.printed_pages() <= 3


def test_many_leads_are_few_circles_that_a_reader_can_count(opened: Opened) -> None:
    crowd = [unmet(31.80 + number % 40 / 400, 117.20 + number // 40 / 400) for number in range(2_000)]
    told = report(*crowd)
    assert len(render(told)) < 300_000
    page = opened(told)
    page.keep("crowd")
    circles = page.texts("figure:first-of-type .demand title")
    assert len(circles) < 200
    assert sum(leads_in(circles).values()) == 2_000


def test_one_lead_alone_has_a_map_and_no_demand_has_none(opened: Opened) -> None:
    page = opened(report(unmet(10.0, -170.0), sites=[]))
    page.keep("one-lead")
    assert len(page.texts("figure")) == 2
    assert page.texts("section[aria-labelledby=gaps] tbody td:last-child") == ["none is open"]
    empty = opened(report())
    assert empty.texts(".lead") == ["No demand is unmet: no lead waits for a site."]
    assert empty.texts("figure, table") == []
