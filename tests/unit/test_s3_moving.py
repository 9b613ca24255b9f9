"""A move never deletes what it has not copied: whatever is written to the source's name meanwhile stays."""

from __future__ import annotations

import pytest
from botocore.exceptions import ClientError, ConnectionClosedError

from mangrove import s3
from mangrove.errors import BatchError, ObjectChangedError, TransferError
from mangrove.s3.deleting import Seen
from mangrove.s3.engines.base import Call, Reply
from mangrove.s3.removing import Remove, is_conditional
from mangrove.s3.trees.copying import mv
from mangrove.s3.trees.moving import remove_each


def refusal(code, status):
    return ClientError({"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": status}}, "DeleteObject")


MADE = []


@pytest.fixture(autouse=True)
def _closed():
    yield
    while MADE:
        MADE.pop().connection.close()


class World:
    """Be a connection to an S3 in memory whose calls are looked at, and where others write at the wrong moment."""

    def __init__(self, where=None, **arguments):
        self.connection = s3.Connection.in_memory(**arguments)
        self.connection.create_bucket("bucket")
        MADE.append(self)
        self.backend = self.connection.backend
        engine = self.backend.engine
        self._perform, self._submit, self._poll = engine.perform, engine.submit, engine.poll
        engine.perform, engine.submit, engine.poll = self.perform, self.submit, self.poll
        if where is not None:
            engine.where = where
        self.calls = []
        self.before = {}  # operation: what happens before it
        self.after = {}
        self.ended = []

    def put(self, key, body):
        self._perform(Call("PutObject", {"Bucket": "bucket", "Key": key}, body=body))

    def delete(self, key):
        self._perform(Call("DeleteObject", {"Bucket": "bucket", "Key": key}))

    def perform(self, call):
        self.calls.append(call)
        call.sent = True
        if call.operation in self.before:
            self.before[call.operation](call)
        reply = self._perform(call)
        if call.operation in self.after:
            reply = self.after[call.operation](call) or reply
        return reply

    def submit(self, call):
        try:
            call.reply = self.perform(call)
        except Exception as error:  # noqa: BLE001  it is the call's
            call.error = error
        self.ended.append(call)

    def poll(self, timeout):
        ended, self.ended = self.ended, []
        return ended or self._poll(min(timeout, 0.05))

    def operations(self):
        return [call.operation for call in self.calls]

    def keys(self):
        return {str(key): self.connection.download("bucket", str(key)) for key in self.connection.list("bucket")}


@pytest.fixture(params=[None, "http://127.0.0.1:9000"], ids=["conditional", "other"])
def world(request):
    return World(request.param)


def test_a_move_inside_s3_leaves_what_was_written_meanwhile(world):
    world.put("a", b"old")
    world.after["CopyObject"] = lambda _: world.put("a", b"new")

    with pytest.raises(ObjectChangedError, match="s3://bucket/a was overwritten after it was read, and is not deleted"):
        world.connection.move("bucket", "a", "bucket", "b")

    assert world.keys() == {"a": b"new", "b": b"old"}


def test_a_move_in_parts_leaves_what_was_written_meanwhile(world):
    import dataclasses

    from mangrove.s3.rules.plan import Limits

    settings = dataclasses.replace(world.backend.settings, copying=Limits(1, 5 << 20))
    world.backend.performer.settings = world.backend.maker._settings = settings
    world.put("a", b"x" * 100)
    world.after["CompleteMultipartUpload"] = lambda _: world.put("a", b"new")

    with pytest.raises(ObjectChangedError):
        world.connection.move("bucket", "a", "bucket", "b")

    assert world.keys() == {"a": b"new", "b": b"x" * 100}


def test_a_download_that_moves_leaves_what_was_written_meanwhile(world, tmp_path):
    world.put("a", b"old")
    world.after["GetObject"] = lambda call: world.put("a", b"new") if call.operation == "GetObject" else None

    with pytest.raises(ObjectChangedError):
        mv(world.backend, "s3://bucket/a", tmp_path / "a")

    world.after.clear()
    assert world.keys() == {"a": b"new"}
    assert (tmp_path / "a").read_bytes() == b"old"


@pytest.mark.parametrize("target", ["s3://bucket/to", "folder"])
def test_a_tree_that_moves_leaves_what_was_written_meanwhile(world, target, tmp_path):
    for key in ("from/a", "from/b", "from/c"):
        world.put(key, b"old")
    target = tmp_path if target == "folder" else target
    trigger = "CopyObject" if isinstance(target, str) else "GetObject"

    def overwrite(call):
        if call.params.get("Key", "").endswith("b"):
            world.put("from/b", b"new")

    world.after[trigger] = overwrite
    with pytest.raises(BatchError) as caught:
        mv(world.backend, "s3://bucket/from", target, recursive=True)

    world.after.clear()
    [failure] = caught.value.failures
    assert (failure.operation, failure.key, type(failure.error)) == ("delete", "from/b", ObjectChangedError)
    left = world.keys()
    assert left["from/b"] == b"new"
    assert not {"from/a", "from/c"} & left.keys()


def test_what_was_overwritten_before_it_was_copied_is_moved_as_it_is(world):
    world.put("from/a", b"old")
    world.before["HeadObject"] = lambda _: world.put("from/a", b"new")

    mv(world.backend, "s3://bucket/from", "s3://bucket/to", recursive=True)

    world.before.clear()
    assert world.keys() == {"to/a": b"new"}


def test_a_thousand_go_with_one_request_where_the_server_is_known_to_look(tmp_path):
    world = World()
    for number in range(20):
        world.put(f"from/{number}", b"x")
    mv(world.backend, "s3://bucket/from", tmp_path, recursive=True)
    deletions = [call for call in world.calls if call.operation.startswith("Delete")]
    assert [call.operation for call in deletions] == ["DeleteObjects"]
    assert all(each["ETag"] for each in deletions[0].params["Delete"]["Objects"])


def test_a_server_that_is_not_known_is_asked_first_and_told_the_condition_too():
    world = World("https://s3.example.com")
    world.put("a", b"x")
    etag = world.connection.head("bucket", "a")["ETag"]
    world.calls.clear()
    assert [each.ok for each in remove_each(world.backend, "bucket", [Seen("a", etag)])] == [True]
    assert world.operations() == ["HeadObject", "DeleteObject"]
    assert world.calls[1].params["IfMatch"] == etag


def test_a_server_that_can_not_delete_on_a_condition_is_asked_what_is_there():
    world = World()

    def refuse(call):
        if "IfMatch" in call.params:
            raise refusal("NotImplemented", 501)

    world.before["DeleteObject"] = refuse
    world.put("a", b"x")
    world.connection.move("bucket", "a", "bucket", "b")
    assert world.operations() == ["HeadObject", "CopyObject", "DeleteObject", "HeadObject", "DeleteObject"]
    assert world.keys() == {"b": b"x"}

    world.after["CopyObject"] = lambda _: world.put("b", b"new")
    with pytest.raises(ObjectChangedError):
        world.connection.move("bucket", "b", "bucket", "c")
    assert world.keys() == {"b": b"new", "c": b"x"}


def test_a_batch_of_deletions_that_can_not_be_conditional_goes_one_by_one():
    world = World()
    world.before["DeleteObjects"] = lambda _: (_ for _ in ()).throw(refusal("NotImplemented", 501))
    for key in ("from/a", "from/b"):
        world.put(key, b"x")
    assert mv(world.backend, "s3://bucket/from", "s3://bucket/to", recursive=True).counts == {"copy": 2, "delete": 2}
    assert set(world.keys()) == {"to/a", "to/b"}


def test_what_is_gone_already_is_well(world):
    world.put("a", b"x")
    # The first answer is lost: the second try finds nothing.
    tries = []

    def lose(_):
        tries.append(1)
        if len(tries) == 1:
            raise ConnectionClosedError(endpoint_url="http://s3")

    world.after["DeleteObject"] = lose
    assert world.connection.move("bucket", "a", "bucket", "b").ok
    assert world.keys() == {"b": b"x"}


def test_a_delete_marker_is_gone_too(world):
    world.connection.conn.put_bucket_versioning(Bucket="bucket", VersioningConfiguration={"Status": "Enabled"})
    world.put("a", b"x")
    world.after["CopyObject"] = lambda _: world.delete("a")
    assert world.connection.move("bucket", "a", "bucket", "b").ok


def test_a_version_that_is_moved_takes_no_other_with_it(world):
    world.connection.conn.put_bucket_versioning(Bucket="bucket", VersioningConfiguration={"Status": "Enabled"})
    first = world.connection.upload("bucket", "a", "old").version_id
    world.connection.upload("bucket", "a", "new")
    with pytest.raises(ObjectChangedError):
        world.connection.move("bucket", "a", "bucket", "b", version_id=first)
    assert world.keys() == {"a": b"new", "b": b"old"}


def test_an_object_that_nobody_can_tell_is_left(world):
    world.put("a", b"x")
    handle = Remove("bucket", "a", None)
    with pytest.raises(TransferError, match="has not said its ETag"):
        world.backend.performer.run(handle)
    [outcome] = remove_each(world.backend, "bucket", [Seen("a", None)])
    assert isinstance(outcome.error, TransferError)
    assert world.keys() == {"a": b"x"}


def test_a_condition_that_the_server_refuses_though_it_holds_is_an_error():
    world = World()
    world.put("a", b"x")
    world.before["DeleteObject"] = lambda _: (_ for _ in ()).throw(refusal("PreconditionFailed", 412))
    with pytest.raises(ClientError, match="PreconditionFailed"):
        world.connection.move("bucket", "a", "bucket", "b")
    assert set(world.keys()) == {"a", "b"}


def test_no_bucket_is_no_object_that_is_gone():
    world = World()
    with pytest.raises(ClientError, match="NoSuchBucket"):
        world.backend.performer.run(Remove("none", "a", '"x"')).result()


def test_keys_that_xml_can_not_hold_are_moved_too(world, tmp_path):
    world.put("from/a\x01", b"x")
    assert mv(world.backend, "s3://bucket/from", "s3://bucket/to", recursive=True).counts == {"copy": 1, "delete": 1}
    assert set(world.keys()) == {"to/a\x01"}


@pytest.mark.parametrize(
    ("where", "known"),
    [
        (None, True),
        ("https://s3.eu-west-1.amazonaws.com", True),
        ("https://s3.cn-north-1.amazonaws.com.cn", True),
        ("https://vpce-1.s3.us-east-1.vpce.amazonaws.com:443/x", True),
        ("https://amazonaws.com.example.org", False),
        ("http://127.0.0.1:5000", False),
    ],
)
def test_whose_server_it_is(where, known):
    class Engine:
        pass

    engine = Engine()
    if where is not None:
        engine.where = where
    assert is_conditional(engine) is known


def test_what_lets_one_in_goes_with_the_deletion_and_the_question():
    handle = Remove(
        "bucket", "a", '"x"', {"ExpectedBucketOwner": "123456789012", "VersionId": "1", "SSECustomerKey": "k"}, ask=True
    )
    assert handle.begin().params == {
        "ExpectedBucketOwner": "123456789012",
        "SSECustomerKey": "k",
        "Bucket": "bucket",
        "Key": "a",
    }
    step = handle.receive(Call("HeadObject", {}), Reply(200, {"ETag": '"x"'}))
    assert step.params == {"ExpectedBucketOwner": "123456789012", "Bucket": "bucket", "Key": "a", "IfMatch": '"x"'}
