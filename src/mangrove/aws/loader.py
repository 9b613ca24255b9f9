"""One loader of service models for all sessions of the process, and a view of it for each session.

A `boto3.Session` loads the model of each service it makes a client of: for EC2 that is 20 MiB and a quarter of a second
a session. The seam is botocore's public component `data_loader`.
"""

from __future__ import annotations

import json
import os
import weakref
from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import Any

import boto3
from botocore.exceptions import DataNotFoundError, UnknownServiceError
from botocore.loaders import ExtrasProcessor, JSONFileLoader, Loader

from mangrove.aws.resource_seam import RESOURCES, resource_provider
from mangrove.aws.unread import read_in_part

__all__ = ["ForeignLoader", "SessionLoader", "SharedLoader", "session_loader", "settled", "shared_loader"]

# Where each boto3.Session looks for its resources: searched from the start, so that its appending it changes nothing.
_OF_BOTO3 = str(Path(boto3.__file__).parent / "data")


class _UniquePaths(list[str]):
    """Keep a search path once, however many boto3 sessions append it."""

    def append(self, path: str) -> None:
        if path not in self:
            super().append(path)


class _PlainLoader(JSONFileLoader):
    """Read JSON into plain dicts, which keep their order too, in half the time and less memory."""

    def _load_file(self, full_path: str, open_method: Callable[..., Any]) -> Any:
        if not os.path.isfile(full_path):  # noqa: PTH113  botocore's own way
            return None
        if full_path.startswith(Loader.BUILTIN_DATA_PATH + os.sep):
            # How botocore's own files are laid out is known; of no others.
            return read_in_part(full_path)
        with open_method(full_path, "rb") as file:
            return json.loads(file.read())


class SharedLoader(Loader):
    """Load each model once for all sessions that search the same places.

    Args:
        extra_search_paths: the user's own folders of models.
    """

    def __init__(self, extra_search_paths: Iterable[str] = ()) -> None:
        super().__init__(extra_search_paths=list(extra_search_paths), file_loader=_PlainLoader())
        self._paths = _UniquePaths(dict.fromkeys([*super().search_paths, _OF_BOTO3]))
        self._models: dict[tuple[str, str, str | None], Any] = {}

    @property
    def search_paths(self) -> list[str]:
        """Return where models are looked for, each place once."""
        return self._paths

    def load_service_model(self, service_name: str, type_name: str, api_version: str | None = None) -> Any:
        """Load a service's data; see botocore, which looks into the folders of all services for it."""
        key = service_name, type_name, api_version
        if key not in self._models:
            load = self._load if self._has(service_name, type_name) else super().load_service_model
            self._models[key] = load(*key)
        return self._models[key]

    def _has(self, service_name: str, type_name: str) -> bool:
        folders = filter(os.path.isdir, self.search_paths)
        # By the names in there, as botocore does it: for some file systems `EC2` is `ec2`.
        if not any(service_name in os.listdir(folder) for folder in folders):  # noqa: PTH208
            return False
        try:
            return bool(self.list_api_versions(service_name, type_name))
        except DataNotFoundError:
            return False

    def _load(self, service_name: str, type_name: str, api_version: str | None) -> Any:
        version = api_version or self.determine_latest_version(service_name, type_name)
        place = str(Path(service_name, version, type_name))
        model = self.load_data(place)
        for extras_type in self.extras_types:
            with suppress(DataNotFoundError):
                ExtrasProcessor().process(model, [self.load_data(f"{place}.{extras_type}-extras")])
        return model


class SessionLoader(SharedLoader):
    """Be one session's view of what all sessions have loaded; the search paths are the session's own.

    A session that is given one more place to search finds everything anew, with the sessions that search there too, and
    no other session sees it.

    Args:
        extra_search_paths: the user's own folders of models.
    """

    def __init__(self, extra_search_paths: Iterable[str] = ()) -> None:
        super().__init__(extra_search_paths)
        self._found = _loader_of(self._places())

    @property
    def settled(self) -> SharedLoader:
        """Return the loader of all sessions that search where this one does now."""
        places, found = self._places(), self._found
        if places != (tuple(found.search_paths), tuple(found.extras_types)):
            found = self._found = _loader_of(places)
        return found

    def _places(self) -> _Places:
        return tuple(self.search_paths), tuple(self.extras_types)

    def list_available_services(self, type_name: str) -> list[str]:
        """List the services that have such data; see botocore."""
        return _list_services(self.settled, type_name)

    def determine_latest_version(self, service_name: str, type_name: str) -> str:
        """Return the latest version of a service's data; see botocore."""
        return _latest_version(self.settled, service_name, type_name)

    def list_api_versions(self, service_name: str, type_name: str) -> list[str]:
        """List the versions of a service's data; see botocore."""
        return _list_versions(self.settled, service_name, type_name)

    def load_service_model(self, service_name: str, type_name: str, api_version: str | None = None) -> Any:
        """Load a service's data; see botocore."""
        return _load(self.settled, service_name, type_name, api_version)

    def load_data_with_path(self, name: str) -> Any:
        """Load any data, and say where it was; see botocore."""
        return self.settled.load_data_with_path(name)


class ForeignLoader:
    """Be a session's view of a loader that is not ours, with the resources of all services.

    Args:
        loader: botocore's, or anybody's.
    """

    def __init__(self, loader: Any) -> None:
        self._loader = loader

    def __getattr__(self, name: str) -> Any:
        return getattr(self._loader, name)

    def list_available_services(self, type_name: str) -> list[str]:
        """List the services that have such data; see botocore."""
        return _list_services(self._loader, type_name)

    def determine_latest_version(self, service_name: str, type_name: str) -> str:
        """Return the latest version of a service's data; see botocore."""
        return _latest_version(self._loader, service_name, type_name)

    def list_api_versions(self, service_name: str, type_name: str) -> list[str]:
        """List the versions of a service's data; see botocore."""
        return _list_versions(self._loader, service_name, type_name)

    def load_service_model(self, service_name: str, type_name: str, api_version: str | None = None) -> Any:
        """Load a service's data; see botocore."""
        return _load(self._loader, service_name, type_name, api_version)


def _list_services(loader: Any, type_name: str) -> list[str]:
    if type_name == RESOURCES:
        return resource_provider().services(loader)
    return list(loader.list_available_services(type_name))


def _latest_version(loader: Any, service_name: str, type_name: str) -> str:
    ours = resource_provider().version(loader, service_name) if type_name == RESOURCES else None
    found: str = ours or loader.determine_latest_version(service_name, type_name)
    return found


def _list_versions(loader: Any, service_name: str, type_name: str) -> list[str]:
    ours = resource_provider().version(loader, service_name) if type_name == RESOURCES else None
    return [ours] if ours else list(loader.list_api_versions(service_name, type_name))


def _load(loader: Any, service_name: str, type_name: str, api_version: str | None) -> Any:
    if type_name == RESOURCES and api_version in {None, _latest_or_none(loader, service_name)}:
        found = resource_provider().definition(loader, service_name)
        if found is not None:
            return found
    try:
        theirs = loader.load_service_model(service_name, type_name, api_version)
    except UnknownServiceError:
        if type_name == RESOURCES and _latest_or_none(loader, service_name):
            raise DataNotFoundError(data_path=f"{service_name}/{api_version}/{type_name}") from None
        raise
    if type_name == RESOURCES and api_version is not None:
        return resource_provider().older(loader, service_name, api_version, theirs)
    return theirs


def _latest_or_none(loader: Any, service_name: str) -> str | None:
    with suppress(DataNotFoundError):
        return _latest_version(loader, service_name, RESOURCES)
    return None


_Places = tuple[tuple[str, ...], tuple[str, ...]]
_loaders: weakref.WeakValueDictionary[_Places, SharedLoader] = weakref.WeakValueDictionary()


def _loader_of(places: _Places) -> SharedLoader:
    found = _loaders.get(places)
    if found is None:
        made = SharedLoader()
        made.search_paths[:], made.extras_types[:] = places
        found = _loaders.setdefault(places, made)
    return found


def settled(loader: Any) -> Any:
    """Return what a session's loader is at this time, for whoever keeps it for other sessions.

    Args:
        loader: a session's component `data_loader`; one that is not ours is returned itself.
    """
    return loader.settled if isinstance(loader, SessionLoader) else loader


def _extra_paths(data_path: str | None) -> tuple[str, ...]:
    paths = data_path.split(os.pathsep) if data_path else ()
    return tuple(os.path.expanduser(os.path.expandvars(path)) for path in paths)  # noqa: PTH111  as botocore does


def session_loader(data_path: str | None) -> SessionLoader:
    """Return a loader for one session, which shares what it finds.

    Args:
        data_path: the user's own folders of models, as in `AWS_DATA_PATH`, or None.

    Example:
        >>> one, two = session_loader(None), session_loader(None)
        >>> one.load_data("partitions") is two.load_data("partitions")
        True
        >>> one.search_paths.append("/my/models")
        >>> "/my/models" in two.search_paths
        False
    """
    shared_loader(data_path)  # keeps what is found while no session is there
    return SessionLoader(_extra_paths(data_path))


@lru_cache(maxsize=16)
def shared_loader(data_path: str | None) -> SharedLoader:
    """Return the loader that all sessions of one data path share.

    Args:
        data_path: the user's own folders of models, as in `AWS_DATA_PATH`, or None.
    """
    return SessionLoader(_extra_paths(data_path)).settled
