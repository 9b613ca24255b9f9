"""The place where the room that knows resources plugs into sessions, so that this floor needs not know that room."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from typing import Any, Protocol

from botocore.loaders import Loader

__all__ = ["RESOURCES", "ResourceProvider", "provide_resources", "resource_provider"]

# botocore's name of the data files that describe resources.
RESOURCES = "resources-1"


class ResourceProvider(Protocol):
    """What sessions ask for, beyond boto3's own nine services."""

    def services(self, loader: Loader) -> list[str]:
        """List the services that have resources, in their order.

        Args:
            loader: what finds botocore's data, without any of the provider's own.
        """
        ...

    def version(self, loader: Loader, service: str) -> str | None:
        """Return the API version of the service's resources; None where the loader's own answer is to be taken."""

    def definition(self, loader: Loader, service: str) -> Any:
        """Return the `resources-1` definition of a service, boto3's own below the provider's; None if it has none."""

    def older(self, loader: Loader, service: str, version: str, definition: Any) -> Any:
        """Return boto3's own definition of an older API version, with what the provider knows of its types.

        Args:
            loader: what finds botocore's data.
            service: the service.
            version: the API version.
            definition: boto3's file of it.
        """

    def dress(self, context: Any, name: str, attributes: dict[str, Any], bases: list[type]) -> None:
        """Give a class of resources, as boto3 is about to make it, what all resources have.

        Args:
            context: boto3's `ServiceContext`.
            name: the type, or `ServiceResource`.
            attributes: the attributes of the class.
            bases: its bases.
        """

    def from_arn(self, session: Any, arn: Any, *, search: bool) -> Any:
        """Return the resource that an ARN names."""

    def matching(self, session: Any, pattern: Any, **options: Any) -> Iterator[Any]:
        """Yield the resources whose ARNs match a pattern."""
        ...


_provider: ResourceProvider | None = None


def provide_resources(provider: ResourceProvider) -> None:
    """Take the provider for all sessions of the process, those that are there already included."""
    global _provider  # noqa: PLW0603  one provider for the process
    _provider = provider


def resource_provider() -> ResourceProvider:
    """Return the provider; the package's root, which knows all rooms, brings it in when it is first asked for."""
    if _provider is None:
        importlib.import_module("mangrove").compose()
    if _provider is None:  # pragma: no cover  the root always has one
        text = "no room of the package offers resources"
        raise RuntimeError(text)
    return _provider
