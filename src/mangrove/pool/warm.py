"""Make the clients of many regions at once, and tell which could not be made."""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor

from mangrove.errors import ConnectError, MangroveError
from mangrove.pool.handle import RegionHandle

__all__ = ["warm"]

# Making a client is the interpreter's own work; more threads help only subclasses whose connecting waits.
_WORKERS = 8


def warm(handles: Iterable[RegionHandle], owner: str) -> dict[str, MangroveError]:
    """Make the client of every handle that can have one, concurrently.

    Args:
        handles: regions of one pool; those that are disabled are left alone.
        owner: the pool, for the message.

    Returns:
        By region, the errors of those that failed.

    Raises:
        ConnectError: all failed; other errors that all regions have in common are raised as they are.
    """
    usable = [handle for handle in handles if handle.info.status != "disabled"]
    if not usable:
        return {}
    with ThreadPoolExecutor(min(_WORKERS, len(usable)), thread_name_prefix="mangrove-connect") as executor:
        errors = list(executor.map(_make, usable))
    failed = {handle.region_name: error for handle, error in zip(usable, errors, strict=True) if error}
    if len(failed) < len(usable):
        return failed
    first = next(iter(failed.values()))
    if not isinstance(first, ConnectError):
        raise first
    text = f"{owner}: none of {len(usable)} regions could be connected; the first: {first}"
    raise ConnectError(text) from first


def _make(handle: RegionHandle) -> MangroveError | None:
    try:
        handle.client  # noqa: B018  making it is the point
    except MangroveError as error:
        return error
    return None
