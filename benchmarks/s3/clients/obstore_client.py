"""Measure obstore: its blocking functions in threads, and its coroutines (spec["flavour"])."""

# ruff: noqa: INP001, PTH104, PTH123  a program that measures, and no part of a package
from __future__ import annotations

import asyncio
import os
import threading
from collections import deque
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import obstore
from common import BODY, Client, main
from obstore.store import S3Store


class Obstore(Client):
    """Use the functions in threads, or the coroutines in tasks."""

    def __init__(self, spec: dict[str, Any]) -> None:
        super().__init__(spec)
        options: dict[str, Any] = {"allow_http": True}
        if self.ca:
            options["root_certificate"] = Path(self.ca).read_text()
        self.store = S3Store(
            self.bucket,
            endpoint=self.endpoint,
            region="us-east-1",
            access_key_id=os.environ["AWS_ACCESS_KEY_ID"],
            secret_access_key=os.environ["AWS_SECRET_ACCESS_KEY"],
            virtual_hosted_style_request=False,
            client_options=options,  # type: ignore[arg-type]
        )
        self.tasks = spec["flavour"] == "async"
        self.executor = ThreadPoolExecutor(self.concurrency)
        self.loop = asyncio.new_event_loop()

    def each(self, function: Any, coroutine: Any, number: int) -> None:
        """Do one thing for each key."""
        if not self.tasks:
            deque(self.executor.map(function, self.keys(number)), maxlen=0)
            return
        keys = self.keys(number)

        async def task() -> None:
            for key in keys:
                await coroutine(key)

        async def tasks() -> None:
            await asyncio.gather(*(task() for _ in range(self.concurrency)))

        self.loop.run_until_complete(tasks())

    def put(self, number: int) -> None:
        """Put from memory."""

        async def one(key: str) -> None:
            await obstore.put_async(self.store, key, BODY, use_multipart=False)

        self.each(lambda key: obstore.put(self.store, key, BODY, use_multipart=False), one, number)

    def get(self, number: int) -> None:
        """Get into memory."""

        async def one(key: str) -> None:
            bytes(await (await obstore.get_async(self.store, key)).bytes_async())

        self.each(lambda key: bytes(obstore.get(self.store, key).bytes()), one, number)

    def files(self, number: int) -> None:
        """Get to files; the file and its rename are ours, for it has none."""

        def one(key: str) -> None:
            name = str(self.folder / key.rsplit("/", 1)[1])
            data = obstore.get(self.store, key).bytes()
            # Not through pathlib: it would be part of what is measured.
            with open(name + ".part", "wb", buffering=0) as file:
                file.write(data)
            os.rename(name + ".part", name)

        self.each(one, None, number)

    def list(self, number: int) -> None:
        """List all keys."""
        found = 0
        for chunk in obstore.list(self.store, prefix=f"4096/{number}", chunk_size=1000):
            found += len([entry["path"] for entry in chunk])
        self.expect(found, number)

    def delete(self, number: int) -> None:
        """Delete many in a call: a thousand a request."""
        obstore.delete(self.store, list(self.keys(number)))

    def million(self, number: int) -> None:
        """Put what an iterator gives, a bounded number at once."""

        def some(keys: Iterator[str]) -> None:
            for key in keys:
                obstore.put(self.store, key, BODY[:100], use_multipart=False)

        keys = _Shared(self.watched(number))
        deque(self.executor.map(some, [keys] * self.concurrency), maxlen=0)

    def warm(self) -> None:
        """Connect."""
        self.put(1)

    def upload(self, _: int) -> None:
        """Upload a large file as it does by default."""
        key, path = self.large()
        obstore.put(self.store, key, path)

    def download(self, _: int) -> None:
        """Stream a large object to a file; it verifies no checksum."""
        key, path = self.large()
        target = Path(f"{path}.down")
        with target.open("wb", buffering=0) as file:
            for chunk in obstore.get(self.store, key).stream():
                file.write(chunk)
        target.unlink()


class _Shared:
    """Let threads take from one iterator."""

    def __init__(self, items: Iterator[str]) -> None:
        self.items, self.lock = items, threading.Lock()

    def __iter__(self) -> Iterator[str]:
        while True:
            with self.lock:
                item = next(self.items, None)
            if item is None:
                return
            yield item


if __name__ == "__main__":
    main(Obstore)
