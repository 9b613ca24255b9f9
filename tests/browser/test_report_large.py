"""Fifty thousand rows: what is counted is work, not time, so that a busy machine fails nothing."""

from __future__ import annotations

import pytest

COUNT = 50_000


@pytest.fixture(scope="module")
def report(write, make_rows):
    return write(make_rows(COUNT))


def elements(page):
    return page.evaluate("document.getElementsByTagName('*').length")


def test_only_what_is_seen_exists(page):
    assert page.locator("#found").inner_text() == "50,000 resources"
    before = elements(page)
    assert before < 2_500
    assert page.locator("#grid").get_attribute("aria-rowcount") == str(COUNT + 1)
    for _ in range(20):
        page.evaluate("document.getElementById('grid').scrollTop += 40_000")
    page.locator("#grid").focus()
    page.keyboard.press("End")
    last = page.locator(f"#grid [aria-rowindex='{COUNT + 1}']")
    assert last.locator(".name").inner_text().endswith("-49999")
    box, grid = last.bounding_box(), page.locator("#grid").bounding_box()
    assert box["y"] + box["height"] <= grid["y"] + grid["height"] + 1
    page.locator("#search").fill("instances prod")
    assert elements(page) < before + 300


def test_a_filter_touches_only_the_rows_that_are_seen(page):
    page.evaluate(
        """() => {
            window.touched = 0;
            new MutationObserver((changes) => { window.touched += changes.length; })
                .observe(document.body, { childList: true, subtree: true, attributes: true, characterData: true });
        }"""
    )
    page.locator("#search").fill("queues-0")
    assert page.locator("#found").inner_text() != "50,000 resources"
    assert page.evaluate("window.touched") < 3_000


def test_the_details_are_unpacked_where_they_are_asked_for(page):
    blocks = page.locator("script[data-part='details']")
    before = blocks.count()
    assert before >= 50
    page.locator("#search").fill("-31234")
    page.locator("#grid-body .grid-row:visible").click()
    page.locator("#detail pre", has_text='"Id": 31234').wait_for()
    assert blocks.count() == before - 1


def test_the_keyboard_reaches_both_ends(show, write, make_rows):
    path = write(make_rows(2_000))
    page = show(path)
    page.evaluate("document.getElementById('grid').style.height = '400px'")
    page.locator("#grid").focus()
    for key, name in (("End", "-01999"), ("Home", "-00000"), ("PageDown", None), ("ArrowDown", None)):
        page.keyboard.press(key)
        active = page.locator(f"#{page.locator('#grid').get_attribute('aria-activedescendant')}")
        assert name is None or active.locator(".name").inner_text().endswith(name)
        box, grid = active.bounding_box(), page.locator("#grid").bounding_box()
        assert grid["y"] <= box["y"]
        assert box["y"] + box["height"] <= grid["y"] + grid["height"] + 1
