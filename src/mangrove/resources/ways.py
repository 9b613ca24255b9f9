"""Know how the resources of every type are listed: from the definitions, without a client or a class."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

from boto3.resources.model import ResourceModel
from botocore import xform_name

from mangrove.aws.derived import Derivation
from mangrove.aws.operations import Operation, find_operation
from mangrove.aws.services import find_service, one_of, service_names
from mangrove.aws.session import Session, botocore_session
from mangrove.errors import UnknownResourceError
from mangrove.resources.from_arn import catalog_for
from mangrove.resources.kinds import DEFAULT_TYPES, Kind, kind_of
from mangrove.resources.levels import Level, Load, Spec, Way, reader_of
from mangrove.resources.partial import head_of

if TYPE_CHECKING:
    import boto3

__all__ = ["Ways", "page_size_of"]

_LIMITS = ("MaxResults", "MaxItems", "MaxBuckets", "Limit", "limit")
_SEVERAL = 4096


class Ways:
    """Know the ways of all services, as the installed botocore has them.

    Args:
        session: whose data files count; None makes one of boto3's default chain.

    Example:
        >>> way = Ways().of(kind_of("ec2.vpcs"))
        >>> way.levels[0].operation.name, way.spec.type
        ('DescribeVpcs', 'Vpc')
    """

    def __init__(self, session: boto3.Session | None = None) -> None:
        if session is None:
            session = Session(region_name="us-east-1")
        elif not isinstance(session, Session):
            # boto3's own has resources for nine services alone.
            session = Derivation(session).session(session.get_credentials)
        self._session = session
        self._loader: Any = botocore_session(self._session).get_component("data_loader")
        self._catalog = catalog_for(self._session)
        self._ways: dict[str, Way] = {}
        self.operation = lru_cache(_SEVERAL)(self._operation)
        self._service = lru_cache(_SEVERAL)(self._read)

    @property
    def services(self) -> list[str]:
        """List the services that have resources."""
        return self._catalog.services()

    def known(self, service: str) -> Any:
        """Return what is known of a service's resources, or None."""
        return self._catalog.find(service)

    def called(self, name: str) -> str:
        """Return what a collection is called in Python, by its name in the definition."""
        found: str = xform_name(name)
        return found

    def model(self, service: str) -> Any:
        """Return boto3's model of a service's resources.

        Raises:
            UnknownServiceError: there is no such service; the message has the close matches.
            UnknownResourceError: it has no resources.
        """
        return self._service(service)[0]

    def lists(self, service: str) -> dict[str, str]:
        """Return the lists of a service's own, and what each lists, without old names and what AWS itself offers.

        Of several lists by the same request there is one.
        """
        model, resources = self._service(service)
        known, found, seen = self._catalog.find(service), dict[str, str](), set[str]()
        for each in sorted(model.collections, key=lambda one: (_usual(service, one.name), one.name)):
            kind, request = each.resource.type, each.request
            told = repr([request.operation, *((one.target, one.value) for one in request.params)])
            is_offer = known is not None and known.kinds.get(kind) == "catalogue"
            if each.name in self._old(service) or told in seen or is_offer or kind not in resources:
                continue
            seen.add(told)
            found[each.name] = kind
        return dict(sorted(found.items()))

    def _old(self, service: str) -> set[str]:
        found = self._service(service)[0]._definition.get("hasMany", {})  # noqa: SLF001
        return {xform_name(name) for name, each in found.items() if "alias" in each}

    def _read(self, service: str) -> tuple[Any, Any]:
        find_service(service, service_names(self._session))
        try:
            found = self._loader.load_service_model(service, "resources-1")
        except Exception as error:
            text = f"{service} has nothing that can be listed"
            raise UnknownResourceError(text) from error
        resources = found.get("resources", {})
        return ResourceModel(service, found["service"], resources), resources

    def check(self, kind: Kind) -> str:
        """Refuse a type that there is none of; return the operation that lists it, or the first on the way.

        Raises:
            UnknownServiceError: there is no such service; the message has the close matches.
            UnknownResourceError: it has no such collection; the message has the close matches.
        """
        path = self._path(kind)
        operation: str = path[0].request.operation
        return operation

    def _path(self, kind: Kind) -> list[Any]:
        model, way = self.model(kind.service), kind.service
        if len(kind.path) > 1 and kind_of(f"{way}.{kind.path[0]}").home is not None:
            text = f"{kind.name} can't be listed: what is below {way}.{kind.path[0]} is in the regions of each of those"
            raise UnknownResourceError(text)
        found = []
        for name in kind.path:
            there = {one.name: one for one in model.collections}
            if name not in there:
                text = f"{way} has no collection {name!r}{one_of(name, there)}"
                raise UnknownResourceError(text)
            found.append(there[name])
            model, way = there[name].resource.model, f"{way}.{name}"
        return found

    def _operation(self, service: str, name: str) -> Operation:
        return find_operation(self._session, service, name)

    def of(self, kind: Kind) -> Way:
        """Return how a type is listed.

        Raises:
            UnknownServiceError: there is no such service; the message has the close matches.
            UnknownResourceError: it has no such collection; the message has the close matches.
        """
        key = repr(kind)  # its arguments may be lists, which have no hash
        found = self._ways.get(key)
        if found is None:
            found = self._ways[key] = self._of(kind)
        return found

    def _of(self, kind: Kind) -> Way:
        levels = []
        for depth, collection in enumerate(self._path(kind), 1):
            # A type on the way is narrowed as it is where it is listed itself.
            above = kind if depth == len(kind.path) else kind_of(".".join((kind.service, *kind.path[:depth])))
            operation = self.operation(kind.service, collection.request.operation)
            size = page_size_of(operation, above.page_size)
            levels.append(
                Level(
                    operation,
                    collection.request,
                    {**dict(above.arguments), **size},
                    self._spec(kind.service, collection.resource),
                    reader_of(collection.resource),
                    tuple(each.path for each in collection.request.params if each.source == "data"),
                )
            )
        return Way(kind, tuple(levels))

    def _spec(self, service: str, resource: Any) -> Spec:
        known, name = self._catalog.find(service), resource.type
        told = self._service(service)[1].get(name, {}).get("identifiers", ())
        # boto3 renames an identifier that clashes.
        names = {each["name"]: one.name for each, one in zip(told, resource.model.identifiers, strict=True)}
        load = resource.model.load
        loaded = load and Load(self.operation(service, load.request.operation), load.request, load.path or "")
        if known is None:
            return Spec(service, name, names, None, None, frozenset(), (), loaded or None)
        tags = known.tags.get(name)
        partial = frozenset((*known.partial.get(name, ()), *((head_of(tags),) if tags and tags.load else ())))
        return Spec(service, name, names, known.arns.get(name), tags, partial, known.prefixes, loaded or None)


def _usual(service: str, name: str) -> bool:
    return f"{service}.{name}" not in DEFAULT_TYPES


def page_size_of(operation: Operation, wanted: int | None) -> dict[str, Any]:
    """Return the parameter that says how many items a page has: as many as wanted, or fewer if that is the most.

    Args:
        operation: the operation.
        wanted: how many are wanted; None leaves it to AWS.

    Returns:
        The parameter by its name; empty where the operation takes none.

    Example:
        >>> page_size_of(Ways().operation("ec2", "describe_launch_templates"), 500)
        {'MaxResults': 200}
    """
    inputs = operation.model.input_shape.members if operation.model.input_shape else {}
    name = next((each for each in _LIMITS if each in inputs), None)
    if wanted is None or name is None:
        return {}
    most = inputs[name].metadata.get("max")
    size = min(wanted, most) if most else wanted
    return {name: str(size) if inputs[name].type_name == "string" else size}
