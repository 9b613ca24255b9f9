"""Measure s3transfer's managers, the classic one and the one over the AWS Common Runtime (spec["flavour"])."""

# ruff: noqa: INP001, PLC0415  a program that measures, and no part of a package
from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import botocore.config
import botocore.session
from common import BODY, Client, main
from s3transfer.manager import TransferConfig, TransferManager


class S3Transfer(Client):
    """Submit everything to a manager, a bounded number at once."""

    def __init__(self, spec: dict[str, Any]) -> None:
        super().__init__(spec)
        session = botocore.session.Session()
        config = botocore.config.Config(max_pool_connections=self.concurrency, s3={"addressing_style": "path"})
        if spec["flavour"] == "crt":
            from s3transfer.crt import (
                BotocoreCRTCredentialsWrapper,
                BotocoreCRTRequestSerializer,
                CRTTransferManager,
                create_s3_crt_client,
            )

            provider = BotocoreCRTCredentialsWrapper(session.get_credentials()).to_crt_credentials_provider()
            tls = self.endpoint.startswith("https")
            client = create_s3_crt_client("us-east-1", provider, num_threads=1, use_ssl=tls, verify=self.ca)
            options = {"region_name": "us-east-1", "endpoint_url": self.endpoint, "config": config}
            self.manager: Any = CRTTransferManager(client, BotocoreCRTRequestSerializer(session, options))
        else:
            client = session.create_client("s3", endpoint_url=self.endpoint, config=config)
            self.manager = TransferManager(client, TransferConfig(max_request_concurrency=self.concurrency))

    def put(self, number: int) -> None:
        """Put from memory."""
        self.all(self.manager.upload(io.BytesIO(BODY), self.bucket, key) for key in self.keys(number))

    def get(self, number: int) -> None:
        """Get into memory; the classic one asks for the size first."""
        self.all(self.manager.download(self.bucket, key, io.BytesIO()) for key in self.keys(number))

    def files(self, number: int) -> None:
        """Get to files."""
        keys = self.keys(number)
        self.all(self.manager.download(self.bucket, key, str(self.folder / key.rsplit("/", 1)[1])) for key in keys)

    def all(self, futures: Any) -> None:
        """Wait for all; not more under way than twice the concurrency."""
        window: list[Any] = []
        for future in futures:
            window.append(future)
            if len(window) >= 2 * self.concurrency:
                for done in window[: self.concurrency]:
                    done.result()
                del window[: self.concurrency]
        for future in window:
            future.result()

    def warm(self) -> None:
        """Connect."""
        self.put(1)

    def upload(self, _: int) -> None:
        """Upload a large file."""
        key, path = self.large()
        self.manager.upload(str(path), self.bucket, key).result()

    def download(self, _: int) -> None:
        """Download a large object."""
        key, path = self.large()
        target = Path(f"{path}.down")
        self.manager.download(self.bucket, key, str(target)).result()
        target.unlink()


if __name__ == "__main__":
    main(S3Transfer)
