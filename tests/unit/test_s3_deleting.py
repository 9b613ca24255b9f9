"""Deletions in bulk: a thousand keys a request, an outcome for each that stays, those S3 asks for again sent again."""

from __future__ import annotations

from xml.etree import ElementTree as ET

import pytest
from botocore.exceptions import ClientError

from mangrove import s3
from mangrove.errors import AccessDeniedError, BatchError, ConfigError, ThrottledError
from mangrove.s3.backend import Backend
from mangrove.s3.deleting import delete_objects, deletions
from mangrove.s3.engines.base import Call, Keys, Reply
from mangrove.s3.engines.lean.documents import delete_document
from mangrove.s3.engines.memory import MemoryEngine
from mangrove.s3.listing import list_objects
from mangrove.s3.mocking import memory_client
from mangrove.s3.rules.policy import Policy
from mangrove.s3.running.performing import Settings


class Recording(MemoryEngine):
    """Count calls, and fail what it is told to."""

    def __init__(self):
        super().__init__()
        self.calls = []
        self.change = lambda _, reply: reply

    def perform(self, call):
        self.calls.append(call)
        reply = self.change(call, super().perform(call))
        call.reply = reply
        return reply


@pytest.fixture
def engine():
    made = Recording()
    made.perform(Call("CreateBucket", {"Bucket": "bucket"}))
    made.calls.clear()
    return made


@pytest.fixture
def backend(engine):
    made = Backend(memory_client(engine.store), engine, Settings(), Policy(deadline=1.0, retries=1))
    yield made
    made.close()


def put(engine, *keys):
    for key in keys:
        engine.perform(Call("PutObject", {"Bucket": "bucket", "Key": key}, body=b"x"))
    engine.calls.clear()


def left(backend):
    return list(list_objects(backend.performer, "bucket"))


def test_thousands_go_in_a_few_requests(engine, backend):
    put(engine, *(f"{number:04}" for number in range(2500)))

    summary = delete_objects(backend, "bucket", (f"{number:04}" for number in range(2499)))

    assert summary.counts == {"delete": 2499}
    assert [call.operation for call in engine.calls] == ["DeleteObjects"] * 3
    assert all(call.params["Delete"]["Quiet"] for call in engine.calls)
    assert left(backend) == ["2499"]


def test_a_missing_key_is_no_failure_and_no_keys_is_no_call(engine, backend):
    assert delete_objects(backend, "bucket", ["none"]).done == 1
    engine.calls.clear()
    assert delete_objects(backend, "bucket", []).done == 0
    assert not engine.calls


def test_a_listing_can_be_deleted_as_it_comes(engine, backend):
    put(engine, *(f"a/{number}" for number in range(5)), "b")

    assert delete_objects(backend, "bucket", list_objects(backend.performer, "bucket", "a/", page_size=2)).done == 5
    assert left(backend) == ["b"]


def test_versions_are_deleted_by_pairs_and_by_listings_of_versions(engine, backend):
    versioning = {"Bucket": "bucket", "VersioningConfiguration": {"Status": "Enabled"}}
    engine.perform(Call("PutBucketVersioning", versioning))
    put(engine, "a", "a", "b")
    newest = next(list_objects(backend.performer, "bucket", versions=True))

    assert delete_objects(backend, "bucket", [("a", newest.version_id)]).done == 1
    assert left(backend) == ["a", "b"]
    delete_objects(backend, "bucket", ["a"])
    assert len(list(list_objects(backend.performer, "bucket", versions=True))) == 3

    assert delete_objects(backend, "bucket", list_objects(backend.performer, "bucket", versions=True)).done == 3
    assert list(list_objects(backend.performer, "bucket", versions=True)) == []


HOSTILE = ["a\nb", "a\rb", "a\tb", "a&b<c>", "é\U0001f600", "a b", "]]>"]
NOT_IN_XML = ["a\x01b", "a\x00", "a\ufffeb", "\x1b[0m"]


def test_keys_that_xml_can_not_carry_go_alone(engine, backend):
    put(engine, *HOSTILE, *NOT_IN_XML)

    assert delete_objects(backend, "bucket", [*HOSTILE, *NOT_IN_XML]).done == len(HOSTILE) + len(NOT_IN_XML)
    assert left(backend) == []
    operations = [call.operation for call in engine.calls]
    assert operations.count("DeleteObject") == len(NOT_IN_XML)
    assert operations.count("DeleteObjects") == 1


def test_a_key_that_can_not_be_is_one_failure(engine, backend):
    put(engine, "a")

    with pytest.raises(BatchError, match="3 of 4") as caught:
        delete_objects(backend, "bucket", ["k" * 1025, "a", "", 3])

    assert [type(each.error).__mro__[1] for each in caught.value.failures]
    assert all(isinstance(each.error, ConfigError) for each in caught.value.failures)
    assert left(backend) == []


def errors(code, *keys):
    """Return what changes an answer so that these keys have stayed."""

    def change(call, reply):
        if call.operation != "DeleteObjects":
            return reply
        asked = {each["Key"] for each in call.params["Delete"]["Objects"]}
        told = [{"Key": key, "Code": code, "Message": "no"} for key in keys if key in asked]
        return Reply(200, {"Errors": told}) if told else reply

    return change


def test_a_key_that_s3_keeps_is_one_failed_outcome_and_the_rest_is_done(engine, backend):
    put(engine, "a", "b", "c")
    engine.change = errors("AccessDenied", "b")

    summary = delete_objects(backend, "bucket", ["a", "b", "c"], raise_errors=False)

    (failure,) = summary.failures
    assert summary.done == 2
    assert not summary
    assert (failure.operation, failure.bucket, failure.key) == ("delete", "bucket", "b")
    assert isinstance(failure.error, AccessDeniedError)
    assert isinstance(failure.error, ClientError)


def test_keys_that_s3_asks_for_again_are_sent_again_and_only_they(engine, backend):
    put(engine, "a", "b", "c")
    change, answers = errors("InternalError", "b"), iter([True, False])
    engine.change = lambda call, reply: change(call, reply) if next(answers, False) else reply

    assert delete_objects(backend, "bucket", ["a", "b", "c"]).done == 3
    asked = [[each["Key"] for each in call.params["Delete"]["Objects"]] for call in engine.calls]
    assert asked == [["a", "b", "c"], ["b"]]


def test_keys_that_s3_asks_for_again_for_ever_fail_in_the_end(engine):
    backend = Backend(memory_client(engine.store), engine, Settings(), Policy(deadline=0.05, retries=1))
    engine.change = errors("SlowDown", "b")

    with pytest.raises(BatchError) as caught:
        delete_objects(backend, "bucket", ["a", "b"])

    backend.close()
    (failure,) = caught.value.failures
    assert failure.key == "b"
    assert isinstance(failure.error, ThrottledError)


def test_a_request_that_fails_is_a_failure_of_each_of_its_keys(backend):
    found = list(deletions(backend, "another", ["a", "b"]))

    assert [len(each.done) for each in found] == [0]
    assert [each.key for each in found[0].failures] == ["a", "b"]


def test_outcomes_are_told_one_by_one(engine, backend):
    told = []

    delete_objects(backend, "bucket", ["a", "b\x01"], callback=told.append)

    assert sorted(each.key for each in told) == ["a", "b\x01"]
    assert all(each.ok for each in told)


def test_one_key_alone_is_refused_rather_than_taken_for_many(backend):
    with pytest.raises(ConfigError, match="iterable of keys"):
        deletions(backend, "bucket", "abc")
    with pytest.raises(ConfigError):
        deletions(backend, "no bucket/", ["a"])


def test_an_answer_that_says_nothing_is_no_success(backend, engine):
    class Answer(Reply):
        document = b"<html>"

    backend = Backend(memory_client(engine.store), engine, Settings(), Policy(deadline=0.05, retries=0))
    engine.change = lambda *_: Answer(200)
    with pytest.raises(BatchError, match="not known"):
        delete_objects(backend, "bucket", ["a"])
    # Nothing at all, and an answer that is cut before the keys that have stayed.
    for Answer.document in (b"", b'<DeleteResult xmlns="x">', b'<DeleteResult xmlns="x"><Err'):
        with pytest.raises(BatchError, match="not known"):
            delete_objects(backend, "bucket", ["a"])
    whole = (
        b'<DeleteResult xmlns="x"></DeleteResult>',
        b"<?xml version='1.0'?>\n<DeleteResult/>\n",
        b'<a:DeleteResult b="c" />',
    )
    for Answer.document in whole:
        assert delete_objects(backend, "bucket", ["a"]).done == 1
    backend.close()


def test_the_connection_deletes_many():
    connection = s3.Connection.in_memory()
    if not hasattr(connection, "delete_many"):
        pytest.skip("not wired yet")
    connection.create_bucket("bucket")
    connection.upload("bucket", "a", "x")
    assert connection.delete_many("bucket", ["a"]).done == 1


def test_an_empty_answer_through_the_client_is_no_success_either(engine):
    class Answer(Reply):
        pass

    backend = Backend(memory_client(engine.store), engine, Settings(), Policy(deadline=0.05, retries=0))
    engine.change = lambda *_: Answer(200, {"ResponseMetadata": {"HTTPHeaders": {"content-length": "0"}}})
    with pytest.raises(BatchError, match="not known"):
        delete_objects(backend, "bucket", ["a"])
    backend.close()


@pytest.mark.parametrize("keys", [["a", "b&<>\"'", "c d"], ["]]>", "&amp;", "x"]])
def test_the_document_of_plain_keys_is_that_of_the_same_keys_one_by_one(keys):
    quick = delete_document({"Objects": Keys(keys), "Quiet": True})
    assert quick == delete_document({"Objects": [{"Key": key} for key in keys], "Quiet": True})
    found = ET.fromstring(quick).iter("{http://s3.amazonaws.com/doc/2006-03-01/}Key")
    assert [each.text for each in found] == keys
