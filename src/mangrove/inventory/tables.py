"""Name the table of a type, find the type of a table, and its columns: from the installed botocore, without a call."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from mangrove.aws.services import one_of, service_names
from mangrove.aws.session import Session, make_resource
from mangrove.errors import ConfigError
from mangrove.inventory.schema import Column, columns_of
from mangrove.resources.kinds import DEFAULT_TYPES, kind_of

__all__ = ["Tables", "table_name"]

_MOST = 400  # tables that a service offers to the search for close matches


def table_name(kind: str) -> str:
    """Return the name of a type's table.

    Args:
        kind: such as `ecs.clusters.services`.

    Example:
        >>> table_name("ecs.clusters.services"), table_name("application-autoscaling.scalable_targets")
        ('ecs_clusters_services', 'application_autoscaling_scalable_targets')
    """
    return kind.replace("-", "_").replace(".", "_")


class Tables:
    """Know the tables of every service.

    Args:
        session: whose models count; None takes those that are installed.

    Example:
        >>> tables = Tables()
        >>> tables.type_of("EC2_instances"), "cidr_block" in [column.name for column in tables.columns("ec2.vpcs")]
        ('ec2.instances', True)
    """

    def __init__(self, session: Any = None) -> None:
        # One of our own: a list of names needs no credentials, and every service has resources in it.
        self._session = Session(region_name="us-east-1") if session is None else session
        self._services = {f"{name.replace('-', '_')}_": name for name in service_names(self._session)}
        self._model = lru_cache(maxsize=64)(self._model_of)

    def _model_of(self, service: str) -> tuple[Any, Any]:
        made = make_resource(self._session, service, region_name="us-east-1")
        return made.meta.resource_model, made.meta.client.meta.service_model

    def columns(self, kind: str) -> tuple[Column, ...]:
        """Return the columns of a type beside the common ones, in the order of its shape.

        Args:
            kind: the type.

        Raises:
            ConfigError: there is no such type; the message has the close matches.
        """
        wanted = kind_of(kind)
        self._check(wanted.service)
        model, service = self._model(wanted.service)
        way, found = wanted.service, None
        for name in wanted.path:
            there = {one.name: one for one in model.collections}
            if name not in there:
                text = f"{way} has no collection {name!r}{one_of(name, there)}"
                raise ConfigError(text)
            found = there[name]
            model, way = found.resource.model, f"{way}.{name}"
        shape = service.shape_for(model.shape) if model.shape else None
        return columns_of([_listed(service, found), shape])

    def _check(self, service: str) -> None:
        if service not in self._services.values():
            text = f"no service {service!r} in this botocore{one_of(service, self._services.values())}"
            raise ConfigError(text)

    def type_of(self, table: str) -> str:
        """Return the type that a table shows.

        Args:
            table: its name, in any case.

        Raises:
            ConfigError: there is no such table; the message has the close matches.
        """
        name = table.lower()
        for prefix in self._prefixes(name):
            service = self._services[prefix]
            found = _path(self._model(service)[0], name[len(prefix) :])
            if found:
                return ".".join((service, *found))
        text = f"there is no table {table!r}{one_of(name, self._close(name))}"
        raise ConfigError(text)

    def _prefixes(self, name: str) -> list[str]:
        """List the services that a table may be of, the longest first: `iot_data_…` is of iot-data or iot."""
        return sorted(filter(name.startswith, self._services), key=len, reverse=True)

    def _close(self, name: str) -> Iterator[str]:
        yield from map(table_name, DEFAULT_TYPES)
        for prefix in self._prefixes(name):
            names = [each.name for each in self._model(self._services[prefix])[0].collections]
            yield from (prefix + each for each in names[:_MOST])

    def names(self, service: str) -> list[str]:
        """List the tables of a service that need no other resource above them.

        Args:
            service: boto3's name of it.
        """
        return [table_name(f"{service}.{each.name}") for each in self._model(service)[0].collections]


def _path(model: Any, rest: str) -> tuple[str, ...]:
    """Return the collections whose names make up what is left of a table's name; nothing if none do."""
    for each in model.collections:
        if rest == each.name:
            return (each.name,)
    for each in model.collections:
        if rest.startswith(f"{each.name}_"):
            below = _path(each.resource.model, rest[len(each.name) + 1 :])
            if below:
                return (each.name, *below)
    return ()


def _listed(service: Any, collection: Any) -> Any:
    """Return the shape of what a list's items are, or None where they are bare names."""
    path = collection.resource.path
    shape: Any = service.operation_model(collection.request.operation).output_shape
    if not path or shape is None:
        return None
    for part in path.split("."):
        shape = getattr(shape, "members", {}).get(part.rstrip("[]"))
        for _ in range(part.count("[]")):
            shape = getattr(shape, "member", None)
    return shape
