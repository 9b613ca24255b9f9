"""The engines that the suite compares, and on which server: a further engine is one more line of ENGINES."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from botocore.config import Config

from mangrove.s3.backend import engine_for
from mangrove.s3.engines.boto import BotoEngine, one_try
from mangrove.s3.engines.memory import MemoryEngine
from mangrove.s3.mocking import memory_client
from mangrove.testing.faults import faults

__all__ = ["ENGINES", "Entry"]

# Keys are S3's business: nothing of a configuration file or a proxy may come between.
_CONFIG = Config(s3={"addressing_style": "path"}, proxies={})


@dataclass(frozen=True)
class Entry:
    """Be an engine on a server.

    Attributes:
        server: "memory", "moto" or "weed".
        make: makes the engine from a session and an endpoint's URL, None for the memory.
    """

    server: str
    make: Callable[[Any, str | None], Any]


def _boto(session: Any, endpoint_url: str | None) -> Any:
    return BotoEngine.from_session(session, threads=4, config=_CONFIG, endpoint_url=endpoint_url)


def _lean(session: Any, endpoint_url: str | None) -> Any:
    # What a connection uses: the lean engine, and botocore's client for what is no work in bulk.
    return engine_for(session, {"config": _CONFIG, "endpoint_url": endpoint_url}, "auto")


def _proxied(make: Callable[[Any, str | None], Any]) -> Callable[[Any, str | None], Any]:
    """Put a fault server that injects nothing before the server."""

    def made(session: Any, endpoint_url: str | None) -> Any:
        injected = faults(str(endpoint_url)).start()
        engine = make(session, injected.endpoint_url)
        close = engine.close
        engine.close = lambda: (close(), injected.stop())
        return engine

    return made


ENGINES = {
    "memory": Entry("memory", lambda _session, _url: MemoryEngine()),
    "client-memory": Entry("memory", lambda _session, _url: BotoEngine(memory_client(config=one_try()), 4)),
    "boto-moto": Entry("moto", _boto),
    "boto-weed": Entry("weed", _boto),
    "lean-moto": Entry("moto", _lean),
    "lean-weed": Entry("weed", _lean),
    "boto-moto-faults-off": Entry("moto", _proxied(_boto)),
    "lean-weed-faults-off": Entry("weed", _proxied(_lean)),
}
