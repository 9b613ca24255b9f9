"""S3 without ceremony: own signatures and HTTP/1.1 on non-blocking sockets, botocore's endpoints and credentials."""

from mangrove.s3.engines.lean.engine import LeanEngine

__all__ = ["LeanEngine"]
