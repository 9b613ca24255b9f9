"""Sign S3 requests as cheaply as Python can, for both trials of the transport: it is no part of their gap.

Signature Version 4 with the day's signing key and the second's text cached, the two pads of HMAC hashed beforehand.
Bodies carry CRC32, and SHA256 where the connection is not encrypted, as botocore does.
"""

# ruff: noqa: INP001  a program that measures, and no part of a package
from __future__ import annotations

import base64
import hashlib
import hmac
import re
import time
import zlib
from urllib.parse import quote

__all__ = ["Signer"]

EMPTY = hashlib.sha256(b"").hexdigest()
UNSIGNED = "UNSIGNED-PAYLOAD"
SAFE = re.compile(r"[A-Za-z0-9_.~/-]+").fullmatch


class Signer:
    """Sign PUTs and GETs of one bucket.

    Args:
        host: what the header Host says.
        bucket: the bucket, in the path.
        access: the access key.
        secret: the secret key.
        tls: whether bodies need no SHA256.
    """

    def __init__(self, host: str, bucket: str, access: str, secret: str, *, tls: bool) -> None:
        self.host, self.bucket, self.access, self.secret, self.tls = host, bucket, access, secret, tls
        self.second, self.day = 0, ""
        self.refresh(int(time.time()))

    def refresh(self, second: int) -> None:
        """Render what is the same for a second, and for a day."""
        self.second, moment = second, time.gmtime(second)
        self.date, day = time.strftime("%Y%m%dT%H%M%SZ", moment), time.strftime("%Y%m%d", moment)
        scope = f"{day}/us-east-1/s3/aws4_request"
        if day != self.day:
            self.day, key = day, b"AWS4" + self.secret.encode()
            for part in (day, "us-east-1", "s3", "aws4_request"):
                key = hmac.digest(key, part.encode(), "sha256")
            padded = key.ljust(64, b"\0")
            self.inner = hashlib.sha256(bytes(byte ^ 0x36 for byte in padded))
            self.outer = hashlib.sha256(bytes(byte ^ 0x5C for byte in padded))
        self.to_sign = f"AWS4-HMAC-SHA256\n{self.date}\n{scope}\n"
        payload = UNSIGNED if self.tls else EMPTY
        get_names = "host;x-amz-checksum-mode;x-amz-content-sha256;x-amz-date"
        put_names = "host;x-amz-checksum-crc32;x-amz-content-sha256;x-amz-date"
        # What follows the path in a canonical request: no query, the headers, their names, the body's hash.
        self.get_tail = (
            f"\n\nhost:{self.host}\nx-amz-checksum-mode:ENABLED\nx-amz-content-sha256:{payload}\n"
            f"x-amz-date:{self.date}\n\n{get_names}\n{payload}"
        )
        self.put_tail = f"\nx-amz-date:{self.date}\n\n{put_names}\n"
        credential = f"Authorization: AWS4-HMAC-SHA256 Credential={self.access}/{scope}, SignedHeaders="
        self.get_headers = (
            f"x-amz-checksum-mode: ENABLED\r\nx-amz-content-sha256: {payload}\r\nx-amz-date: {self.date}\r\n"
            f"{credential}{get_names}, Signature="
        )
        self.put_headers = f"x-amz-date: {self.date}\r\n{credential}{put_names}, Signature="

    def sign(self, canonical: str) -> str:
        """Return the signature of a canonical request."""
        inner, outer = self.inner.copy(), self.outer.copy()
        inner.update((self.to_sign + hashlib.sha256(canonical.encode()).hexdigest()).encode())
        outer.update(inner.digest())
        return outer.hexdigest()

    def path(self, key: str) -> str:
        """Return the path of a key."""
        return f"/{self.bucket}/{key if SAFE(key) else quote(key, safe='/~')}"

    def get(self, key: str) -> tuple[str, str]:
        """Return the path and the headers, lines without the last end, of a GET."""
        if (second := int(time.time())) != self.second:
            self.refresh(second)
        path = self.path(key)
        return path, self.get_headers + self.sign(f"GET\n{path}{self.get_tail}")

    def put(self, key: str, body: bytes) -> tuple[str, str]:
        """Return the path and the headers of a PUT."""
        if (second := int(time.time())) != self.second:
            self.refresh(second)
        path = self.path(key)
        crc = base64.b64encode(zlib.crc32(body).to_bytes(4, "big")).decode()
        payload = UNSIGNED if self.tls else hashlib.sha256(body).hexdigest()
        signature = self.sign(
            f"PUT\n{path}\n\nhost:{self.host}\nx-amz-checksum-crc32:{crc}\n"
            f"x-amz-content-sha256:{payload}{self.put_tail}{payload}"
        )
        return path, f"x-amz-checksum-crc32: {crc}\r\nx-amz-content-sha256: {payload}\r\n{self.put_headers}{signature}"


def verified(body: bytes, checksum: str) -> bool:
    """Tell whether a body is what the object's CRC32 says."""
    return base64.b64encode(zlib.crc32(body).to_bytes(4, "big")).decode() == checksum
