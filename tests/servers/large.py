"""Moving large objects over the memory engine, with small limits and an engine that fails when it is told to."""

from __future__ import annotations

import random
import threading
from dataclasses import replace

from botocore.exceptions import ClientError, ConnectionClosedError
from botocore.session import get_session

from mangrove.s3.engines.base import Call, Reply
from mangrove.s3.engines.memory import MemoryEngine, MemoryStore
from mangrove.s3.making import Maker
from mangrove.s3.rules.options import Table, members_of
from mangrove.s3.rules.plan import Limits
from mangrove.s3.rules.policy import Policy
from mangrove.s3.running.performing import Performer, Settings
from mangrove.s3.running.retrying import Retrying
from servers.threads import begun

__all__ = ["DATA", "Faulty", "Room", "answers", "lost", "refused"]

SMALL = Limits(threshold=100, part_size=100, least=1)
DATA = random.Random(6).randbytes(1234)  # noqa: S311  no secret
_TABLE = Table(members_of(get_session().get_service_model("s3")))


def refused(code, status, operation="Any"):
    """Return what S3 answers."""
    response = {"Error": {"Code": code, "Message": "injected"}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(response, operation)


def lost():
    """Return what there is where no answer is."""
    return ConnectionClosedError(endpoint_url="http://s3")


def answers(reply, **members):
    """Return a reply with other members."""
    return Reply(reply.status, {**reply.data, **members}, reply.body)


class Faulty:
    """Carry calls by another engine, but for those that something is planned for.

    Attributes:
        calls: the names of the operations that were asked for.
    """

    def __init__(self, engine):
        self.engine = engine
        self.calls = []
        self.plans = []
        self.lock = threading.Lock()

    def on(self, operation, fault, *, nth=1, times=1):
        """Plan that the n-th call of an operation, and the next ones, are made by `fault(engine, call)`."""
        self.plans.append([operation, nth, times, fault])

    def perform(self, call):
        with self.lock:
            self.calls.append(call.operation)
            fault = self._fault(call.operation)
        call.sent = True
        return self.engine.perform(call) if fault is None else fault(self.engine, call)

    def _fault(self, operation):
        for plan in self.plans:
            if plan[0] == operation and plan[2] > 0:
                plan[1] -= 1
                if plan[1] <= 0:
                    plan[2] -= 1
                    return plan[3]
        return None

    def count(self, operation):
        return self.calls.count(operation)

    # -- faults -------------------------------------------------------------------------------------------------------

    @staticmethod
    def before(error):
        """Fail, and do nothing."""

        def fault(engine, call):
            raise error() if callable(error) else error

        return fault

    @staticmethod
    def after(error=lost):
        """Do it, and lose the answer."""

        def fault(engine, call):
            engine.perform(call)
            raise error()

        return fault


class Room:
    """Make operations with small limits over a faulty engine on an S3 in memory."""

    def __init__(self, folder, **settings):
        self.store = MemoryStore()
        self.store.smallest_part = 1
        self.memory = MemoryEngine(self.store)
        self.memory.perform(Call("CreateBucket", {"Bucket": "bucket"}))
        self.engine = Faulty(self.memory)
        self.naps = []
        self.policy = Policy()
        self.journal = folder / "journal"
        # The same whether awscrt is installed or not.
        self.settings = Settings(limits=SMALL, copying=SMALL, threads=3, checksum="CRC32", journal=str(self.journal))
        self.set(**settings)

    def set(self, **settings):
        self.settings = replace(self.settings, **settings)
        self.maker = Maker(self.settings, lambda: _TABLE)

    @property
    def performer(self):
        now = [0.0]

        def sleep(seconds):
            self.naps.append(seconds)
            now[0] += seconds

        return Performer(self.engine, Retrying(self.policy, 64, clock=lambda: now[0]), self.settings, sleep)

    def run(self, handle):
        self.performer.run(handle)
        assert not begun("mangrove-s3-part")
        return handle

    def upload(self, data, **options):
        return self.run(self.maker.upload("bucket", "key", data, **options))

    def download(self, target=None, **options):
        return self.run(self.maker.download("bucket", "key", target, **options))

    def copy(self, key="copy", **options):
        return self.run(self.maker.copy("bucket", "key", "bucket", key, **options))

    def held(self, key="key"):
        return self.memory.perform(Call("GetObject", {"Bucket": "bucket", "Key": key})).body

    def head(self, key="key"):
        return self.memory.perform(Call("HeadObject", {"Bucket": "bucket", "Key": key})).data

    def put(self, data=DATA, key="key", **params):
        return self.memory.perform(Call("PutObject", {"Bucket": "bucket", "Key": key, **params}, body=data))

    @property
    def uploads(self):
        """Return the ids of the multipart uploads that are open."""
        found = self.memory.perform(Call("ListMultipartUploads", {"Bucket": "bucket"}))
        return [each["UploadId"] for each in found.get("Uploads") or ()]
