"""Measure aiobotocore: one client, as many tasks as operations are under way."""

# ruff: noqa: INP001  a program that measures, and no part of a package
from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

from aiobotocore.config import AioConfig
from aiobotocore.session import get_session
from common import BODY, Client, main


class Aiobotocore(Client):
    """Keep one loop and one client for both runs."""

    def __init__(self, spec: dict[str, Any]) -> None:
        super().__init__(spec)
        self.loop = asyncio.new_event_loop()
        config = AioConfig(max_pool_connections=self.concurrency, s3={"addressing_style": "path"})
        self.context = get_session().create_client("s3", endpoint_url=self.endpoint, config=config, verify=self.ca)
        self.client = self.loop.run_until_complete(self.context.__aenter__())

    def each(self, function: Callable[[str], Awaitable[object]], keys: Iterator[str]) -> None:
        """Call a function for each key, from a fixed number of tasks."""

        async def task() -> None:
            for key in keys:
                await function(key)

        async def tasks() -> None:
            await asyncio.gather(*(task() for _ in range(self.concurrency)))

        self.loop.run_until_complete(tasks())

    def put(self, number: int) -> None:
        """Put from memory."""
        self.each(lambda key: self.client.put_object(Bucket=self.bucket, Key=key, Body=BODY), self.keys(number))

    def get(self, number: int) -> None:
        """Get into memory."""

        async def one(key: str) -> None:
            answer = await self.client.get_object(Bucket=self.bucket, Key=key)
            async with answer["Body"] as body:
                await body.read()

        self.each(one, self.keys(number))

    def list(self, number: int) -> None:
        """List all keys."""

        async def pages() -> int:
            paginator = self.client.get_paginator("list_objects_v2")
            found = 0
            async for page in paginator.paginate(Bucket=self.bucket, Prefix=f"4096/{number}/"):
                found += len([entry["Key"] for entry in page["Contents"]])
            return found

        self.expect(self.loop.run_until_complete(pages()), number)

    def delete(self, number: int) -> None:
        """Delete a thousand a request."""

        async def all_of_them() -> None:
            keys = list(self.keys(number))
            for start in range(0, number, 1000):
                objects = [{"Key": key} for key in keys[start : start + 1000]]
                await self.client.delete_objects(Bucket=self.bucket, Delete={"Objects": objects})

        self.loop.run_until_complete(all_of_them())


if __name__ == "__main__":
    main(Aiobotocore)
