"""Let `conn.conn.create_bucket("foo")` work, as users of s3po write it: botocore takes names of arguments only."""

from __future__ import annotations

from functools import cache
from typing import Any

__all__ = ["PositionalBucket", "with_positional_bucket"]

_ANYWHERE = frozenset({None, "aws-global", "us-east-1"})


class PositionalBucket:
    """Take the bucket's name by position in `create_bucket`, and make the bucket in the client's region."""

    meta: Any

    def create_bucket(self, bucket: str | None = None, /, **options: Any) -> Any:
        """Make a bucket; botocore's own arguments work as ever.

        Where the client's region is not us-east-1, S3 wants to be told it once more, as the bucket's place; that is
        added, unless there is a `CreateBucketConfiguration`.

        Args:
            bucket: its name; also as `Bucket`.
            **options: of botocore's `create_bucket`.

        Raises:
            TypeError: the name was given twice.

        Example:
            >>> client = with_positional_bucket(mangrove.Session(region_name="eu-west-1").client("s3"))
            >>> client.create_bucket("foo")["ResponseMetadata"]["HTTPStatusCode"]
            200
            >>> client.get_bucket_location(Bucket="foo")["LocationConstraint"]
            'eu-west-1'
        """
        if bucket is not None:
            if "Bucket" in options:
                text = "create_bucket() got the bucket's name twice, by position and as Bucket"
                raise TypeError(text)
            options["Bucket"] = bucket
        region = self.meta.region_name
        if region not in _ANYWHERE and not str(options.get("Bucket")).endswith("--x-s3"):
            options.setdefault("CreateBucketConfiguration", {"LocationConstraint": region})
        make: Any = super()
        return make.create_bucket(**options)


@cache
def _positional(kind: Any) -> type:
    return type(kind.__name__, (PositionalBucket, kind), {"__module__": kind.__module__})


def with_positional_bucket(client: Any) -> Any:
    """Return the same client, with `PositionalBucket` before its class.

    botocore's event `creating-client-class` would be another way, but it is the session's, and so of every client that
    the user makes of it; this is one client's.

    Args:
        client: a botocore client for S3.
    """
    if not isinstance(client, PositionalBucket):
        kind: Any = type(client)
        client.__class__ = _positional(kind)
    return client
