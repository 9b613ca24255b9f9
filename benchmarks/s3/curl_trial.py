"""Try libcurl as what carries small S3 calls: pycurl's multi handle, driven as hard as it can be from Python.

    python benchmarks/s3/curl_trial.py http://127.0.0.1:PORT put|get [--way WAY] [--connections 50] [--ca FILE]

The ways: `epoll` is socket_action with an epoll of ours, `perform` is multi.perform and multi.select, `native_sign` is
`epoll` with libcurl's own Signature Version 4, `connect_only` lets libcurl connect (DNS, proxy, TLS) and speaks HTTP
itself over send and recv_into. Each prints microseconds of this process's CPU an operation, after a warm-up.
"""

# ruff: noqa: INP001, T201, S101, D102  a program that measures, and prints
from __future__ import annotations

import argparse
import base64
import cProfile
import hashlib
import json
import resource
import select
import sys
import time
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pycurl

sys.path.insert(0, str(Path(__file__).parent))
from signing import Signer, verified

BODY = bytes(range(256)) * 16


class Trial:
    """Hold what all ways share: easy handles set once, requests that change three options, answers that are checked."""

    def __init__(self, endpoint: str, kind: str, connections: int, ca: str | None, *, native: bool = False) -> None:
        self.endpoint, self.kind, self.native = endpoint, kind, native
        tls = endpoint.startswith("https")
        self.signer = Signer(endpoint.split("//")[1], "bench", "AKIATRIAL", "secret", tls=tls)
        self.multi = pycurl.CurlMulti()
        self.multi.setopt(pycurl.M_MAXCONNECTS, connections)
        self.headers: dict[pycurl.Curl, list[bytes]] = {}
        self.bodies: dict[pycurl.Curl, bytearray] = {}
        self.handles = [self.handle(ca) for _ in range(connections)]
        self.done = 0

    def handle(self, ca: str | None) -> pycurl.Curl:
        """Return an easy handle with all that never changes."""
        curl = pycurl.Curl()
        headers: list[bytes] = []
        body = bytearray()
        self.headers[curl], self.bodies[curl] = headers, body
        for option, value in (
            (pycurl.NOSIGNAL, 1),
            (pycurl.TCP_NODELAY, 1),
            (pycurl.PATH_AS_IS, int(not self.native)),  # libcurl signs no such path
            (pycurl.HTTP_VERSION, pycurl.CURL_HTTP_VERSION_1_1),
            (pycurl.BUFFERSIZE, 65536),
            (pycurl.NOPROGRESS, 1),
            (pycurl.USERAGENT, "trial"),
            # Both are C functions: no byte code runs for a line of the header or a piece of the body.
            (pycurl.HEADERFUNCTION, headers.append),
            (pycurl.WRITEFUNCTION, body.extend),
        ):
            curl.setopt(option, value)
        if ca:
            curl.setopt(pycurl.CAINFO, ca)
        if self.kind == "put":
            curl.setopt(pycurl.CUSTOMREQUEST, "PUT")
        if self.native:
            curl.setopt(pycurl.AWS_SIGV4, "aws:amz:us-east-1:s3")
            curl.setopt(pycurl.USERPWD, "AKIATRIAL:secret")
        return curl

    def start(self, curl: pycurl.Curl, number: int) -> None:
        """Give a handle its next request."""
        self.headers[curl].clear()
        self.bodies[curl].clear()
        key = f"4096/{number:08}"
        if self.native:
            self.start_native(curl, key)
        elif self.kind == "put":
            path, headers = self.signer.put(key, BODY)
            curl.setopt(pycurl.URL, self.endpoint + path)
            # One node of the list with all lines in it: libcurl copies a node as it is.
            curl.setopt(pycurl.HTTPHEADER, ["Accept:", "Content-Type:", "Expect:", headers])
            curl.setopt(pycurl.POSTFIELDS, BODY)
        else:
            path, headers = self.signer.get(key)
            curl.setopt(pycurl.URL, self.endpoint + path)
            curl.setopt(pycurl.HTTPHEADER, ["Accept:", headers])
        self.multi.add_handle(curl)

    def start_native(self, curl: pycurl.Curl, key: str) -> None:
        curl.setopt(pycurl.URL, f"{self.endpoint}/bench/{key}")
        if self.kind == "put":
            crc = base64.b64encode(zlib.crc32(BODY).to_bytes(4, "big")).decode()
            payload = "UNSIGNED-PAYLOAD" if self.signer.tls else hashlib.sha256(BODY).hexdigest()
            lines = [f"x-amz-checksum-crc32: {crc}", f"x-amz-content-sha256: {payload}"]
            curl.setopt(pycurl.HTTPHEADER, ["Accept:", "Content-Type:", "Expect:", *lines])
            curl.setopt(pycurl.POSTFIELDS, BODY)
        else:
            lines = ["x-amz-checksum-mode: ENABLED", "x-amz-content-sha256: UNSIGNED-PAYLOAD"]
            curl.setopt(pycurl.HTTPHEADER, ["Accept:", *lines])

    def finish(self, curl: pycurl.Curl) -> None:
        """Check an answer as an engine must: the status, the ETag, the checksum."""
        lines = self.headers[curl]
        assert lines[0].startswith(b"HTTP/1.1 200"), lines[0]
        fields = {}
        for line in lines[1:-1]:
            name, _, value = line.partition(b": ")
            fields[name.lower()] = value
        assert b"etag" in fields
        if self.kind == "get":
            assert verified(self.bodies[curl], fields[b"x-amz-checksum-crc32"].rstrip().decode())
        self.done += 1

    def collect(self) -> list[pycurl.Curl]:
        """Take the handles that have ended."""
        ended: list[pycurl.Curl] = []
        while True:
            left, well, failed = self.multi.info_read(len(self.handles))
            assert not failed, failed[0][1:]
            for curl in well:
                self.multi.remove_handle(curl)
                self.finish(curl)
            ended += well
            if not left:
                return ended


class Epoll(Trial):
    """Drive the multi handle by events of an epoll of ours."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.epoll = select.epoll()
        self.watched: dict[int, int] = {}
        self.timeout = -1
        self.multi.setopt(pycurl.M_SOCKETFUNCTION, self.socket)
        self.multi.setopt(pycurl.M_TIMERFUNCTION, self.timer)

    def timer(self, milliseconds: int) -> None:
        self.timeout = milliseconds

    def socket(self, what: int, fd: int, _multi: object, _data: object) -> None:
        if what == pycurl.POLL_REMOVE:
            # libcurl forgets an idle connection; the next request would add it again: two system calls saved by not
            # asking the kernel, as long as what comes unasked is looked at.
            self.watched[fd] = -abs(self.watched.get(fd, select.EPOLLIN))
            return
        events = {pycurl.POLL_IN: 1, pycurl.POLL_OUT: 4, pycurl.POLL_INOUT: 5}[what]
        have = self.watched.get(fd)
        if have is None:
            self.epoll.register(fd, events)
        elif abs(have) != events:
            try:
                self.epoll.modify(fd, events)
            except FileNotFoundError:  # closed, and the number is another socket's now
                self.epoll.register(fd, events)
        self.watched[fd] = events

    def run(self, total: int) -> None:
        """Do all operations."""
        multi, numbers, timeout = self.multi, iter(range(total)), pycurl.SOCKET_TIMEOUT
        masks = {0: 0, 1: 1, 4: 2, 5: 3, 16: 1, 17: 1, 20: 2, 21: 3, 24: 4, 25: 5, 28: 6, 29: 7, 8: 4, 9: 5}
        self.done = 0
        self.begin(self.handles, numbers)
        while self.done < total:
            if self.timeout == 0:
                self.timeout = -1
                multi.socket_action(timeout, 0)
                self.begin(self.collect(), numbers)
                continue
            ready = self.epoll.poll(self.timeout / 1000 if self.timeout > 0 else 1)
            if not ready:
                multi.socket_action(timeout, 0)
            for fd, events in ready:
                if self.watched[fd] < 0:  # an idle connection's end
                    self.epoll.unregister(fd)
                    del self.watched[fd]
                    continue
                multi.socket_action(fd, masks.get(events, 1))
            self.begin(self.collect(), numbers)

    def begin(self, handles: list[pycurl.Curl], numbers: Iterator[int]) -> None:
        for curl in handles:
            number = next(numbers, None)
            if number is None:
                return
            self.start(curl, number)


class Perform(Trial):
    """Drive it by multi.perform and multi.select."""

    def run(self, total: int) -> None:
        """Do all operations."""
        numbers = iter(range(total))
        self.done = 0
        for curl in self.handles[: min(total, len(self.handles))]:
            self.start(curl, next(numbers))
        while self.done < total:
            self.multi.perform()
            ended = self.collect()
            for curl in ended:
                number = next(numbers, None)
                if number is not None:
                    self.start(curl, number)
            if not ended:
                self.multi.select(1.0)


class ConnectOnly(Trial):
    """Let libcurl connect; send, receive and read HTTP here."""

    def run(self, total: int) -> None:
        """Do all operations."""
        if not hasattr(self, "epoll"):
            self.connect()
        numbers = iter(range(total))
        self.done, buffer = 0, memoryview(bytearray(65536))
        ready = list(self.open)
        while True:
            for fd in ready:
                number = next(numbers, None)
                if number is None:
                    break
                self.request(self.open[fd], number)
            ready = []
            if self.done == total:
                return
            for fd, _ in self.epoll.poll():
                if self.receive(self.open[fd], buffer):
                    self.done += 1
                    ready.append(fd)

    def connect(self) -> None:
        self.epoll, self.open, self.partial = select.epoll(), {}, {}
        for curl in self.handles:
            curl.setopt(pycurl.CONNECT_ONLY, 1)
            curl.setopt(pycurl.URL, self.endpoint)
            curl.perform()
            fd = curl.getinfo(pycurl.ACTIVESOCKET)
            self.epoll.register(fd, select.EPOLLIN)
            self.open[fd] = curl

    def request(self, curl: pycurl.Curl, number: int) -> None:
        key, host = f"4096/{number:08}", self.signer.host
        if self.kind == "put":
            path, headers = self.signer.put(key, BODY)
            message = b"%s%s" % (
                f"PUT {path} HTTP/1.1\r\nHost: {host}\r\nContent-Length: {len(BODY)}\r\n{headers}\r\n\r\n".encode(),
                BODY,
            )
        else:
            path, headers = self.signer.get(key)
            message = f"GET {path} HTTP/1.1\r\nHost: {host}\r\n{headers}\r\n\r\n".encode()
        assert curl.send(message) == len(message)

    def receive(self, curl: pycurl.Curl, buffer: memoryview) -> bool:
        try:
            size = curl.recv_into(buffer)
        except BlockingIOError:
            return False
        answer = self.partial.pop(curl, b"") + buffer[:size]
        head, found, body = answer.partition(b"\r\n\r\n")
        if found:
            lines = head.split(b"\r\n")
            fields = {name.lower(): value for name, _, value in (line.partition(b": ") for line in lines[1:])}
            if len(body) == int(fields[b"content-length"]):
                assert lines[0].startswith(b"HTTP/1.1 200")
                if self.kind == "get":
                    assert verified(body, fields[b"x-amz-checksum-crc32"].decode())
                return True
        self.partial[curl] = answer
        return False


WAYS: dict[str, Callable[..., Any]] = {
    "epoll": Epoll,
    "perform": Perform,
    "native_sign": lambda *arguments: Epoll(*arguments, native=True),
    "connect_only": ConnectOnly,
}


def cpu() -> float:
    """Return the process's CPU in seconds."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def main() -> None:
    """Measure one way."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("endpoint")
    parser.add_argument("kind", choices=["put", "get"])
    parser.add_argument("--way", choices=list(WAYS), default="epoll")
    parser.add_argument("--connections", type=int, default=50)
    parser.add_argument("--number", type=int, default=20_000)
    parser.add_argument("--ca")
    parser.add_argument("--profile", action="store_true")
    options = parser.parse_args()
    trial = WAYS[options.way](options.endpoint, options.kind, options.connections, options.ca)
    trial.run(max(2_000, options.connections * 2))
    if options.profile:
        cProfile.runctx("trial.run(options.number)", globals(), locals(), sort="tottime")
    used, started = cpu(), time.perf_counter()
    trial.run(options.number)
    used, wall = cpu() - used, time.perf_counter() - started
    print(json.dumps({"us": used / options.number * 1e6, "ops": options.number / wall}))


if __name__ == "__main__":
    main()
