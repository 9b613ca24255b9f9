"""List the resources of a type page by page: through the types above it, and what the account itself has."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from mangrove.errors import MangroveError
from mangrove.resources.kinds import Kind, kind_of

__all__ = ["page_size_of", "pages_of_kind"]

_LIMITS = ("MaxResults", "MaxItems", "MaxBuckets", "Limit", "limit")


def pages_of_kind(kind: Kind, service: Any, fault: Callable[[Exception], Any]) -> Iterator[list[Any]]:
    """Yield the resources of a type, page by page.

    Args:
        kind: the type.
        service: the service resource whose account and region are listed.
        fault: called with the error of a resource on the way whose own could not be listed; the rest goes on.

    Raises:
        MangroveError: there is no such collection.
        botocore.exceptions.ClientError: AWS refused the list itself.

    Example:
        >>> service = mangrove.Session(region_name="eu-west-1").resource("ec2")
        >>> [len(page) for page in pages_of_kind(kind_of("ec2.vpcs"), service, print)]
        [1]
    """
    yield from _below(kind, service, fault, 1)


def _below(kind: Kind, holder: Any, fault: Callable[[Exception], Any], depth: int) -> Iterator[list[Any]]:
    if depth == len(kind.path):
        yield from _pages(holder, kind)
        return
    # A type on the way is narrowed as it is where it is listed itself.
    above = kind_of(".".join((kind.service, *kind.path[:depth])))
    for page in _pages(holder, above):
        for each in page:
            try:
                yield from _below(kind, each, fault, depth + 1)
            except Exception as error:  # noqa: BLE001  a parent that is gone or closed costs only its own
                fault(error)


def _pages(holder: Any, kind: Kind) -> Iterator[list[Any]]:
    """Yield the pages of a collection, as large as they may be."""
    name = kind.path[-1]
    size = page_size_of(holder, name, kind.page_size)
    collection = getattr(holder, name).filter(**dict(kind.arguments))
    yield from (collection.page_size(size) if size else collection).pages()


def page_size_of(holder: Any, name: str, wanted: int | None) -> int | None:
    """Return how many items to ask a collection for at once: what is wanted, or fewer if its operation takes fewer.

    Args:
        holder: the resource, or the service.
        name: the collection.
        wanted: how many are wanted; None leaves it to AWS.

    Raises:
        MangroveError: the holder has no collection of that name.
    """
    known = next((one for one in holder.meta.resource_model.collections if one.name == name), None)
    if known is None:
        text = f"{type(holder).__name__} has no collection {name!r}"
        raise MangroveError(text)
    shape = holder.meta.client.meta.service_model.operation_model(known.request.operation).input_shape
    inputs = shape.members if shape else {}
    limit = next((inputs[each] for each in _LIMITS if each in inputs), None)
    if wanted is None or limit is None:
        return None
    most = limit.metadata.get("max")
    return min(wanted, most) if most else wanted
