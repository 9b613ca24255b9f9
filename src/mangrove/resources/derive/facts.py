"""What derivation takes in and gives out: plain frozen records, no behaviour of AWS.

The input is data that botocore ships (a service's model, its paginators and its waiters), the official ARN formats of
the service's prefix, a hand-curated overlay and, for boto3's own services, boto3's resource file.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

__all__ = ["ArnSpec", "Derived", "Dropped", "Json", "ServiceFacts", "TagSpec", "Variable"]

Json = Mapping[str, Any]
_NOTHING: Json = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class ServiceFacts:
    """Everything that derivation may look at for one service.

    Args:
        name: botocore's name of the service, such as ``"rds"``.
        model: The content of ``service-2.json``.
        paginators: The ``pagination`` table of ``paginators-1.json``.
        waiters: The ``waiters`` table of ``waiters-2.json``.
        formats: Official ARN formats of the service's IAM prefix: type to its forms, ``${Variables}`` in place.
        overlay: Hand-curated corrections, see `mangrove.resources.overlay`.
        existing: boto3's own ``resources-1.json`` of the service; ``None`` where boto3 has none.
    """

    name: str
    model: Json
    paginators: Json = field(default_factory=lambda: _NOTHING)
    waiters: Json = field(default_factory=lambda: _NOTHING)
    formats: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: _NOTHING)
    overlay: Json = field(default_factory=lambda: _NOTHING)
    existing: Json | None = None


@dataclass(frozen=True, slots=True)
class Variable:
    """Where the value of a template's variable comes from.

    Args:
        identifier: The identifier's name, as in the definition; ``""`` for none.
        path: A JMESPath into the resource's data; ``""`` for none. The first of both that has a value serves.
        strip: A prefix to take off the value, such as ``/hostedzone/``.
        pattern: A regular expression that is searched in the value; its one group is what counts. ``""`` for all of it.
        lower: True where AWS keeps the value in lower case, however it was given.
    """

    identifier: str = ""
    path: str = ""
    strip: str = ""
    pattern: str = ""
    lower: bool = False


@dataclass(frozen=True, slots=True)
class ArnSpec:
    """Where the ARN of a resource type comes from: the first source that gives one, in the order of the fields.

    Args:
        path: JMESPath of the member of the resource's data that is its own ARN; ``""`` for none.
        identifier: The identifier that is itself the ARN (a value that is no ARN says nothing); ``""`` for none.
        template: The official format with its variables; ``""`` for none.
        variables: Variable to source, for every variable but ``Partition``, ``Region`` and ``Account``; an ``Account``
            here is the owner that a resource's own name tells, a ``Region`` the region that it tells, if it does.
        load: True when only the resource's ``load()`` brings the member at `path`.
        account: JMESPath of the member that names the owner's account, for the template; ``""`` for none.
    """

    path: str = ""
    identifier: str = ""
    template: str = ""
    variables: Mapping[str, Variable] = field(default_factory=lambda: _NOTHING)
    load: bool = False
    account: str = ""


@dataclass(frozen=True, slots=True)
class TagSpec:
    """Where the tags of a resource type are.

    Args:
        path: JMESPath into the resource's data, or into the operation's response where `operation` is given.
        key: The member that holds a tag's key (``Key``, ``TagKey``, ``key``); ``""`` where tags come as a map.
        value: The member that holds a tag's value; ``""`` where tags come as a map.
        operation: The operation that lists the tags; ``""`` where the resource's data has them.
        target: The operation's input, in boto3's notation (``ResourceArn``, ``ResourceArns[0]``).
        source: What the input takes: ``"arn"``, or the name of an identifier.
        strip: A prefix to take off the value, such as ``/hostedzone/``.
        fixed: Other inputs with their values: ``{"ResourceType": "hostedzone"}``.
        load: True when a list may leave the tags out, so that data without them is to be loaded.
    """

    path: str
    key: str = ""
    value: str = ""
    operation: str = ""
    target: str = ""
    source: str = ""
    strip: str = ""
    fixed: Mapping[str, str] = field(default_factory=lambda: _NOTHING)
    load: bool = False


@dataclass(frozen=True, slots=True)
class Dropped:
    """One thing that derivation saw and left out.

    Args:
        what: The operation, or the type, or ``type.part``.
        why: The reason, as a short sentence.
    """

    what: str
    why: str


@dataclass(frozen=True, slots=True)
class Derived:
    """The resources of one service.

    Args:
        definition: A ``resources-1`` definition for boto3's own factory; an ``extras`` merge where `extends` is true.
        arns: Type to the source of its ARN; a type without an entry has no ARN that is sure.
        tags: Type to the place of its tags.
        kinds: Type to ``"core"`` (created, changed or deleted by this API, or known to IAM) or ``"catalogue"``.
        aliases: Old names from the overlay: alias to type.
        forms: Type to the official formats that its ARNs may have, the surest first.
        dropped: What was left out, and why.
        extends: True where `definition` is to be merged into boto3's own file.
    """

    definition: Json
    arns: Mapping[str, ArnSpec]
    tags: Mapping[str, TagSpec]
    kinds: Mapping[str, str]
    aliases: Mapping[str, str] = field(default_factory=lambda: _NOTHING)
    forms: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: _NOTHING)
    dropped: tuple[Dropped, ...] = ()
    extends: bool = False
