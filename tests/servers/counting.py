"""Note every request that the embedded AWS gets, and answer some of them otherwise than it would."""

from __future__ import annotations

import io
import re
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs

__all__ = ["Asked", "Counting", "counting", "refusal"]

_SCOPE = re.compile(r"Credential=([^/]+)/\d+/([^/]+)/([^/]+)/")


@dataclass(frozen=True)
class Asked:
    """Be one request: who asks (by the access key), where, and for what."""

    key: str
    region: str
    service: str
    operation: str
    body: bytes

    @property
    def parameters(self) -> dict[str, str]:
        return {name: values[0] for name, values in parse_qs(self.body.decode("latin-1")).items()}


class Counting:
    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self.answer: Callable[[Asked], Any] = lambda asked: None
        """Returns None for the server's own answer, or a status and a body."""

    @property
    def calls(self) -> Counter[tuple[str, str]]:
        return Counter((each.service, each.operation) for each in self.asked)

    def of(self, operation: str) -> list[Asked]:
        return [each for each in self.asked if each.operation == operation]

    def clear(self) -> None:
        self.asked.clear()

    def around(self, app: Any) -> Any:
        def serve(environ: Any, start: Any) -> Any:
            if environ["PATH_INFO"].startswith("/moto-api"):
                return app(environ, start)
            asked = _asked(environ)
            self.asked.append(asked)
            given = self.answer(asked)
            if given is None:
                return app(environ, start)
            status, body = given
            start(f"{status} X", [("Content-Type", "text/xml"), ("Content-Length", str(len(body)))])
            return [body.encode()]

        return serve


def _asked(environ: Any) -> Asked:
    body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    environ["wsgi.input"] = io.BytesIO(body)
    found = _SCOPE.search(environ.get("HTTP_AUTHORIZATION", ""))
    key, region, service = found.groups() if found else ("", "", "")
    target = environ.get("HTTP_X_AMZ_TARGET", "").rpartition(".")[2]
    action = parse_qs(body.decode("latin-1")).get("Action", [""])[0] if not target else ""
    rest = f"{environ['REQUEST_METHOD']} {environ['PATH_INFO']}"
    return Asked(key, region, service, target or action or rest, body)


def refusal(code: str, message: str = "no", status: int = 403) -> tuple[int, str]:
    """Return an error as the query protocols have it."""
    error = f"<Code>{code}</Code><Message>{message}</Message>"
    # EC2's is in a list, and the others' is not.
    return status, f"<Response><Errors><Error>{error}</Error></Errors><Error>{error}</Error></Response>"


@contextmanager
def counting(aws: Any) -> Iterator[Counting]:
    """Count the requests of an embedded AWS."""
    listener = aws._server._listener
    seen, real = Counting(), listener.app
    listener.app = seen.around(real)
    try:
        yield seen
    finally:
        listener.app = real
