"""The resources of all services as one loader of models sees them: derived when first asked for, then kept."""

from __future__ import annotations

import copy
import threading
import weakref
from collections.abc import Mapping
from typing import Any

from botocore.exceptions import DataNotFoundError
from botocore.loaders import ExtrasProcessor, Loader

from mangrove._concurrency import Once, in_child
from mangrove.resources.cache import DiskCache, stamp
from mangrove.resources.derive.arns import Formats
from mangrove.resources.derive.derivation import derive
from mangrove.resources.derive.facts import Derived, Json, ServiceFacts
from mangrove.resources.derive.gather import gather
from mangrove.resources.derive.names import key_of
from mangrove.resources.derive.validate import Problem, pruned, validate
from mangrove.resources.owners import prefixes_of
from mangrove.resources.record import ServiceResources, read, written

__all__ = ["Catalog", "catalog_of", "describe"]

_INDEX = "_index"
_NOTHING: Mapping[str, Any] = {"definition": None}
_MOST_ROUNDS = 20


def describe(facts: ServiceFacts, version: str = "") -> ServiceResources | None:
    """Return the resources of a service from its facts; None if it has none.

    What does not fit the model, such as a curated part that was written for another botocore, is left out.

    Args:
        facts: what derivation looks at.
        version: the API version of the model.
    """
    derived = derive(facts)
    definition, problems = _checked(derived, facts)
    if not definition.get("resources"):
        return None
    types = definition["resources"]
    formats, others = Formats(facts.formats), frozenset(map(key_of, types))
    forms = {name: formats.of(name, others) for name in types}
    dropped = [(each.what, each.why) for each in derived.dropped]
    dropped += [(".".join(each.where), each.why) for each in problems]
    # Through the form that is kept on disk: what a process derives itself and what it reads is the same.
    return read(
        {
            "service": facts.name,
            "version": version,
            "definition": definition,
            "own": list(facts.existing.get("resources", {})) if facts.existing else [],
            "arns": {name: _fields(spec) for name, spec in derived.arns.items() if name in types},
            "tags": {name: _fields(place) for name, place in derived.tags.items() if name in types},
            "kinds": {name: kind for name, kind in derived.kinds.items() if name in types},
            "forms": {name: texts for name, texts in forms.items() if texts},
            "prefixes": prefixes_of(facts.name, facts.model.get("metadata", {})),
            "dropped": dropped,
        }
    )


def _fields(spec: Any) -> dict[str, Any]:
    found = {name: getattr(spec, name) for name in spec.__dataclass_fields__}
    if "variables" in found:
        found["variables"] = {name: _fields(source) for name, source in found["variables"].items()}
    return found


def _checked(derived: Derived, facts: ServiceFacts) -> tuple[dict[str, Any], tuple[Problem, ...]]:
    """Return the whole definition without what does not fit the model; boto3's own part stays as it is."""
    if not derived.extends:
        if not validate(derived.definition, facts.model, facts.waiters):
            return copy.deepcopy(dict(derived.definition)), ()
        return pruned(derived.definition, facts.model, facts.waiters)
    existing: Json = facts.existing or {}
    usual = {str(each) for each in validate(existing, facts.model, facts.waiters)}
    more = copy.deepcopy(dict(derived.definition))
    removed: list[Problem] = []
    for _ in range(_MOST_ROUNDS):
        merged = copy.deepcopy(dict(existing))
        ExtrasProcessor().process(merged, [copy.deepcopy(more)])
        found = [each for each in validate(merged, facts.model, facts.waiters) if str(each) not in usual]
        if not found:
            return merged, tuple(removed)
        removed += found
        for each in found:
            _remove(more["merge"], each.where)
    return copy.deepcopy(dict(existing)), tuple(removed)


def _remove(tree: dict[str, Any], where: tuple[str, ...]) -> None:
    for key in where[:-1]:
        tree = tree.get(key, {})
    tree.pop(where[-1], None)


class Catalog:
    """Know the resources of every service that a loader finds.

    Args:
        loader: botocore's `data_loader`, with boto3's own data among its search paths.
    """

    def __init__(self, loader: Loader) -> None:
        self._loader = weakref.ref(loader)
        self._found: dict[str, Once[tuple[ServiceResources | None]]] = {}
        self._index = Once[dict[str, bool]]()
        self._cache = Once[DiskCache]()

    def find(self, service: str) -> ServiceResources | None:
        """Return the resources of a service; None if it has none, or boto3's own are to be taken as they are."""
        cell = self._found.setdefault(service, Once())
        return cell.get(lambda: (self._read(service),))[0]

    def services(self) -> list[str]:
        """List the services that have resources."""
        return sorted(name for name, has in self._index.get(self._read_index).items() if has)

    def _disk(self) -> DiskCache:
        def make() -> DiskCache:
            loader = self._the_loader()
            return DiskCache(stamp(loader.search_paths, getattr(loader, "extras_types", ())))

        return self._cache.get(make)

    def _the_loader(self) -> Any:
        loader = self._loader()
        if loader is None:  # pragma: no cover  whoever asks holds the loader
            text = "the loader is gone"
            raise RuntimeError(text)
        return loader

    def _read_index(self) -> dict[str, bool]:
        """Return every service with whether it has resources; to know that, all are derived, once for a machine."""
        names = set(self._the_loader().list_available_services("service-2"))
        kept = self._disk().get(_INDEX)
        if kept is not None and set(kept) == names and all(isinstance(each, bool) for each in kept.values()):
            return dict(kept)
        found = {name: self.find(name) is not None or self._is_boto3s(name) for name in sorted(names)}
        self._disk().put(_INDEX, found)
        return found

    def _is_boto3s(self, service: str) -> bool:
        return service in self._the_loader().list_available_services("resources-1")

    def _read(self, service: str) -> ServiceResources | None:
        kept = self._disk().get(service)
        if kept is not None:
            try:
                return None if kept == _NOTHING else read(kept)
            except (TypeError, KeyError, AttributeError, ValueError):
                pass  # damaged: derived anew
        found = self._derive(service)
        if found is not None:
            self._disk().put(service, written(found))
        elif service in self._the_loader().list_available_services("service-2"):
            self._disk().put(service, _NOTHING)
        return found

    def _derive(self, service: str) -> ServiceResources | None:
        loader = self._the_loader()
        try:
            version: str = loader.determine_latest_version(service, "service-2")
            facts = gather(loader, service)
        except DataNotFoundError:  # UnknownServiceError is one
            return None
        if facts.existing and loader.determine_latest_version(service, "resources-1") != version:
            return None  # what is derived speaks of another API than boto3's own file
        return describe(facts, version)


_catalogs: weakref.WeakKeyDictionary[Loader, Catalog] = weakref.WeakKeyDictionary()
_guard = threading.Lock()


@in_child
def _after_fork() -> None:
    global _guard  # noqa: PLW0603  a thread of the parent may have held it, or been deriving
    _guard = threading.Lock()
    _catalogs.clear()


def catalog_of(loader: Any) -> Catalog:
    """Return the catalog of a loader, one for its life.

    Args:
        loader: a loader that finds botocore's and boto3's own data, and no derived resources.
    """
    with _guard:
        found = _catalogs.get(loader)
        if found is None:
            found = _catalogs[loader] = Catalog(loader)
        return found
