"""Keep secrets out of what people see: reprs, messages, pickles."""

from __future__ import annotations

import re
from typing import NoReturn

__all__ = ["Secret", "redact_url"]

_USERINFO = re.compile(r"(?<=://)[^/?#@]*@")


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


def redact_url(url: str) -> str:
    """Return the URL without a password, a query or a fragment, which may carry signatures.

    Example:
        >>> redact_url("https://user:pass@host/path?X-Amz-Signature=1")
        'https://***@host/path'
    """
    return _USERINFO.sub("***@", re.split(r"[?#]", url, maxsplit=1)[0])
