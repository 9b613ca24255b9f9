"""Work on S3 with a memory of what must be there, and a look at what is left of it."""

from __future__ import annotations

import gc
import os
import pickle
import random
import threading
import traceback
from collections import Counter
from pathlib import Path

from mangrove import s3
from mangrove.testing.faults import PASSING, Pace

__all__ = ["KINDS", "PACE", "SECRETS", "Left", "Work", "after_the_beginning", "connect", "shown"]

# A client of botocore's waits a whole second for a 100 Continue that does not come.
KINDS = tuple(kind for kind in PASSING if kind != "no_continue")


def after_the_beginning(asked):
    """Leave out what begins an upload: one whose answer is lost is known to nobody, and stays."""
    return asked.operation != "CreateMultipartUpload"


PACE = Pace(latency=0.01, patience=0.05, refusing=0.02)
OPERATIONS = int(os.environ.get("MANGROVE_CHAOS_OPERATIONS", "2000"))
SEEDS = [int(seed) for seed in os.environ.get("MANGROVE_CHAOS_SEEDS", "1").split(",")]
RATE = float(os.environ.get("MANGROVE_CHAOS_RATE", "0.2"))
SECRETS = (
    "AKIDPLANTEDCANARY001",
    "PLANTED+secret/canary+0002",
    "PLANTEDsessiontokencanary0003",
    "PLANTED-external-0004",
)
CUSTOMER_KEY = "PLANTEDcustomerkeycanary-0000005"
PART = 5 << 20
__all__ += ["CUSTOMER_KEY", "OPERATIONS", "PART", "RATE", "SEEDS"]


def connect(endpoint_url, engine, journal, **options):
    """Return a connection with planted secrets."""
    key, secret, token, _ = SECRETS
    settings = {"threshold": PART, "part_size": PART, "threads": 4, "retries": 30, "max_connections": 32, **options}
    return s3.Connection(
        endpoint_url=endpoint_url,
        region_name="us-east-1",
        aws_access_key_id=key,
        aws_secret_access_key=secret,
        aws_session_token=token,
        engine=engine,
        journal=journal,
        **settings,
    )


def shown(things):
    """Return all that is seen of outcomes: their reprs, tracebacks and pickles."""
    seen = []
    for each in things:
        seen.append(repr(each).encode())
        error = getattr(each, "error", None)
        if error is not None:
            seen += [repr(error).encode(), "".join(traceback.format_exception(error)).encode(), pickle.dumps(error)]
    return b"\n".join(seen)


class Left:
    """Compare what there is with what there was: threads, descriptors, files."""

    def __init__(self, folder):
        self._folder = folder
        self._threads = set(threading.enumerate())
        self._before = self._now()

    def _now(self):
        gc.collect()
        fds = len(list(Path("/proc/self/fd").iterdir())) if Path("/proc/self/fd").is_dir() else 0
        threads = sorted(each.name for each in threading.enumerate())
        files = sorted(str(path) for path in self._folder.rglob("*") if path.is_file())
        return fds, threads, files

    def check(self, spare=0):
        """Compare; the process may have kept so many connections of botocore's for the next client of an endpoint."""
        for thread in set(threading.enumerate()) - self._threads:
            thread.join(10)  # it has been told to end
        now = self._now()
        assert now[1:] == self._before[1:], (self._before[1:], now[1:])
        assert now[0] <= self._before[0] + spare


class Work:
    """Make operations on a bucket, and remember what it holds.

    Attributes:
        made: how many operations were asked for.
        failed: the outcomes of those that failed.
        calls: how often each operation's callback was called.
        held: the keys that must be there, with their bytes.
    """

    def __init__(self, connection, bucket, seed, folder):
        self.connection, self.bucket, self.folder = connection, bucket, folder
        self.dice = random.Random(seed)  # noqa: S311  no secret
        self.made, self.failed, self.calls = 0, [], Counter()
        self.held = {}
        self.outcomes = []

    def _together(self, asked, *, calls_back=True):
        """Make operations at once, each `(method, arguments)`; return their values once each has one outcome."""
        before = sum(self.calls.values())
        with self.connection.batch(32, raise_errors=False) as batch:
            handles = []
            for number, (method, arguments) in enumerate(asked, self.made):
                extra = {"callback": lambda _, number=number: self.calls.update([number])} if calls_back else {}
                handles.append(getattr(batch, method)(self.bucket, *arguments[0], **arguments[1], **extra))
        self.made += len(asked)
        outcomes = [handle.outcome for handle in handles]
        assert len(batch.results()) == len(asked)
        assert not batch.callback_errors()
        assert not calls_back or sum(self.calls.values()) - before == sum(each.ok for each in outcomes)
        assert max(self.calls.values(), default=0) <= 1, "an operation was called back twice"
        self.failed += [each for each in outcomes if not each.ok]
        self.outcomes += outcomes[:5]
        return outcomes

    def round(self, count):
        """Make so many operations of all kinds, and look at every answer."""
        size = max(1, count // 6)
        keys = [f"r{self.made}/{number:05d} ä" for number in range(size)]
        bodies = {key: self.dice.randbytes(self.dice.randrange(1, 2000)) for key in keys}
        done = self._together([("upload", ((key, body), {})) for key, body in bodies.items()])
        self.held.update({key: bodies[key] for key, outcome in zip(keys, done, strict=True) if outcome.ok})
        self._look(self._together([("download", ((key,), {})) for key in keys]), keys)
        self._copies(keys)
        self._files(keys)
        gone = keys[: size // 2]
        for key, outcome in zip(gone, self._together([("delete", ((key,), {})) for key in gone]), strict=True):
            if outcome.ok:
                self.held.pop(key, None)
        asked = self._together([("exists", ((key,), {})) for key in keys])
        for key, outcome in zip(keys, asked, strict=True):
            assert not outcome.ok or outcome.value == (key in self.held), key
        self._listed()

    def _look(self, outcomes, keys):
        for key, outcome in zip(keys, outcomes, strict=True):
            if outcome.ok:
                assert outcome.value == self.held[key], f"the bytes of {key} are others"

    def _copies(self, keys):
        with self.connection.batch(32, raise_errors=False) as batch:
            handles = [batch.copy(self.bucket, key, self.bucket, f"{key}.copy") for key in keys]
        self.made += len(keys)
        for key, handle in zip(keys, handles, strict=True):
            if handle.outcome.ok:
                self.held[f"{key}.copy"] = self.held[key]
            else:
                self.failed.append(handle.outcome)

    def _files(self, keys):
        targets = [self.folder / f"{number}" for number in range(len(keys))]
        for target in targets:
            target.write_bytes(b"before")
        asked = [("download_file", ((key, target), {})) for key, target in zip(keys, targets, strict=True)]
        for key, target, outcome in zip(keys, targets, self._together(asked), strict=True):
            assert target.read_bytes() == (self.held[key] if outcome.ok else b"before")
        assert sorted(self.folder.iterdir()) == sorted(targets), "something temporary is left"
        for target in targets:
            target.unlink()

    def _listed(self):
        self.made += 1
        found = [each.key for each in self.connection.list(self.bucket)]
        assert found == sorted(self.held, key=str.encode)

    def large(self, count):
        """Move objects of several parts there and back, and copy them."""
        for number in range(count):
            body = self.dice.randbytes(PART + self.dice.randrange(1, PART))
            path = self.folder / "large"
            key = f"large{number}"
            path.write_bytes(body)
            outcome = self._one(self.connection.upload_file, self.bucket, key, path)
            if outcome is not None:
                self.held[key] = body
            path.write_bytes(b"before")
            got = self._one(self.connection.download_file, self.bucket, key, path)
            assert path.read_bytes() == (b"before" if got is None else body)
            path.unlink()
            if self._one(self.connection.copy, self.bucket, key, self.bucket, f"{key}.copy") is not None:
                self.held[f"{key}.copy"] = body

    def _one(self, method, *arguments):
        self.made += 1
        try:
            return method(*arguments)
        except Exception as error:  # noqa: BLE001  what fails is counted, and must say so
            self.failed.append(error)
            return None
