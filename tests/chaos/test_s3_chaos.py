"""S3 while a fifth of all requests goes wrong in every way: nothing fails, is lost, doubled, changed, or left over."""

from __future__ import annotations

import logging
import sys
from pathlib import Path

import pytest

TESTS = str(Path(__file__).resolve().parents[1])
if TESTS not in sys.path:
    sys.path.append(TESTS)  # at the end: a folder of ours is called `typing`

from chaos.memory_server import MemoryServer  # noqa: E402
from chaos.work import (  # noqa: E402
    CUSTOMER_KEY,
    KINDS,
    OPERATIONS,
    PACE,
    RATE,
    SECRETS,
    SEEDS,
    Left,
    Work,
    after_the_beginning,
    connect,
    shown,
)
from mangrove.testing.faults import faults  # noqa: E402

# Of all operations; the rest is the fleet's and the credentials'.
_SHARES = {"auto": 0.55, "boto": 0.25}


@pytest.fixture
def journal(tmp_path):
    folder = tmp_path / "journal"
    folder.mkdir()
    return folder


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("engine", _SHARES)
def test_s3(engine, seed, tmp_path, journal, caplog, capfd):
    caplog.set_level(logging.DEBUG, "mangrove")
    folder = tmp_path / "files"
    folder.mkdir()
    left = Left(tmp_path)
    count = int(OPERATIONS * _SHARES[engine] / len(SEEDS))
    with (
        MemoryServer() as server,
        faults(
            server.endpoint_url, rate=RATE, kinds=KINDS, seed=seed, pace=PACE, match=after_the_beginning
        ) as injected,
    ):
        connection = connect(injected.endpoint_url, engine, journal)
        with injected.paused():
            connection.create_bucket("bucket")
        work = Work(connection, "bucket", seed, folder)
        work.large(max(1, count // 1000))
        while work.made < count:
            work.round(min(600, count - work.made + 6))
        assert RATE > 0.2 or not work.failed, f"{injected}: {work.failed[:3]}"
        assert server.held("bucket") == work.held
        assert server.uploads("bucket") == []
        connection.close()
        seen = shown([*work.outcomes, *work.failed, connection, injected]) + repr(injected.log).encode()
        _tell(capfd, f"{engine}: {work.made} operations, {injected}, {dict(injected.count())}")
    left.check(spare={"auto": 2, "boto": 32}[engine])
    assert len(injected.log) > RATE * injected.requests / 2
    _no_secret_in(seen + caplog.text.encode() + "".join(capfd.readouterr()).encode())


def _tell(capfd, line):
    """Show the seed and the counts of a run."""
    with capfd.disabled():
        print("\n" + line)  # noqa: T201  what a run of chaos is for


def _no_secret_in(seen):
    for secret in (*SECRETS, CUSTOMER_KEY):
        assert secret.encode() not in seen


@pytest.mark.parametrize("engine", _SHARES)
def test_no_secret_is_told_where_everything_fails(engine, journal, caplog, capfd):
    caplog.set_level(logging.DEBUG, "mangrove")
    kinds = ["access_denied", "reset", "malformed", "clock_skew", "throttle", "redirect_301", "truncated"]
    key = {"SSECustomerAlgorithm": "AES256", "SSECustomerKey": CUSTOMER_KEY}
    with MemoryServer() as server, faults(server.endpoint_url, rate=1, kinds=kinds, seed=1, pace=PACE) as injected:
        connection = connect(injected.endpoint_url, engine, journal, retries=0)
        with connection.batch(8, raise_errors=False) as batch:
            for number in range(40):
                batch.upload("bucket", f"{number}", b"x", extra=key)
                batch.download("bucket", f"{number}", extra=key)
        failures = batch.failures()
        assert len(failures) == 80
        connection.close()
    _no_secret_in(shown([*failures, batch]) + caplog.text.encode() + "".join(capfd.readouterr()).encode())


@pytest.mark.parametrize("engine", _SHARES)
def test_an_upload_in_parts_whose_beginning_nobody_can_read_is_begun_again(engine, journal):
    script = [("malformed", {"operation": "CreateMultipartUpload"})]
    with MemoryServer() as server, faults(server.endpoint_url, script=script, pace=PACE) as injected:
        connection = connect(injected.endpoint_url, engine, journal)
        connection.create_bucket("bucket")
        connection.upload("bucket", "key", b"x" * (6 << 20))
        assert connection.download("bucket", "key") == b"x" * (6 << 20)
        connection.close()
    assert [each.kind for each in injected.log] == ["malformed"]
