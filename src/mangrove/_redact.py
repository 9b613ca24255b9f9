"""Keep secrets out of what people see: reprs, messages, pickles."""

from __future__ import annotations

import re
from typing import NoReturn

__all__ = ["Secret", "message_of", "redact_url"]

# Greedy: a password may itself hold an @, a slash or a question mark.
_USERINFO = re.compile(r"\A([a-zA-Z][a-zA-Z0-9+.-]*://)?.*@", re.DOTALL)


class Secret:
    """Hold a string that no repr, message or pickle shows.

    Example:
        >>> key = Secret("wJalrXUtnFEMI")
        >>> print(key, [key])
        *** [Secret('***')]
        >>> key.reveal()
        'wJalrXUtnFEMI'
    """

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """Return the string itself, for the one call that needs it."""
        return self._value

    def __str__(self) -> str:
        return "***"

    def __repr__(self) -> str:
        return "Secret('***')"

    def __reduce__(self) -> NoReturn:
        text = "a Secret is never pickled"
        raise TypeError(text)


def message_of(error: BaseException) -> str:
    """Return an error's message, unless it quotes a whole answer of AWS, which may be the one with the keys.

    Args:
        error: such as botocore's `ResponseParserError`, known by its name: this room knows no botocore.

    Example:
        >>> message_of(ValueError("wrong"))
        'wrong'
    """
    if any(kind.__name__ == "ResponseParserError" for kind in type(error).__mro__):
        return "the answer was cut short, or is none of AWS's; it is not shown, as keys may be in it"
    return str(error)


def redact_url(url: str) -> str:
    """Return the URL without a user's name and password, a query or a fragment, which may carry signatures.

    Example:
        >>> redact_url("https://user:pass@host/path?X-Amz-Signature=1")
        'https://***@host/path'
    """
    hidden = _USERINFO.sub(lambda match: f"{match[1] or ''}***@", url)
    return re.split(r"[?#]", hidden, maxsplit=1)[0]
