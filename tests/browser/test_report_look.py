"""How the report looks: beside pictures that people have looked at, dark and light, on a wide and a narrow screen.

After a change of the page that is meant: MANGROVE_WRITE_PICTURES=1 pytest tests/browser/test_report_look.py
"""

from __future__ import annotations

import base64
import json
import os
from itertools import pairwise
from pathlib import Path

import pytest

PICTURES = Path(__file__).parent / "pictures"
SCREENS = [(scheme, width) for scheme in ("light", "dark") for width in (1280, 400)]
# The mean difference, of 255.
MOST = 3.0
# Draws pictures at an eighth of their size: what one sees from afar, and not how letters are smoothed.
DRAW = """async (pngs) => {
    const drawn = [];
    for (const png of pngs) {
        const image = new Image();
        image.src = `data:image/png;base64,${png}`;
        await image.decode();
        const canvas = document.createElement("canvas");
        canvas.width = Math.round(image.width / (image.width > 200 ? 8 : 1));
        canvas.height = Math.round((image.height * canvas.width) / image.width);
        const context = canvas.getContext("2d");
        context.imageSmoothingQuality = "high";
        context.drawImage(image, 0, 0, canvas.width, canvas.height);
        const { data } = context.getImageData(0, 0, canvas.width, canvas.height);
        drawn.push([canvas.toDataURL("image/png").split(",")[1], data]);
    }
    const [[small, one], [, other]] = drawn;
    if (one.length !== other.length) return [small, 255];
    return [small, one.reduce((sum, value, at) => sum + Math.abs(value - other[at]), 0) / one.length];
}"""
FONTS = """() => {
    const context = document.createElement("canvas").getContext("2d");
    return ["system-ui", "monospace"].map((font) => {
        context.font = `100px ${font}`;
        return Math.round(context.measureText("Inventory of 0123456789").width);
    });
}"""


@pytest.fixture
def canvas(browser):
    page = browser.new_page()
    yield page
    page.close()


def draw(canvas, one, other):
    """Return a picture made small, and its mean difference from another."""
    picture, difference = canvas.evaluate(DRAW, [base64.b64encode(png).decode() for png in (one, other)])
    return base64.b64decode(picture), difference


@pytest.mark.parametrize(("scheme", "width"), SCREENS)
def test_it_looks_as_it_did(show, report, canvas, scheme, width):
    page = show(report, color_scheme=scheme, viewport={"width": width, "height": 1000})
    fonts, written = page.evaluate(FONTS), PICTURES / f"{scheme}-{width}.png"
    picture = page.screenshot()
    if os.environ.get("MANGROVE_WRITE_PICTURES"):
        written.write_bytes(draw(canvas, picture, picture)[0])
        (PICTURES / "fonts.json").write_text(json.dumps(fonts) + "\n")
    if json.loads((PICTURES / "fonts.json").read_text()) != fonts:
        pytest.skip("this machine has other fonts than the one the pictures were made on")
    assert draw(canvas, picture, written.read_bytes())[1] < MOST


def test_the_comparison_sees_what_changes(show, report, canvas):
    page = show(report, viewport={"width": 1280, "height": 1000})
    before = page.screenshot()
    page.evaluate("document.getElementById('cards').hidden = true")
    assert draw(canvas, before, page.screenshot())[1] > MOST


@pytest.mark.parametrize("width", [1280, 400])
def test_the_parts_stand_one_below_the_other(show, report, width):
    page = show(report, viewport={"width": width, "height": 1000})
    boxes = [
        page.locator(part).bounding_box() for part in (".top", "#cards", "#map", "#breakdown", "#causes", "#resources")
    ]
    for above, below in pairwise(boxes):
        assert above["y"] + above["height"] <= below["y"]
    assert {round(box["x"]) for box in boxes[1:]} == {12 if width == 400 else 24}


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_texts_stand_out_from_their_ground(show, report, scheme):
    """Check the contrast of WCAG 2.1 (4.5 to 1) for what is written on each colour."""
    page = show(report, color_scheme=scheme)
    ratios = page.evaluate(
        """() => {
            const style = getComputedStyle(document.documentElement);
            const light = (name) => {
                const probe = document.createElement("i");
                probe.style.color = style.getPropertyValue(name);
                document.body.append(probe);
                const parts = getComputedStyle(probe).color.match(/[0-9.]+/g).map((part) => part / 255);
                probe.remove();
                const linear = (part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4);
                const [r, g, b] = parts.map(linear);
                return 0.2126 * r + 0.7152 * g + 0.0722 * b;
            };
            const pairs = [["--ink", "--page"], ["--ink", "--panel"], ["--soft", "--panel"], ["--soft", "--page"],
                ["--soft", "--hover"],
                ["--ink", "--chosen"], ["--warn", "--warn-back"], ["--accent-ink", "--accent"], ["--ink", "--chip"],
                ...[1, 2, 3, 4].map((level) => ["--heat-low", `--heat-${level}`]),
                ...[5, 6, 7].map((level) => ["--heat-high", `--heat-${level}`])];
            return pairs.map(([text, ground]) => {
                const [a, b] = [light(text), light(ground)].sort((x, y) => y - x);
                return [`${text} on ${ground}`, (a + 0.05) / (b + 0.05)];
            });
        }"""
    )
    assert {name: ratio for name, ratio in ratios if ratio < 4.5} == {}


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_map_goes_one_way_from_light_to_dark(show, report, scheme):
    # A scale that is told apart by lightness alone is read alike with any kind of colour blindness.
    page = show(report, color_scheme=scheme)
    colours = page.evaluate(
        """() => {
            const style = getComputedStyle(document.documentElement);
            return [1, 2, 3, 4, 5, 6, 7].map((level) => style.getPropertyValue(`--heat-${level}`).trim());
        }"""
    )
    lightness = [sum(w * int(c[at : at + 2], 16) for w, at in ((0.2126, 1), (0.7152, 3), (0.0722, 5))) for c in colours]
    steps = [b - a for a, b in pairwise(lightness)]
    assert all(step > 8 for step in steps) or all(step < -8 for step in steps)
