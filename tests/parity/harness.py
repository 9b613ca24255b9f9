"""What a parity case is: requests, and what S3 answers to each.

A case is a generator that makes requests of an `S3` and yields what it has seen of each answer; the decorator holds
what S3 documents. Nothing in a case knows which engine or server it runs on.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

import botocore
import botocore.session
import pytest
from botocore.exceptions import ClientError, ConnectionClosedError

from mangrove.s3.engines.base import Call

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["CASES", "S3", "Case", "case", "outcome"]


@dataclass(frozen=True)
class Case:
    """Be a case: what it does, and what S3 answers."""

    name: str
    run: Callable[[S3], Iterator[Any]]
    expected: list[Any]


CASES: dict[str, Case] = {}


def case(*expected: Any) -> Callable[[Any], Any]:
    """Register a case with what S3 answers to each of its requests."""

    def register(run: Any) -> Any:
        assert run.__name__ not in CASES
        CASES[run.__name__] = Case(run.__name__, run, list(expected))
        return run

    return register


def outcome(run: Callable[[S3], Iterator[Any]], s3: S3) -> list[Any]:
    """Return what a case has seen; where it could not go on, that ends the list."""
    seen = []
    try:
        seen.extend(run(s3))
    except Exception as error:  # noqa: BLE001  on a server that differs a case may find nothing to go on with
        seen.append(type(error).__name__)
    return seen


@cache
def _model() -> Any:
    return botocore.session.get_session().get_service_model("s3")


@cache
def _members(operation: str) -> frozenset[str]:
    return frozenset(_model().operation_model(operation).input_shape.members)


class S3:
    """Make requests of one bucket with an engine, and tell what is comparable of the answers.

    Args:
        engine: what carries the requests.
        bucket: the bucket that requests name if they name none.
    """

    def __init__(self, engine: Any, bucket: str) -> None:
        self.engine = engine
        self.bucket = bucket
        self.answer: dict[str, Any] = {}
        self._versions: dict[str, str] = {}

    def __call__(self, operation: str, shows: str = "", *, body: Any = None, **params: Any) -> Any:
        """Make a request; return its status and the members to show, or the status and the code of its error.

        Args:
            operation: its name.
            shows: members of the answer, with spaces between; "Contents.Key" is the key of each of the contents.
            body: the bytes to send.
            **params: the parameters; None leaves one out.
        """
        given = {"Bucket": self.bucket, **params}
        call = Call(operation, {name: value for name, value in given.items() if value is not None}, body=body)
        if missing := sorted(set(call.params) - _members(operation)):
            assert botocore.__version__.startswith("1.40."), f"{operation} has no {missing}"
            pytest.skip(f"the oldest botocore has no {missing} in {operation}")
        try:
            reply = self._perform(call)
        except ClientError as error:
            return error.response["ResponseMetadata"]["HTTPStatusCode"], error.response["Error"]["Code"]
        self.answer = dict(reply.data)
        seen: list[Any] = [reply.status, *(self._look(reply.data, path.split(".")) for path in shows.split())]
        if operation == "GetObject":
            seen.append(reply.body)
        return tuple(seen)

    def _perform(self, call: Call) -> Any:
        try:
            return self.engine.perform(call)
        except ConnectionClosedError:
            # A server may end an idle connection at any time, and engines don't try again.
            if not call.operation.startswith(("Get", "Head", "List")):
                raise
            return self.engine.perform(Call(call.operation, call.params))

    def _look(self, data: Any, path: list[str]) -> Any:
        for index, name in enumerate(path):
            data = data.get(name)
            if isinstance(data, list) and index + 1 < len(path):
                return [self._look(each, path[index + 1 :]) for each in data]
            if data is None:
                return None
        return self._plain(path[-1], data)

    def _plain(self, name: str, value: Any) -> Any:
        """Return a value without what differs between two runs."""
        if name.endswith("VersionId") or name == "VersionIdMarker":
            return value if value == "null" else self._versions.setdefault(value, f"v{len(self._versions) + 1}")
        return re.sub(self.bucket, "BUCKET", value) if isinstance(value, str) else value

    def version(self, name: str) -> str:
        """Return the id of a version by the name that it was shown as."""
        return next(version for version, short in self._versions.items() if short == name)

    def put(self, *keys: str, body: bytes = b"") -> None:
        """Put objects, each with its key for a body if none is given."""
        for key in keys:
            assert self("PutObject", Key=key, body=body or key.encode())[0] == 200

    def second_bucket(self) -> str:
        """Make another bucket and return its name."""
        name = f"{self.bucket}-2"
        assert self("CreateBucket", Bucket=name)[0] == 200
        return name

    def keys(self, **params: Any) -> list[str]:
        """Return the keys that a listing has."""
        return self("ListObjectsV2", "Contents.Key", **params)[1] or []
