"""Runs moto's application in a thread that can be ended without a trace: no socket, no thread, no log line left.

moto's own `ThreadedMotoServer` leaves the listening socket and the kept-alive connections open, and its requests make
werkzeug set the level of a logger and print to stderr. This module needs moto and is imported only by a start.
"""

from __future__ import annotations

import contextlib
import functools
import logging
import os
import socket
import threading
from typing import TYPE_CHECKING, Any

import botocore.session
import moto.backends
import moto.core.utils
import moto.server
from botocore.exceptions import BotoCoreError
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import ThreadedWSGIServer, WSGIRequestHandler

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["HOST", "Server", "load_backends"]

HOST = "127.0.0.1"
_log = logging.getLogger("mangrove.testing")
_POLL_SECONDS = 0.02
_GRACE_SECONDS = 5.0
# A host is a service in a region; there are more only if a client makes them up.
_MOST_HOSTS = 20_000
_environment_lock = threading.Lock()


class _Silent:
    """Log requests to our own logger at DEBUG: werkzeug's would configure itself and print."""

    def log(self, type: str, message: str, *args: object) -> None:  # noqa: A002  werkzeug's signature
        _log.log(logging.ERROR if type == "error" else logging.DEBUG, message, *args)


def _handler() -> type[WSGIRequestHandler]:
    # Older releases of moto have no handler of their own and use werkzeug's.
    base: type[WSGIRequestHandler] = getattr(moto.server, "MotoRequestHandler", WSGIRequestHandler)
    return type("_SilentHandler", (_Silent, base), {"disable_nagle_algorithm": True})


class _Application(DomainDispatcherApplication):
    """Remember which backend serves a host: moto lists its package's directory for each request."""

    def __init__(self) -> None:
        super().__init__(create_backend_app)
        self._backends: dict[str, Any] = {}

    def get_backend_for_host(self, host: str | None) -> Any:
        backend = self._backends.get(host or "") or super().get_backend_for_host(host)
        if host and backend and len(self._backends) < _MOST_HOSTS:
            self._backends[host] = backend
        return backend


class _Listener(_Silent, ThreadedWSGIServer):
    """Know the connections that are open, so that a stop can end them."""

    def __init__(self) -> None:
        self._open: dict[threading.Thread, socket.socket] = {}
        self._guard = threading.Lock()
        super().__init__(HOST, 0, _Application(), _handler())

    def process_request(self, request: Any, client_address: Any) -> None:
        thread = threading.Thread(
            target=self.process_request_thread,
            args=(request, client_address),
            name=f"mangrove-embedded-aws-{self.port}-request",
            daemon=True,
        )
        with self._guard:
            self._open[thread] = request
        thread.start()

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        try:
            super().process_request_thread(request, client_address)
        finally:
            with self._guard:
                self._open.pop(threading.current_thread(), None)

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ARG002  the base's signature
        _log.debug("connection of %s broke", client_address, exc_info=True)

    def end_requests(self) -> None:
        """Let the running requests answer, and end the connections that wait for a next one."""
        with self._guard:
            left = dict(self._open)
        for request in left.values():
            with contextlib.suppress(OSError):  # the peer was faster
                request.shutdown(socket.SHUT_RD)
        for thread in left:
            thread.join(_GRACE_SECONDS)


class Server:
    """Serve moto on a free loopback port, from construction until `stop()`."""

    def __init__(self) -> None:
        self._listener = _Listener()
        self.port: int = self._listener.port
        self._thread = threading.Thread(
            target=self._listener.serve_forever,
            args=(_POLL_SECONDS,),
            name=f"mangrove-embedded-aws-{self.port}",
            daemon=True,
        )
        self._thread.start()

    def stop(self) -> None:
        """End the thread, the open connections and the listening socket."""
        self._listener.shutdown()
        self._thread.join()
        self._listener.server_close()
        self._listener.end_requests()


@functools.cache
def load_backends() -> None:
    """Have moto read the SDK's region data now, with the user's AWS settings out of its sight.

    moto makes plain boto3 sessions when its EC2 backend is imported, and one that it keeps when a first backend is
    made. In a server thread they would fail with a user's broken profile or configuration file.
    """
    broken = _settings_are_broken()
    with _without_aws_settings():
        moto.backends.get_backend("ec2")["123456789012"]
        # moto caches by package which service an error belongs to, from a session of its own. Ten milliseconds each:
        # worth it only where those sessions would fail later. Older releases of moto have no such function.
        service_of = getattr(moto.core.utils, "service_name_from_moto_package_name", None)
        if broken and service_of is not None:
            for package in moto.backends.list_of_moto_modules():
                service_of(package)


def _settings_are_broken() -> bool:
    try:
        botocore.session.Session().get_available_services()
    except (BotoCoreError, OSError, ValueError):
        return True
    return False


@contextlib.contextmanager
def _without_aws_settings() -> Iterator[None]:
    files = ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE")
    with _environment_lock:
        saved = {name: value for name, value in os.environ.items() if name.startswith("AWS_")}
        try:
            for name in saved:
                os.environ.pop(name, None)
            os.environ.update(dict.fromkeys(files, os.devnull))
            yield
        finally:
            for name in files:
                os.environ.pop(name, None)
            os.environ.update(saved)
