"""An engine over a memory that fails as it is told, with a clock that goes only while nothing is under way."""

from __future__ import annotations

import threading
from collections import Counter, defaultdict, deque

from botocore.exceptions import ClientError, ConnectionClosedError, EndpointConnectionError, ReadTimeoutError

from mangrove.s3.backend import Backend
from mangrove.s3.batch import Batch
from mangrove.s3.engines.memory import MemoryEngine, MemoryStore
from mangrove.s3.mocking import memory_client
from mangrove.s3.rules.policy import Policy
from mangrove.s3.running.performing import Performer, Settings
from mangrove.s3.running.retrying import Retrying
from mangrove.s3.running.scheduler import Scheduler

__all__ = ["Clock", "Rig", "Scripted", "answer", "closed", "lost", "stale", "timeout", "unreachable"]

URL = "https://s3.example.com"


def answer(code, status, **fields):
    """Answer with an error of S3's, without having done anything."""

    def fault(call, carry):
        call.sent = True
        response = {
            "Error": {"Code": code, "Message": "scripted", **fields.pop("error", {})},
            "ResponseMetadata": {"HTTPStatusCode": status, "HTTPHeaders": fields, "RequestId": "R"},
        }
        raise ClientError(response, call.operation)

    return fault


def _raise(make, *, commits=False, sent=True, is_stale=False):
    def fault(call, carry):
        if commits:
            try:
                carry(call)
            finally:
                call.reply = call.error = None
        call.sent, call.stale = sent, is_stale
        raise make()

    return fault


def lost():
    """Do what was asked, and lose the answer."""
    return _raise(lambda: ConnectionClosedError(endpoint_url=URL), commits=True)


def closed():
    """Lose the connection before anything is done."""
    return _raise(lambda: ConnectionClosedError(endpoint_url=URL))


def timeout():
    """Say nothing."""
    return _raise(lambda: ReadTimeoutError(endpoint_url=URL))


def stale():
    """Find an idle connection closed."""
    return _raise(lambda: ConnectionClosedError(endpoint_url=URL), is_stale=True)


def unreachable():
    """Find no server."""
    return _raise(lambda: EndpointConnectionError(endpoint_url=URL), sent=False)


class Clock:
    """Be a time that goes when somebody sleeps."""

    def __init__(self):
        self.now = 1000.0
        self.slept = []

    def __call__(self):
        return self.now

    def sleep(self, seconds):
        self.slept.append(seconds)
        self.now += seconds


class Scripted:
    """Carry calls to a memory.

    Attributes:
        script: for a key, or an operation, the faults of its first tries.
        always: a function of a call that returns its fault, or None.
        calls: how often each operation was tried.
        most: how many calls were under way at once, by the first segment of their keys.
        hold: whether calls wait for `release`.
        breaks: what `poll` raises.
    """

    def __init__(self, store, clock):
        self.memory, self.clock = MemoryEngine(store), clock
        self.script = defaultdict(deque)
        self.always = None
        self.calls = Counter()
        self.flying, self.most = Counter(), Counter()
        self.hold = self.closed = False
        self.breaks = None
        self._held, self._ended = deque(), deque()
        self._lock = threading.Lock()
        self._woken = threading.Event()

    def __len__(self):
        return len(self._held)

    def _carry(self, call):
        with self._lock:
            self.calls[call.operation] += 1
            script = self.script.get(call.params.get("Key")) or self.script.get(call.operation)
            fault = script.popleft() if script else None
        if fault is None and self.always is not None:
            fault = self.always(call)
        if fault is not None:
            return fault(call, self.memory.perform)
        return self.memory.perform(call)

    def submit(self, call):
        prefix = call.params.get("Key", "").partition("/")[0]
        self.flying[prefix] += 1
        self.most[prefix] = max(self.most[prefix], self.flying[prefix])
        self._held.append(call)

    def release(self, count=1 << 30):
        """Let held calls end; they do so in the thread that polls."""
        self._released = count
        self.hold = False
        self.wake()

    def poll(self, timeout):
        ended = []
        if self.breaks is not None:
            raise self.breaks
        while self._held and not self.hold:
            call = self._held.popleft()
            self.flying[call.params.get("Key", "").partition("/")[0]] -= 1
            try:
                self._carry(call)
            except Exception as error:  # noqa: BLE001
                call.error, call.reply = error, None
            ended.append(call)
        if not ended:
            if self._held or timeout >= 60:
                self._woken.wait(5)
            elif timeout > 0:
                self.clock.sleep(timeout)
            self._woken.clear()
        return ended

    def wake(self):
        self._woken.set()

    def perform(self, call):
        try:
            return self._carry(call)
        except Exception as error:
            call.error, call.reply = error, None
            raise

    def close(self):
        self.closed = True


class Rig:
    """Be what serves a batch, with a scripted engine."""

    def __init__(self, *, retries=3, deadline=120.0, most=64, settings=None):
        self.clock, self.store = Clock(), MemoryStore()
        self.engine = Scripted(self.store, self.clock)
        self.client = memory_client(self.store)
        self.client.create_bucket(Bucket="bucket")
        policy = Policy(retries=retries, deadline=deadline)
        self.backend = Backend(self.client, self.engine, settings or Settings(), policy)
        retrying = Retrying(policy, most, self.client.exceptions.from_code, self.clock)
        self.performer = Performer(self.engine, retrying, self.backend.settings, self.clock.sleep)
        self.backend.performer = self.performer
        self.backend._scheduler = Scheduler(self.performer, self.clock)
        self.maker = self.backend.maker

    @property
    def windows(self):
        return self.performer.retrying.windows

    def script(self, key, *faults):
        self.engine.script[key].extend(faults)

    def batch(self, concurrency=8, **options):
        return Batch(self.backend, concurrency, **options)

    def body(self, key):
        return self.client.get_object(Bucket="bucket", Key=key)["Body"].read()
