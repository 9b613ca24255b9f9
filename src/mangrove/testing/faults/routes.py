"""Finds the operation of a request of the REST protocols in botocore's own model of the service."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any
from urllib.parse import parse_qsl

from botocore.exceptions import DataNotFoundError, UnknownServiceError
from botocore.loaders import Loader

from mangrove.testing.faults.messages import Head

__all__ = ["route"]

_NAME = re.compile(r"\{(\w+)(\+?)\}")


@dataclass(frozen=True, slots=True)
class _Route:
    """Be how an operation is asked for."""

    operation: str
    method: str
    path: re.Pattern[str]
    literal: Mapping[str, str]
    query: frozenset[str]
    headers: frozenset[str]
    rank: tuple[int, int]

    def fits(self, method: str, path: str, parameters: Mapping[str, str], head: Head) -> bool:
        return (
            method == self.method
            and all(name in parameters and value in ("", parameters[name]) for name, value in self.literal.items())
            and self.query <= parameters.keys()
            and self.path.fullmatch(path) is not None
            and all(head.get(name) for name in self.headers)
        )


def route(service: str, method: str, path: str, parameters: Mapping[str, str], head: Head) -> str:
    r"""Return the operation that a request asks for, or nothing where the model of the service has none such.

    Args:
        service: botocore's name of it.
        method: of HTTP.
        path: without the query.
        parameters: the query.
        head: of the request.

    Example:
        >>> head = Head.parse(b"GET /logs?list-type=2 HTTP/1.1\r\n\r\n")
        >>> route("s3", "GET", "/logs", {"list-type": "2"}, head)
        'ListObjectsV2'
    """
    for each in _routes(service):
        if each.fits(method, path, parameters, head):
            return each.operation
    return ""


@cache
def _routes(service: str) -> tuple[_Route, ...]:
    try:
        # A loader of its own: a shared one may know other folders.
        model = Loader().load_service_model(service, "service-2")
    except (DataNotFoundError, UnknownServiceError):
        return ()
    return tuple(sorted(_all(model), key=lambda each: each.rank, reverse=True))


def _all(model: Mapping[str, Any]) -> Iterator[_Route]:
    shapes = model["shapes"]
    for name, operation in model["operations"].items():
        given = shapes.get(operation.get("input", {}).get("shape", ""), {})
        path, _, query = operation["http"]["requestUri"].partition("?")
        literal = dict(parse_qsl(query, keep_blank_values=True))
        needed = {"querystring": set[str](), "header": set[str]()}
        for member in given.get("required", ()):
            at = given["members"][member]
            if at.get("location") in needed:
                needed[at["location"]].add(at["locationName"])
        pattern = _NAME.sub(lambda found: ".+" if found[2] else "[^/]+", path.rstrip("/") or "/")
        yield _Route(
            name,
            operation["http"]["method"],
            re.compile(pattern if pattern == "/" else f"{pattern}/?", re.DOTALL),
            literal,
            frozenset(needed["querystring"]),
            frozenset(needed["header"]),
            # What asks for more is found first; among equals what is not deprecated.
            (
                2 * (len(literal) + len(needed["querystring"]) + len(needed["header"])) + path.count("/"),
                int(not operation.get("deprecated", False)),
            ),
        )
