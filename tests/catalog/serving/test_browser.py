"""The pages in a real browser: asked, sorted, drawn, walked by keyboard, on a phone, in the light and in the dark."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest

from tests.catalog.serving.conftest import HOSTILE, server

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

PHONE = {"width": 390, "height": 844}
DRAWN = "#chart-plot[data-drawn='yes']"
SQL = "SELECT architecture_id, params, flops, is_connected FROM nb201 WHERE index < 200 ORDER BY index"


@pytest.fixture(scope="module")
def address(nb201_path: Path) -> Iterator[str]:
    with server(nb201_path) as (_, address):
        yield address.rstrip("/")


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A tab; in the end its console has said nothing and it has asked nobody but the server."""
    complaints: list[str] = []
    context = browser.new_context(viewport={"width": 1200, "height": 900})
    tab = context.new_page()
    tab.on("console", lambda said: complaints.append(f"{said.type}: {said.text}"))
    tab.on("pageerror", lambda error: complaints.append(f"error: {error}"))
    tab.on("dialog", lambda dialog: complaints.append(f"dialogue: {dialog.message}"))
    tab.on("request", lambda asked: complaints.append(asked.url) if is_foreign(asked.url) else None)
    yield tab
    context.close()
    assert complaints == []


def is_foreign(url: str) -> bool:
    return not re.match(r"(http://127\.0\.0\.1:\d+/|data:|blob:)", url)


def first_column(page: Page) -> list[str]:
    return page.locator("#result tbody tr > :first-child").all_inner_texts()


def test_numbers_beyond_four_bytes_and_infinite_ones_are_drawn_and_sorted(page: Page, address: str) -> None:
    sql = "SELECT * FROM (VALUES (1, 1e300), (2, 'infinity'::DOUBLE), (3, '-infinity'::DOUBLE), (4, 2e300)) AS t(a, b)"
    page.goto(f"{address}/query?sql={quote(sql)}")
    page.wait_for_selector(DRAWN)
    heading = page.locator("#result thead th").nth(1)
    heading.get_by_role("button").click()
    assert first_column(page) == ["2", "4", "1", "3"]


def test_a_query_is_asked_sorted_and_drawn(page: Page, address: str) -> None:
    page.goto(address)
    page.get_by_label("SQL that reads").fill(SQL)
    page.get_by_role("button", name="Run").click()
    page.wait_for_selector(DRAWN)
    assert first_column(page)[:3] == ["1", "2", "3"]
    heading = page.locator("#result thead th").nth(1)
    heading.get_by_role("button").click()
    assert heading.get_attribute("aria-sort") == "descending"
    values = [
        float(text.replace(",", "")) for text in page.locator("#result tbody tr > :nth-child(2)").all_inner_texts()
    ]
    assert values == sorted(values, reverse=True)
    assert page.locator("#chart-plot .scatterlayer .point").count() == 200
    assert page.locator("#chart-reading").inner_text().startswith("flops against params: 200 points")


def test_the_chart_follows_its_lists(page: Page, address: str) -> None:
    page.goto(f"{address}/query?sql={quote(SQL)}")
    page.wait_for_selector(DRAWN)
    page.locator("#chart-colour").select_option("is_connected")
    page.wait_for_selector("#chart-plot .legend .traces >> nth=1")
    assert page.locator("#chart-plot .legendtext").all_text_contents() == ["false", "true"]
    page.locator("#chart-x").select_option("flops")
    page.locator("#chart-y").select_option("params")
    page.wait_for_function("document.querySelector('#chart-plot .xtitle').textContent === 'flops'")
    assert page.locator("#chart-plot").get_attribute("aria-label") == "params against flops: 200 points"
    page.locator("#chart-colour").select_option("nparams")
    page.wait_for_selector("#chart-plot .colorbar")


def test_a_point_and_a_row_lead_to_the_architecture(page: Page, address: str) -> None:
    page.goto(f"{address}/query?sql={quote('SELECT architecture_id, params, flops FROM nb201 WHERE index = 6111')}")
    page.wait_for_selector(DRAWN)
    box = page.locator("#chart-plot .point").bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.down()
    page.mouse.up()
    page.wait_for_url("**/architectures/6112")
    page.go_back()
    page.locator("#result").get_by_role("link", name="6112").click()
    page.wait_for_url("**/architectures/6112")
    assert page.locator("svg[role=img]").count() == 2
    page.locator("#content").get_by_role("link", name="3888").first.click()
    page.wait_for_selector("h1:has-text('nb201')")


def test_an_architecture_is_found_from_the_space(page: Page, address: str) -> None:
    page.goto(f"{address}/spaces/nb201")
    page.get_by_label("An architecture by any native id").fill("(2, 2, 0, 2, 2, 3)")
    page.get_by_role("button", name="Show").click()
    page.wait_for_url("**/architectures/6112")


def test_a_pattern_is_searched_from_the_space(page: Page, address: str) -> None:
    page.goto(f"{address}/spaces/nb201")
    page.get_by_label("Pattern").fill("(:conv)->(:pool)")
    page.get_by_label("Best by").select_option("params")
    page.get_by_role("button", name="Search").click()
    page.wait_for_selector("text=3,780 architectures hold the pattern")
    assert page.locator(".card svg").count() == 6
    page.locator(".card a").first.click()
    page.wait_for_url("**/architectures/*")


def test_everything_is_reached_by_keyboard(page: Page, address: str) -> None:
    page.goto(f"{address}/query")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the content"
    page.get_by_label("SQL that reads").focus()
    page.keyboard.type("SELECT index, params FROM nb201 ORDER BY index LIMIT 3")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_selector(DRAWN)
    page.locator("#result thead button").nth(1).focus()
    page.keyboard.press("Enter")
    assert page.locator("#result thead th").nth(1).get_attribute("aria-sort") == "descending"
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"


@pytest.mark.parametrize("place", ["", "/query?sql=" + quote(SQL), "/spaces/nb201", "/architectures/6112",
                                   "/spaces/nb201/match?pattern=(:conv)", "/spaces/nb201/report"])  # fmt: skip
def test_a_phone_scrolls_no_page_sideways_and_no_two_elements_share_a_name(
    page: Page, address: str, place: str
) -> None:
    page.set_viewport_size(PHONE)
    page.goto(address + place)
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    names = page.evaluate("Array.from(document.querySelectorAll('[id]'), (element) => element.id)")
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_words_stand_out_in_the_light_and_in_the_dark(page: Page, address: str, scheme: str) -> None:
    page.emulate_media(color_scheme=scheme)
    page.goto(f"{address}/architectures/6112")
    faint = page.evaluate(CONTRAST)
    assert faint == []


CONTRAST = """() => {
  const channels = (text) => (text.match(/[\\d.]+/g) || []).map(Number);
  const linear = (share) => share <= 0.03928 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  const light = ([r, g, b]) => 0.2126 * linear(r / 255) + 0.7152 * linear(g / 255) + 0.0722 * linear(b / 255);
  const behind = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const found = channels(getComputedStyle(at).backgroundColor);
      if (found.length === 3 || found[3] > 0) return found;
    }
    return [255, 255, 255];
  };
  const faint = new Set();
  const words = "h1, h2, h3, p, a, td, th, dt, dd, label, button, caption, .aside, .quiet, .native";
  for (const element of document.querySelectorAll(words)) {
    if (!element.textContent.trim() || element.matches(".skip")) continue;
    const [a, b] = [light(channels(getComputedStyle(element).color)), light(behind(element))];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < 4.5) faint.add(`${element.tagName}.${element.className} ${ratio.toFixed(2)}`);
  }
  return [...faint];
}"""


def test_hostile_names_do_nothing(page: Page, hostile_path: Path) -> None:
    with server(hostile_path) as (_, address):
        address = address.rstrip("/")
        sql = quote(f'SELECT 1 AS "{HOSTILE}", 2 AS b, id, architecture_id FROM mine')
        for place in ("", "/spaces/mine", "/architectures/1", "/spaces/mine/match?pattern=(conv3x3)"):
            page.goto(address + place)
            assert page.locator("img").count() == 0
        page.goto(f"{address}/query?sql={sql}")
        page.wait_for_selector(DRAWN)
        for list_of_columns in ("#chart-x", "#chart-colour"):
            page.locator(list_of_columns).select_option(index=1)
        page.wait_for_selector("#chart-plot .legend, #chart-plot .colorbar")
        assert page.locator("img").count() == 0
