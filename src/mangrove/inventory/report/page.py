"""Join the page's parts: its text, style and scripts, and the policy that lets nothing else run."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

__all__ = ["Page", "load_page"]

# In the order in which they build on one another; they share one scope.
_SCRIPTS = (
    "text.js",
    "unpack.js",
    "inventory.js",
    "query.js",
    "console.js",
    "csv.js",
    "state.js",
    "cards.js",
    "heatmap.js",
    "bars.js",
    "causes.js",
    "detail.js",
    "grid.js",
    "toolbar.js",
    "main.js",
)


@dataclass(frozen=True, slots=True)
class Page:
    """Be the two ends of a page; the data goes between them.

    Args:
        head: from the doctype to the end of what is seen, with the style and the policy.
        tail: the scripts, and the end.
    """

    head: bytes
    tail: bytes


@cache
def load_page() -> Page:
    r"""Read the assets of the package and join them.

    Example:
        >>> page = load_page()
        >>> page.head[:15], page.tail[-8:]
        (b'<!doctype html>', b'</html>\n')
    """
    style = _read("style.css")
    theme = _script(["theme.js"])
    main = _script(list(_SCRIPTS))
    head = _read("page.html")
    for name, value in {
        "{{policy}}": policy_of([theme, main], [style]),
        "{{style}}": style,
        "{{theme}}": theme,
    }.items():
        head = head.replace(name, value)
    return Page(head.encode(), f"<script>{main}</script>\n</body>\n</html>\n".encode())


def policy_of(scripts: list[str], styles: list[str]) -> str:
    """Return a Content-Security-Policy under which these scripts and styles work, and nothing else does.

    Nothing is loaded, nothing is sent, and no string ever becomes markup or code (Trusted Types). The hashes are those
    of Content Security Policy Level 3.

    Args:
        scripts: the texts of the script elements.
        styles: the texts of the style elements.
    """
    rules = {
        "default-src": "'none'",
        "script-src": " ".join(map(_hash, scripts)),
        "style-src": " ".join(map(_hash, styles)),
        "img-src": "data:",
        "connect-src": "'none'",
        "base-uri": "'none'",
        "form-action": "'none'",
        "require-trusted-types-for": "'script'",
        "trusted-types": "'none'",
    }
    return "; ".join(f"{name} {value}" for name, value in rules.items())


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def _script(names: list[str]) -> str:
    """Join scripts in a scope of their own, so that they share names with one another and with nobody else."""
    return "\n".join(['(() => {\n"use strict";', *map(_read, names), "})();\n"])


def _read(name: str) -> str:
    # A file that git has given the line ends of another system would have another hash than the browser finds.
    return (files("mangrove.inventory.report") / "assets" / name).read_text("utf-8").replace("\r\n", "\n")
