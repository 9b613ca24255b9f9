"""Names every kind of fault that can be injected, what happens to the request then, and which requests it fits."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from mangrove.errors import ConfigError, DeclarationTypeError
from mangrove.testing.faults.asked import Asked

__all__ = ["KINDS", "PASSING", "Kind", "fits", "known_kinds"]

Does = Literal["answers", "ends", "forwards", "changes", "repeats"]
Where = Literal[
    "any", "s3", "api", "object", "range", "body", "document", "late_error", "complete", "abort", "expect", "spoken"
]


@dataclass(frozen=True, slots=True)
class Kind:
    """Be a kind of fault.

    Args:
        name: what users call it.
        does: what becomes of the request. "answers": an error is answered, and nothing was done. "ends": the connection
            ends, and nothing was done. "forwards": it is done, and the answer suffers. "changes": another request is
            forwarded. "repeats": it is done twice, and the second answer is given.
        where: which requests it fits.
        text: what happens, in a sentence.
    """

    name: str
    does: Does
    where: Where
    text: str

    @property
    def passes(self) -> bool:
        """Say whether the same request, made again, may go well: what a careful client gets through."""
        return self.name not in _LASTING


_LASTING = frozenset({"access_denied", "region_disabled", "abort_denied", "object_changed"})
_ALL = (
    Kind("throttle", "answers", "any", "S3's 503 SlowDown, EC2's RequestLimitExceeded, others' Throttling"),
    Kind("too_many_requests", "answers", "api", "429 TooManyRequestsException"),
    Kind("internal_error", "answers", "any", "500 InternalError or InternalFailure"),
    Kind("unavailable", "answers", "any", "503 ServiceUnavailable"),
    Kind("request_timeout", "answers", "s3", "400 RequestTimeout: the body came too slowly"),
    Kind("error_in_200", "answers", "late_error", "200 with an error for a body, as copies and completions have"),
    Kind("expired_token", "answers", "any", "the security token has expired"),
    Kind("clock_skew", "answers", "spoken", "the request's time is too far from the server's, 20 minutes ahead"),
    Kind("redirect_301", "answers", "s3", "301 PermanentRedirect, with the bucket's region"),
    Kind("redirect_307", "answers", "s3", "307 TemporaryRedirect to the same place"),
    Kind("wrong_region", "answers", "s3", "400 AuthorizationHeaderMalformed, with the region to sign for"),
    Kind("access_denied", "answers", "any", "403 AccessDenied"),
    Kind("region_disabled", "answers", "api", "the account has not enabled the region"),
    Kind("abort_denied", "answers", "abort", "403 AccessDenied for AbortMultipartUpload"),
    Kind("refused", "ends", "any", "this connection is reset, and for a moment new ones are refused"),
    Kind("reset", "ends", "any", "the connection is reset before the request is forwarded"),
    Kind("closed", "ends", "any", "the connection is closed in order, with no answer; nothing was done"),
    Kind("answer_lost", "forwards", "any", "the request is done, and the connection reset before the answer"),
    Kind("reset_in_body", "forwards", "body", "the connection is reset in the middle of the answer's body"),
    Kind("truncated", "forwards", "body", "the connection is closed in the middle of the answer's body"),
    Kind("truncated_head", "forwards", "any", "the connection is closed in the middle of the answer's head"),
    Kind("stall", "forwards", "any", "half of the answer comes, and then nothing until patience ends"),
    Kind("slice", "forwards", "any", "the answer comes byte by byte at first, and in small pieces then"),
    Kind("latency", "forwards", "any", "the answer comes late"),
    Kind("bandwidth", "forwards", "any", "the answer comes slowly"),
    Kind("flipped_byte", "forwards", "object", "one byte of an object is another"),
    Kind("flipped_byte_in_range", "forwards", "range", "one byte of a range of an object is another"),
    Kind("wrong_length", "forwards", "body", "Content-Length says less than there is"),
    Kind("malformed", "forwards", "document", "the XML or JSON of the answer ends in the middle"),
    Kind("wrong_range", "forwards", "range", "Content-Range says another range than was asked for"),
    Kind("range_ignored", "changes", "range", "the whole object comes with 200 where a range was asked for"),
    Kind("object_changed", "forwards", "range", "another object is there: 412 if asked, else other bytes and ETag"),
    Kind("duplicated_answer", "forwards", "any", "a short answer comes twice on the connection"),
    Kind("no_such_upload", "repeats", "complete", "a completion is done twice on the way: NoSuchUpload"),
    Kind("extra_continue", "forwards", "any", "100 Continue comes twice before the answer, unasked"),
    Kind("no_continue", "forwards", "expect", "no 100 Continue comes: the client has to send the body unasked"),
)

KINDS: Mapping[str, Kind] = MappingProxyType({kind.name: kind for kind in _ALL})
"""Every kind of fault by its name."""

PASSING: tuple[str, ...] = tuple(kind.name for kind in _ALL if kind.passes)
"""The kinds after which the same request may go well: what is injected where no kinds are named."""

_LATE_ERRORS = frozenset({"CompleteMultipartUpload", "CopyObject", "UploadPartCopy"})


def fits(kind: Kind, asked: Asked) -> bool:
    """Say whether a kind of fault can happen to a request.

    Args:
        kind: the kind.
        asked: the request.

    Example:
        >>> get = Asked("GET", "/b/k", service="s3", operation="GetObject", bucket="b", key="k")
        >>> fits(KINDS["flipped_byte"], get), fits(KINDS["range_ignored"], get)
        (True, False)
    """
    is_s3, is_object = asked.service == "s3", asked.service == "s3" and asked.operation == "GetObject"
    answers = {
        "any": True,
        "s3": is_s3,
        "api": not is_s3,
        "object": is_object and not asked.range,
        "range": is_object and bool(asked.range),
        "body": asked.method != "HEAD",
        "document": asked.method != "HEAD" and not is_object,
        "late_error": is_s3 and asked.operation in _LATE_ERRORS,
        "complete": is_s3 and asked.operation == "CompleteMultipartUpload",
        "abort": is_s3 and asked.operation == "AbortMultipartUpload",
        "expect": asked.expects,
        # An answer to HEAD has no body to tell it apart from other errors of its status.
        "spoken": asked.method != "HEAD",
    }
    return answers[kind.where]


def known_kinds(names: Iterable[str]) -> tuple[Kind, ...]:
    """Return kinds by their names.

    Raises:
        ConfigError: there is no kind of such a name, or no name.

    Example:
        >>> [kind.does for kind in known_kinds(["reset", "answer_lost"])]
        ['ends', 'forwards']
    """
    if isinstance(names, str):
        text = f"kinds are a sequence of names, not the string {names!r}; write ({names!r},)"
        raise DeclarationTypeError(text)
    found = tuple(dict.fromkeys(names))
    unknown = [name for name in found if name not in KINDS]
    if unknown or not found:
        text = f"no kind of fault {', '.join(map(repr, unknown)) or 'was named'}; there are {', '.join(KINDS)}"
        raise ConfigError(text)
    return tuple(KINDS[name] for name in found)
