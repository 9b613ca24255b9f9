"""Build and start what the clients of this benchmark talk to: nulls3 (plain and TLS) and SeaweedFS, on loopback."""

# ruff: noqa: INP001, S603, S310, T201  a program that measures, and no part of a package
from __future__ import annotations

import contextlib
import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

__all__ = ["KEYS", "Place", "build", "certificates", "nulls3", "pinned", "seaweedfs"]

HERE = Path(__file__).parent
KEYS = ("AKIABENCH", "benchsecret")
SERVER_CORE, CLIENT_CORE = 0, 1


def pinned(core: int, *, first: bool = False) -> dict[str, object]:
    """Return what makes a process run on one core, where the system can; with `first`, before all others there.

    A server that waits for its turn answers late, and the clients' latency would be the system's.
    """
    cores = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []

    def pin() -> None:
        os.sched_setaffinity(0, {cores[core]})
        if first:
            with contextlib.suppress(OSError):  # only root may
                os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))

    return {"preexec_fn": pin} if core < len(cores) else {}


def run(*command: object) -> bool:
    """Run a command silently, and tell whether it went well."""
    return not subprocess.run([str(part) for part in command], capture_output=True, check=False).returncode


def build(folder: Path) -> bool:
    """Compile the two C programs; tell whether there is TLS, without which there is no C client either."""
    if not shutil.which("cc"):
        sys.exit("a C compiler is needed (on Debian: apt-get install gcc libc6-dev libssl-dev)")
    tls = ("-DTLS", HERE / "nulls3.c", "-lssl", "-lcrypto")
    well = run("cc", "-O2", "-o", folder / "nulls3", *tls)
    if not well and shutil.which("apt-get") and os.geteuid() == 0:
        well = run("apt-get", "install", "-y", "-q", "libssl-dev") and run("cc", "-O2", "-o", folder / "nulls3", *tls)
    if well:
        return run("cc", "-O2", "-o", folder / "limit", HERE / "limit.c", "-lssl", "-lcrypto")
    print("no OpenSSL headers: no TLS and no C client (on Debian: apt-get install libssl-dev)", file=sys.stderr)
    if not run("cc", "-O2", "-o", folder / "nulls3", HERE / "nulls3.c"):
        sys.exit("nulls3.c can't be compiled")
    return False


def certificates(folder: Path) -> Path:
    """Make a certificate authority and a server's certificate; return the authority's file."""
    ca, extensions = folder / "ca.pem", folder / "extensions"
    extensions.write_text(
        "subjectAltName=DNS:localhost,IP:127.0.0.1\nbasicConstraints=CA:FALSE\nextendedKeyUsage=serverAuth\n"
    )
    new = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
    signing = ("-addext", "basicConstraints=critical,CA:TRUE", "-addext", "keyUsage=critical,keyCertSign,cRLSign")
    key, request = folder / "server.key", folder / "server.csr"
    made = (
        run("openssl", "req", "-x509", *new, "-keyout", folder / "ca.key", "-out", ca, "-subj", "/CN=bench", *signing)
        and run("openssl", "req", *new, "-keyout", key, "-out", request, "-subj", "/CN=localhost")
        and run(
            *("openssl", "x509", "-req", "-in", request, "-CA", ca, "-CAkey", folder / "ca.key", "-CAcreateserial"),
            *("-days", 30, "-extfile", extensions, "-out", folder / "server.pem"),
        )
    )
    if not made:
        sys.exit("openssl can't make certificates (on Debian: apt-get install openssl)")
    return ca


class Place:
    """Say where a server is.

    Args:
        plain: its address over HTTP.
        tls: its address over TLS, where it has one.
        ca: the authority that vouches for it.
    """

    def __init__(self, plain: str, tls: str | None = None, ca: Path | None = None) -> None:
        self.plain, self.tls, self.ca = plain, tls, ca

    def stats(self) -> dict[str, float]:
        """Return what nulls3 has served."""
        with urllib.request.urlopen(f"{self.plain}/-/stats") as answer:
            found: dict[str, float] = json.load(answer)
            return found


@contextlib.contextmanager
def ended(process: subprocess.Popen[str]) -> Iterator[None]:
    """End a process at the end."""
    try:
        yield
    finally:
        process.terminate()
        process.wait()


@contextlib.contextmanager
def nulls3(folder: Path, ca: Path | None, *options: object) -> Iterator[Place]:
    """Start nulls3 on ports that are free."""
    command = [str(folder / "nulls3"), *map(str, options)]
    if ca:
        command += ["--cert", str(folder / "server.pem"), "--key", str(folder / "server.key")]
    process = subprocess.Popen(  # type: ignore[call-overload]
        command, stdout=subprocess.PIPE, text=True, **pinned(SERVER_CORE, first=True)
    )
    with ended(process):
        _, port, tls_port = process.stdout.readline().split()
        yield Place(f"http://127.0.0.1:{port}", f"https://localhost:{tls_port}" if ca else None, ca)


def free_port() -> int:
    """Return a port that nothing listens on."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
        return port


@contextlib.contextmanager
def seaweedfs(folder: Path, weed: Path) -> Iterator[Place]:
    """Start SeaweedFS, which stores objects and checks signatures."""
    data = folder / "weed"
    data.mkdir()
    identity = {"name": "bench", "actions": ["Admin"], "credentials": [{"accessKey": KEYS[0], "secretKey": KEYS[1]}]}
    (data / "s3.json").write_text(json.dumps({"identities": [identity]}))
    port = free_port()
    command = [str(weed), "server", f"-dir={data}", "-ip=127.0.0.1", "-ip.bind=127.0.0.1", "-volume.max=20"]
    # SeaweedFS derives each gRPC port from its HTTP port, beyond 65,535 if that is high.
    command += [f"-{name}.port={_low_port()}" for name in ("master", "volume", "filer")]
    command += ["-s3", f"-s3.port={port}", f"-s3.config={data / 's3.json'}", "-master.volumeSizeLimitMB=256"]
    with (folder / "weed.log").open("w") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, text=True, **pinned(SERVER_CORE))  # type: ignore[call-overload]
        with ended(process):
            _wait(port, folder / "weed.log")
            yield Place(f"http://127.0.0.1:{port}")


def _low_port() -> int:
    while True:
        port = free_port() % 20_000 + 20_000
        with socket.socket() as first, socket.socket() as second:
            try:
                first.bind(("127.0.0.1", port))
                second.bind(("127.0.0.1", port + 10_000))
            except OSError:
                continue
            return port


def _wait(port: int, log: Path) -> None:
    for _ in range(300):
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            time.sleep(3)  # the filer and the volumes come after it
            return
        time.sleep(0.2)
    sys.exit(f"SeaweedFS did not start: {log.read_text()[-2000:]}")
