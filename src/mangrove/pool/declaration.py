"""Read what a pool class declares and what its caller asked for: pure, and refused before anything is made."""

from __future__ import annotations

import keyword
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from mangrove.errors import ConfigError, DeclarationTypeError

__all__ = [
    "Declaration",
    "attribute_name",
    "camel_name",
    "check_connect",
    "declared_by",
    "declared_service",
    "read_declaration",
    "read_services",
]

_OPTIONS = ("default_region", "regions")


@dataclass(frozen=True, slots=True)
class Declaration:
    """Hold what a class declares of one service, as written; regions are checked where the SDK's data is at hand.

    Attributes:
        service: the service as the user names it.
        regions: names, globs, `'*'`, or None for every region.
        default_region: the region of `pool.regions.default`, or None.
    """

    service: str
    regions: Any = None
    default_region: str | None = None

    def with_arguments(self, regions: Any, default_region: str | None) -> Declaration:
        """Return the declaration with the caller's arguments in place of its own, where given."""
        return Declaration(
            self.service,
            self.regions if regions is None else _kept(regions),
            self.default_region if default_region is None else default_region,
        )


def read_declaration(declared: object, owner: str) -> Declaration:
    """Read a pool's declaration: a service's name, or a dict of one service and its options.

    Args:
        declared: the class attribute `service`, or the older `_aws_module_name`.
        owner: the class's name, for the message.

    Raises:
        ConfigError: nothing, several services, or an unknown option is declared.
        DeclarationTypeError: a value has the wrong type.

    Example:
        >>> read_declaration({"sqs": {"regions": ["eu-west-1"]}}, "MyPool").regions
        ('eu-west-1',)
    """
    if declared is None:
        text = f"{owner} names no service: set the class attribute service = 'ec2', or pass service='ec2'"
        raise ConfigError(text)
    if isinstance(declared, str):
        return Declaration(declared)
    services = read_services(declared, owner)
    if len(services) != 1:
        text = f"{owner}.service declares {len(services)} services, {sorted(services)}; a ServicePool has exactly one"
        text += "; for several, subclass ServiceMixinPool"
        raise ConfigError(text)
    return next(iter(services.values()))


def read_services(declared: object, owner: str) -> dict[str, Declaration]:
    """Read a mixin's declaration: a dict of services, each with a dict of options.

    Raises:
        ConfigError: an unknown option is declared.
        DeclarationTypeError: a value has the wrong type.

    Example:
        >>> read_services({"ec2": {"regions": "*"}, "sqs": {}}, "MyPool")["sqs"]
        Declaration(service='sqs', regions=None, default_region=None)
    """
    if not isinstance(declared, Mapping):
        text = f"{owner} declares what it connects to by a dict, {{'ec2': {{'regions': '*'}}, ...}}; "
        text += f"got {type(declared).__name__}: {declared!r}"
        raise DeclarationTypeError(text)
    return {name: _read_options(name, options, owner) for name, options in declared.items()}


def _read_options(name: object, options: object, owner: str) -> Declaration:
    if not isinstance(name, str):
        text = f"{owner} names a service by a string, such as 'ec2'; got {type(name).__name__}: {name!r}"
        raise DeclarationTypeError(text)
    if options is None:
        options = {}
    if not isinstance(options, Mapping):
        text = f"{owner} gives {name!r} its options in a dict, {{'regions': [...], 'default_region': '...'}}; "
        text += f"got {type(options).__name__}: {options!r}"
        raise DeclarationTypeError(text)
    unknown = sorted(set(map(str, options)).difference(_OPTIONS))
    if unknown:
        text = f"{owner} gives {name!r} the unknown options {unknown}; there are {' and '.join(_OPTIONS)}"
        raise ConfigError(text)
    return Declaration(name, _kept(options.get("regions")), options.get("default_region"))


def _kept(regions: Any) -> Any:
    """Return the regions as they are now: a generator runs once, and the caller's list may change."""
    if isinstance(regions, Iterable) and not isinstance(regions, (str, bytes, Mapping)):
        return tuple(regions)
    return regions


def declared_by(owner: type, *attributes: str) -> Any:
    """Return what the class itself declares, or its nearest parent that does, under any of the attributes' names.

    Example:
        >>> class Parent: service = "ec2"
        >>> class Child(Parent): _aws_module_name = "s3"
        >>> declared_by(Child, "service", "_aws_module_name")
        's3'
    """
    found = (vars(kind).get(name) for kind in owner.__mro__ for name in attributes)
    return next((value for value in found if value is not None), None)


def camel_name(service: str) -> str:
    """Return a service's name as part of a class name.

    Example:
        >>> camel_name("bedrock-runtime"), camel_name("ec2")
        ('BedrockRuntime', 'Ec2')
    """
    return "".join(part[:1].upper() + part[1:] for part in re.split(r"[-_.]", service))


def attribute_name(service: str) -> str:
    """Return a service's name as an attribute, as its users would write it.

    Example:
        >>> attribute_name("bedrock-runtime"), attribute_name("lambda")
        ('bedrock_runtime', 'lambda_')
    """
    name = re.sub(r"[-.]", "_", service)
    return f"{name}_" if keyword.iskeyword(name) else name


def declared_service(owner: type, service: object) -> Any:
    """Return what a pool class declares, or the service that is given where the class declares none.

    Raises:
        ConfigError: both.
        DeclarationTypeError: the given service is no name.
    """
    declared = declared_by(owner, "service", "_aws_module_name")
    if service is None:
        return declared
    if declared is not None:
        text = f"{owner.__name__} is a pool of {declared!r}; for {service!r} use ServicePool(service=...)"
        raise ConfigError(text)
    if not isinstance(service, str):
        text = f"service takes a name, such as 'ec2'; got {type(service).__name__}: {service!r}"
        raise DeclarationTypeError(text)
    return service


def check_connect(connect: object) -> None:
    """Refuse what is no truth value: regions given first would otherwise be taken for `connect`."""
    if not isinstance(connect, bool):
        text = f"connect takes True or False; got {type(connect).__name__}: {connect!r}; regions are regions=[...]"
        raise DeclarationTypeError(text)
