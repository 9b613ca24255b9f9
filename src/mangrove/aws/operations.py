"""Know of an operation by its name what a run over many accounts needs before its first call."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import boto3
import jmespath  # type: ignore[import-untyped]
from botocore import xform_name
from botocore.exceptions import DataNotFoundError
from botocore.validate import ParamValidator

from mangrove.aws.paging import Paging, paging_from, paging_of
from mangrove.aws.services import find_service, one_of, service_names
from mangrove.aws.session import botocore_session
from mangrove.errors import ConfigError, DeclarationTypeError

__all__ = ["Operation", "check_parameters", "find_operation", "is_read_only", "rows_of"]

# What begins the name of an operation that changes nothing, in all services. Others that begin with a harmless word
# change something in some service: ElastiCache's `TestFailover`, AWS Support's `ResolveCase`.
_READS = frozenset(
    "Compare Count Describe Estimate Filter Get Head Is List Lookup Preview Query Scan Search Select Simulate".split()
)
_BATCHES = frozenset({"Check", "Describe", "Get", "Head", "List", "Search"})
# A model that calls these read-only speaks of data, and not of what they start.
_STARTS = frozenset({"Start", "Stop", "Create", "Delete", "Update", "Put"})
# What reads by its name, and by its document changes something.
_CHANGES = frozenset(
    {
        # An identity is made for whoever has none yet.
        ("cognito-identity", "GetId"),
        ("cognito-identity", "GetOpenIdToken"),
        ("cognito-identity", "GetOpenIdTokenForDeveloperIdentity"),
        # The user of the database is made if there is none.
        ("redshift", "GetClusterCredentialsWithIAM"),
        ("redshift-serverless", "GetCredentials"),
        ("apigatewayv2", "PreviewPortal"),  # makes the preview
        ("ec2", "GetFlowLogsIntegrationTemplate"),  # writes the template to a bucket
        ("timestream-query", "Query"),  # UNLOAD writes to a bucket
    }
)
_VALUE = re.compile(r"(Invalid type for parameter \S+), value: .*?, type:")
_COUNTS = frozenset({"integer", "long", "float", "double", "boolean"})
_WORD = re.compile(r"[A-Z][a-z0-9]+|[A-Z]+(?=[A-Z]|$)")


@dataclass(frozen=True, slots=True)
class Operation:
    """Be one operation of a service.

    Args:
        service: botocore's name of the service.
        name: the API's name, such as `DescribeInstances`.
        method: the client's method, such as `describe_instances`.
        paging: how its pages follow one another.
        results: JMESPaths of the lists that its answers hold; none if it lists nothing.
        read_only: whether it changes nothing, by its name and what the model says.
        model: botocore's model.
    """

    service: str
    name: str
    method: str
    paging: Paging
    results: tuple[str, ...]
    read_only: bool
    model: Any = field(repr=False, compare=False)


def find_operation(session: boto3.Session, service: object, name: object) -> Operation:
    """Return an operation by a name of any form: `describe_instances`, `describe-instances` or `DescribeInstances`.

    Args:
        session: whose data files count.
        service: the service, as boto3 or boto2 calls it.
        name: the operation.

    Raises:
        DeclarationTypeError: a name is no string.
        UnknownServiceError: there is no such service; the message has the close matches.
        ConfigError: it has no such operation; the message has the close matches.

    Example:
        >>> found = find_operation(mangrove.Session(), "ec2", "describe-instances")
        >>> found.method, found.results, found.read_only
        ('describe_instances', ('Reservations',), True)
    """
    known = find_service(service, service_names(session))
    if not isinstance(name, str):
        text = f"an operation is named by a string, such as 'describe_instances'; got {type(name).__name__}"
        raise DeclarationTypeError(text)
    core = botocore_session(session)
    model = core.get_service_model(known)
    methods = {xform_name(each): each for each in model.operation_names}
    found = name if name in methods.values() else methods.get(name.replace("-", "_"))
    if found is None:
        text = f"{known} has no operation {name!r}{one_of(name.replace('-', '_'), methods)}"
        raise ConfigError(text)
    return _operation(known, model.operation_model(found), _paginator(core, known, found))


def _operation(service: str, operation: Any, paginator: Mapping[str, Any] | None) -> Operation:
    reads = is_read_only(operation)
    # The tokens of a change are no pages: with them botocore tells one request from its repetition.
    paging = (paging_from(paginator) if paginator else paging_of(operation)) if reads else Paging()
    return Operation(
        service=service,
        name=operation.name,
        method=xform_name(operation.name),
        paging=paging,
        results=_results(paginator, operation, paging) if reads else (),
        read_only=reads,
        model=operation,
    )


def _paginator(core: Any, service: str, name: str) -> Mapping[str, Any] | None:
    try:
        found: Mapping[str, Any] = core.get_paginator_model(service).get_paginator(name)
    except (DataNotFoundError, ValueError):  # the service has none, or the operation
        return None
    return found


def _results(paginator: Mapping[str, Any] | None, operation: Any, paging: Paging) -> tuple[str, ...]:
    """Return the lists that an answer is about: as the paginator says it, else the only one.

    A list beside what the answer is about, such as the stages of a secret's version beside the secret, is none.
    """
    keys = (paginator or {}).get("result_key")
    if keys:
        return (keys,) if isinstance(keys, str) else tuple(keys)
    members = operation.output_shape.members if operation.output_shape is not None else {}
    lists = [name for name, shape in members.items() if shape.type_name == "list"]
    if len(lists) != 1:
        return ()
    if paging.tokens or paging.unread or operation.name.startswith(("List", "Search")):
        return tuple(lists)
    rest = (shape for name, shape in members.items() if name not in lists)
    return tuple(lists) if all(shape.type_name in _COUNTS for shape in rest) else ()


def is_read_only(operation: Any) -> bool:
    """Return whether an operation changes nothing: its name begins with a word that says so, or its model says it.

    It is a rule about names, as AWS's own are: what it does not know counts as a change.

    Args:
        operation: botocore's `OperationModel`.
    """
    if (operation.service_model.service_name, operation.name) in _CHANGES or _creates(operation):
        return False
    words = _WORD.findall(operation.name)
    first, second = (*words, "", "")[:2]
    if first in _READS or (first == "Batch" and second in _BATCHES):
        return True
    raw: Mapping[str, Any] = operation._operation_model
    return raw.get("readonly") is True and first not in _STARTS


def _creates(operation: Any) -> bool:
    shape = operation.input_shape
    return shape is not None and any(name.startswith("AutoCreate") for name in shape.members)


def check_parameters(operation: Operation, parameters: Mapping[str, Any]) -> None:
    """Refuse parameters of the wrong shape, once, before they are sent to every account and region.

    Args:
        operation: the operation.
        parameters: by the API's names.

    Raises:
        ConfigError: one is missing, unknown or of the wrong type; the message is botocore's, and says which.

    Example:
        >>> operation = find_operation(mangrove.Session(), "ec2", "describe_instances")
        >>> check_parameters(operation, {"InstanceIds": "i-1"})
        Traceback (most recent call last):
        ...
        mangrove.errors.ConfigError: ec2 describe_instances: Invalid type for parameter InstanceIds, type: ...
    """
    shape = operation.model.input_shape
    members = {} if shape is None else shape.members
    unknown = sorted(set(parameters) - set(members))
    if unknown:
        close = one_of(unknown[0], members) or ("" if members else "; it takes none")
        text = f"{operation.service} {operation.method} has no parameter {unknown[0]!r}{close}"
        raise ConfigError(text)
    if shape is None:
        return
    # botocore fills these itself.
    tokens = {name: "x" * 64 for name in operation.model.idempotent_members if name not in parameters}
    report = ParamValidator().validate({**parameters, **tokens}, shape)
    if report.has_errors():
        # The value may be what the API calls sensitive.
        told = _VALUE.sub(r"\1, type:", " ".join(report.generate_report().split()))
        text = f"{operation.service} {operation.method}: {told}"
        raise ConfigError(text)


def rows_of(operation: Operation, answer: Any) -> Iterator[tuple[str, Any]]:
    """Yield the items of an answer's lists, each with the list's path; the answer itself if it is none of a list.

    Args:
        operation: the operation.
        answer: what the client's method has returned.

    Example:
        >>> operation = find_operation(mangrove.Session(), "sqs", "list_queues")
        >>> list(rows_of(operation, {"QueueUrls": ["https://sqs/1/a"]}))
        [('QueueUrls', 'https://sqs/1/a')]
    """
    if not operation.results:
        yield "", answer
    for path in operation.results:
        found = _compiled(path).search(answer)
        # Some paginators name the counts of a page too.
        for row in found if isinstance(found, list) else ():
            yield path, row


@cache
def _compiled(path: str) -> Any:
    return jmespath.compile(path)
