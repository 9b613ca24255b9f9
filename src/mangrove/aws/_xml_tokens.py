"""XML cut at each `<`: the tokens of a response in the narrow form that AWS writes, and certainty that it is that form.

What AWS sends needs little of XML: elements without attributes (but a namespace on the root), text, five entities. For
that little, `str.split("<")` is the whole lexer, and a token is `name>text` or `/name>`. The rest of this module
refuses everything else, before or while it is read, so that a body that is taken here is well-formed and means to
`xml.etree` what it means to us. A body that is refused is read by botocore, whether it is fine or broken.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from mangrove.aws._parse_common import UnusualError

NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*")
_DECLARATION = re.compile(
    r'\?xml version="1\.0"(?: encoding="[Uu][Tt][Ff]-8")?(?: standalone="(?:yes|no)")?\?>[ \t\n]*'
)
_ROOT = re.compile(r'([A-Za-z_][A-Za-z0-9_.-]*)(?: xmlns="https?://(?!www\.w3\.org)[A-Za-z0-9./_-]+")?')
_REFERENCE = re.compile(r"&(?:amp|lt|gt|quot|apos|#[0-9]{1,7}|#x[0-9A-Fa-f]{1,6});")
_NOT_NAMED = re.compile(r"&(?!(?:amp|lt|gt|quot|apos);)")
# The ampersand comes last: what it makes of "&amp;lt;" is no reference.
_NAMED = (("&quot;", '"'), ("&lt;", "<"), ("&gt;", ">"), ("&apos;", "'"), ("&amp;", "&"))

# What no XML may contain; a carriage return may be there but is read as a line feed, which is left to who does so.
_CONTROL = bytes(each for each in range(32) if each not in b"\t\n")
_NEVER = ("\ufffe", "\uffff")


def _character(reference: str) -> str:
    if reference[1] != "#":
        return dict(_NAMED)[reference]
    digits = reference[2:-1]
    code = int(digits[1:], 16) if digits[0] == "x" else int(digits)
    legal = code in b"\t\n\r" or 0x20 <= code < 0xD800 or 0xE000 <= code < 0xFFFE or 0x10000 <= code < 0x110000  # noqa: PLR2004  the XML standard's
    if not legal:
        raise UnusualError
    return chr(code)


def unescape(text: str) -> str:
    """Return the text with its references replaced.

    Example:
        >>> unescape("&lt;a&#98;c&gt;")
        '<abc>'
    """
    if "&#" in text:
        return _REFERENCE.sub(lambda found: _character(found[0]), text)
    for reference, character in _NAMED:
        text = text.replace(reference, character)
        if "&" not in text:
            break
    return text


def _check(body: bytes, text: str) -> None:
    if len(body.translate(None, _CONTROL)) != len(body) or any(each in text for each in _NEVER):
        raise UnusualError
    # Twice, because one bracket is found 30 times faster than three characters.
    if "]" in text and "]]>" in text:
        raise UnusualError
    if _NOT_NAMED.search(text):
        references = _REFERENCE.findall(text)
        if len(references) != text.count("&"):
            raise UnusualError
        for reference in set(references):
            _character(reference)


def tokens_of(body: bytes) -> tuple[Iterator[str], str]:
    """Return the tokens after the root's opening, and the head of its closing.

    Args:
        body: the response's bytes.

    Raises:
        Exception: of any kind: the body is not of the narrow form.
    """
    text = body.decode("utf-8")
    _check(body, text)
    tokens = iter(text.split("<"))
    if next(tokens):
        raise UnusualError
    first = next(tokens)
    if first.startswith("?"):
        if not _DECLARATION.fullmatch(first):
            raise UnusualError
        first = next(tokens)
    head, sep, _ = first.partition(">")
    root = _ROOT.fullmatch(head)
    if root is None or not sep:
        raise UnusualError
    close = f"/{root[1]}"
    if not text.rstrip(" \t\n").endswith(f"<{close}>"):
        raise UnusualError
    return tokens, close


def at_end(tokens: Iterator[str]) -> None:
    """Make sure that nothing follows the root; that no text does was seen at the start."""
    if next(tokens, None) is not None:
        raise UnusualError


def skip(tokens: Iterator[str], close: str) -> None:
    """Go to the end of an element that no member is read from."""
    stack = [close]
    while stack:
        head, sep, _ = next(tokens).partition(">")
        if not sep:
            raise UnusualError
        if head == stack[-1]:
            stack.pop()
        elif NAME.fullmatch(head):
            stack.append(f"/{head}")
        elif not (head.endswith("/") and NAME.fullmatch(head[:-1])):
            raise UnusualError
