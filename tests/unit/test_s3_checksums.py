"""Checksums: known values, and the laws of CRCs."""

from __future__ import annotations

import base64
import hashlib
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mangrove.errors import ConfigError
from mangrove.s3.rules import checksums
from mangrove.s3.rules import crc as _crc
from mangrove.s3.rules.checksums import Checksum

CRCS = ["CRC32", "CRC32C", "CRC64NVME"]
HASHES = ["SHA1", "SHA256", "SHA512", "MD5"]
# Of b"123456789", from the catalogue of parametrised CRC algorithms.
KNOWN = {"CRC32": 0xCBF43926, "CRC32C": 0xE3069283, "CRC64NVME": 0xAE8B14860A799888}
OURS = {"CRC32": _crc.CRC32, "CRC32C": _crc.CRC32C, "CRC64NVME": _crc.CRC64NVME}


def slowly(crc, data):
    """Compute a CRC bit by bit, as its definition has it."""
    ones = (1 << crc.width) - 1
    register = ones
    for byte in data:
        register ^= byte
        for _ in range(8):
            register = register >> 1 ^ crc._polynomial if register & 1 else register >> 1
    return register ^ ones


@pytest.mark.parametrize("name", CRCS)
def test_known_values(name):
    assert OURS[name].update(b"123456789") == KNOWN[name]
    running = Checksum(name)
    running.update(b"123456789")
    assert running.crc == KNOWN[name]
    assert base64.b64decode(running.value) == KNOWN[name].to_bytes(len(running.digest()), "big")
    assert OURS[name].update(b"") == 0


@given(st.binary(max_size=600), st.integers(0, 600))
def test_our_own_crcs_are_right_and_continue(data, cut):
    for crc in OURS.values():
        assert crc.update(data) == slowly(crc, data)
        assert crc.update(memoryview(data)[cut:], crc.update(data[:cut])) == crc.update(data)
    assert _crc.CRC32.update(data) == zlib.crc32(data)


@pytest.mark.parametrize("name", CRCS)
def test_long_runs_of_our_own_crcs(name):
    crc = OURS[name]
    data = hashlib.shake_128(b"seed").digest(200_003)
    steps = 0
    for start in range(0, len(data), 7_001):
        steps = crc.update(data[start : start + 7_001], steps)
    assert crc.update(data) == steps
    assert crc.update(bytearray(data)) == crc.update(memoryview(data)) == steps
    assert crc.update(data[:70_001]) == slowly(crc, data[:70_001])


# Where one row more, or one byte, makes a difference, for registers of 32 and of 64 bits.
EDGES = [2 * width * size + more for width in (32, 64) for size in (64, 256) for more in (-1, 0, 63, 300)]


@pytest.mark.parametrize("name", CRCS)
def test_folding_long_runs_changes_nothing(name):
    crc = OURS[name]
    data = memoryview(hashlib.shake_128(b"more").digest(_crc._CHUNK + 4103))
    for length, start in (*((edge, 0x12345678) for edge in EDGES), (len(data), 0)):
        by_table = crc._by_table(data[:length], start ^ crc._ones) ^ crc._ones
        assert crc.update(data[:length], start) == by_table
    assert _crc.CRC32.update(data) == zlib.crc32(data)


def test_awscrt_agrees_where_it_is_installed():
    native = pytest.importorskip("awscrt.checksums")
    data = hashlib.shake_128(b"seed").digest(100_003)
    assert native.crc32c(data) == _crc.CRC32C.update(data)
    assert native.crc64nvme(data) == _crc.CRC64NVME.update(data)
    assert checksums.best() == "CRC64NVME"


@given(st.binary(max_size=300), st.binary(max_size=300))
def test_combining_is_concatenating(a, b):
    for name in CRCS:
        whole, first, second = Checksum(name), Checksum(name), Checksum(name)
        whole.update(a + b)
        first.update(a)
        second.update(b)
        assert checksums.combine(name, first.crc, second.crc, len(b)) == whole.crc
        parts = [(first.value, first.length), (second.value, second.length)]
        assert checksums.combine_parts(name, parts) == whole.value


@given(st.integers(0, 2**46), st.integers(0, 2**46), *[st.integers(0, 2**64 - 1)] * 3)
def test_combining_is_associative(length, more, a, b, c):
    for name in CRCS:
        x, y, z = (number % 2 ** OURS[name].width for number in (a, b, c))
        left = checksums.combine(name, checksums.combine(name, x, y, length), z, more)
        assert left == checksums.combine(name, x, checksums.combine(name, y, z, more), length + more)


def test_combining_zeros_of_a_large_object():
    zeros = zlib.crc32(bytes(1 << 20))
    crc = 0
    for _ in range(64):
        crc = checksums.combine("CRC32", crc, zeros, 1 << 20)
    assert crc == checksums.combine("CRC32", zlib.crc32(bytes(1 << 25)), zlib.crc32(bytes(1 << 25)), 1 << 25)


@pytest.mark.parametrize("name", HASHES)
def test_hashes(name):
    expected = base64.b64encode(hashlib.new(name.lower(), b"123456789").digest()).decode()
    assert checksums.checksum(name, b"123456789") == expected
    running = Checksum(name)
    running.update(memoryview(b"12345"))
    running.update(bytearray(b"6789"))
    assert (running.value, running.length) == (expected, 9)
    with pytest.raises(ConfigError, match="can't be combined"):
        _ = running.crc
    with pytest.raises(ConfigError, match="can't be combined"):
        checksums.combine(name, 1, 2, 3)


def test_views_of_any_items_count_in_bytes():
    view = memoryview(bytes(16)).cast("Q")
    for name in (*CRCS, *HASHES):
        running = Checksum(name)
        running.update(view)
        assert running.length == 16
        assert running.value == checksums.checksum(name, bytes(16))


@pytest.mark.parametrize("name", ["CRC32", "CRC32C", "SHA1", "SHA256"])
def test_composite(name):
    parts = [b"a" * 100, b"b" * 50, b""]
    digests = b"".join(base64.b64decode(checksums.checksum(name, part)) for part in parts)
    expected = checksums.checksum(name, digests) + "-3"
    assert checksums.composite(name, [checksums.checksum(name, part) for part in parts]) == expected


def test_names():
    assert checksums.parse("sha256") == "SHA256"
    assert checksums.member("SHA256") == "ChecksumSHA256"
    for name in (None, "", "XXHASH3", 1, "CRC"):
        with pytest.raises(ConfigError, match="choose one of CRC32"):
            checksums.parse(name)


def test_what_is_fast():
    assert all(checksums.is_fast(name) for name in ("CRC32", *HASHES))
    assert checksums.best() == ("CRC64NVME" if checksums.is_fast("CRC64NVME") else "CRC32")
