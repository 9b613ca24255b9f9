"""The defects that were found in s3po 0.6.1, P1 to P23: each has the test that it lacked."""

from __future__ import annotations

import io
import logging
import random
import re
import subprocess
import sys
import textwrap
import threading
from importlib.metadata import requires
from pathlib import Path

import pytest
from botocore.exceptions import ClientError

TESTS = str(Path(__file__).resolve().parents[1])
if TESTS not in sys.path:
    sys.path.append(TESTS)  # at the end: a folder of ours is called `typing`

from mangrove import s3 as s3po  # noqa: E402
from mangrove.errors import AccessDeniedError, BatchError, ConfigError, NotFoundError, TransferError  # noqa: E402
from mangrove.s3.rules.plan import LARGEST_PUT, USUAL, upload_plan  # noqa: E402
from mangrove.s3.rules.policy import Budget, Policy, Tries  # noqa: E402
from servers.scripted import Rig, answer, closed  # noqa: E402

GIB = 1 << 30


@pytest.fixture
def conn():
    with s3po.Connection.in_memory() as made:
        made.create_bucket("bucket")
        yield made


@pytest.fixture
def rig():
    made = Rig()
    yield made
    made.backend.close()


@pytest.fixture(params=["memory", "mock", "lean", "boto"])
def any_conn(request):
    """Connect to a memory, and to the embedded AWS by both engines."""
    if request.param == "memory":
        made = s3po.Connection.in_memory()
    elif request.param == "mock":
        made = s3po.Connection(region_name="us-east-1")
        made.mock().start()
    else:
        aws = request.getfixturevalue("embedded_aws")
        engine = "auto" if request.param == "lean" else "boto"
        made = s3po.Connection(
            aws.session(region_name="us-east-1"), endpoint_url=aws.endpoint_url, engine=engine, retries=0
        )
    made.create_bucket("bucket")
    with made:
        yield made


def test_p1_no_object_of_a_size_that_s3_takes_is_between_one_request_and_the_parts():
    assert USUAL.threshold <= LARGEST_PUT == 5 * GIB
    for size in (USUAL.threshold + 1, 5 * GIB, 5 * GIB + 1, int(5.88 * GIB), 48 * 1024 * GIB):
        plan = list(upload_plan(size))
        assert sum(part.size for part in plan) == size
        assert len(plan) <= 10_000
        assert all(5 << 20 <= part.size <= 5 * GIB for part in plan[:-1])


@pytest.mark.parametrize("data", [lambda: b"data", lambda: io.BytesIO(b"data"), lambda: iter([b"da", b"ta"])])
def test_p2_what_is_sent_again_is_sent_from_its_start(rig, data):
    rig.script("a", closed(), answer("SlowDown", 503))
    assert rig.performer.run(rig.maker.upload("bucket", "a", data())).value is True
    assert rig.body("a") == b"data"


def test_p3_delete_deletes(any_conn):
    any_conn.upload("bucket", "key", "x")
    assert any_conn.delete("bucket", "key").ok
    assert not any_conn.exists("bucket", "key")


def test_p4_headers_and_extra_reach_s3(any_conn):
    headers = {"Content-Type": "text/x", "x-amz-meta-a": "b"}
    any_conn.upload("bucket", "key", "x", headers=headers, extra={"CacheControl": "no-store"})
    head = any_conn.head("bucket", "key")
    assert (head["ContentType"], head["Metadata"], head["CacheControl"]) == ("text/x", {"a": "b"}, "no-store")


def test_p5_text_and_bytes_both_go_up_and_come_down(any_conn):
    for data in ("é", "é".encode(), io.StringIO("é"), io.BytesIO("é".encode()), [b"\xc3", b"\xa9"]):
        any_conn.upload("bucket", "key", data)
        assert any_conn.download("bucket", "key") == "é".encode()
        assert any_conn.download("bucket", "key", encoding="utf-8") == "é"


def test_p6_a_download_that_fails_leaves_the_old_file_and_one_that_works_replaces_it(any_conn, tmp_path):
    target = tmp_path / "file"
    target.write_bytes(b"\xff old")
    with pytest.raises(NotFoundError):
        any_conn.download_file("bucket", "none", target)
    assert target.read_bytes() == b"\xff old"
    any_conn.upload_file("bucket", "key", target)
    any_conn.download_file("bucket", "key", tmp_path / "other")
    assert (tmp_path / "other").read_bytes() == b"\xff old"
    assert len(list(tmp_path.iterdir())) == 2


def test_p7_a_page_of_a_listing_that_fails_is_asked_for_again(rig):
    from mangrove.s3.listing import list_objects

    for number in range(5):
        rig.client.put_object(Bucket="bucket", Key=f"{number}")
    rig.script("ListObjectsV2", closed(), answer("SlowDown", 503))
    assert list(list_objects(rig.performer, "bucket", page_size=2)) == ["0", "1", "2", "3", "4"]
    assert rig.engine.calls["ListObjectsV2"] == 5


def test_p8_common_prefixes_are_listed_and_options_taken(any_conn):
    for key in ("a", "b/1", "b/2", "c/1"):
        any_conn.upload("bucket", key, "x")
    assert list(any_conn.list("bucket", delimiter="/", extra={"FetchOwner": True})) == ["a", "b/", "c/"]


def test_p9_uploads_have_retries_of_their_own_and_parts_are_retried_alone(rig):
    rig.script("a", *[closed()] * 5)
    assert rig.performer.run(rig.maker.upload("bucket", "a", b"x", retries=5)).error is None
    with rig.batch(raise_errors=False) as batch:
        rig.script("b", closed())
        assert isinstance(batch.upload("bucket", "b", b"x", retries=0).exception(), ClientError | TransferError)
    data = random.Random(1).randbytes(40 << 20)  # noqa: S311  no secret
    rig.engine.script["UploadPart"].extend([closed(), answer("InternalError", 500)])
    handle = rig.performer.run(rig.maker.upload("bucket", "c", data))
    assert handle.error is None
    assert rig.engine.calls["UploadPart"] == 3 + 2
    assert rig.body("c") == data


def test_p10_errors_name_the_bucket_and_the_key_and_are_boto3s_too(any_conn):
    with pytest.raises(TransferError) as caught:
        any_conn.download("bucket", "none")
    assert isinstance(caught.value, any_conn.conn.exceptions.NoSuchKey)
    assert caught.value.response["Error"]["Code"] == "NoSuchKey"
    with pytest.raises(BatchError, match="download s3://bucket/none: "), any_conn.batch() as batch:
        batch.download("bucket", "none")


def test_p11_retries_count_further_tries_wait_briefly_with_jitter_and_stop_at_what_is_final(rig):
    for wrong in (-1, 1.5):
        with pytest.raises(ConfigError):
            rig.maker.upload("bucket", "a", b"x", retries=wrong)
    tries, budget = Tries(0.0), Budget()
    waits = [Policy().decide(tries, "transient", now=0.0, budget=budget).wait for _ in range(20)]
    assert max(waits) <= 5
    assert len(set(waits)) == 20
    rig.script("a", answer("AccessDenied", 403))
    assert isinstance(rig.performer.run(rig.maker.head("bucket", "a")).error, AccessDeniedError)
    assert rig.engine.calls["HeadObject"] == 1


def run(script):
    code = textwrap.dedent(script)
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True).stdout


def test_p12_importing_adds_no_log_handlers():
    before = list(logging.getLogger().handlers)
    script = """
        import logging
        from mangrove.s3 import Connection
        named = [each for each in logging.Logger.manager.loggerDict.values() if isinstance(each, logging.Logger)]
        kinds = {type(one) for each in [logging.getLogger(), *named] for one in each.handlers}
        print(kinds <= {logging.NullHandler})
    """
    assert run(script) == "True\n"
    assert logging.getLogger().handlers == before


def test_p13_importing_and_using_a_batch_patches_nothing():
    script = """
        import sys, threading, socket, time, ssl, select
        before = [dict(vars(each)) for each in (threading, socket, time, ssl, select)]
        from mangrove import s3
        connection = s3.Connection.in_memory()
        connection.create_bucket("bucket")
        with connection.batch() as batch:
            batch.upload("bucket", "a", "x")
        after = [dict(vars(each)) for each in (threading, socket, time, ssl, select)]
        own = {"_counter", "_dangling", "_active", "_limbo", "_shutdown_locks", "_threading_atexits"}
        print(all(one.get(name) is value for old, one in zip(before, after) for name, value in old.items()
                  if name not in own), "gevent" in sys.modules)
    """
    assert run(script) == "True False\n"


def test_p14_failures_are_raised_when_the_context_is_left(any_conn):
    with pytest.raises(BatchError) as caught, any_conn.batch() as batch:
        batch.download("bucket", "none")
    assert len(caught.value.failures) == 1
    with any_conn.batch(raise_errors=False) as batch:
        batch.download("bucket", "none")
    assert not batch.success()
    assert batch.results() == [None]


def test_p15_a_method_used_twice_makes_two_operations(conn):
    with conn.batch() as batch:
        upload = batch.upload
        first, second = upload("bucket", "a", "1"), upload("bucket", "b", "2")
    assert first is not second
    assert batch.results() == [True, True]
    assert conn.batch().success()


def test_p16_a_callback_that_fails_does_not_fail_its_object(conn):
    with conn.batch(raise_errors=False) as batch:
        handle = batch.upload("bucket", "a", "x", callback=lambda _: 1 / 0)
    assert handle.outcome.ok
    assert batch.success()
    assert [type(error) for _, error in batch.callback_errors()] == [ZeroDivisionError]


def test_p17_a_batch_holds_only_what_waits(conn):
    with conn.batch(4) as batch:
        for number in range(5000):
            batch.upload("bucket", f"{number % 5}", "x")
            assert len(batch.inbox) <= 64
    assert (batch._values, batch._failures) == ({}, [])


def test_p18_the_memory_answers_as_s3(any_conn):
    any_conn.upload("bucket", "empty", "")
    assert any_conn.download("bucket", "empty") == b""  # an empty object is one
    any_conn.upload("bucket", "p/a/1", "x")
    any_conn.upload("bucket", "q", "x")
    assert list(any_conn.list("bucket", "p/", "/")) == ["p/a/"]  # the prefix counts beside a delimiter
    assert any_conn.delete("bucket", "none").ok  # there is no error where there is no object
    for key in any_conn.list("bucket"):  # a listing stands while objects go
        any_conn.delete("bucket", key)
    assert any_conn.upload("bucket", "a", "x").value is True
    assert type(any_conn.download("bucket", "a")) is bytes


def test_p19_mocks_of_two_threads_are_apart_and_start_and_stop(embedded_aws):
    conn = s3po.Connection(embedded_aws.session(region_name="us-east-1"), endpoint_url=embedded_aws.endpoint_url)
    ready, failures = threading.Barrier(2), []

    def work(name):
        try:
            mock = conn.mock()
            mock.start()
            conn.create_bucket(name)
            ready.wait(10)
            conn.upload(name, "a", name)
            assert conn.download(name, "a") == name.encode()
            assert not conn.exists("thread-b" if name == "thread-a" else "thread-a", "a")
            ready.wait(10)
            mock.stop()
        except BaseException as error:  # noqa: BLE001
            failures.append(error)

    both = [threading.Thread(target=work, args=(name,)) for name in ("thread-a", "thread-b")]
    for each in both:
        each.start()
    for each in both:
        each.join()
    assert not failures
    assert conn.conn.list_buckets()["Buckets"] == []


class Falsy(io.BytesIO):
    def __bool__(self):
        return False


def test_p20_a_file_object_that_is_false_is_a_file_object(any_conn):
    any_conn.upload("bucket", "a", Falsy(b"data"))
    target = Falsy()
    assert any_conn.download("bucket", "a", target) is target
    assert target.getvalue() == b"data"


def test_p21_it_needs_boto3_alone():
    needed = [line for line in requires("pymangrove") or [] if "extra ==" not in line]
    assert [re.match(r"\w+", line)[0] for line in needed] == ["boto3"]
    script = """
        import sys
        for name in ("swiftclient", "gevent", "mock", "nose", "awscrt", "moto", "click", "rich"):
            sys.modules[name] = None
        from mangrove import s3
        connection = s3.Connection.in_memory()
        connection.create_bucket("bucket")
        print(connection.upload("bucket", "a", "x").ok)
    """
    assert run(script) == "True\n"


def test_p22_only_what_is_missing_is_not_found(rig):
    for fault in (answer("AccessDenied", 403), answer("InvalidRequest", 400), answer("NoSuchBucket", 404)):
        rig.script("a", fault)
    errors = [rig.performer.run(rig.maker.download("bucket", "a")).error for _ in range(3)]
    assert [isinstance(error, NotFoundError) for error in errors] == [False, False, True]


def test_p23_the_surface_is_tested_on_more_than_its_own_memory():
    from parity.engines import ENGINES

    assert {entry.server for entry in ENGINES.values()} == {"memory", "moto", "weed"}
