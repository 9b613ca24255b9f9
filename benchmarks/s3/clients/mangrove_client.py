"""Measure mangrove: everything small through `batch`, large objects through `upload_file` and `download_file`."""

# ruff: noqa: INP001  a program that measures, and no part of a package
from __future__ import annotations

from pathlib import Path
from typing import Any

from common import BODY, Client, main

from mangrove import s3


class Mangrove(Client):
    """Use the connection as its documents show; the CA comes from AWS_CA_BUNDLE, as in botocore."""

    def __init__(self, spec: dict[str, Any]) -> None:
        super().__init__(spec)
        self.conn: Any = s3.Connection(
            endpoint_url=self.endpoint, region_name="us-east-1", max_connections=max(512, self.concurrency)
        )

    def put(self, number: int) -> None:
        """Put from memory."""
        with self.conn.batch(self.concurrency) as batch:
            for key in self.keys(number):
                batch.upload(self.bucket, key, BODY)

    def get(self, number: int) -> None:
        """Get into memory, verified; nobody keeps the objects, as with the other clients."""
        with self.conn.batch(self.concurrency, keep_results=False) as batch:
            for key in self.keys(number):
                batch.download(self.bucket, key)

    def files(self, number: int) -> None:
        """Get to files, verified, renamed into place."""
        with self.conn.batch(self.concurrency) as batch:
            for key in self.keys(number):
                batch.download(self.bucket, key, f"{self.folder}/{key.rpartition('/')[2]}")

    def list(self, number: int) -> None:
        """List all keys."""
        self.expect(sum(1 for _ in self.conn.list(self.bucket, prefix=f"4096/{number}/")), number)

    def delete(self, number: int) -> None:
        """Delete a thousand a request."""
        self.conn.delete_many(self.bucket, self.keys(number))

    def million(self, number: int) -> None:
        """Put what an iterator gives."""
        with self.conn.batch(self.concurrency) as batch:
            for key in self.watched(number):
                batch.upload(self.bucket, key, BODY[:100])

    def warm(self) -> None:
        """Connect."""
        self.put(1)

    def upload(self, _: int) -> None:
        """Upload a large file, with a checksum."""
        key, path = self.large()
        self.conn.upload_file(self.bucket, key, str(path))

    def download(self, _: int) -> None:
        """Download a large object, verified."""
        key, path = self.large()
        target = Path(f"{path}.down")
        self.conn.download_file(self.bucket, key, str(target))
        target.unlink()


if __name__ == "__main__":
    main(Mangrove)
