"""What people do with the report: look, search, filter, sort, follow, take along; by mouse and by keyboard."""

from __future__ import annotations

import csv
import io
import json
from itertools import pairwise

import pytest

ROWS = "#grid-body .grid-row:visible"


def found(page):
    return page.locator("#found").inner_text()


def names(page):
    places = page.locator(ROWS).evaluate_all(
        "rows => rows.map((row) => [Number(row.dataset.place), row.firstChild.textContent])"
    )
    return [name for _, name in sorted(places)]


def choose(page, name, value):
    page.locator(f"#filter-{name}").select_option(value)


def exported(page):
    with page.expect_download() as download:
        page.locator("#export").click()
    text = download.value.path().read_bytes().decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text, newline="")))


# -- what it says -----------------------------------------------------------------------------------------------------


def test_the_head_says_what_when_and_whether_all_is_here(page):
    cards = page.locator("#cards").inner_text().replace("\n", " ")
    for said in (
        "Resources 400",
        "Accounts 3",
        "Regions 4",
        "Types 6 5 found",
        "Failures 4 of 52 targets",
        "2026-01-02 03:04 UTC",
        "1 min 13 s 481 calls",
    ):
        assert said in cards
    assert page.locator("#status").inner_text() == "⚠ Incomplete: 4 of 52 targets failed"
    assert page.title() == "AWS inventory, 2026-01-02 03:04 UTC"


def test_a_complete_inventory_says_so(show, write, rows, make_facts):
    page = show(write(rows[:3], make_facts(outcomes=())))
    assert page.locator("#status").inner_text() == "✓ Complete"
    assert "Nothing failed" in page.locator("#causes").inner_text()


def test_an_empty_inventory_says_so_everywhere(show, write, make_facts):
    page = show(write([], make_facts(outcomes=(), accounts={})))
    for place in ("#heat", "#accounts", "#types", "#tags", "#grid-empty"):
        assert page.locator(f"{place} .empty, {place}.empty").inner_text()
    assert found(page) == "0 resources"


def test_errors_are_grouped_by_cause(page):
    causes = page.locator("#causes-list > .cause")
    assert [text.split("\n")[:3] for text in causes.locator("summary").all_inner_texts()] == [
        ["3", "denied", "AccessDeniedException"],
        ["1", "timeout", "TimeoutError"],
    ]
    # The message without what differs between the accounts, and below it which they are.
    assert "assumed-role/reader/… is not authorized to perform: kms:ListKeys" in causes.first.inner_text()
    causes.first.locator("summary").click()
    assert "production (111111111111)\teu-west-1\tkms.keys" in causes.first.inner_text()
    assert "3 targets had nothing to ask" in page.locator("#causes-list > .skipped > summary").inner_text()


def test_tag_coverage_counts_taggable_resources_alone(page, rows):
    taggable = [row for row in rows if row.tags is not None]
    bare = sum(not row.tags for row in taggable)
    share = 100 * sum("env" in row.tags for row in taggable) / len(taggable)
    text = page.locator("#tags").inner_text()
    assert f"{share:.1f} %" in text
    assert f"({bare} of {len(taggable)})" in text
    assert f"Unknown for {len(rows) - len(taggable)}" in text


@pytest.mark.parametrize(
    ("tag", "holds"),
    [
        ("env=prod", lambda tags: tags is not None and tags.get("env") == "prod"),
        ("env", lambda tags: tags is not None and "env" in tags),
        ("!env", lambda tags: tags is not None and "env" not in tags),
        ("!*", lambda tags: tags == {}),
        ("*", bool),
        ("?", lambda tags: tags is None),
        ("env=", lambda tags: False),
    ],
)
def test_a_tag_filters(page, rows, tag, holds):
    page.locator("#filter-tag").fill(tag)
    assert found(page) == f"{sum(holds(row.tags) for row in rows)} of 400"


# -- the heat map -----------------------------------------------------------------------------------------------------


def test_each_cell_of_the_map_is_said_and_filters(page, rows):
    cell = page.get_by_role("gridcell", name="ec2 in us-east-1: ")
    count = sum(row.service == "ec2" and row.region == "us-east-1" for row in rows)
    assert cell.get_attribute("aria-label") == f"ec2 in us-east-1: {count} resources"
    assert cell.inner_text() == str(count)
    cell.click()
    assert found(page) == f"{count} of 400"
    assert page.locator("#filter-region").input_value() == "us-east-1"
    assert page.locator("#filter-service").input_value() == "ec2"
    assert cell.get_attribute("aria-selected") == "true"
    cell.click()
    assert found(page) == "400 resources"


def test_the_map_marks_what_is_not_complete(page):
    denied = page.get_by_role("gridcell", name="kms in eu-west-1: ")
    assert denied.get_attribute("aria-label") == "kms in eu-west-1: 0 resources; incomplete: 3 targets failed"
    assert denied.inner_text() == "!"
    assert "incomplete: 1 target failed" in page.get_by_role("gridcell", name="sqs in us-west-2: ").get_attribute(
        "aria-label"
    )


def test_the_map_by_keyboard(page):
    page.locator("#heat td[tabindex='0']").focus()
    before = page.evaluate("document.activeElement.getAttribute('aria-label')")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowDown")
    after = page.evaluate("document.activeElement.getAttribute('aria-label')")
    assert before != after
    page.keyboard.press("Enter")
    assert found(page) == f"{after.split(': ')[1].split(' ')[0]} of 400"
    assert page.locator("#heat td[tabindex='0']").count() == 1


def test_colours_are_logarithmic_and_of_one_hue(show, write, make_rows):
    every = [row for row in make_rows(3000) if row.type != "s3.buckets"]
    few = next(row for row in make_rows(100) if row.type == "s3.buckets")
    page = show(write([few, *every]))
    assert page.locator("#heat td.level-1, #heat td.level-7").count() >= 2
    numbers = page.locator("#legend span:not(.legend-title, .gap)").all_inner_texts()
    assert numbers[0].startswith("1")
    assert len(numbers) == len(set(numbers))


# -- search, filters, order -------------------------------------------------------------------------------------------


def test_a_search_looks_through_all_members(page, rows):
    for text in ("instances-00007", "arn:aws:sqs", "PRODUCTION lambda", "333333333333 eu-west-1", "owner=team-2"):
        page.locator("#search").fill(text)
        terms = text.lower().split()
        names_of = {"111111111111": "production", "222222222222": "staging"}
        expected = sum(
            all(
                term
                in "\n".join(
                    [
                        row.name,
                        row.type,
                        row.account,
                        names_of.get(row.account, ""),
                        row.region,
                        row.arn or "",
                        *(f"{key}={value}" for key, value in (row.tags or {}).items()),
                    ]
                ).lower()
                for term in terms
            )
            for row in rows
        )
        assert found(page) == f"{expected} of 400", text


def test_filters_hold_together(page, rows):
    choose(page, "account", "222222222222")
    choose(page, "region", "eu-west-1")
    choose(page, "service", "ec2")
    assert page.locator("#filter-type option").all_inner_texts() == ["All types", "ec2.instances", "ec2.vpcs"]
    choose(page, "type", "ec2.vpcs")
    mine = [row for row in rows if (row.account, row.region, row.type) == ("222222222222", "eu-west-1", "ec2.vpcs")]
    assert found(page) == f"{len(mine)} of 400"
    assert names(page) == [row.name for row in mine][: len(names(page))]
    page.locator("#clear").click()
    assert found(page) == "400 resources"


def test_nothing_found_says_so(page):
    page.locator("#search").fill("nowhere")
    assert "Nothing matches" in page.locator("#grid-empty").inner_text()
    assert names(page) == []


@pytest.mark.parametrize("column", ["name", "type", "account", "region", "tags", "arn"])
def test_any_column_sorts_both_ways(page, rows, column):
    def value(row):
        if column == "tags":
            return ", ".join(f"{key}={value}" for key, value in json.loads(row["tags"] or "{}").items())
        return f"{row['account_name']} {row['account']}".strip() if column == "account" else row[column]

    title = page.locator(f"#grid-titles .{column}")
    title.locator("button").click()
    assert title.get_attribute("aria-sort") == "ascending"
    up = [value(row) for row in exported(page)]
    filled = [each for each in up if each]
    if column != "account":
        assert filled == sorted(filled)
        assert up == filled + [""] * (len(up) - len(filled))
    title.locator("button").click()
    assert title.get_attribute("aria-sort") == "descending"
    assert [value(row) for row in exported(page)] != up
    title.locator("button").click()
    assert title.get_attribute("aria-sort") == "none"
    assert [row["name"] for row in exported(page)] == [row.name for row in rows]


def test_bars_filter_and_unfilter(page, rows):
    bar = page.locator("#accounts button", has_text="staging")
    bar.click()
    assert found(page) == f"{sum(row.account == '222222222222' for row in rows)} of 400"
    bar.click()
    assert found(page) == "400 resources"


# -- the address ------------------------------------------------------------------------------------------------------


def test_a_view_is_linked_by_its_address(page, show, report):
    page.locator("#search").fill("instances 0")
    choose(page, "region", "us-west-2")
    page.locator("#filter-tag").fill("env=prod")
    page.locator("#grid-titles .arn button").click()
    page.locator("#grid-titles .arn button").click()
    address = page.evaluate("location.hash")
    other = show(report, address)
    assert (found(other), names(other)) == (found(page), names(page))
    assert other.locator("#search").input_value() == "instances 0"
    assert other.locator("#grid-titles .arn").get_attribute("aria-sort") == "descending"


def test_the_way_back_goes_through_the_filters(page, rows):
    choose(page, "service", "s3")
    choose(page, "account", "111111111111")
    page.go_back()
    assert found(page) == f"{sum(row.service == 's3' for row in rows)} of 400"
    page.go_back()
    assert found(page) == "400 resources"


def test_an_address_of_another_inventory_finds_nothing_and_says_what_it_asks(show, report):
    page = show(report, "#account=999999999999&sort=nonsense&type=__proto__")
    assert found(page) == "0 of 400"
    assert page.locator("#filter-account").input_value() == "999999999999"


# -- the keyboard -----------------------------------------------------------------------------------------------------


def test_the_table_by_keyboard(page):
    page.keyboard.press("/")
    page.keyboard.type("functions")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    active = page.locator("#grid").get_attribute("aria-activedescendant")
    second = page.locator(f"#{active}")
    assert second.get_attribute("aria-rowindex") == "3"
    assert second.get_attribute("aria-selected") == "true"
    name = second.locator(".name").inner_text()
    page.keyboard.press("Enter")
    assert page.locator("#detail-title").inner_text() == name
    page.keyboard.press("Escape")
    assert not page.locator("#detail").is_visible()
    assert page.evaluate("document.activeElement.id") == "grid"
    page.keyboard.press("End")
    last = page.locator("#grid [aria-selected='true']:visible").get_attribute("aria-rowindex")
    assert last == page.locator("#grid").get_attribute("aria-rowcount")
    page.keyboard.press("Escape")
    assert found(page) == "400 resources"


def test_escape_empties_the_search_and_then_leaves_it(page):
    page.keyboard.press("/")
    page.keyboard.type("vpcs")
    page.keyboard.press("Escape")
    assert (page.locator("#search").input_value(), found(page)) == ("", "400 resources")
    page.keyboard.press("Escape")
    assert page.evaluate("document.activeElement.id") == "grid"


def test_focus_is_seen(page):
    page.keyboard.press("/")
    page.keyboard.press("Tab")
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"


# -- one resource -----------------------------------------------------------------------------------------------------


def test_the_details_are_all_that_aws_said(page, rows):
    page.locator(ROWS).nth(3).click()
    text = page.locator("#detail pre", has_text="{").inner_text()
    row = next(row for row in rows if row.name == page.locator("#detail-title").inner_text())
    # A number that JavaScript would round is as AWS wrote it.
    assert json.loads(text) == {
        "Id": row.data["Id"],
        "Made": "2026-01-02T00:00:00+00:00",
        "Serial": 12345678901234567890,
    }
    page.keyboard.press("ArrowDown")
    page.locator("#detail-title", has_text=row.name).wait_for(state="detached")


def test_a_report_without_details_says_so(show, write, rows):
    page = show(write(rows[:3], data=False))
    page.locator(ROWS).first.click()
    page.locator("#detail .empty", has_text="made without it").wait_for()


def test_the_arn_is_copied(show, report, rows):
    page = show(report, permissions=["clipboard-read", "clipboard-write"])
    row = next(row for row in rows if row.arn)
    page.locator(ROWS, has_text=row.name).click()
    page.get_by_role("button", name="Copy ARN").click()
    page.locator("#said", has_text="ARN copied").wait_for(state="attached")
    assert page.evaluate("navigator.clipboard.readText()") == row.arn


# -- light, dark, motion, paper, small screens ------------------------------------------------------------------------


def background(page):
    return page.evaluate("getComputedStyle(document.body).backgroundColor")


def test_dark_and_light_follow_the_system_and_the_switch(show, report):
    light, dark = show(report, color_scheme="light"), show(report, color_scheme="dark")
    assert background(light) != background(dark)
    light.locator("#theme").click()
    assert background(light) == background(dark)
    light.reload()
    light.locator("html[data-ready]").wait_for()
    assert background(light) == background(dark)


def test_paper_has_the_rows_without_the_tools(show, report):
    page = show(report, color_scheme="dark")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    page.emulate_media(media="print")
    assert not page.locator("#toolbar").is_visible()
    assert page.locator(ROWS).count() == 400
    tops = page.locator(ROWS).evaluate_all("rows => rows.map((row) => Math.round(row.getBoundingClientRect().top))")
    assert [below - above for above, below in pairwise(tops)] == [36] * 399
    assert page.evaluate("document.documentElement.dataset.theme") == "light"
    page.emulate_media(media="screen")
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert page.locator(ROWS).count() < 60
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"


@pytest.mark.parametrize("width", [1280, 400])
def test_nothing_is_wider_than_the_screen(show, report, width):
    page = show(report, viewport={"width": width, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.locator(ROWS).first.click()
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_the_head_and_the_titles_stay_when_scrolled(page):
    page.locator("#resources").scroll_into_view_if_needed()
    page.evaluate("document.getElementById('resources').scrollIntoView()")
    page.evaluate("document.getElementById('grid').scrollTop = 5000")
    page.locator("#grid [aria-rowindex='145']").wait_for()
    top, title = page.locator(".top").bounding_box(), page.locator("#grid-titles").bounding_box()
    assert top["y"] == 0
    assert abs(title["y"] - page.locator("#grid").bounding_box()["y"]) < 2


# -- export -----------------------------------------------------------------------------------------------------------


def test_the_filtered_rows_are_exported(page, rows):
    page.locator("#search").fill("queues")
    table = exported(page)
    mine = [row for row in rows if row.type == "sqs.queues"]
    assert [row["name"] for row in table] == [row.name for row in mine]
    assert [row["arn"] for row in table] == [row.arn or "" for row in mine]
    assert [json.loads(row["tags"]) if row["tags"] else None for row in table] == [row.tags for row in mine]
    assert {row["account_name"] for row in table} == {"production", "staging", ""}
