"""Trees made alike up, down and across: what fails is told by name, the rest goes on, in doubt nothing is deleted."""

from __future__ import annotations

import os
from datetime import datetime, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mangrove import s3
from mangrove.errors import BatchError, ConfigError, NotFoundError, TransferError, UnsafePathError
from mangrove.s3.engines.base import Call
from mangrove.s3.listing import list_objects
from mangrove.s3.pages import Prefix
from mangrove.s3.trees.copying import cp, mv, sync
from mangrove.s3.trees.keyspace import du, ls, rm


class World:
    """Be a connection to an S3 in memory, and a folder."""

    def __init__(self, folder, **arguments):
        self.connection = s3.Connection.in_memory(**arguments)
        self.connection.create_bucket("bucket")
        self.connection.create_bucket("other")
        self.backend = self.connection.backend
        self.folder = folder
        self.calls = []
        perform = self.backend.engine.perform

        def counted(call):
            self.calls.append(call.operation)
            return perform(call)

        self.backend.engine.perform = counted

    def put(self, *keys, bucket="bucket", body=None):
        for key in keys:
            data = key.encode() if body is None else body
            self.backend.engine.perform(Call("PutObject", {"Bucket": bucket, "Key": key}, body=data))

    def files(self, *paths):
        for path in paths:
            file = self.folder / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(path.encode())
            # S3 has whole seconds only: a file of the same second may have been written after its object.
            os.utime(file, (1.7e9, 1.7e9))

    def keys(self, bucket="bucket", prefix=""):
        return {str(key): self.connection.download(bucket, str(key)) for key in self.listed(bucket, prefix)}

    def listed(self, bucket="bucket", prefix=""):
        return list(list_objects(self.backend.performer, bucket, prefix))

    def tree(self):
        return {
            str(path.relative_to(self.folder)): path.read_bytes() for path in self.folder.rglob("*") if path.is_file()
        }


@pytest.fixture
def world(tmp_path):
    folder = tmp_path / "tree"
    folder.mkdir()
    made = World(folder)
    yield made
    made.connection.close()


def alike(*paths):
    return {path: path.encode() for path in paths}


PATHS = ["a.txt", "a/b", "a/c/d", "a-b", "é b+c"]


def test_a_folder_is_uploaded_and_the_second_time_nothing_is_done(world):
    world.files(*PATHS)

    first = sync(world.backend, world.folder, "s3://bucket/p")

    assert first.counts == {"upload": 5}
    assert first.bytes == sum(len(path.encode()) for path in PATHS)
    assert world.keys() == {f"p/{path}": path.encode() for path in PATHS}
    world.calls.clear()
    second = sync(world.backend, world.folder, "s3://bucket/p/")
    assert (second.done, second.same) == (0, 5)
    assert world.calls == ["ListObjectsV2"]


def test_keys_are_downloaded_with_their_times_and_the_second_time_nothing_is_done(world):
    world.put(*(f"p/{path}" for path in PATHS), "p2/no", "p/folder/")

    assert sync(world.backend, "s3://bucket/p", world.folder).counts == {"download": 5}

    assert world.tree() == {path: f"p/{path}".encode() for path in PATHS}
    stored = {str(key)[2:]: key.last_modified for key in world.listed(prefix="p/")}
    for path in PATHS:
        there = datetime.fromtimestamp((world.folder / path).stat().st_mtime, timezone.utc)
        assert abs((there - stored[path]).total_seconds()) < 0.001
    assert sync(world.backend, "s3://bucket/p", world.folder).same == 5
    assert sync(world.backend, world.folder, "s3://bucket/p").same == 5


def test_keys_are_copied_across_buckets(world):
    world.put(*PATHS, "folder/")

    assert sync(world.backend, "s3://bucket", "s3://other/copy").counts == {"copy": 6}
    assert world.keys("other") == {f"copy/{path}": path.encode() for path in [*PATHS, "folder/"]}
    assert sync(world.backend, "s3://bucket", "s3://other/copy").same == 6


def test_what_is_newer_or_of_another_size_is_transferred(world):
    world.files("a", "b", "c")
    sync(world.backend, world.folder, "s3://bucket")
    (world.folder / "a").write_bytes(b"longer")
    old = (world.folder / "a").stat().st_mtime - 10_000
    os.utime(world.folder / "a", (old, old))
    (world.folder / "b").write_bytes(b"B")
    later = datetime.now(timezone.utc).timestamp() + 100
    os.utime(world.folder / "b", (later, later))
    told = []

    sync(world.backend, world.folder, "s3://bucket", callback=told.append)

    assert sorted(each.key for each in told) == ["a", "b"]
    assert world.keys() == {"a": b"longer", "b": b"B", "c": b"c"}


def test_what_is_newer_in_s3_is_downloaded_and_what_is_older_only_if_exact(world):
    world.put("a")
    sync(world.backend, "s3://bucket", world.folder)
    for seconds, compare, done in ((-100, "newer", 1), (100, "newer", 0), (100, "exact", 1), (100, "size", 0)):
        when = world.listed()[0].last_modified.timestamp() + seconds
        (world.folder / "a").write_bytes(b"X")
        os.utime(world.folder / "a", (when, when))

        assert sync(world.backend, "s3://bucket", world.folder, compare=compare).done == done


def at_once(write):
    """Write until the object has the time of the file's second, or of another object's: they are of one second then."""
    while True:
        if len({int(moment) for moment in write()}) == 1:
            return


def stored(world, key, bucket="bucket"):
    return next(each.last_modified.timestamp() for each in world.listed(bucket) if each == key)


def test_a_file_written_again_in_the_second_of_its_upload_is_not_missed(world):
    def write():
        (world.folder / "a").write_bytes(b"old")
        sync(world.backend, world.folder, "s3://bucket", compare="checksum")
        (world.folder / "a").write_bytes(b"new")
        when = int((world.folder / "a").stat().st_mtime)
        os.utime(world.folder / "a", (when, when))  # as a file system has it that counts seconds
        return when, stored(world, "a")

    at_once(write)

    assert sync(world.backend, world.folder, "s3://bucket").counts == {"upload": 1}
    assert world.keys() == {"a": b"new"}
    for _ in range(3):
        assert (summary := sync(world.backend, world.folder, "s3://bucket")).same == 1
        assert not summary.counts


def test_an_object_written_again_in_the_second_of_its_download_is_not_missed(world):
    def write():
        world.put("a", body=b"old")
        sync(world.backend, "s3://bucket", world.folder, compare="checksum")
        world.put("a", body=b"new")
        return (world.folder / "a").stat().st_mtime, stored(world, "a")

    at_once(write)

    assert sync(world.backend, "s3://bucket", world.folder).counts == {"download": 1}
    assert (world.folder / "a").read_bytes() == b"new"
    for _ in range(3):
        assert (summary := sync(world.backend, "s3://bucket", world.folder)).same == 1
        assert not summary.counts


def test_an_object_written_again_in_the_second_of_its_copy_is_not_missed(world):
    def write():
        world.put("a", body=b"old")
        sync(world.backend, "s3://bucket", "s3://other", compare="checksum")
        world.put("a", body=b"new")
        return stored(world, "a"), stored(world, "a", "other")

    at_once(write)

    assert sync(world.backend, "s3://bucket", "s3://other").counts == {"copy": 1}
    assert world.keys("other") == {"a": b"new"}
    assert sync(world.backend, "s3://bucket", "s3://other").same == 1


def test_files_that_were_downloaded_long_after_they_were_written_are_not_read_again(world, monkeypatch):
    world.put("a", body=b"old")
    sync(world.backend, "s3://bucket", world.folder)
    later = stored(world, "a") + 100
    read = []
    monkeypatch.setattr("mangrove.s3.trees.comparing._md5", lambda path: read.append(path) or "")

    def entries(self):
        for entry in walked(self):
            yield entry._replace(changed=int(later * 1e9))

    from mangrove.s3.trees.places import Folder

    walked = Folder.entries_there
    monkeypatch.setattr(Folder, "entries_there", entries)
    assert sync(world.backend, "s3://bucket", world.folder).same == 1
    assert read == []


def test_what_can_not_be_compared_in_doubt_is_transferred(world, monkeypatch):
    def refuse(_):
        raise PermissionError

    def write():
        world.put("a", body=b"old")
        sync(world.backend, "s3://bucket", world.folder, compare="checksum")
        return (world.folder / "a").stat().st_mtime, stored(world, "a")

    at_once(write)
    monkeypatch.setattr("mangrove.s3.trees.comparing._md5", refuse)
    when = stored(world, "a")
    os.utime(world.folder / "a", (when, when))

    assert sync(world.backend, "s3://bucket", world.folder).counts == {"download": 1}


def test_checksums_tell_what_differs_whatever_the_times(world):
    world.files("a", "b")
    sync(world.backend, world.folder, "s3://bucket")
    sync(world.backend, "s3://bucket", "s3://other")
    (world.folder / "b").write_bytes(b"B")
    os.utime(world.folder / "a", (2e9, 2e9))
    os.utime(world.folder / "b", (1e9, 1e9))

    up = sync(world.backend, world.folder, "s3://bucket", compare="checksum")
    assert (up.counts, up.same) == ({"upload": 1}, 1)
    across = sync(world.backend, "s3://bucket", "s3://other", compare="checksum")
    assert (across.counts, across.same) == ({"copy": 1}, 1)
    (world.folder / "a").write_bytes(b"A")
    os.utime(world.folder / "a", (2e9, 2e9))
    down = sync(world.backend, "s3://other", world.folder, compare="checksum")
    assert (down.counts, down.same) == ({"download": 1}, 1)
    assert world.tree() == {"a": b"a", "b": b"B"}


def test_checksums_of_multipart_objects_are_compared_by_the_parts(world):
    data = os.urandom(3 << 20) * 3
    client = world.connection.conn
    upload = client.create_multipart_upload(Bucket="bucket", Key="a")["UploadId"]
    parts = []
    for number, start in enumerate(range(0, len(data), 5 << 20), 1):
        body = data[start : start + (5 << 20)]
        part = client.upload_part(Bucket="bucket", Key="a", UploadId=upload, PartNumber=number, Body=body)
        parts.append({"ETag": part["ETag"], "PartNumber": number})
    client.complete_multipart_upload(Bucket="bucket", Key="a", UploadId=upload, MultipartUpload={"Parts": parts})
    (world.folder / "a").write_bytes(data)

    assert sync(world.backend, world.folder, "s3://bucket", compare="checksum").same == 1
    (world.folder / "a").write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    assert sync(world.backend, world.folder, "s3://bucket", compare="checksum", dry_run=True).done == 1


def test_filters_hold_on_both_sides(world):
    world.files("a.gz", "b.txt", "tmp/c.gz")
    world.put("d.txt", "tmp/e.gz", "f.gz")

    summary = sync(world.backend, world.folder, "s3://bucket", include="*.gz", exclude="tmp/*", delete=True)

    assert summary.counts == {"upload": 1, "delete": 1}
    assert set(world.keys()) == {"a.gz", "d.txt", "tmp/e.gz"}


def test_delete_removes_what_the_source_has_not_on_either_side(world):
    world.files("a", "b/c")
    world.put("x/y", "z")

    assert sync(world.backend, world.folder, "s3://bucket", delete=True).counts == {"upload": 2, "delete": 2}
    assert world.keys() == alike("a", "b/c")
    world.files("new", "b/new")
    assert sync(world.backend, "s3://bucket", world.folder, delete=True, compare="size").counts == {"delete": 2}
    assert world.tree() == alike("a", "b/c")
    world.put("q", bucket="other")
    assert sync(world.backend, "s3://bucket", "s3://other", delete=True).counts == {"copy": 2, "delete": 1}
    assert world.keys("other") == alike("a", "b/c")


def test_a_dry_run_tells_the_same_and_does_nothing(world):
    world.files("a", "b")
    world.put("b", "c")
    os.utime(world.folder / "b", (1e9, 1e9))
    before, told = world.keys(), []

    summary = sync(world.backend, world.folder, "s3://bucket", delete=True, dry_run=True, callback=told.append)

    assert summary.counts == {"upload": 1, "delete": 1}
    assert [(each.operation, each.bucket, each.key) for each in told] == [
        ("upload", "bucket", "a"),
        ("delete", "bucket", "c"),
    ]
    assert told[0].value == world.folder / "a"
    assert world.keys() == before
    sync(world.backend, "s3://bucket", world.folder / "none", dry_run=True)
    assert not (world.folder / "none").exists()


def test_nothing_is_deleted_when_the_source_is_in_doubt(world):
    world.put("a", "b")

    with pytest.raises(BatchError, match="nothing at all"):
        sync(world.backend, world.folder, "s3://bucket", delete=True)
    world.files("a")
    (world.folder / "broken").symlink_to(world.folder / "none")
    with pytest.raises(BatchError, match="2 of 2.*other operations failed"):
        sync(world.backend, world.folder, "s3://bucket", delete=True)
    assert set(world.keys()) == {"a", "b"}
    with pytest.raises(FileNotFoundError):
        sync(world.backend, world.folder / "none", "s3://bucket", delete=True)
    with pytest.raises(NotFoundError):
        sync(world.backend, "s3://no-such-bucket", world.folder, delete=True)
    assert "a" in world.tree()


HOSTILE = ["../escape", "a/../../b", "/absolute", "d//e", "c\x00d", "x\x1b[0m", "ok/..", "\u202egpj.exe", "n" * 256]


def test_hostile_keys_are_failures_by_name_and_the_rest_arrives(world):
    world.put(*(f"p/{key}" for key in HOSTILE), "p/fine", "p/ok/fine")

    with pytest.raises(BatchError) as caught:
        sync(world.backend, "s3://bucket/p", world.folder / "in")

    assert {each.key for each in caught.value.failures} == {f"p/{key}" for key in HOSTILE}
    assert all(isinstance(each.error, UnsafePathError) for each in caught.value.failures)
    assert world.tree() == {"in/fine": b"p/fine", "in/ok/fine": b"p/ok/fine"}
    assert [each.name for each in world.folder.parent.iterdir()] == ["tree"]


def test_a_folder_and_a_file_of_one_name_are_one_failure(world):
    world.put("a", "a-b", "a/b", "c/d")

    summary = sync(world.backend, "s3://bucket", world.folder, raise_errors=False)

    assert [each.key for each in summary.failures] == ["a/b"]
    assert world.tree() == alike("a", "a-b", "c/d")


def test_names_that_one_file_system_takes_for_one_are_one_failure(world):
    world.put("README", "readme", "e\u0301", "\u00e9")

    summary = sync(world.backend, "s3://bucket", world.folder, fold=True, raise_errors=False)

    assert [each.key for each in summary.failures] == ["readme", "\u00e9"]


def test_links_at_the_target_are_replaced_and_not_followed(world):
    outside = world.folder.parent / "outside"
    outside.mkdir()
    (outside / "file").write_bytes(b"precious")
    (world.folder / "file").symlink_to(outside / "file")
    (world.folder / "folder").symlink_to(outside)
    world.put("file", "folder/file")

    summary = sync(world.backend, "s3://bucket", world.folder, raise_errors=False, delete=True)

    assert [each.key for each in summary.failures][:1] == ["folder/file"]
    assert (outside / "file").read_bytes() == b"precious"
    assert not (world.folder / "file").is_symlink()
    assert (world.folder / "file").read_bytes() == b"file"


def test_a_file_that_can_not_be_read_fails_alone(world):
    world.files("a", "b")
    (world.folder / "c").symlink_to(world.folder / "none")

    summary = sync(world.backend, world.folder, "s3://bucket", raise_errors=False)

    assert [each.key for each in summary.failures] == ["c"]
    assert isinstance(summary.failures[0].error, FileNotFoundError)
    assert world.keys() == alike("a", "b")


def test_wildcards_choose_keys_below_the_last_folder_without_one(world):
    world.put("logs/2026/x-1.gz", "logs/2026/x-12.gz", "logs/2025/x-2.gz", "logs/x-3.gz", "log")

    assert cp(world.backend, "s3://bucket/logs/*/x-?.gz", world.folder).done == 2
    assert set(world.tree()) == {"2026/x-1.gz", "2025/x-2.gz"}
    assert cp(world.backend, "s3://bucket/logs/2026/x-1*", "s3://other").done == 2
    assert set(world.keys("other")) == {"x-1.gz", "x-12.gz"}


def test_one_object_is_copied_under_its_own_name_or_another(world):
    world.files("a.txt")
    file = world.folder / "a.txt"

    assert cp(world.backend, file, "s3://bucket").done == 1
    assert cp(world.backend, str(file), "s3://bucket/d/").bytes == 5
    assert cp(world.backend, file, "s3://bucket/d/b.txt").done == 1
    assert cp(world.backend, "s3://bucket/d/b.txt", "s3://other/").done == 1
    assert set(world.keys()) == {"a.txt", "d/a.txt", "d/b.txt"}
    assert set(world.keys("other")) == {"b.txt"}
    cp(world.backend, "s3://bucket/d/b.txt", world.folder)
    cp(world.backend, "s3://bucket/d/b.txt", world.folder / "c.txt")
    assert set(world.tree()) == {"a.txt", "b.txt", "c.txt"}


def test_an_error_of_one_object_is_its_own(world):
    with pytest.raises(NotFoundError):
        cp(world.backend, "s3://bucket/none", world.folder / "x")
    with pytest.raises(FileNotFoundError):
        cp(world.backend, world.folder / "none", "s3://bucket")
    for source, target in (("s3://bucket", "x"), ("a", "b"), ("s3://bucket/k/", "s3://other"), ("", "s3://bucket")):
        with pytest.raises((ConfigError, FileNotFoundError)):
            cp(world.backend, source, target)


def test_a_key_that_would_leave_the_folder_is_refused_alone_too(world):
    world.put("a/..")
    with pytest.raises(UnsafePathError):
        cp(world.backend, "s3://bucket/a/..", f"{world.folder}/")


def test_a_move_deletes_what_was_copied_well_and_only_that(world):
    world.files("a", "b")
    (world.folder / "c").symlink_to(world.folder / "none")
    summary = mv(world.backend, world.folder, "s3://bucket/", recursive=True, raise_errors=False)
    assert summary.counts == {"upload": 2, "delete": 2}
    assert [each.name for each in world.folder.iterdir()] == ["c"]

    assert mv(world.backend, "s3://bucket/", "s3://other/x", recursive=True).counts == {"copy": 2, "delete": 2}
    assert (world.keys(), set(world.keys("other"))) == ({}, {"x/a", "x/b"})

    world.put("x/../d", bucket="other")
    summary = mv(world.backend, "s3://other/x", world.folder, recursive=True, raise_errors=False)
    assert (summary.counts, len(summary.failures)) == ({"download": 2, "delete": 2}, 1)
    assert set(world.keys("other")) == {"x/../d"}
    assert world.tree() == alike("a", "b")


def test_one_object_is_moved(world):
    world.files("a")
    mv(world.backend, world.folder / "a", "s3://bucket/b")
    assert world.tree() == {}
    mv(world.backend, "s3://bucket/b", "s3://bucket/c")
    assert set(world.keys()) == {"c"}
    mv(world.backend, "s3://bucket/c", world.folder / "d")
    assert (world.keys(), world.tree()) == ({}, {"d": b"a"})


def test_a_source_that_holds_its_target_is_refused(world):
    for source, target in (("s3://bucket", "s3://bucket/copy"), ("s3://bucket/a", "s3://bucket/a")):
        with pytest.raises(ConfigError, match="part of"):
            sync(world.backend, source, target)
    with pytest.raises(ConfigError, match="part of"):
        sync(world.backend, "s3://bucket/a/b", "s3://bucket/a", delete=True)
    with pytest.raises(ConfigError):
        sync(world.backend, world.folder, world.folder)
    with pytest.raises(ConfigError):
        sync(world.backend, world.folder, "s3://bucket", compare="perhaps")
    with pytest.raises(ConfigError):
        sync(world.backend, world.folder, "s3://bucket", content_typ="x")
    assert not world.calls[2:]


def test_options_go_with_each_operation(world):
    world.files("a")

    sync(world.backend, world.folder, "s3://bucket", storage_class="STANDARD_IA", content_type="text/x")

    head = world.connection.head("bucket", "a")
    assert (head["StorageClass"], head["ContentType"]) == ("STANDARD_IA", "text/x")


def test_any_number_of_files_is_in_flight_in_bounded_numbers(world):
    world.put(*(f"{number:04}" for number in range(1500)))

    summary = sync(world.backend, "s3://bucket", world.folder, concurrency=3)

    assert summary.counts == {"download": 1500}
    assert len(world.tree()) == 1500


def test_large_objects_arrive_whole_with_their_times(tmp_path):
    world = World(tmp_path, threshold=1 << 20, part_size=5 << 20)
    data = os.urandom(12 << 20)
    world.put("d/large", body=data)

    assert sync(world.backend, "s3://bucket", world.folder).bytes == len(data)

    assert world.tree() == {"d/large": data}
    assert world.calls.count("GetObject") > 1
    assert sync(world.backend, "s3://bucket", world.folder).same == 1
    world.connection.close()


def test_a_server_that_lists_folder_by_folder_is_served_all_the_same(world):
    """Such as SeaweedFS: `a/b` comes before `a-b`."""
    from mangrove.s3.engines.base import Reply

    world.files("a-b", "a/b", "a.c", "a/c", "b")
    perform = world.backend.engine.perform

    def disorderly(call):
        reply = perform(call)
        if call.operation == "ListObjectsV2":
            entries = sorted(reply.data.get("Contents", ()), key=lambda each: each["Key"].split("/"))
            reply = call.reply = Reply(200, {**reply.data, "Contents": entries})
        return reply

    world.backend.engine.perform = disorderly
    for delete in (False, True):
        assert sync(world.backend, world.folder, "s3://bucket/p", delete=delete, threads=1).done == (5, 0)[delete]
    world.put("p/a/d")
    (world.folder / "a-b").unlink()
    told = []
    assert sync(world.backend, world.folder, "s3://bucket/p", delete=True, threads=1, dry_run=True).done == 2
    sync(world.backend, world.folder, "s3://bucket/p", delete=True, threads=1, callback=told.append)
    assert sorted((each.operation, each.key) for each in told) == [("delete", "p/a-b"), ("delete", "p/a/d")]
    sync(world.backend, "s3://bucket/p", world.folder / "copy", threads=1)
    assert len(list((world.folder / "copy").rglob("*"))) == 5


NAMES = st.text("ab-.é 0", min_size=1, max_size=3).filter(lambda name: name not in (".", ".."))
TREES = st.dictionaries(st.lists(NAMES, min_size=1, max_size=3).map("/".join), st.binary(max_size=4), max_size=8)


@settings(deadline=None, max_examples=25)
@given(TREES, TREES)
def test_up_and_down_again_gives_the_same_tree(tmp_path_factory, tree, other):
    world = World(tmp_path_factory.mktemp("tree"))
    for path, body in other.items():
        world.put(path, body=body)
    kept = {}
    for path, body in tree.items():
        file = world.folder / path
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(body)
        except OSError:
            continue  # a folder is where a file is to be
        kept[path] = body
        os.utime(file, (2e9, 2e9))
    if not kept:
        return
    sync(world.backend, world.folder, "s3://bucket", delete=True)
    assert world.keys() == kept
    again = World(tmp_path_factory.mktemp("again"))
    sync(world.backend, "s3://bucket", again.folder, delete=True)
    assert again.tree() == kept
    world.connection.close()
    again.connection.close()


# -- one place ---------------------------------------------------------------------------------------------------------


def test_rm_takes_a_key_a_tree_or_what_matches(world):
    world.put("a", "ab", "t/1", "t/2", "t2/3", "w/x.gz", "w/y.txt")

    assert rm(world.backend, "s3://bucket/a").done == 1
    assert rm(world.backend, "s3://bucket/t", recursive=True, exclude="2").done == 1
    assert rm(world.backend, "s3://bucket/w/*.gz").done == 1
    assert rm(world.backend, "s3://bucket/", recursive=True, dry_run=True).done == 4
    assert set(world.keys()) == {"ab", "t/2", "t2/3", "w/y.txt"}
    for wrong in ("s3://bucket", "bucket/a"):
        with pytest.raises(ConfigError):
            rm(world.backend, wrong)


def test_rm_of_versions_leaves_nothing(world):
    client = world.connection.conn
    client.put_bucket_versioning(Bucket="bucket", VersioningConfiguration={"Status": "Enabled"})
    world.put("a", "a", "ab", "b/c")
    rm(world.backend, "s3://bucket/a")

    assert du(world.backend, "s3://bucket", versions=True).count == 4
    assert rm(world.backend, "s3://bucket/a", versions=True).done == 3
    assert set(world.keys()) == {"ab", "b/c"}
    assert rm(world.backend, "s3://bucket", versions=True, recursive=True).done == 2
    assert list(ls(world.backend, "s3://bucket", versions=True, recursive=True)) == []


def test_ls_shows_a_folder_and_du_adds_up(world):
    world.put("a/1", "a/b/2", "c")
    world.connection.upload("bucket", "cold", "12345", storage_class="GLACIER")

    assert list(ls(world.backend, "s3://bucket")) == ["a/", "c", "cold"]
    assert list(ls(world.backend, "s3://bucket/a/")) == ["a/1", "a/b/"]
    assert isinstance(next(ls(world.backend, "s3://bucket")), Prefix)
    assert list(ls(world.backend, "s3://bucket/a/", recursive=True)) == ["a/1", "a/b/2"]
    assert list(ls(world.backend, "s3://bucket/*/b/?")) == ["a/b/2"]
    usage = du(world.backend, "s3://bucket")
    assert (usage.count, usage.bytes) == (4, 14)
    assert usage.classes == {"STANDARD": (3, 9), "GLACIER": (1, 5)}
    assert du(world.backend, "s3://bucket/none").count == 0


def test_a_summary_that_failed_says_what(world):
    world.put("../x")
    with pytest.raises(TransferError, match=r"1 of 1 operations failed: download s3://bucket/../x"):
        cp(world.backend, "s3://bucket/", world.folder, recursive=True)
