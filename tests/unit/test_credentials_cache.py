"""Caches give back what was put, to nobody else, and take damage for a miss."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import logging
import os
import pickle
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from botocore.credentials import AssumeRoleCredentialFetcher
from hypothesis import given
from hypothesis import strategies as st

from mangrove.credentials import AwsCliCache, Cache, CredentialsCache, FileCache, MemoryCache, RoleSpec, locks
from mangrove.credentials.cache import Subject, key_of, lock_of
from mangrove.credentials.documents import Issued, read_document, write_document
from mangrove.errors import ConfigError, DeclarationTypeError

ROLE = "arn:aws:iam::123456789012:role/Reader"
KEY = "0123456789abcdef"
ISSUED = Issued("AKIA", "canarysecret", "canarytoken", 2_000_003_600.0, 2_000_000_000.0, 3.0, "123456789012")


class FakeClock:
    def __init__(self):
        self.now = 1_000_000.0

    def time(self):
        return self.now

    def sleep(self, seconds):
        self.now += seconds


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "credentials"


# -- documents -------------------------------------------------------------------------------------------------------


def test_a_document_gives_back_the_credentials():
    document = json.loads(json.dumps(write_document(ISSUED, {"Arn": "x"})))
    assert read_document(document, "123456789012", 3600) == ISSUED
    assert document["AssumedRoleUser"] == {"Arn": "x"}


def test_a_clock_that_was_ahead_makes_no_document_live_beyond_its_end():
    # It was a day ahead when they were kept, and has been set since: by the right time, they end when AWS says.
    document = write_document(dataclasses.replace(ISSUED, skew=-86_400.0))
    found = read_document(document, "123456789012", 3600)
    assert found.local_expiry == ISSUED.expires


@pytest.mark.parametrize("expiration", ["2033-05-18T04:33:20Z", "2033-05-18T04:33:20UTC", "2033-05-18T04:33:20+00:00"])
def test_a_document_of_the_aws_cli_is_read(expiration):
    keys = {"AccessKeyId": "AKIA", "SecretAccessKey": "s", "SessionToken": "t", "Expiration": expiration}
    found = read_document({"Credentials": keys, "ResponseMetadata": {}}, "123456789012", 900)
    assert (found.lifetime, found.expires, found.account_id) == (900, 2_000_003_600.0, "123456789012")


GOOD = write_document(ISSUED)
DAMAGED = [
    None,
    [],
    "x",
    {},
    {"Credentials": None},
    {"Credentials": []},
    {"Credentials": {}},
    *({"Credentials": {**GOOD["Credentials"], name: None}} for name in list(GOOD["Credentials"])[:4]),
    *({"Credentials": {k: v for k, v in GOOD["Credentials"].items() if k != name}} for name in GOOD["Credentials"]),
    {"Credentials": {**GOOD["Credentials"], "Expiration": "soon"}},
    {"Credentials": {**GOOD["Credentials"], "SecretAccessKey": ""}},
    {"Credentials": {**GOOD["Credentials"], "SecretAccessKey": "a\nb"}},
    {"Credentials": {**GOOD["Credentials"], "SessionToken": 7}},
    {"Credentials": {**GOOD["Credentials"], "AccountId": "210987654321"}},
    {"Credentials": {**GOOD["Credentials"], "AccountId": "x"}},
    {**GOOD, "Mangrove": []},
    {**GOOD, "Mangrove": {"Issued": "x"}},
    {**GOOD, "Mangrove": {"Issued": float("nan")}},
    {**GOOD, "Mangrove": {"Issued": 0.0}},
    {**GOOD, "Mangrove": {"Issued": 9e9}},
    {**GOOD, "Mangrove": {"Skew": float("inf")}},
]


@pytest.mark.parametrize("document", DAMAGED, ids=range(len(DAMAGED)))
def test_a_damaged_document_is_a_miss(document):
    found = read_document(document, "123456789012", 3600)
    # One without an account id, or without our own facts, is as the CLI writes them.
    assert found is None or "AccountId" not in document["Credentials"] or not document.get("Mangrove")


json_values = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=5) | st.integers(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@given(json_values, st.sampled_from([*GOOD["Credentials"], "Mangrove", "Credentials"]))
def test_no_document_breaks_the_reader(value, name):
    for document in (value, {"Credentials": value}, {**GOOD, name: value}):
        read_document(document, None, 3600)
    read_document({**GOOD, "Credentials": {**GOOD["Credentials"], name: value}}, None, 3600)


# -- keys ------------------------------------------------------------------------------------------------------------


def test_the_key_is_of_everything():
    subjects = [
        Subject((RoleSpec(ROLE),), "key:AKIA1", "https://sts"),
        Subject((RoleSpec(ROLE),), "key:AKIA2", "https://sts"),
        Subject((RoleSpec(ROLE),), "key:AKIA1", "https://other"),
        Subject((RoleSpec(ROLE), RoleSpec(ROLE)), "key:AKIA1", "https://sts"),
        Subject((RoleSpec(ROLE, "other"),), "key:AKIA1", "https://sts"),
        Subject((RoleSpec(ROLE, external_id="canary"),), "key:AKIA1", "https://sts"),
        Subject((RoleSpec(ROLE, source_identity="alice"),), "key:AKIA1", "https://sts"),
        Subject((RoleSpec(ROLE, policy="{}"),), "key:AKIA1", "https://sts"),
        Subject((RoleSpec(ROLE, tags={"a": "b"}),), "key:AKIA1", "https://sts"),
        Subject((RoleSpec(ROLE, duration_seconds=900),), "key:AKIA1", "https://sts"),
    ]
    keys = [subject.key() for subject in subjects]
    assert len(set(keys)) == len(keys)
    assert all(len(key) == 64 and set(key) <= set("0123456789abcdef") for key in keys)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"RoleSessionName": "alice"},
        {"RoleSessionName": "alice", "ExternalId": "abc", "DurationSeconds": 900},
        {"SerialNumber": "arn:aws:iam::123456789012:mfa/alice"},
        {"Policy": '{"b": 1, "a": 2}', "Tags": [{"Key": "a", "Value": "b"}]},
    ],
)
def test_the_aws_clis_cache_has_botocores_own_keys(folder, options):
    theirs = AssumeRoleCredentialFetcher(None, None, ROLE, extra_args=options)._cache_key
    from mangrove.credentials.roles import parse_chain

    chain = parse_chain({"RoleArn": ROLE, **options}, {})
    assert key_of(AwsCliCache(folder), Subject(chain, "whoever", "wherever")) == theirs


# -- in memory -------------------------------------------------------------------------------------------------------


def test_the_memory_cache_is_bounded():
    cache = MemoryCache(most=2)
    for key in "abc":
        cache.put(key, GOOD)
        cache.get("a")
    assert [cache.get(key) is GOOD for key in "abc"] == [True, False, True]
    assert len(cache) == 2
    cache.delete("a")
    cache.delete("a")
    assert len(cache) == 1
    cache.clear()
    assert repr(cache) == "<MemoryCache of 0>"


@pytest.mark.parametrize(
    ("most", "error"), [(0, ConfigError), (True, DeclarationTypeError), ("2", DeclarationTypeError)]
)
def test_the_memory_caches_bound_is_checked(most, error):
    with pytest.raises(error, match="most takes a number"):
        MemoryCache(most=most)


def test_the_memory_cache_shows_and_pickles_nothing():
    cache = MemoryCache()
    cache.put("a", GOOD)
    assert "canary" not in repr(cache)
    with pytest.raises(TypeError, match="never pickled"):
        pickle.dumps(cache)


def test_the_memory_caches_lock_is_one_per_key():
    cache = MemoryCache()
    with cache.lock("a", wait=True) as first, cache.lock("a", wait=False) as second, cache.lock("b", wait=False) as b:
        assert (first, second, b) == (True, False, True)
    with cache.lock("a", wait=False) as again:
        assert again


def test_a_users_cache_needs_three_methods_and_no_lock():
    class Mine:
        def get(self, key):
            return None

        def put(self, key, document):
            pass

        def delete(self, key):
            pass

    assert isinstance(Mine(), CredentialsCache)
    assert not isinstance(Cache(), CredentialsCache)
    with lock_of(Mine(), "a", wait=True) as held:
        assert held


# -- files -----------------------------------------------------------------------------------------------------------

posix = pytest.mark.skipif(not hasattr(os, "getuid"), reason="modes and owners are POSIX's")


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


@posix
def test_files_and_folders_are_the_owners_alone(tmp_path):
    old = os.umask(0)
    try:
        folder = tmp_path / "a" / "b"
        cache = FileCache(folder)
        cache.put(KEY, GOOD)
        with cache.lock(KEY, wait=True):
            pass
    finally:
        os.umask(old)
    assert [mode(path) for path in (tmp_path / "a", folder)] == [0o700, 0o700]
    assert sorted(path.name for path in folder.iterdir()) == [f"{KEY}.json", f"{KEY}.lock"]
    assert {mode(path) for path in folder.iterdir()} == {0o600}
    assert cache.get(KEY) == GOOD
    cache.delete(KEY)
    cache.delete(KEY)
    assert cache.get(KEY) is None


def test_the_usual_places(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "x"))
    assert FileCache().directory == tmp_path / "x" / "mangrove" / "credentials"
    assert AwsCliCache().directory == Path.home() / ".aws" / "cli" / "cache"
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert FileCache().directory == Path.home() / ".cache" / "mangrove" / "credentials"
    assert repr(FileCache(tmp_path / "y")) == f"FileCache({str(tmp_path / 'y')!r})"


@posix
@pytest.mark.parametrize("open_to", [0o755, 0o750, 0o777, 0o701])
def test_a_cache_directory_that_others_can_read_is_refused(folder, open_to):
    folder.mkdir()
    folder.chmod(open_to)
    with pytest.raises(ConfigError, match=f"mode {open_to:04o}.*chmod 700"):
        FileCache(folder)


@posix
def test_the_clis_directory_may_be_seen_but_not_written_by_others(folder):
    folder.mkdir(mode=0o755)
    folder.chmod(0o755)
    AwsCliCache(folder)
    folder.chmod(0o775)
    with pytest.raises(ConfigError, match="open to others"):
        AwsCliCache(folder)


@posix
def test_a_cache_directory_that_is_a_link_or_a_file_is_refused(tmp_path):
    real = tmp_path / "real"
    real.mkdir(mode=0o700)
    (tmp_path / "link").symlink_to(real)
    (tmp_path / "dangling").symlink_to(tmp_path / "nowhere")
    (tmp_path / "file").write_text("")
    for name, why in (("link", "symbolic link"), ("dangling", "symbolic link"), ("file", "is no folder")):
        with pytest.raises(ConfigError, match=why):
            FileCache(tmp_path / name)
    with pytest.raises(ConfigError, match="can't be made"):
        FileCache(tmp_path / "file" / "below")
    with pytest.raises(DeclarationTypeError):
        FileCache(7)


@posix
@pytest.mark.skipif(os.name != "posix" or os.getuid() == 0, reason="root may write everywhere")
def test_a_cache_directory_that_can_not_be_written_is_refused(tmp_path):
    folder = tmp_path / "read-only"
    folder.mkdir(mode=0o500)
    with pytest.raises(ConfigError, match="can't be written"):
        FileCache(folder)


def test_a_cache_directory_that_the_system_calls_not_writable_is_refused(folder, monkeypatch):
    # As root sees every folder as writable, the system's answer is a double here.
    monkeypatch.setattr(os, "access", lambda *_: False)
    with pytest.raises(ConfigError, match="can't be written"):
        FileCache(folder)


def test_a_cache_directory_of_another_user_is_refused(folder, monkeypatch):
    folder.mkdir(mode=0o700)
    monkeypatch.setattr(os, "getuid", lambda: 4711)
    with pytest.raises(ConfigError, match="belongs to another user"):
        FileCache(folder)


@posix
@pytest.mark.parametrize("wrong", [0o644, 0o640, 0o606, 0o660])
def test_a_file_that_others_can_read_or_write_is_a_miss(folder, wrong, caplog):
    cache = FileCache(folder)
    cache.put(KEY, GOOD)
    (folder / f"{KEY}.json").chmod(wrong)
    with caplog.at_level(logging.DEBUG, "mangrove"):
        assert cache.get(KEY) is None
    assert "open to others" in caplog.text
    assert KEY not in caplog.text


@posix
def test_no_link_is_followed(folder, tmp_path):
    cache = FileCache(folder)
    planted = tmp_path / "planted.json"
    planted.write_text(json.dumps(GOOD))
    planted.chmod(0o600)
    (folder / f"{KEY}.json").symlink_to(planted)
    assert cache.get(KEY) is None
    cache.put(KEY, GOOD)  # replaces the link, and writes nothing through it
    assert not (folder / f"{KEY}.json").is_symlink()
    target = tmp_path / "target"
    target.write_text("mine")
    (folder / "aaaaaaaaaaaaaaaa.lock").symlink_to(target)
    with cache.lock("aaaaaaaaaaaaaaaa", wait=True) as held:
        assert held  # without a lock then: it is a courtesy
    assert target.read_text() == "mine"


@pytest.mark.parametrize(
    "text", ["", "{", '{"Credentials": {"AccessKeyId": "AKIA', "null", "[]", "[" * 100_000, "\x00"]
)
def test_a_file_cut_short_or_odd_is_a_miss(folder, text):
    cache = FileCache(folder)
    path = folder / f"{KEY}.json"
    path.write_text(text)
    path.chmod(0o600)
    assert cache.get(KEY) is None


@pytest.mark.parametrize("key", ["../x", "", "a/b", "x" * 64, "0123456789ABCDEF", f"{KEY}\n"])
def test_no_key_leads_out_of_the_folder(folder, key):
    cache = FileCache(folder)
    for use in (cache.get, cache.delete, lambda key: cache.put(key, {})):
        with pytest.raises(ConfigError, match="hexadecimal digits"):
            use(key)


def test_a_full_disk_leaves_nothing_behind(folder, monkeypatch):
    cache = FileCache(folder)

    def full(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        cache.put(KEY, GOOD)
    assert list(folder.iterdir()) == []


def test_one_process_at_a_time_holds_the_lock(folder):
    clock = FakeClock()
    one, two = FileCache(folder, clock=clock), FileCache(folder, clock=clock)
    with one.lock(KEY, wait=True) as first:
        with two.lock(KEY, wait=False) as second:
            assert (first, second) == (True, False)
        before = clock.now
        with two.lock(KEY, wait=True) as given_up:
            assert not given_up  # its holder hangs: two calls are better than none
        assert 60 <= clock.now - before < 61
    with two.lock(KEY, wait=False) as free:
        assert free


def test_without_flock_a_file_is_the_lock(folder, monkeypatch):
    monkeypatch.setattr(locks, "fcntl", None)
    clock = FakeClock()
    cache = FileCache(folder, clock=clock)
    with cache.lock(KEY, wait=True) as first, cache.lock(KEY, wait=False) as second:
        assert (first, second) == (True, False)
        assert (folder / f"{KEY}.taken").exists()
    assert not (folder / f"{KEY}.taken").exists()
    # One that a dead process has left
    left = folder / f"{KEY}.taken"
    left.touch()
    os.utime(left, (clock.now - 61, clock.now - 61))
    with cache.lock(KEY, wait=True) as taken_over:
        assert taken_over


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system can't fork")
def test_a_lock_ends_with_its_holder_whatever_the_holder_has_forked(folder):
    script = f"""
import os, sys
from mangrove.credentials import FileCache
lock = FileCache({str(folder)!r}).lock({KEY!r}, wait=True)
assert lock.__enter__()
ours, theirs = os.pipe()
if not os.fork():
    os.write(theirs, b"x")
    sys.stdin.read()  # it outlives its parent
    os._exit(0)
os.read(ours, 1)
print("forked", flush=True)
os.kill(os.getpid(), 9)
"""
    with subprocess.Popen([sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout.readline() == b"forked\n"
        process.stdout.close()
        assert os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT).si_status == 9
        with FileCache(folder).lock(KEY, wait=False) as held:
            assert held


def test_without_a_place_for_a_lock_nobody_is_waited_for(folder):
    cache = FileCache(folder)
    (folder / f"{KEY}.lock").mkdir()
    for wait in (True, False):
        with cache.lock(KEY, wait=wait) as held:
            assert held


def test_threads_wait_for_each_other(folder):
    cache, inside, most = FileCache(folder), [], []

    def work(_):
        with cache.lock(KEY, wait=True) as held:
            assert held
            inside.append(1)
            most.append(len(inside))
            inside.pop()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(24)))
    assert max(most) == 1


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system can't fork")
def test_a_forked_child_waits_for_no_thread_of_its_parent():
    script = """
import os, signal, threading
from mangrove.credentials import MemoryCache
from mangrove.credentials.documents import Issued
from mangrove.credentials.refresh import Refresher, SystemClock
import time
gate, entered = threading.Event(), threading.Event()
parent = os.getpid()
def fetch(**_):
    if os.getpid() == parent:
        entered.set()
        gate.wait(20)
    return Issued("a", "b", "c", time.time() + 900, time.time())
refresher, cache = Refresher("role", fetch, SystemClock()), MemoryCache()
lock = cache.lock("a", wait=True)
lock.__enter__()
cache._guard.acquire()
thread = threading.Thread(target=refresher.get, daemon=True)
thread.start()
entered.wait(20)
child = os.fork()
if not child:
    signal.alarm(20)
    refresher.get()
    with cache.lock("a", wait=True) as held:
        os._exit(0 if held else 1)
print(os.waitpid(child, 0)[1])
gate.set()
"""
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=False)
    assert run.stdout == "0\n", run.stderr


def test_the_lock_is_given_back_by_whoever_raises():
    cache = MemoryCache()
    with contextlib.suppress(ValueError), cache.lock("a", wait=True):
        raise ValueError
    with cache.lock("a", wait=False) as held:
        assert held
