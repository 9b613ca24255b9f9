"""Check the resources of services, and users' own definition files, against the botocore that is installed."""

from __future__ import annotations

import copy
import json
import os
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from botocore.exceptions import DataNotFoundError
from botocore.loaders import ExtrasProcessor

from mangrove.aws.loader import shared_loader
from mangrove.aws.services import find_service, one_of
from mangrove.errors import ConfigError
from mangrove.resources.catalog import describe
from mangrove.resources.derive.derivation import derive
from mangrove.resources.derive.facts import ArnSpec, Derived, Json, ServiceFacts, TagSpec
from mangrove.resources.derive.gather import gather
from mangrove.resources.derive.operations import Model
from mangrove.resources.derive.paths import misses
from mangrove.resources.derive.validate import Problem, validate
from mangrove.resources.record import ServiceResources

__all__ = ["Checked", "Finding", "check_file", "check_service", "service_of_path", "services"]

_MOST_BYTES = 16 * 2**20
_REST = ("Partition", "Region", "Account")


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong, or, in boto3's own part of a definition, one that cannot be mended here.

    Attributes:
        service: botocore's name of the service; None where a file does not tell.
        where: the keys that lead to it, or the file.
        problem: the reason, as a short sentence.
        source: `derived`, `boto3`, or the file's path.
    """

    service: str | None
    where: str
    problem: str
    source: str


@dataclass(frozen=True, slots=True)
class Checked:
    """What was checked at once, and what was found.

    Attributes:
        types: how many types there are.
        findings: what is wrong with them.
        used: what is left of a service's resources, and used; None for a file, or where there are none.
        model: the service's model; None for a file.
    """

    types: int
    findings: tuple[Finding, ...] = ()
    used: ServiceResources | None = None
    model: Model | None = None


def services() -> list[str]:
    """List the services of the installed botocore, sorted; AWS_DATA_PATH counts."""
    return sorted(_loader().list_available_services("service-2"))


def _loader() -> Any:
    return shared_loader(os.environ.get("AWS_DATA_PATH"))


def check_service(name: str) -> Checked:
    """Check what is derived for a service, before anything that does not fit is left out, and what is used of it.

    Args:
        name: the service.

    Raises:
        UnknownServiceError: botocore has no such service.

    Example:
        >>> check_service("rds").findings
        ()
    """
    facts = gather(_loader(), find_service(name, services()))
    model = Model(facts.model)
    derived = derive(facts, model)
    boto3s = {str(each) for each in _problems(facts.existing, facts)} if facts.existing else set()
    found = [Finding(name, each.partition(": ")[0], each.partition(": ")[2], "boto3") for each in sorted(boto3s)]
    definition = _merged(facts.existing, derived.definition) if derived.extends else derived.definition
    seen = [str(each) for each in _problems(definition, facts)]
    used = describe(facts)
    if used is not None:
        seen += [str(each) for each in _problems(used.definition, facts)]
    seen += list(_beside(derived, definition, model))
    found += [
        Finding(name, each.partition(": ")[0], each.partition(": ")[2], "derived")
        for each in dict.fromkeys(seen)
        if each not in boto3s
    ]
    return Checked(len(used.definition["resources"]) if used else 0, tuple(found), used, model)


def _problems(definition: Json | None, facts: ServiceFacts) -> list[Problem]:
    return validate(definition or {}, facts.model, facts.waiters)


def _merged(existing: Json | None, more: Json) -> dict[str, Any]:
    merged = copy.deepcopy(dict(existing or {}))
    ExtrasProcessor().process(merged, [copy.deepcopy(dict(more))])
    return merged


# -- what stands beside a definition: the sources of ARNs and tags ----------------------------------------------------


def _beside(derived: Derived, definition: Json, model: Model) -> Iterator[str]:
    data = _Data(definition, model)
    for kind, spec in derived.arns.items():
        yield from (f"arns.{kind}: {why}" for why in _arn(spec, kind, data))
    for kind, place in derived.tags.items():
        yield from (f"tags.{kind}: {why}" for why in _tags(place, kind, data, model))


class _Data:
    """Know where the data of resources comes from: what loads them, and what lists them, which may tell less."""

    def __init__(self, definition: Json, model: Model) -> None:
        self.types: Mapping[str, Any] = definition.get("resources", {})
        self._model = model
        self._items: dict[str, list[tuple[str, str]]] = {}
        for holder in (definition.get("service", {}), *self.types.values()):
            for each in holder.get("hasMany", {}).values():
                place = each["resource"].get("path")
                if place:
                    output = model.operations[each["request"]["operation"]].output
                    self._items.setdefault(each["resource"]["type"], []).append((output, place))

    def misses(self, kind: str, path: str) -> str:
        """Say why a path leads nowhere in any data of a type; "" where it leads somewhere."""
        why = misses(self._model, self.types[kind].get("shape", ""), path)
        if not why or any(not misses(self._model, output, f"{at}.{path}") for output, at in self._items.get(kind, ())):
            return ""
        return why


def _arn(spec: ArnSpec, kind: str, data: _Data) -> Iterator[str]:
    definition = data.types.get(kind)
    if definition is None:
        yield "there is no such type"
        return
    names = {each["name"] for each in definition.get("identifiers", ())}
    sources = spec.variables.values()
    asked = {spec.identifier, *(each.identifier for each in sources)} - {""}
    yield from (f"it has no identifier {name!r}" for name in sorted(asked - names))
    paths = filter(None, [spec.path, spec.account, *(each.path for each in sources)])
    yield from filter(None, (data.misses(kind, path) for path in paths))
    written = {part.partition("}")[0] for part in spec.template.split("${")[1:]}
    yield from (f"nothing gives {name!r} of its format" for name in sorted(written - {*_REST, *spec.variables}))
    if spec.load and "load" not in definition:
        yield "it can't be loaded"


def _tags(place: TagSpec, kind: str, data: _Data, model: Model) -> Iterator[str]:
    if kind not in data.types:
        yield "there is no such type"
    elif not place.operation:
        yield from filter(None, [data.misses(kind, place.path)])
    elif place.operation not in model.operations:
        yield f"the service has no operation {place.operation!r}"
    else:
        operation = model.operations[place.operation]
        yield from filter(None, [misses(model, operation.output, place.path)])
        yield from filter(None, [misses(model, operation.input, place.target)])


# -- files ------------------------------------------------------------------------------------------------------------


def service_of_path(path: str) -> str | None:
    """Return the service that a file is of, as botocore lays its folders: `SERVICE/VERSION/resources-1.json`.

    Example:
        >>> service_of_path("models/rds/2014-10-31/resources-1.json")
        'rds'
    """
    parts = Path(os.path.abspath(path)).parts  # noqa: PTH100  a link keeps its own name
    return parts[-3] if len(parts) > 3 else None  # noqa: PLR2004  SERVICE/VERSION/file


def check_file(path: str, service: str | None = None) -> Checked:
    """Check a `resources-1` file of the user's own, or an `extras` file that is merged into a service's resources.

    Whatever is wrong with the file itself is one finding.

    Args:
        path: the file.
        service: the service; told by the file's folders if None.
    """
    name = service or service_of_path(path)
    try:
        content = _content(path)
        facts = _facts(name)
        found = _found(content, facts)
    except ConfigError as error:
        return Checked(0, (Finding(name, path, str(error), path),))
    except (RecursionError, TypeError, AttributeError, KeyError, ValueError) as error:
        text = f"it is not written as boto3 writes it ({type(error).__name__})"
        return Checked(0, (Finding(name, path, text, path),))
    types = content.get("merge", content).get("resources", {})
    findings = tuple(Finding(name, ".".join(each.where), each.why, path) for each in found)
    return Checked(len(types) if isinstance(types, Mapping) else 0, findings)


def _found(content: Mapping[str, Any], facts: ServiceFacts) -> list[Problem]:
    """Find what is wrong in a file; of an `extras` file, what it adds to the problems of what it is merged into."""
    if "merge" not in content:
        return _problems(content, facts)
    if not isinstance(content["merge"], Mapping):
        text = "its 'merge' is no table"
        raise ConfigError(text)
    base = _base(facts)
    usual = {str(each) for each in _problems(base, facts)}
    return [each for each in _problems(_merged(base, content), facts) if str(each) not in usual]


def _facts(name: str | None) -> ServiceFacts:
    if name is None:
        text = "its folders do not tell the service; say --service NAME"
        raise ConfigError(text)
    if name not in (known := services()):
        text = f"no service {name!r} in this botocore{one_of(name, known)}; say --service NAME"
        raise ConfigError(text)
    try:
        return gather(_loader(), name)
    except DataNotFoundError as error:  # pragma: no cover  the service is there
        raise ConfigError(str(error)) from error


def _base(facts: ServiceFacts) -> Json:
    """Return what an `extras` file is merged into: boto3's own file, or what is derived."""
    found = describe(facts)
    return found.definition if found else {"service": {}, "resources": {}}


def _content(path: str) -> dict[str, Any]:
    try:
        content = json.loads(_read(path))
    except ConfigError:
        raise  # it is a ValueError too
    except OSError as error:
        text = f"it can't be read: {error.strerror or type(error).__name__}"
        raise ConfigError(text) from error
    except RecursionError as error:
        text = "it is nested too deeply"
        raise ConfigError(text) from error
    except ValueError as error:
        # A decoder's message quotes nothing of the file.
        place = f" (line {error.lineno}, column {error.colno})" if isinstance(error, json.JSONDecodeError) else ""
        text = f"it is no JSON{place}"
        raise ConfigError(text) from error
    if not isinstance(content, dict):
        text = f"it holds a {type(content).__name__}, and a definition is a table"
        raise ConfigError(text)
    if not {"service", "resources", "merge"} & content.keys():
        text = "it has neither 'service' nor 'resources', nor 'merge': it is no definition of resources"
        raise ConfigError(text)
    return content


def _read(path: str) -> bytes:
    # Without O_NONBLOCK, opening a pipe would wait for a writer.
    handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
    with os.fdopen(handle, "rb") as file:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            text = "it is no regular file"
            raise ConfigError(text)
        data = file.read(_MOST_BYTES + 1)
    if len(data) > _MOST_BYTES:
        text = f"it is larger than {_MOST_BYTES // 2**20} MiB"
        raise ConfigError(text)
    return data
