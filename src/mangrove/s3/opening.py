"""Open an object as a file: of bytes or of text, to read or to write."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

from mangrove.errors import ConfigError
from mangrove.s3.reader import LEAST_AHEAD, ObjectReader, Ranges
from mangrove.s3.rules.names import check
from mangrove.s3.writer import ObjectWriter, Sending, TextWriter

if TYPE_CHECKING:
    from mangrove.s3.backend import Backend

__all__ = ["open_object"]

_MODES = {"r": "rt", "rt": "rt", "rb": "rb", "w": "wt", "wt": "wt", "wb": "wb", "x": "xt", "xt": "xt", "xb": "xb"}
_BLOCK = 1 << 20


def open_object(
    backend: Backend,
    bucket: str,
    key: str,
    mode: str = "rb",
    *,
    encoding: str | None = None,
    errors: str | None = None,
    newline: str | None = None,
    buffer_size: int | None = None,
    **options: Any,
) -> Any:
    """Open an object as a file.

    Args:
        backend: what serves the calls.
        bucket: its bucket.
        key: its key.
        mode: "rb" to read bytes, "wb" to write them, "xb" to write a new object only; "r", "w" and "x" for text.
        encoding: of text; UTF-8.
        errors: of text, as with `open`.
        newline: of text, as with `open`.
        buffer_size: bytes that are fetched first, or written at once; None for 128 KiB and 1 MiB.
        **options: of the download or the upload.

    Returns:
        A seekable reader, with `verified`; or a writer, with `outcome` once it is closed and with `abort`. What is
        written appears when it is closed, and never if an exception leaves the `with`.

    Raises:
        ConfigError: an argument is wrong.
        NotFoundError: there is no such object to read.
    """
    known = _MODES.get(mode)
    if known is None:
        text = f"mode is one of {', '.join(_MODES)}; got {mode!r}"
        raise ConfigError(text)
    if known.endswith("b") and (encoding or errors or newline):
        text = f"encoding, errors and newline are for text; mode {mode!r} is for bytes"
        raise ConfigError(text)
    check(bucket, key)
    text_arguments: dict[str, Any] = {"encoding": encoding or "utf-8", "errors": errors, "newline": newline}
    if known.startswith("r"):
        reader = _reader(backend, bucket, key, buffer_size, options)
        return reader if known == "rb" else io.TextIOWrapper(reader, **text_arguments)
    if known.startswith("x"):
        options["if_none_match"] = "*"
    writer = _writer(backend, bucket, key, buffer_size, options)
    return writer if known.endswith("b") else TextWriter(writer, **text_arguments)


def _reader(backend: Backend, bucket: str, key: str, size: int | None, options: dict[str, Any]) -> ObjectReader:
    read = backend.maker.read("download", options, None, None)
    ranges = Ranges(backend.performer, bucket, key, read, size or LEAST_AHEAD)
    # A block is fetched anyway: a large buffer beside it would hold it twice.
    return ObjectReader(ranges, min(_BLOCK, size or LEAST_AHEAD))


def _writer(backend: Backend, bucket: str, key: str, size: int | None, options: dict[str, Any]) -> ObjectWriter:
    make = backend.maker
    make.upload(bucket, key, b"", **options)  # what is wrong with the options is said now
    sending = Sending(
        backend.performer,
        lambda data: make.upload(bucket, key, data, **options),
        backend.settings.limits.threshold,
        f"s3://{bucket}/{key}",
    )
    return ObjectWriter(sending, size or _BLOCK)
