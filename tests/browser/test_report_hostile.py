"""Whoever may name a resource may not thereby run anything, ask for anything, or hide, in the report of another."""

from __future__ import annotations

import csv
import io
import json
import re

import pytest
from botocore.exceptions import ClientError

from mangrove.fleet import Outcome, Target
from mangrove.inventory.rows import Row

# Those of East Asian keyboards are formulas too.
WIDE = "\uff1d"
FORMULA = "=+-@\t\r\n\uff0b\uff0d\uff20" + WIDE
HOSTILE = [
    "<script>pwned.push(1)</script>",
    "</script><script>pwned.push(2)</script>",
    "</SCRIPT ><img src=x onerror=pwned.push(3)>",
    "<!--<script>",
    "--><svg onload=pwned.push(4)>",
    "]]><b>",
    "</title></style></textarea></noscript>",
    '"><img src="https://evil.example/x" onerror="pwned.push(5)">',
    "' onmouseover='pwned.push(6)' x='",
    "javascript:pwned.push(7)",
    "data:text/html,<script>pwned.push(8)</script>",
    "&lt;script&gt;pwned.push(9)&lt;/script&gt;",
    "{{constructor.constructor('pwned.push(10)')()}}",
    "${pwned.push(11)}",
    "`;pwned.push(12);`",
    "line\u2028separator\u2029paragraph",
    "gnp.exe\u202etxt.exe",
    "\u2066isolated\u2069",
    "zero\u200bwidth",
    "nul\x00 bell\x07 esc\x1b[31m",
    "\ud800 half of a pair",
    "__proto__",
    "constructor",
    "toString",
    "hasOwnProperty",
    "=1+1",
    "+1",
    "-1",
    "@SUM(A1)",
    "\t=1",
    "\r=1",
    f"{WIDE}1+1",
    "",
    " ",
    "*",
    "?",
    "!*",
    "!x",
    "a=b=c",
    "%00%0a",
    "\\u003cscript\\u003e",
    "é́́",
    "𝕏🙂",  # noqa: RUF001
    "a" * 3000,
]


def row_of(name, **members):
    values = {
        "account": "111111111111",
        "region": "eu-west-1",
        "service": "ec2",
        "type": "ec2.instances",
        "name": name,
        "arn": f"arn:aws:ec2:eu-west-1:111111111111:instance/{name}",
        "tags": {name: name, "x": name},
        "partition": "aws",
        "data": {"Name": name, name: [name, {name: name}]},
    }
    return Row(**{**values, **members})


@pytest.fixture(scope="module")
def hostile_facts(make_facts):
    def of(text, number):
        error = ClientError({"Error": {"Code": text, "Message": text}}, "ListThings")
        target = Target("111111111111", text or "x", "ec2", type=f"ec2.{text}", name=text)
        return Outcome(target, "failed", error=error if number % 2 else ValueError(text))

    return make_facts(
        types=HOSTILE,
        accounts={text: text for text in HOSTILE},
        outcomes=[of(text, at) for at, text in enumerate(HOSTILE)],
    )


@pytest.fixture(scope="module")
def report(write, hostile_facts):
    named = [row_of(text) for text in HOSTILE]
    # Those members are AWS's own words, and no more to be trusted.
    others = [
        row_of("x", account=text, region=text, service=text, type=f"{text}.{text}", partition=text, arn=text)
        for text in HOSTILE
    ]
    return write([*named, *others], hostile_facts)


def test_nothing_runs_wherever_one_looks(page):
    # Every row is drawn once, with its details; `page` fails where anything ran, was refused, or was asked for.
    page.evaluate("document.querySelectorAll('details').forEach((each) => { each.open = true; })")
    for button in page.locator(".more").all():
        button.click()
    seen = page.evaluate(
        """async (count) => {
            const [grid, detail] = ["grid", "detail"].map((id) => document.getElementById(id));
            const press = (on, key) => on.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true }));
            let seen = 0;
            for (let at = 0; at < count; at += 1) {
                press(grid, "ArrowDown");
                press(grid, "Enter");
                const shows = () => detail.querySelector("pre")?.textContent.startsWith("{");
                while (!shows()) await new Promise((resolve) => setTimeout(resolve));
                seen += 1;
                press(detail, "Escape");
            }
            return seen;
        }""",
        2 * len(HOSTILE),
    )
    assert seen == 2 * len(HOSTILE)
    assert page.locator("script:not([data-part])").count() == 2
    assert page.locator("img, iframe, object, embed, svg, base, form:not(#toolbar), style:nth-of-type(2)").count() == 0
    names = page.evaluate("[...document.querySelectorAll('*')].flatMap((each) => each.getAttributeNames())")
    assert [name for name in names if name.startswith("on")] == []


def test_no_link_leads_anywhere_but_to_the_console(page):
    for _ in range(8):
        page.locator("#grid").focus()
        links = page.locator("a").evaluate_all("links => links.map((link) => [link.href, link.rel])")
        assert all(href.startswith("https://console.aws.amazon.com/go/view?arn=arn%3Aaws%3A") for href, _ in links)
        assert {rel for _, rel in links} <= {"noopener noreferrer"}
        page.keyboard.press("PageDown")


def test_a_hostile_name_is_found_and_read_as_it_is(page):
    for text in [text for text in HOSTILE if 2 < len(text.strip()) < 100 and text.isprintable()]:
        page.locator("#search").fill(text)
        assert text in page.locator("#grid-body .grid-row:visible .name").all_inner_texts()


def test_characters_that_hide_are_shown(page):
    page.locator("#search").fill("gnp.exe")
    assert page.locator("#grid-body .grid-row:visible .name").first.inner_text() == "gnp.exe⟨U+202E⟩txt.exe"
    page.locator("#search").fill("zero")
    assert page.locator("#grid-body .grid-row:visible .name").first.inner_text() == "zero⟨U+200B⟩width"


@pytest.mark.parametrize(
    "address",
    ["#q=<img src=x onerror=pwned.push(1)>", "#service=__proto__&tag=constructor", "#%", "#q=%ff&sort=__proto__:desc"],
)
def test_hostile_addresses_do_nothing(page, report, address):
    page.goto("about:blank")
    page.goto(report.as_uri() + address)
    page.locator("html[data-ready]").wait_for()


def test_formulas_are_texts_in_the_csv(page):
    with page.expect_download() as download:
        page.locator("#export").click()
    text = download.value.path().read_bytes().decode("utf-8-sig")
    table = list(csv.reader(io.StringIO(text, newline="")))
    assert len(table) == 2 * len(HOSTILE) + 1
    cells = [cell for line in table for cell in line]
    assert [cell for cell in cells if cell[:1] and cell[0] in FORMULA] == []
    assert {"'=1+1", "'+1", "'-1", "'@SUM(A1)", "'\t=1", "'\r=1", f"'{WIDE}1+1"} <= {line[5] for line in table}


def test_a_tag_of_a_megabyte_costs_a_megabyte(show, write, make_facts):
    page = show(
        write([row_of("big", tags={"big": "x" * 1_000_000}, data={"big": "y" * 1_000_000})], make_facts(outcomes=()))
    )
    page.locator("#grid-body .grid-row:visible").click()
    page.locator("#detail pre", has_text="characters)").wait_for()
    assert page.evaluate("document.body.innerText.length") < 300_000
    page.locator("#search").fill("xxxx")
    assert page.locator("#found").inner_text() == "1 resource"


def test_a_policy_stops_what_would_get_in(browser, report):
    # The page's own policy at work: its texts can't become markup, and what stands inline does not run.
    page = browser.new_page()
    page.goto(report.as_uri())
    page.locator("html[data-ready]").wait_for()
    tried = """() => {
        try { document.body.innerHTML = "<b>x</b>"; return "let in"; } catch (error) { return error.name; }
    }"""
    assert page.evaluate(tried) == "TypeError"
    assert (
        page.evaluate(tried.replace("innerHTML = ", "setAttribute('onclick', ").replace('</b>"', '</b>")'))
        == "TypeError"
    )
    asked = """async () => {
        try { await fetch("https://evil.example/"); return "sent"; } catch (error) { return error.name; }
    }"""
    assert page.evaluate(asked) == "TypeError"
    page.close()


def test_a_damaged_file_says_so(browser, report, tmp_path):
    text = report.read_text()
    damaged = tmp_path / "damaged.html"
    damaged.write_text(re.sub('(?<=data-part="rows">)....', "AAAA", text, count=1))
    page = browser.new_page()
    page.goto(damaged.as_uri())
    page.locator("#fault", has_text="can't be shown").wait_for()
    page.close()


LINKS = [
    (
        "s3.buckets",
        "arn:aws:s3:::a-bucket",
        "https://console.aws.amazon.com/go/view?arn=arn%3Aaws%3As3%3A%3A%3Aa-bucket",
    ),
    (
        "ec2.instances",
        "arn:aws-cn:ec2:cn-north-1:111111111111:instance/i-0a",
        "https://console.amazonaws.cn/ec2/home?region=cn-north-1#InstanceDetails:instanceId=i-0a",
    ),
    (
        "lambda.functions",
        "arn:aws-us-gov:lambda:us-gov-west-1:111111111111:function:f-1",
        "https://console.amazonaws-us-gov.com/lambda/home?region=us-gov-west-1#/functions/f-1",
    ),
    ("s3.buckets", "arn:aws-cn:s3:::a-bucket", None),
    ("ec2.instances", "arn:aws-iso:ec2:us-iso-east-1:111111111111:instance/i-0a", None),
    ("s3.buckets", "javascript:alert(1)", None),
    ("s3.buckets", "arn:aws:s3:::\ud800", None),
    ("s3.buckets", "arn:aws:s3:::a b", None),
    ("s3.buckets", None, None),
]


def test_links_to_the_console_are_by_partition(show, write, make_facts):
    page = show(write([row_of("x", type=kind, arn=arn) for kind, arn, _ in LINKS], make_facts(outcomes=())))
    rows = page.locator("#grid-body .grid-row:visible")
    links = rows.evaluate_all("rows => rows.map((row) => row.querySelector('a')?.href ?? null)")
    assert links == [url for _, _, url in LINKS]


def test_what_is_read_back_is_what_was_written(page):
    page.locator("#search").fill("</script><script>")
    page.locator("#grid-body .grid-row:visible").first.click()
    text = page.locator("#detail pre", has_text="{").inner_text()
    assert json.loads(text)["Name"] == HOSTILE[1]
