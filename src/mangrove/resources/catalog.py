"""The resources of all services as one loader of models sees them: derived when first asked for, then kept."""

from __future__ import annotations

import json
import threading
import weakref
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from botocore.exceptions import DataNotFoundError
from botocore.loaders import Loader

from mangrove._concurrency import Once, in_child
from mangrove.aws.loader import SharedLoader
from mangrove.resources.cache import DiskCache, foreign_paths, stamp
from mangrove.resources.derive.derivation import derive
from mangrove.resources.derive.facts import ServiceFacts
from mangrove.resources.derive.gather import gather
from mangrove.resources.derive.operations import Model
from mangrove.resources.derive.validate import pruned
from mangrove.resources.older import older_of
from mangrove.resources.owners import prefixes_of
from mangrove.resources.partial import partial_of, tags_left_out
from mangrove.resources.record import ServiceResources, brief, read, written

__all__ = ["Catalog", "catalog_of", "describe", "known_to_have_resources"]

_INDEX = "_index"
_WITH_RESOURCES = Path(__file__).with_name("data") / "with_resources.json"
_NOTHING: Mapping[str, Any] = {"definition": None}


def describe(facts: ServiceFacts, version: str = "") -> ServiceResources | None:
    """Return the resources of a service from its facts; None if it has none.

    What does not fit the model, such as a curated part that was written for another botocore, is left out.

    Args:
        facts: what derivation looks at.
        version: the API version of the model.
    """
    model = Model(facts.model)
    derived = derive(facts, model)
    more, below = (derived.definition["merge"], facts.existing or {}) if derived.extends else (derived.definition, {})
    definition, problems = pruned(more, model, facts.waiters, below)
    if not definition.get("resources"):
        return None
    tags = tags_left_out(definition, model, derived.tags)
    types, own = definition["resources"], list((facts.existing or {}).get("resources", {}))
    dropped = [(each.what, each.why) for each in derived.dropped]
    dropped += [(".".join(each.where), each.why) for each in problems]
    # Through the form that is kept on disk: what a process derives itself and what it reads is the same.
    return read(
        {
            "service": facts.name,
            "version": version,
            "definition": definition,
            "own": own,
            "arns": {name: brief(spec) for name, spec in derived.arns.items() if name in types},
            "tags": {name: brief(place) for name, place in tags.items() if name in types},
            "kinds": {name: kind for name, kind in derived.kinds.items() if name in types},
            "forms": {name: texts for name, texts in derived.forms.items() if name in types},
            "partial": {n: members for n, members in partial_of(definition, model).items() if n not in own},
            "prefixes": prefixes_of(facts.name, facts.model.get("metadata", {})),
            "dropped": dropped,
        }
    )


@cache
def known_to_have_resources() -> frozenset[str]:
    """Return the services that have resources in every supported botocore that has them; there may be more of them.

    To tell it of a service is to derive its resources, and for all 430 that takes seconds.
    """
    return frozenset(json.loads(_WITH_RESOURCES.read_bytes()))


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

    def older(self, service: str, version: str, definition: Any) -> Any:
        """Return boto3's own definition of an older API version, with what is known of its types.

        Args:
            service: the service.
            version: the version.
            definition: boto3's file of it; given back as it is where nothing is known.
        """
        newest = self.find(service)
        if newest is None or newest.version == version or not newest.own:
            return definition
        cell = self._found.setdefault(f"{service}/{version}", Once())
        found = cell.get(lambda: (older_of(newest, version, definition),))[0]
        return found.definition if found else definition

    def services(self) -> list[str]:
        """List the services that have resources."""
        return sorted(name for name, has in self._index.get(self._read_index).items() if has)

    def _disk(self) -> DiskCache:
        def make() -> DiskCache:
            loader = self._the_loader()
            # Another loader may find something else in the same files, which is its own session's alone.
            plain = type(loader) in {Loader, SharedLoader}
            return DiskCache(stamp(loader.search_paths, loader.extras_types) if plain else None)

        return self._cache.get(make)

    def _the_loader(self) -> Any:
        loader = self._loader()
        if loader is None:  # pragma: no cover  whoever asks holds the loader
            text = "the loader is gone"
            raise RuntimeError(text)
        return loader

    def _read_index(self) -> dict[str, bool]:
        """Return every service with whether it has resources; those of which that is not known are derived, once."""
        names = set(self._the_loader().list_available_services("service-2"))
        kept = self._disk().get(_INDEX)
        if kept is not None and set(kept) == names and all(isinstance(each, bool) for each in kept.values()):
            return dict(kept)
        sure = known_to_have_resources() - self._elsewhere()
        found = {name: name in sure or self.find(name) is not None or self._is_boto3s(name) for name in sorted(names)}
        self._disk().put(_INDEX, found)
        return found

    def _elsewhere(self) -> set[str]:
        """List the services that have a folder which is neither botocore's nor boto3's: anything may be in there."""
        return {each.name for path in foreign_paths(self._the_loader().search_paths) for each in Path(path).glob("*")}

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
