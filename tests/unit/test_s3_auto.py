"""The engine that chooses between two: they are made once, whatever threads ask."""

from __future__ import annotations

import threading

from botocore.exceptions import EndpointConnectionError

from mangrove import Session
from mangrove.s3.engines.auto import AutoEngine
from mangrove.s3.engines.base import Call
from mangrove.s3.engines.boto import one_try


class _Lean:
    def __init__(self):
        self._bell = threading.Event()

    def poll(self, timeout):
        self._bell.wait(timeout)
        self._bell.clear()
        return []

    def wake(self):
        self._bell.set()


def _call():
    return Call("GetObjectAttributes", {"Bucket": "logs", "Key": "a", "ObjectAttributes": ["ObjectParts"]})


def test_what_is_submitted_comes_back_while_another_thread_needs_the_same_client_for_the_first_time():
    session = Session("key", "secret", region_name="us-east-1")
    inside, other = threading.Event(), threading.Event()
    made = []

    def client():
        made.append(threading.current_thread())
        inside.set()
        other.wait(0.1)  # a second one would be made now, and take the place of the first or the other way round
        return session.client("s3", endpoint_url="http://127.0.0.1:9", config=one_try())

    engine = AutoEngine(_Lean(), client, [])

    def perform():
        inside.wait(5)
        try:
            engine.perform(_call())
        except EndpointConnectionError:
            other.set()

    thread = threading.Thread(target=perform)
    thread.start()
    engine.submit(_call())
    thread.join()
    assert len(made) == 1
    assert [call.operation for call in engine.poll(5.0)] == ["GetObjectAttributes"]
