"""Plug the derived resources into sessions; each part is loaded when a session first asks for it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from mangrove.aws.resource_seam import provide_resources

if TYPE_CHECKING:
    from botocore.loaders import Loader

__all__ = ["DerivedResources"]


class DerivedResources:
    """Offer the resources that are derived from the installed botocore; see `mangrove.aws.resource_seam`."""

    def services(self, loader: Loader) -> list[str]:
        """List the services that have resources."""
        from mangrove.resources.catalog import catalog_of  # noqa: PLC0415  only who lists them derives them

        return catalog_of(loader).services()

    def version(self, loader: Loader, service: str) -> str | None:
        """Return the API version of the service's resources; None where boto3's own is to be taken."""
        from mangrove.resources.catalog import catalog_of  # noqa: PLC0415

        found = catalog_of(loader).find(service)
        return found.version if found else None

    def definition(self, loader: Loader, service: str) -> Any:
        """Return the definition of a service's resources, or None if it has none."""
        from mangrove.resources.catalog import catalog_of  # noqa: PLC0415

        found = catalog_of(loader).find(service)
        return found.definition if found else None

    def older(self, loader: Loader, service: str, version: str, definition: Any) -> Any:
        """Return boto3's own definition of an older API version, with what is known of its types."""
        from mangrove.resources.catalog import catalog_of  # noqa: PLC0415

        return catalog_of(loader).older(service, version, definition)

    def dress(self, context: Any, name: str, attributes: dict[str, Any], bases: list[type]) -> None:
        """Give a class of resources `arn`, `tags` and `to_dict`."""
        from mangrove.resources.objects import dress  # noqa: PLC0415

        dress(context, name, attributes, bases)

    def from_arn(self, session: Any, arn: Any, *, search: bool) -> Any:
        """Return the resource that an ARN names."""
        from mangrove.resources.from_arn import resource_from_arn  # noqa: PLC0415

        return resource_from_arn(session, arn, search=search)

    def matching(self, session: Any, pattern: Any, **options: Any) -> Iterator[Any]:
        """Yield the resources whose ARNs match a pattern."""
        from mangrove.resources.matching import resources_matching  # noqa: PLC0415

        return resources_matching(session, pattern, **options)


provide_resources(DerivedResources())
