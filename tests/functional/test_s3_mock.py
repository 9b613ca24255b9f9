"""A mock stands in for S3, for every thread; nests; and nothing goes to the network while it is there."""

from __future__ import annotations

import asyncio
import gc
import io
import socket
import threading

import boto3
import pytest
from botocore.exceptions import EndpointConnectionError

import mangrove
from mangrove import s3
from mangrove.errors import ConfigError, NotFoundError
from mangrove.s3.engines.memory import MemoryStore
from servers.threads import begun


@pytest.fixture(autouse=True)
def _no_network(monkeypatch):
    def refuse(*_):
        raise AssertionError("a mock has opened a connection")

    monkeypatch.setattr(socket.socket, "connect", refuse)


@pytest.fixture
def conn():
    with s3.Connection(mangrove.Session("key", "secret", region_name="us-east-1")) as made:
        yield made


def threads():
    return begun("mangrove-s3")


def test_a_context_and_a_start_and_a_stop(conn):
    with conn.mock():
        conn.conn.create_bucket("foo")
        conn.upload("foo", "bar", "hello")
        with conn.batch() as batch:
            batch.download("foo", "bar")
        assert batch.results() == [b"hello"]
    mock = conn.mock()
    mock.start()
    with pytest.raises(NotFoundError):
        conn.download("foo", "bar")
    mock.stop()
    assert threads() == []
    with pytest.raises(ConfigError, match="the mock is not active"):
        mock.stop()


def test_mocks_nest(conn):
    with conn.mock():
        conn.create_bucket("outer")
        with conn.mock():
            assert conn.conn.list_buckets()["Buckets"] == []
            conn.create_bucket("inner")
        assert [each["Name"] for each in conn.conn.list_buckets()["Buckets"]] == ["outer"]


def test_what_is_stored_may_be_shared_and_kept(conn):
    store = MemoryStore()
    with conn.mock(store):
        conn.create_bucket("bucket")
        conn.upload("bucket", "a", "x")
    with conn.mock(store):
        assert conn.download("bucket", "a") == b"x"
    other = s3.Connection.in_memory(store)
    assert other.download("bucket", "a") == b"x"
    other.close()


def test_other_threads_see_the_mock(conn):
    with conn.mock():
        conn.create_bucket("bucket")
        seen = []
        thread = threading.Thread(target=lambda: seen.append(conn.upload("bucket", "a", "x").ok))
        thread.start()
        thread.join()
        assert seen == [True]
        assert conn.exists("bucket", "a")


def test_a_mock_that_is_stopped_elsewhere_is_gone_everywhere(conn):
    async def main():
        mock, other = conn.mock(), conn.mock()

        async def begin():
            mock.start()
            conn.create_bucket("bucket")

        async def end():
            mock.stop()

        await asyncio.create_task(begin())
        mock.start()
        await asyncio.create_task(end())
        other.start()
        assert conn.conn.list_buckets()["Buckets"] == []
        other.stop()
        mock.stop()

    asyncio.run(main())
    assert conn._mocks == []


def test_a_batch_of_a_mock_that_has_ended(conn):
    with conn.mock():
        conn.create_bucket("bucket")
        batch = conn.batch()
        batch.upload("bucket", "a", "x").result()
    with pytest.raises(ConfigError, match="the batch has ended: the connection was closed|before this was made"):
        batch.upload("bucket", "b", "x")


def test_boto3s_own_ways_work_on_the_client(conn):
    with conn.mock():
        conn.create_bucket("bucket")
        conn.conn.upload_fileobj(io.BytesIO(b"x" * 10), "bucket", "a")
        assert conn.download("bucket", "a") == b"x" * 10
        pages = conn.conn.get_paginator("list_objects_v2").paginate(Bucket="bucket")
        assert [key["Key"] for page in pages for key in page["Contents"]] == ["a"]
        conn.conn.get_waiter("object_exists").wait(Bucket="bucket", Key="a")


def test_without_credentials_and_without_a_region():
    connection = s3.Connection(boto3.Session())
    with connection.mock():
        connection.create_bucket("bucket")
        connection.upload("bucket", "a", "x")


def test_a_mock_that_is_never_stopped_ends_with_its_connection():
    connection = s3.Connection(region_name="us-east-1")
    mock = connection.mock()
    mock.start()
    connection.create_bucket("bucket")
    with connection.batch() as batch:
        batch.upload("bucket", "a", "x")
    assert threads() == ["mangrove-s3"]
    del connection, mock, batch
    gc.collect()
    assert threads() == []


@pytest.fixture(params=["auto", "boto"])
def early(request):
    session = mangrove.Session("key", "secret", region_name="us-east-1")
    url = "http://127.0.0.1:9"
    with s3.Connection(session, engine=request.param, endpoint_url=url, retries=0, deadline=1) as made:
        yield made


EARLY = {
    "a batch": (lambda conn: conn.batch(raise_errors=False), lambda batch: batch.upload("b" * 3, "k", "x").result()),
    "a batch of large objects": (
        lambda conn: conn.batch(raise_errors=False),
        lambda batch: batch.upload("b" * 3, "k", bytes(17 << 20)).result(),
    ),
    "a listing": (lambda conn: conn.list("b" * 3), list),
    "a parallel listing": (lambda conn: conn.list("b" * 3, threads=4), list),
    "a writer": (lambda conn: conn.open("b" * 3, "k", "wb"), lambda file: (file.write(b"x"), file.close())),
    "a client": (lambda conn: conn.conn, lambda client: client.list_buckets()),
    "the backend": (lambda conn: conn.backend, lambda backend: backend.client.head_bucket(Bucket="bbb")),
}


@pytest.mark.parametrize(("make", "use"), EARLY.values(), ids=list(EARLY))
def test_what_was_made_before_the_mock_is_refused_in_it(early, make, use):
    made = make(early)
    with early.mock():
        with pytest.raises(ConfigError, match="a mock of this connection is active"):
            use(made)
        early.create_bucket("bucket")
        with early.mock():
            early.create_bucket("bucket")
        assert early.upload("bucket", "a", "x").ok


def test_the_real_s3_is_reached_again_when_the_last_mock_has_ended(early, monkeypatch):
    def refuse(*_):
        raise ConnectionRefusedError

    monkeypatch.setattr(socket.socket, "connect", refuse)
    batch = early.batch(raise_errors=False)
    with early.mock(), early.mock():
        pass
    assert isinstance(batch.upload("bbb", "k", "x").exception(), EndpointConnectionError)


def test_a_cluster_is_refused_in_a_mock_and_in_memory(conn):
    with conn.mock(), pytest.raises(ConfigError, match="workers of a cluster"):
        conn.batch(executor=object())
    with s3.Connection.in_memory() as memory, pytest.raises(ConfigError, match="workers of a cluster"):
        memory.batch(executor=object())


@pytest.mark.parametrize("kind", ["mock", "memory", "a journal of its own"])
def test_no_journal_but_one_that_was_asked_for(conn, kind, tmp_path, monkeypatch):
    cache = tmp_path / "cache"
    monkeypatch.setenv("XDG_CACHE_HOME", str(cache))
    other = tmp_path / "journal"
    seen = []
    path = tmp_path / "file"
    path.write_bytes(bytes(12 << 20))

    def use(connection):
        connection.create_bucket("bucket")
        engine = connection.backend.engine
        perform = engine.perform

        def spied(call):
            if call.operation == "UploadPart":
                seen.append([each.name for folder in (cache, other) for each in folder.rglob("*.json")])
            return perform(call)

        engine.perform = spied
        assert connection.upload("bucket", "a", path).ok
        assert connection.sweep() == ()

    arguments = {"threshold": 5 << 20, "part_size": 5 << 20}
    if kind == "mock":
        with s3.Connection(region_name="us-east-1", journal=other, **arguments) as made, made.mock():
            use(made)
    elif kind == "memory":
        with s3.Connection.in_memory(**arguments) as made:
            use(made)
    else:
        with s3.Connection.in_memory(journal=other, **arguments) as made:
            use(made)
    assert [bool(names) for names in seen] == [kind == "a journal of its own"] * 3
    assert not cache.exists()
