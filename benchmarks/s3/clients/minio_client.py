"""Measure minio-py: one client, as many threads as operations are under way."""

# ruff: noqa: INP001  a program that measures, and no part of a package
from __future__ import annotations

import io
import os
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urlsplit

import urllib3
from common import BODY, Client, main
from minio import Minio
from minio.deleteobjects import DeleteObject


class MinioPy(Client):
    """Use the client's methods."""

    def __init__(self, spec: dict[str, Any]) -> None:
        super().__init__(spec)
        place = urlsplit(self.endpoint)
        self.client = Minio(
            place.netloc,
            access_key=os.environ["AWS_ACCESS_KEY_ID"],
            secret_key=os.environ["AWS_SECRET_ACCESS_KEY"],
            region="us-east-1",
            secure=place.scheme == "https",
            http_client=urllib3.PoolManager(maxsize=self.concurrency, ca_certs=self.ca),
        )
        self.executor = ThreadPoolExecutor(self.concurrency)

    def put(self, number: int) -> None:
        """Put from memory."""

        def one(key: str) -> None:
            self.client.put_object(self.bucket, key, io.BytesIO(BODY), len(BODY))

        deque(self.executor.map(one, self.keys(number)), maxlen=0)

    def get(self, number: int) -> None:
        """Get into memory."""

        def one(key: str) -> None:
            answer = self.client.get_object(self.bucket, key)
            answer.read()
            answer.release_conn()

        deque(self.executor.map(one, self.keys(number)), maxlen=0)

    def list(self, number: int) -> None:
        """List all keys."""
        found = self.client.list_objects(self.bucket, prefix=f"4096/{number}/", recursive=True)
        self.expect(sum(1 for entry in found if entry.object_name), number)

    def delete(self, number: int) -> None:
        """Delete a thousand a request."""
        deque(self.client.remove_objects(self.bucket, (DeleteObject(key) for key in self.keys(number))), maxlen=0)


if __name__ == "__main__":
    main(MinioPy)
