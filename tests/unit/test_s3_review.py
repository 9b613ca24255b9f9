"""What a hostile reading of the room found: each is shown here, and stays away."""

from __future__ import annotations

import pytest

from mangrove import s3
from mangrove.errors import BatchError, ConfigError, ObjectChangedError, TransferError
from mangrove.s3.dask import Operation
from mangrove.s3.deleting import DeleteMany
from mangrove.s3.engines.base import Reply
from mangrove.s3.engines.lean.signing import UNSIGNED, Signer
from mangrove.s3.large.ranges import Found


@pytest.fixture
def connection():
    with s3.Connection.in_memory() as made:
        made.create_bucket("logs")
        yield made


def watched(connection, change=None):
    """Look at each call, and change its reply."""
    engine = connection.backend.engine
    perform, calls = engine.perform, []

    def look(call):
        calls.append((call.operation, dict(call.params)))
        return perform(call) if change is None else change(call, perform(call))

    engine.perform = look
    return calls


@pytest.mark.parametrize("verb", ["mv", "cp"])
def test_a_copy_never_overwrites_what_is_still_to_be_copied(connection, verb):
    connection.upload("logs", "a/a/x", "inner")
    connection.upload("logs", "a/x", "outer")
    with pytest.raises(BatchError, match="would overwrite 'a/x', itself to be copied") as caught:
        getattr(connection, verb)("s3://logs/a/", "s3://logs/", recursive=True)
    assert [each.key for each in caught.value.failures] == ["a/x"]
    assert connection.download("logs", "x") == b"outer"
    assert connection.download("logs", "a/a/x") == b"inner"


@pytest.mark.parametrize("other", ["arn:aws:s3:eu-west-1:123456789012:accesspoint/point", "point-abc-s3alias"])
def test_a_move_between_two_names_of_what_may_be_one_bucket_is_refused(connection, other):
    with pytest.raises(ConfigError, match="may be another name of it"):
        connection.move(other, "a", "logs", "a", storage_class="STANDARD_IA")
    with pytest.raises(ConfigError, match="another name"):
        connection.move("logs", "a", other, "a")


class _Answer(Reply):
    __slots__ = ()
    document = b"<DeleteResult><Error/></DeleteResult>"


@pytest.mark.parametrize("named", [{"Key": "a%20b"}, {}])
def test_a_refused_key_that_nobody_asked_for_is_no_success(named):
    handle = DeleteMany("logs", [{"Key": "a b"}, {"Key": "c"}], {})
    handle.receive(handle.begin(), _Answer(200, {"Errors": [{"Code": "AccessDenied", "Message": "no", **named}]}))
    handle.end()
    assert handle.value.done == []
    assert [type(each.error) for each in handle.value.failures] == [TransferError] * 2
    assert "AccessDenied" in str(handle.value.failures[0].error)


def test_no_key_and_no_data_is_in_a_repr():
    operation = Operation("upload", ("logs", "a", b"personal"), {"sse_customer_key": "secret"})
    assert repr(operation) == "<Operation upload s3://logs/a>"
    assert "secret" not in repr(Found("s3://logs/a", 1, 1, 0, None, None, {"SSECustomerKey": "secret"}))


def test_an_object_of_unknown_length_is_not_read_as_an_empty_one(connection):
    connection.upload("logs", "a", "howdy")

    def without_length(call, reply):
        data = {name: value for name, value in reply.data.items() if name != "ContentLength"}
        return Reply(200, data) if call.operation == "HeadObject" else reply

    watched(connection, without_length)
    with pytest.raises(TransferError, match="does not say how long"):
        connection.open("logs", "a")


def test_a_server_that_ignores_if_match_does_not_mix_two_versions(connection):
    connection.upload("logs", "a", b"a" * 300_000)
    with connection.open("logs", "a") as file:
        file.read(10)
        engine = connection.backend.engine
        perform = engine.perform

        def careless(call):
            call.params.pop("IfMatch", None)
            return perform(call)

        engine.perform = careless
        connection.upload("logs", "a", b"b" * 300_000)
        with pytest.raises(ObjectChangedError):
            file.read()


def test_an_empty_token_is_none():
    class Credentials:
        access_key, secret_key, token = "AKID", "secret", ""

    lines = Signer(Credentials, "us-east-1", "s3").fields("GET", "/a", "", "logs", [], UNSIGNED)
    assert "x-amz-security-token" not in lines


def test_the_calls_of_a_tree_are_let_in_as_its_operations_are(connection, tmp_path):
    owner = {"request_payer": "requester", "expected_bucket_owner": "123456789012"}
    connection.upload("logs", "d/a", "howdy")
    calls = watched(connection)
    connection.cp("s3://logs/d/", tmp_path, recursive=True, **owner)
    (tmp_path / "a").rename(tmp_path / "b")
    connection.sync(tmp_path, "s3://logs/d/", delete=True, **owner)
    asked = [(name, params) for name, params in calls if name in ("ListObjectsV2", "DeleteObjects")]
    assert [name for name, _ in asked] == ["ListObjectsV2", "ListObjectsV2", "DeleteObjects"]
    assert {params.get("RequestPayer") for _, params in asked} == {"requester"}
    assert {params.get("ExpectedBucketOwner") for _, params in asked} == {"123456789012"}


def test_a_comparison_by_checksum_has_the_keys_that_let_it_in(tmp_path):
    connection = s3.Connection.in_memory()
    connection.create_bucket("logs")
    (tmp_path / "a").write_text("x")
    key = {"sse_customer_key": "0123456789abcdef0123456789abcdef"}
    connection.sync(tmp_path, "s3://logs/d/", **key)
    assert connection.sync(tmp_path, "s3://logs/d/", compare="checksum", **key).counts == {}
    (tmp_path / "a").write_text("y")
    assert sum(connection.sync(tmp_path, "s3://logs/d/", compare="checksum", **key).counts.values()) == 1
