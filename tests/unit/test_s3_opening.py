"""Objects as files: all reads and seeks give the bytes of one version; what is written appears when it is closed."""

from __future__ import annotations

import gc
import gzip
import io
import json
import os
import zipfile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mangrove import s3
from mangrove.errors import (
    ConfigError,
    IncompleteTransferError,
    IntegrityError,
    NotFoundError,
    ObjectChangedError,
    PreconditionError,
)
from mangrove.s3.engines.base import Reply
from mangrove.s3.opening import open_object

MIB = 1 << 20


class World:
    def __init__(self):
        self.connection = s3.Connection.in_memory(threshold=6 * MIB, part_size=5 * MIB, retries=1, deadline=0.3)
        self.connection.create_bucket("bucket")
        self.backend = self.connection.backend
        self.calls = []
        self.change = lambda _, reply: reply
        perform = self.backend.engine.perform

        def counted(call):
            self.calls.append(call)
            call.reply = self.change(call, perform(call))
            return call.reply

        self.backend.engine.perform = counted

    def open(self, *arguments, **named):
        return open_object(self.backend, "bucket", *arguments, **named)

    def operations(self):
        return [call.operation for call in self.calls]

    def uploads(self):
        return self.connection.conn.list_multipart_uploads(Bucket="bucket").get("Uploads", [])


@pytest.fixture
def world():
    made = World()
    yield made
    made.connection.close()


DATA = bytes(range(256)) * 40


@settings(deadline=None, max_examples=60)
@given(
    st.lists(
        st.one_of(
            st.tuples(st.just("read"), st.integers(-1, 3000)),
            st.tuples(st.just("seek"), st.integers(0, 12_000), st.just(0)),
            st.tuples(st.just("seek"), st.integers(-300, 300), st.just(1)),
            st.tuples(st.just("seek"), st.integers(-500, 100), st.just(2)),
            st.tuples(st.just("readinto"), st.integers(0, 3000)),
            st.tuples(st.just("peek")),
        ),
        max_size=12,
    ),
    st.integers(1, 5000),
)
def test_reads_and_seeks_give_what_a_file_gives(steps, buffer_size):
    world = World()
    world.connection.upload("bucket", "key", DATA)
    plain = io.BytesIO(DATA)
    with world.open("key", buffer_size=buffer_size) as file:
        for name, *arguments in steps:
            if name == "readinto":
                ours, theirs = bytearray(arguments[0]), bytearray(arguments[0])
                assert file.readinto(ours) == plain.readinto(theirs)
                assert ours == theirs
            elif name == "peek":
                assert plain.getvalue()[plain.tell() :].startswith(file.peek(1))
            elif name == "seek" and arguments[1] == 1 and plain.tell() + arguments[0] < 0:
                continue
            else:
                assert getattr(file, name)(*arguments) == getattr(plain, name)(*arguments)
            assert file.tell() == plain.tell()


def test_reading_on_fetches_twice_as_much_each_time(world):
    world.connection.upload("bucket", "key", os.urandom(3 * MIB))
    world.calls.clear()

    with world.open("key") as file:
        while file.read(10_000):
            pass

    assert world.operations() == ["HeadObject", *["GetObject"] * 5]
    sizes = [len(call.reply.body) for call in world.calls[1:]]
    assert sizes == [1 << 17, 1 << 18, 1 << 19, 1 << 20, 3 * MIB - (15 << 17)]


def test_a_jump_fetches_little_again_and_only_what_is_read(world):
    world.connection.upload("bucket", "key", os.urandom(3 * MIB))
    world.calls.clear()

    with world.open("key") as file:
        file.seek(2 * MIB)
        file.seek(-8, io.SEEK_END)
        file.read()

    assert [call.params.get("Range") for call in world.calls] == [None, f"bytes={3 * MIB - 8}-{3 * MIB - 1}"]


def test_what_was_read_whole_is_verified_and_damage_is_an_error(world):
    world.connection.upload("bucket", "key", DATA)
    with world.open("key") as file:
        assert file.read() == DATA
        assert file.verified == "CRC32"
    with world.open("key", buffer_size=100) as file:
        file.read(10)
        assert file.verified is None
        file.seek(9000)
        file.read()
        assert file.verified is None

    def damage(call, reply):
        if call.operation != "GetObject":
            return reply
        return Reply(reply.status, reply.data, b"X" + reply.body[1:])

    world.change = damage
    with world.open("key") as file, pytest.raises(IntegrityError):
        file.read()


def test_an_object_that_changes_while_it_is_read_is_an_error(world):
    world.connection.upload("bucket", "key", DATA)
    with world.open("key", buffer_size=100) as file:
        file.read(50)
        world.connection.upload("bucket", "key", DATA[::-1])
        with pytest.raises(ObjectChangedError):
            file.read()


@pytest.mark.parametrize("fault", ["short", "elsewhere", "whole"])
def test_a_range_that_is_not_what_was_asked_for_is_an_error(world, fault):
    world.connection.upload("bucket", "key", DATA)

    def change(call, reply):
        if call.operation != "GetObject":
            return reply
        if fault == "short":
            return Reply(206, reply.data, reply.body[:-1])
        if fault == "elsewhere":
            return Reply(206, {**reply.data, "ContentRange": "bytes 0-99/10240"}, reply.body)
        return Reply(200, {}, reply.body)

    world.change = change
    with world.open("key", buffer_size=100) as file:
        file.seek(500)
        with pytest.raises(IncompleteTransferError if fault == "short" else IntegrityError):
            file.read(10)


def test_an_empty_object_and_a_missing_one(world):
    world.connection.upload("bucket", "empty", b"")
    with world.open("empty") as file:
        assert file.read() == b""
        assert file.size == 0
    with pytest.raises(NotFoundError):
        world.open("none")


def test_text_is_utf8_unless_said_otherwise(world):
    with world.open("key", "w") as file:
        file.write("é\nü\n")
    assert world.connection.download("bucket", "key") == "é\nü\n".encode()
    with world.open("key", "r") as file:
        assert list(file) == ["é\n", "ü\n"]
        assert file.buffer.verified == "CRC32"
    with world.open("key", "w", encoding="latin-1", newline="\r\n") as file:
        file.write("é\n")
    assert world.connection.download("bucket", "key") == b"\xe9\r\n"


def test_libraries_that_take_files_take_these(world):
    with world.open("a.zip", "wb") as file, zipfile.ZipFile(file, "w") as archive:
        archive.writestr("one", "1")
    with world.open("a.zip") as file, zipfile.ZipFile(file) as archive:
        assert archive.read("one") == b"1"
    with gzip.open(world.open("a.gz", "wb"), "wt") as file:
        json.dump([1, 2], file)
    world.open("a.gz", "wb").abort()
    with world.open("b.gz", "wb") as raw, gzip.open(raw, "wt") as file:
        json.dump([1, 2], file)
    with world.open("b.gz") as raw, gzip.open(raw) as file:
        assert json.load(file) == [1, 2]


# -- writing -----------------------------------------------------------------------------------------------------------


def test_a_little_goes_in_one_request_when_it_is_closed(world):
    world.calls.clear()
    with world.open("key", "wb", content_type="text/x") as file:
        for number in range(100):
            file.write(b"%d " % number)
        assert file.tell() == 290
        assert not world.calls

    assert world.operations() == ["PutObject"]
    assert file.outcome.ok
    assert (file.outcome.size, file.outcome.verified) == (290, "CRC32")
    assert world.connection.head("bucket", "key")["ContentType"] == "text/x"


def test_much_goes_in_parts_while_more_is_written(world):
    data = os.urandom(1 * MIB)
    with world.open("key", "wb") as file:
        for _ in range(17):
            file.write(data)

    assert world.connection.download("bucket", "key") == data * 17
    assert world.operations().count("UploadPart") == 4
    assert not world.uploads()


@pytest.mark.parametrize("size", [10, 17 * MIB])
@pytest.mark.parametrize("mode", ["wb", "w"])
def test_nothing_appears_when_an_exception_leaves_the_context(world, size, mode):
    def write():
        with world.open("key", mode) as file:
            for start in range(0, size, MIB):
                file.write("x" * min(MIB, size - start) if mode == "w" else b"x" * min(MIB, size - start))
            raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        write()
    assert not world.connection.exists("bucket", "key")
    assert not world.uploads()


def test_what_is_forgotten_does_not_appear(world):
    for mode, data in (("wb", b"half"), ("w", "half")):
        world.open("key", mode).write(data)
        gc.collect()
        assert not world.connection.exists("bucket", "key")


def test_a_failure_is_raised_at_the_latest_when_it_is_closed(world):
    def refuse(call, reply):
        if call.operation in ("PutObject", "UploadPart"):
            raise OSError("no")
        return reply

    world.change = refuse
    with pytest.raises(OSError, match="no"), world.open("key", "wb") as file:
        file.write(b"x")

    def write():
        with world.open("key", "wb") as file:
            for _ in range(100):
                file.write(b"x" * MIB)

    with pytest.raises(OSError, match="no"):
        write()
    assert not world.uploads()


def test_x_writes_a_new_object_only(world):
    with world.open("key", "xb") as file:
        file.write(b"1")
    with pytest.raises(PreconditionError), world.open("key", "x") as file:
        file.write("2")
    assert world.connection.download("bucket", "key") == b"1"


def test_bad_arguments_are_refused_at_once(world):
    for arguments in (["key", "a"], ["key", "r+"], ["", "rb"]):
        with pytest.raises(ConfigError):
            world.open(*arguments)
    with pytest.raises(ConfigError):
        world.open("key", "rb", encoding="utf-8")
    with pytest.raises(ConfigError):
        world.open("key", "wb", content_typ="x")


def test_a_closed_file_says_so(world):
    world.connection.upload("bucket", "key", DATA)
    file = world.open("key")
    file.close()
    with pytest.raises(ValueError, match="closed"):
        file.read()
    writer = world.open("key", "wb")
    writer.close()
    writer.close()
    with pytest.raises(ValueError, match="closed"):
        writer.write(b"x")
