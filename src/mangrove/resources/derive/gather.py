"""The one impure step before the derivation: collect a service's facts through botocore's loader."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from botocore.exceptions import DataNotFoundError

from mangrove.resources.derive.facts import ServiceFacts
from mangrove.resources.formats import formats_of
from mangrove.resources.overlay import overlay_of
from mangrove.resources.owners import prefixes_of

__all__ = ["Loader", "gather"]


class Loader(Protocol):
    """What is asked of botocore's ``data_loader`` component."""

    def load_service_model(self, service_name: str, type_name: str, api_version: str | None = None) -> Any:
        """Load one data file of a service."""

    def list_api_versions(self, service_name: str, type_name: str) -> Any:
        """List the versions of a service's data; DataNotFoundError where it has none."""


def gather(loader: Loader, service: str) -> ServiceFacts:
    """Collect what derivation looks at for one service.

    Args:
        loader: botocore's ``data_loader``; with boto3's own data among its search paths, boto3's services are extended.
        service: botocore's name of the service.

    Raises:
        botocore.exceptions.UnknownServiceError: botocore has no such service.
    """
    model = loader.load_service_model(service, "service-2")
    forms: dict[str, list[str]] = {}
    for prefix in prefixes_of(service, model.get("metadata", {})):
        for form in formats_of(prefix):
            if not form.is_open:
                forms.setdefault(form.type, []).append(form.text)
    return ServiceFacts(
        name=service,
        model=model,
        paginators=_table(loader, service, "paginators-1", "pagination"),
        waiters=_table(loader, service, "waiters-2", "waiters"),
        formats={kind: tuple(texts) for kind, texts in forms.items()},
        overlay=overlay_of(service),
        existing=_table(loader, service, "resources-1", "") or None,
    )


def _table(loader: Loader, service: str, file: str, key: str) -> Mapping[str, Any]:
    """Load a file that not every service has."""
    try:
        # To say which services do have such a file, the loader looks into the folders of all.
        loader.list_api_versions(service, file)
        found: Mapping[str, Any] = loader.load_service_model(service, file)
    except DataNotFoundError:
        return {}
    return found.get(key, {}) if key else found
