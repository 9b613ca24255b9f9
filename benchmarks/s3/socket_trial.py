"""Try sockets of one's own as what carries small S3 calls: the least that Python can do, with no corner case in it.

    python benchmarks/s3/socket_trial.py http://127.0.0.1:PORT put|get [--connections 50] [--ca FILE]

An epoll, non-blocking sockets, one send and one recv an operation, and an answer read by splitting. It signs as
curl_trial.py does. It prints microseconds of this process's CPU an operation, after a warm-up.
"""

# ruff: noqa: INP001, T201, S101  a program that measures, and prints
from __future__ import annotations

import argparse
import json
import resource
import select
import socket
import ssl
import sys
import time
from pathlib import Path
from urllib.parse import urlsplit

sys.path.insert(0, str(Path(__file__).parent))
from signing import Signer, verified

BODY = bytes(range(256)) * 16
BLOCKED = (BlockingIOError, ssl.SSLWantReadError)


class Trial:
    """Keep connections busy, one request on each."""

    def __init__(self, endpoint: str, kind: str, connections: int, ca: str | None) -> None:
        place = urlsplit(endpoint)
        self.kind, self.host = kind, place.netloc
        self.signer = Signer(place.netloc, "bench", "AKIATRIAL", "secret", tls=place.scheme == "https")
        context = ssl.create_default_context(cafile=ca) if place.scheme == "https" else None
        self.epoll, self.sockets = select.epoll(), {}
        self.partial: dict[int, bytes] = {}
        self.done = 0
        for _ in range(connections):
            sock = socket.create_connection((place.hostname, place.port))
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if context:
                sock = context.wrap_socket(sock, server_hostname=place.hostname)
            sock.setblocking(False)  # noqa: FBT003  the standard library's signature
            self.epoll.register(sock.fileno(), select.EPOLLIN)
            self.sockets[sock.fileno()] = sock

    def run(self, total: int) -> None:
        """Do all operations."""
        self.done, numbers = 0, iter(range(total))
        for fd, number in zip(list(self.sockets), numbers, strict=False):
            self.request(fd, number)
        while self.done < total:
            for fd, _ in self.epoll.poll():
                if self.receive(fd):
                    self.done += 1
                    if (number := next(numbers, None)) is not None:
                        self.request(fd, number)

    def request(self, fd: int, number: int) -> None:
        """Send a request."""
        key = f"4096/{number:08}"
        if self.kind == "put":
            path, headers = self.signer.put(key, BODY)
            head = f"PUT {path} HTTP/1.1\r\nHost: {self.host}\r\nContent-Length: {len(BODY)}\r\n{headers}\r\n\r\n"
            message = head.encode() + BODY
        else:
            path, headers = self.signer.get(key)
            message = f"GET {path} HTTP/1.1\r\nHost: {self.host}\r\n{headers}\r\n\r\n".encode()
        assert self.sockets[fd].send(message) == len(message)

    def receive(self, fd: int) -> bool:
        """Receive what is there, and check an answer that is whole."""
        try:
            answer = self.sockets[fd].recv(65536)
        except BLOCKED:
            return False
        if fd in self.partial:
            answer = self.partial.pop(fd) + answer
        head, found, body = answer.partition(b"\r\n\r\n")
        if found:
            first, *lines = head.split(b"\r\n")
            fields = {name.lower(): value for name, _, value in [line.partition(b": ") for line in lines]}
            if len(body) == int(fields[b"content-length"]):
                assert first.startswith(b"HTTP/1.1 200")
                assert b"etag" in fields
                assert self.kind == "put" or verified(body, fields[b"x-amz-checksum-crc32"].decode())
                return True
        self.partial[fd] = answer
        return False


def cpu() -> float:
    """Return the process's CPU in seconds."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("endpoint")
    parser.add_argument("kind", choices=["put", "get"])
    parser.add_argument("--connections", type=int, default=50)
    parser.add_argument("--number", type=int, default=20_000)
    parser.add_argument("--ca")
    options = parser.parse_args()
    trial = Trial(options.endpoint, options.kind, options.connections, options.ca)
    trial.run(max(2_000, options.connections * 2))
    used, started = cpu(), time.perf_counter()
    trial.run(options.number)
    used, wall = cpu() - used, time.perf_counter() - started
    print(json.dumps({"us": used / options.number * 1e6, "ops": options.number / wall}))


if __name__ == "__main__":
    main()
