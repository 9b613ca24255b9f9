"""Guess the content type of an object from its key, the same on every machine."""

from __future__ import annotations

import mimetypes
from functools import cache

__all__ = ["content_type"]

# What Python's own table lacks in some version that we run on, or has wrong for objects that are stored as they are.
_MORE = {
    ".7z": "application/x-7z-compressed",
    ".arrow": "application/vnd.apache.arrow.file",
    ".avif": "image/avif",
    ".avro": "application/vnd.apache.avro",
    ".br": "application/x-brotli",
    ".bz2": "application/x-bzip2",
    ".feather": "application/vnd.apache.arrow.file",
    ".geojson": "application/geo+json",
    ".gz": "application/gzip",
    ".ipynb": "application/x-ipynb+json",
    ".jsonl": "application/x-ndjson",
    ".log": "text/plain",
    ".lz4": "application/x-lz4",
    ".md": "text/markdown",
    ".mjs": "text/javascript",
    ".js": "text/javascript",
    ".ndjson": "application/x-ndjson",
    ".orc": "application/vnd.apache.orc",
    ".parquet": "application/vnd.apache.parquet",
    ".rst": "text/x-rst",
    ".sqlite": "application/vnd.sqlite3",
    ".tgz": "application/gzip",
    ".toml": "application/toml",
    ".wasm": "application/wasm",
    ".webp": "image/webp",
    ".woff2": "font/woff2",
    ".xz": "application/x-xz",
    ".yaml": "application/yaml",
    ".yml": "application/yaml",
    ".z": "application/x-compress",
    ".zst": "application/zstd",
}
_LONGEST_ENDING = 16


def content_type(key: str) -> str | None:
    """Return the content type that the end of a key tells, or None: S3 then says binary/octet-stream.

    A compressed file is of the compression's type, as nothing says `Content-Encoding` for it. The tables of the
    operating system are not read, so that one key has one type everywhere.

    Example:
        >>> content_type("a/b.parquet"), content_type("c.JSON"), content_type("d.tar.gz"), content_type("e")
        ('application/vnd.apache.parquet', 'application/json', 'application/gzip', None)
    """
    dot = key.rfind(".")
    if dot < 0 or len(key) - dot > _LONGEST_ENDING:
        return None
    ending = key[dot:]
    return None if "/" in ending else _of_ending(ending.lower())


@cache
def _builtin() -> mimetypes.MimeTypes:
    return mimetypes.MimeTypes()


def _of_ending(ending: str) -> str | None:
    found = _MORE.get(ending)
    if found is None:
        found = _builtin().types_map[True].get(ending)
    return found
