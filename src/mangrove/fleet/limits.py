"""Say how fast requests may be sent, and of which of them that is true: declared, read from a file, and checked."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from mangrove.accounts._globs import Globs, is_glob, patterns
from mangrove.accounts.account import check_account_id
from mangrove.aws.operations import find_operation
from mangrove.aws.partitions import check_region_name
from mangrove.aws.services import find_service, one_of, service_names
from mangrove.aws.session import Session
from mangrove.errors import ConfigError, DeclarationTypeError
from mangrove.fleet.limit_files import Entry, from_file

if TYPE_CHECKING:
    import boto3

__all__ = ["Limit", "Limits", "Scope"]


class Scope(NamedTuple):
    """Be what a request counts for.

    Args:
        account: the id of the account whose quota it takes from; empty where it is not known.
        region: the region.
        service: boto3's name of the service.
        operation: the API's name, such as `DescribeInstances`.
    """

    account: str
    region: str
    service: str
    operation: str


_REGION = Scope._fields.index("region")
_FIELDS = ("name", "rate", "burst", "max_concurrency", "scope", "where")
# What others call it.
_ALSO = {"fill_rate": "rate", "bucket_size": "burst", "concurrency": "max_concurrency"}

Patterns = str | Sequence[str]


@dataclass(frozen=True, slots=True)
class Limit:
    """Limit the requests that match, each group of them by itself.

    Args:
        name: what it is called; a limit of the name of a default one replaces it.
        rate: requests a second.
        burst: how many may be sent at once after a rest; as many as `rate`, and at least one, if None.
        max_concurrency: how many may be under way at a time.
        scope: what makes a group: any of `account`, `region`, `service`, `operation`. Requests that agree in these
            share the limit; without any, all that match share one.
        where: which requests match: by the same names, a name, a glob or several, `!` before what is left out.

    Raises:
        ConfigError: a value is out of its range, or nothing is limited.
        DeclarationTypeError: a value has the wrong type.

    Example:
        >>> slow = Limit("costs", rate=1, scope=["account"], where={"service": "ce", "operation": "Get*"})
        >>> slow.burst, slow.scope, slow.where
        (1.0, ('account',), {'service': ('ce',), 'operation': ('Get*',)})
        >>> slow.matches(Scope("111111111111", "us-east-1", "ce", "GetCostAndUsage"))
        True
    """

    name: str
    rate: float | None = None
    burst: float | None = None
    max_concurrency: int | None = None
    scope: Sequence[str] = ()
    where: Mapping[str, Patterns] = field(default_factory=dict)
    _globs: tuple[tuple[int, Globs], ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if not isinstance(self.name, str):
            text = f"a limit's name is a string; got {type(self.name).__name__}: {self.name!r}"
            raise DeclarationTypeError(text)
        if not self.name.strip():
            text = "a limit has a name, which is not empty"
            raise ConfigError(text)
        try:
            values = {**self._numbers(), "scope": _scope(self.scope), "where": _where(self.where)}
        except ConfigError as error:
            text = f"limit {self.name!r}: {error}"
            raise type(error)(text) from None
        for name, value in values.items():
            object.__setattr__(self, name, value)
        globs = [(Scope._fields.index(name), Globs.of(value, name)) for name, value in values["where"].items()]
        object.__setattr__(self, "_globs", tuple(globs))

    def _numbers(self) -> dict[str, Any]:
        rate = _number(self.rate, "rate", "requests a second, more than 0", least=math.ulp(0.0))
        burst = _number(self.burst, "burst", "requests, at least 1", least=1.0)
        most = _number(self.max_concurrency, "max_concurrency", "a whole number, at least 1", least=1.0)
        if rate is None and most is None:
            text = "it limits nothing; give it rate=, max_concurrency= or both"
            raise ConfigError(text)
        if rate is None and burst is not None:
            text = f"burst {burst:g} needs a rate, at which it comes back"
            raise ConfigError(text)
        if most is not None and not most.is_integer():
            text = f"max_concurrency takes a whole number, at least 1; got {most:g}"
            raise ConfigError(text)
        burst = max(1.0, rate) if rate is not None and burst is None else burst
        return {"rate": rate, "burst": burst, "max_concurrency": None if most is None else int(most)}

    def matches(self, scope: Scope) -> bool:
        """Say whether the limit concerns a request."""
        return all(globs.match(scope[index]) for index, globs in self._globs)

    def may_match(self, scope: Scope) -> bool:
        """Say whether the limit concerns requests of this service and operation, in some account and region."""
        return all(globs.match(scope[index]) for index, globs in self._globs if index > _REGION)

    def group(self, scope: Scope) -> tuple[str, ...]:
        """Return what the requests that share the limit with this one have in common."""
        return (self.name, *(getattr(scope, name) for name in self.scope))


def _number(value: object, name: str, wants: str, *, least: float) -> float | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        text = f"{name} takes a number: {wants}; got {type(value).__name__}: {value!r}"
        raise DeclarationTypeError(text)
    if not (math.isfinite(value) and value >= least):
        text = f"{name} takes {wants}; got {value!r}"
        raise ConfigError(text)
    return float(value)


def _scope(given: object) -> tuple[str, ...]:
    if isinstance(given, str | Mapping) or not isinstance(given, Iterable):
        text = f"scope takes a list of {', '.join(Scope._fields)}; got {type(given).__name__}: {given!r}"
        raise DeclarationTypeError(text)
    names = tuple(given)
    for name in names:
        if name not in Scope._fields:
            told = one_of(str(name), Scope._fields) or f"; there are {', '.join(Scope._fields)}"
            text = f"scope has no {name!r}{told}"
            raise ConfigError(text)
    if len(set(names)) < len(names):
        text = f"scope names something twice: {', '.join(names)}"
        raise ConfigError(text)
    return names


def _where(given: object) -> dict[str, tuple[str, ...]]:
    if not isinstance(given, Mapping):
        text = f"where takes a mapping, {{'service': 'ec2', 'operation': 'Describe*'}}; got {type(given).__name__}"
        raise DeclarationTypeError(text)
    for name in given:
        if name not in Scope._fields:
            told = one_of(str(name), Scope._fields) or f"; there are {', '.join(Scope._fields)}"
            text = f"where has no {name!r}{told}"
            raise ConfigError(text)
    return {name: patterns(value, f"where {name}") for name, value in given.items()}


@dataclass(frozen=True, slots=True)
class Limits:
    """Hold all limits of a fleet.

    Args:
        limits: in their order; each name is there once.

    Example:
        >>> limits = Limits.read([{"name": "all", "rate": 50}], defaults=False)
        >>> limits.matching(Scope("111111111111", "eu-west-1", "ec2", "DescribeVpcs"))[0].rate
        50.0
    """

    limits: tuple[Limit, ...] = ()

    @classmethod
    def read(cls, source: Any = None, *, defaults: bool = True, session: boto3.Session | None = None) -> Limits:
        """Return limits of any form, beside those that AWS documents.

        A file is a list of mappings with the arguments of `Limit`, or has that list below `limits`, beside
        `defaults: false` where the default ones are not wanted.

        Args:
            source: a list of limits or of mappings with their arguments; the path of a file that ends in .yml, .yaml,
                .json or .toml; limits that were read before, which are returned as they are; None for the default ones.
            defaults: whether the default limits are taken too, but for those of a name that is given.
            session: whose services and operations there are; a new one's if None.

        Raises:
            ConfigError: something is wrong; the message has its place, what was found and what to do.
            DeclarationTypeError: something has the wrong type.
            MissingExtraError: the file is YAML, and PyYAML is not installed.

        Example:
            >>> Limits.read([{"name": "mine", "rat": 5}])
            Traceback (most recent call last):
            ...
            mangrove.errors.ConfigError: limits entry 1: a limit has no field 'rat'; did you mean 'rate'?
        """
        if isinstance(source, Limits):
            return source
        entries, told = _entries(source)
        own = [_made(entry, _Names(session)) for entry in entries]
        names = [limit.name for limit in own]
        for number, (entry, name) in enumerate(zip(entries, names, strict=True)):
            if name in names[:number]:
                text = f"{entry.where}: there is a limit {name!r} already"
                raise ConfigError(text)
        kept: list[Limit] = []
        if defaults if told is None else told:
            from mangrove.fleet.default_limits import DEFAULT_LIMITS  # noqa: PLC0415  it is made of these

            kept = [limit for limit in DEFAULT_LIMITS if limit.name not in names]
        return cls((*kept, *own))

    def __iter__(self) -> Iterator[Limit]:
        return iter(self.limits)

    def __len__(self) -> int:
        return len(self.limits)

    def matching(self, scope: Scope) -> tuple[Limit, ...]:
        """Return the limits that concern a request, in their order."""
        return tuple(limit for limit in self.limits if limit.matches(scope))


def _entries(source: Any) -> tuple[list[Entry], bool | None]:
    if source is None:
        return [], None
    if isinstance(source, str) or hasattr(source, "__fspath__"):
        return from_file(source)
    if isinstance(source, Limit | Mapping) or not isinstance(source, Iterable):
        text = f"limits take a list of limits, or a file's path; got {type(source).__name__}"
        raise DeclarationTypeError(text)
    return [Entry(value, f"limits entry {number}") for number, value in enumerate(source, 1)], None


def _made(entry: Entry, names: _Names) -> Limit:
    value = entry.value
    try:
        if isinstance(value, Limit):
            return names.check(value)
        return names.check(Limit(**_arguments(value)))
    except ConfigError as error:
        text = f"{entry.where}: {error}"
        raise type(error)(text) from None


def _arguments(value: object) -> dict[str, Any]:
    if not isinstance(value, Mapping):
        text = f"a limit is a mapping with name, rate and so on; got {type(value).__name__}: {value!r}"
        raise DeclarationTypeError(text)
    for key in value:
        if key not in _FIELDS:
            close = f"; did you mean {_ALSO[key]!r}?" if key in _ALSO else one_of(str(key), _FIELDS)
            text = f"a limit has no field {key!r}{close or '; there are ' + ', '.join(_FIELDS)}"
            raise ConfigError(text)
    if value.get("name") is None:
        text = "the limit has no name"
        raise ConfigError(text)
    return {key: each for key, each in value.items() if each is not None}


class _Names:
    """Look up the names that a limit is for: one that there is not would limit nothing, and say nothing."""

    def __init__(self, session: boto3.Session | None) -> None:
        self._session = session

    def check(self, limit: Limit) -> Limit:
        """Return the limit with names as they are compared, or refuse it."""
        where = {name: tuple(self._each(limit, name, given) for given in limit.where[name]) for name in limit.where}
        same = where == limit.where
        return limit if same else Limit(limit.name, limit.rate, limit.burst, limit.max_concurrency, limit.scope, where)

    def _each(self, limit: Limit, name: str, pattern: str) -> str:
        mark = "!" if pattern.startswith("!") else ""
        try:
            return mark + self._known(limit, name, pattern.removeprefix("!"))
        except ConfigError as error:
            text = f"limit {limit.name!r}: where {name}: {error}"
            raise type(error)(text) from None

    def _known(self, limit: Limit, name: str, text: str) -> str:
        if name == "operation":
            return self._operation(limit, text)
        if is_glob(text):
            return text
        if name == "account":
            return check_account_id(text)
        return check_region_name(text) if name == "region" else find_service(text, service_names(self._any_session()))

    def _operation(self, limit: Limit, text: str) -> str:
        services = [each for each in limit.where.get("service", ()) if not each.startswith("!")]
        if is_glob(text) or not services or any(map(is_glob, services)):
            if not text[:1].islower() and "_" not in text and "-" not in text:
                return text
            told = f"{text!r} matches none: operations are named as the API does, 'Describe*', 'DescribeInstances'"
            raise ConfigError(told)
        problems = []
        for service in services:
            try:
                return find_operation(self._any_session(), service, text).name
            except ConfigError as error:
                problems.append(error)
        raise problems[0]

    def _any_session(self) -> boto3.Session:
        if self._session is None:
            self._session = Session()
        return self._session
