"""Make the classes of resources once per process, and remember whose credentials a resource's client has.

boto3 builds the class of a resource anew for every session, every page of a collection and every reference that is
followed: for EC2 that is most of the time of listing anything. A class holds nothing of a session but the handlers that
have changed it, so sessions without handlers of their own share one.
"""

from __future__ import annotations

import inspect
import threading
import weakref
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import boto3
from boto3.resources.factory import ResourceFactory
from boto3.utils import LazyLoadedWaiterModel, ServiceContext
from botocore.credentials import Credentials

from mangrove._concurrency import in_child
from mangrove.aws.loader import SharedLoader, settled
from mangrove.aws.paging import PagingCollections
from mangrove.aws.resource_seam import resource_provider
from mangrove.aws.sharing import SharingSession

__all__ = ["SharingFactory", "account_of_client", "class_handlers", "set_owner"]

_EVENT = "creating-resource-class."
_KEYS = ("aws_access_key_id", "aws_secret_access_key", "aws_session_token")
_arguments = inspect.signature(boto3.Session.resource)


class _Dresser:
    """Be a session's emitter for boto3's factory, and let the provider have the last word on a class.

    Args:
        emitter: the session's.
    """

    def __init__(self, emitter: Any) -> None:
        self._emitter = emitter

    def emit(self, event_name: str, **given: Any) -> Any:
        """Emit an event; see botocore."""
        answer = self._emitter.emit(event_name, **given)
        if event_name.startswith(_EVENT):
            context = given["service_context"]
            name = event_name.removeprefix(f"{_EVENT}{context.service_name}.")
            resource_provider().dress(context, name, given["class_attributes"], given["base_classes"])
        return answer

    def __getattr__(self, name: str) -> Any:
        return getattr(self._emitter, name)


def class_handlers(core: Any) -> tuple[Any, ...] | None:
    """Return the handlers that a botocore session has for classes of resources; None if this botocore hides them.

    The tree of handlers is botocore's own; a canary test watches it.
    """
    try:
        root = core.get_component("event_emitter")._emitter._handlers._root  # noqa: SLF001
        found: list[Any] = []
        todo = [(name, root["children"][name]) for name in (_EVENT[:-1], "*") if name in root["children"]]
        while todo:
            path, node = todo.pop()
            found += [(path, *handlers) for handlers in node["values"] or ()]
            todo += [(f"{path}.{name}", child) for name, child in node["children"].items()]
    except (AttributeError, KeyError, TypeError):
        return None
    return tuple(each for each in found if len(each) > 1)


class SharingFactory(ResourceFactory):  # type: ignore[misc,unused-ignore]  # boto3's has no types
    """Be boto3's factory of resource classes, and make each class once.

    Args:
        core: the botocore session, with boto3's handlers.
        before: the handlers for classes that it had before boto3's; without any, its classes are everybody's, until
            one is registered.
    """

    def __init__(self, core: Any, before: tuple[Any, ...] | None = None) -> None:
        self._core = core
        dresser: Any = _Dresser(core.get_component("event_emitter"))
        super().__init__(dresser)
        self._collection_factory = PagingCollections()
        self._made_with = class_handlers(core)
        self._shared_with = self._made_with if before == () else None
        # The definitions are kept beside what their identity is the key of.
        self._made: dict[tuple[int, str], tuple[Any, type]] = {}

    def load_from_definition(
        self, resource_name: str, single_resource_json_definition: Any, service_context: Any
    ) -> Any:
        """Return the class of a resource; see boto3."""
        now = class_handlers(self._core)
        given = resource_name, single_resource_json_definition, service_context
        if now is None:  # no telling whether a handler is new
            return super().load_from_definition(*given)
        loader = settled(self._core.get_component("data_loader"))
        if now == self._shared_with and isinstance(loader, SharedLoader):
            return _factory_of(loader).make(*given)
        if now != self._made_with:
            self._made, self._made_with = {}, now
        return self._make_once(*given)

    def _make_once(self, name: str, definition: Any, context: Any) -> type:
        key = id(context.resource_json_definitions), name
        found = self._made.get(key)
        if found is None:
            made: type = super().load_from_definition(name, definition, context)
            found = self._made.setdefault(key, (context.resource_json_definitions, made))
        return found[1]


class _NobodysFactory(SharingFactory):
    """Make the classes that all sessions of a loader share: by a session of nobody, as what is shared holds no one."""

    def __init__(self, loader: SharedLoader) -> None:
        core = SharingSession()
        core.register_component("data_loader", loader)
        boto3.Session(botocore_session=core)  # registers boto3's handlers
        super().__init__(core)

    def load_from_definition(
        self, resource_name: str, single_resource_json_definition: Any, service_context: Any
    ) -> Any:
        """Return the class of a resource that a shared class leads to; see boto3."""
        return self._make_once(resource_name, single_resource_json_definition, service_context)

    def make(self, name: str, definition: Any, context: Any) -> Any:
        """Return the shared class of a resource, made without the caller's session."""
        found = self._made.get((id(context.resource_json_definitions), name))
        if found is not None:
            return found[1]
        service, model = context.service_name, context.service_model
        waiters: Any = LazyLoadedWaiterModel(self._core, service, model.api_version)
        ours = ServiceContext(service, model, waiters, context.resource_json_definitions)
        return self._make_once(name, definition, ours)


_factories: weakref.WeakKeyDictionary[SharedLoader, _NobodysFactory] = weakref.WeakKeyDictionary()
_owners: weakref.WeakKeyDictionary[Any, Callable[[], str]] = weakref.WeakKeyDictionary()
_guard = threading.Lock()


@in_child
def _after_fork() -> None:
    global _guard  # noqa: PLW0603  a thread of the parent may have held it
    _guard = threading.Lock()


def _factory_of(loader: SharedLoader) -> _NobodysFactory:
    found = _factories.get(loader)
    if found is None:
        made = _NobodysFactory(loader)
        with _guard:
            found = _factories.setdefault(loader, made)
    return found


def set_owner(client: Any, session: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> None:
    """Remember whose credentials the client of a resource has.

    Args:
        client: the client.
        session: the session that made it.
        args: the arguments that it was made with, as they were given to `boto3.Session.resource`.
        kwargs: and those by name.
    """
    given = _arguments.bind(session, *args, **kwargs).arguments
    keys: list[Any] = [given.get(name) for name in _KEYS]
    # Once: what is known of an account is known of these credentials.
    credentials = Credentials(*keys) if any(keys) else None
    with _guard:
        _owners[client] = partial(_account_of, session, credentials) if credentials else lambda: session.account_id


def _account_of(session: Any, credentials: Credentials) -> str:
    """Return the account of credentials that were given for one resource."""
    from mangrove.aws.derived import Derivation  # noqa: PLC0415  it makes sessions
    from mangrove.aws.identity import account_of  # noqa: PLC0415

    return account_of(Derivation(session).session(lambda: credentials))


def account_of_client(client: Any) -> str | None:
    """Return the account of the credentials of a resource's client; None for a client that no session of ours made.

    It costs no call where the credentials carry it.

    Raises:
        CredentialError: there are no credentials.
        botocore.exceptions.ClientError: STS does not know them.
    """
    account = _owners.get(client)
    return account() if account else None
