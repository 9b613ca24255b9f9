"""Measure boto3: one client, and as many threads as operations are under way."""

# ruff: noqa: INP001  a program that measures, and no part of a package
from __future__ import annotations

from collections import deque
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import boto3
import botocore.config
from boto3.s3.transfer import TransferConfig
from common import BODY, Client, main


class Boto3(Client):
    """Use a client's methods, and its own transfers for files."""

    def __init__(self, spec: dict[str, Any]) -> None:
        super().__init__(spec)
        config = botocore.config.Config(max_pool_connections=max(10, self.concurrency), s3={"addressing_style": "path"})
        self.client = boto3.client("s3", endpoint_url=self.endpoint, config=config)
        self.executor = ThreadPoolExecutor(self.concurrency)
        self.config = TransferConfig(preferred_transfer_client="classic")

    def each(self, function: Any, number: int) -> None:
        """Call a function for each key."""
        deque(self.executor.map(function, self.keys(number)), maxlen=0)

    def put(self, number: int) -> None:
        """Put from memory."""
        self.each(lambda key: self.client.put_object(Bucket=self.bucket, Key=key, Body=BODY), number)

    def get(self, number: int) -> None:
        """Get into memory; botocore verifies the checksum."""
        self.each(lambda key: self.client.get_object(Bucket=self.bucket, Key=key)["Body"].read(), number)

    def files(self, number: int) -> None:
        """Get to files: a temporary one each, renamed."""

        def one(key: str) -> None:
            name = str(self.folder / key.rsplit("/", 1)[1])
            self.client.download_file(self.bucket, key, name, Config=self.config)

        self.each(one, number)

    def list(self, number: int) -> None:
        """List all keys."""
        pages = self.client.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=f"4096/{number}/")
        self.expect(sum(len([entry["Key"] for entry in page["Contents"]]) for page in pages), number)

    def delete(self, number: int) -> None:
        """Delete a thousand a request."""
        keys = list(self.keys(number))
        for start in range(0, number, 1000):
            objects = [{"Key": key} for key in keys[start : start + 1000]]
            self.client.delete_objects(Bucket=self.bucket, Delete={"Objects": objects})

    def warm(self) -> None:
        """Connect."""
        self.client.head_object(Bucket=self.bucket, Key=self.key(0))

    def upload(self, _: int) -> None:
        """Upload a large file as boto3 does by default."""
        key, path = self.large()
        self.client.upload_file(str(path), self.bucket, key, Config=self.config)

    def download(self, _: int) -> None:
        """Download a large object as boto3 does by default: by ranges, which nothing verifies."""
        key, path = self.large()
        target = Path(f"{path}.down")
        self.client.download_file(self.bucket, key, str(target), Config=self.config)
        target.unlink()


if __name__ == "__main__":
    main(Boto3)
