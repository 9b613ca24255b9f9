"""Bytes are compared with what S3 holds of them, and other bytes never pass."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mangrove.errors import IntegrityError
from mangrove.s3.rules import checksums
from mangrove.s3.rules.integrity import Stored, stored, verify

ALL = ["CRC32", "CRC32C", "CRC64NVME", "SHA1", "SHA256", "SHA512", "MD5"]
CRC = checksums.checksum("CRC32", b"x")
CRC64 = checksums.checksum("CRC64NVME", b"x")
SHA = checksums.checksum("SHA256", b"x")


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ({}, None),
        ({"ETag": '"9dd4e461268c8034f5c8564e155c67a6"'}, None),
        ({"ChecksumCRC32": CRC}, Stored("CRC32", CRC)),
        ({"ChecksumCRC64NVME": CRC64, "ChecksumType": "FULL_OBJECT"}, Stored("CRC64NVME", CRC64)),
        ({"ChecksumCRC32": f"{CRC}-7", "ChecksumType": "COMPOSITE"}, Stored("CRC32", f"{CRC}-7", 7)),
        ({"ChecksumCRC32": f"{CRC}-7"}, Stored("CRC32", f"{CRC}-7", 7)),
        ({"ChecksumCRC32": CRC, "ChecksumType": "COMPOSITE"}, Stored("CRC32", CRC)),  # a part, asked for by its number
        ({"ChecksumCRC32": f"{CRC}-7", "ChecksumSHA256": SHA}, Stored("SHA256", SHA)),
        ({"ChecksumCRC64NVME": CRC64, "ChecksumCRC32": f"{CRC}-7"}, Stored("CRC64NVME", CRC64)),
        ({"ChecksumXXHASH3": "AAAAAAAAAAA="}, None),
        ({"ChecksumXXHASH3": "AAAAAAAAAAA=", "ChecksumSHA256": SHA}, Stored("SHA256", SHA)),
        ({"ChecksumType": "FULL_OBJECT"}, None),
        ({"ChecksumCRC32": ""}, None),
        ({"ChecksumCRC32": None}, None),
        ({"ChecksumCRC32": "y/Q5Jg"}, None),
        ({"ChecksumCRC32": "y/Q5Jh=="}, None),  # bits beyond the bytes
        ({"ChecksumCRC32": "y/Q5\nJg=="}, None),
        ({"ChecksumCRC32": "é"}, None),
        ({"ChecksumCRC32": CRC64}, None),
        ({"ChecksumCRC32": f"{CRC}-0"}, None),
        ({"ChecksumCRC32": f"{CRC}-7", "ChecksumType": "FULL_OBJECT"}, None),
    ],
)
def test_what_an_answer_holds(data, expected):
    assert stored(data) == expected


def test_among_equals_what_compiled_code_computes_is_better():
    found = stored({"ChecksumCRC64NVME": CRC64, "ChecksumSHA256": SHA})
    assert found is not None
    assert found.algorithm == ("CRC64NVME" if checksums.is_fast("CRC64NVME") else "SHA256")


def test_verdicts():
    assert Stored("CRC64NVME", CRC64).check(CRC64, "s3://b/k") == "CRC64NVME"
    assert Stored("CRC32", f"{CRC}-2", 2).check(f"{CRC}-2", "s3://b/k") == "CRC32 (composite)"
    with pytest.raises(IntegrityError, match=r"s3://b/k .* CRC32 .* S3 holds"):
        Stored("CRC32", CRC).check(checksums.crc32(b"y"), "s3://b/k")


@given(st.binary(), st.binary())
def test_no_other_bytes_pass(a, b):
    for name in ALL:
        held = stored({checksums.member(name): checksums.checksum(name, a)})
        assert held is not None
        if a == b:
            assert held.check(checksums.checksum(name, b), "x") == name
        else:
            with pytest.raises(IntegrityError):
                held.check(checksums.checksum(name, b), "x")


def test_verifying_one_answer():
    assert verify({}, b"x", "s3://b/k") is None
    assert verify({"ChecksumCRC32": CRC, "ChecksumType": "FULL_OBJECT"}, b"x", "s3://b/k") == "CRC32"
    assert verify({"ChecksumCRC64NVME": CRC64}, memoryview(b"x"), "s3://b/k") == "CRC64NVME"
    assert verify({"ChecksumCRC32": f"{CRC}-2", "ChecksumType": "COMPOSITE"}, b"x", "s3://b/k") is None
    for name in ALL:
        with pytest.raises(IntegrityError, match=name):
            verify({checksums.member(name): checksums.checksum(name, b"x")}, b"y", "s3://b/k")
