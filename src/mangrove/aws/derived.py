"""Make sessions of other credentials out of one: with its settings, files, handlers and endpoint, not its identity."""

from __future__ import annotations

import inspect
import ipaddress
import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

import boto3
from botocore.config import Config

from mangrove.aws.clients import Templates
from mangrove.aws.emitter import session_emitter
from mangrove.aws.session import Session, botocore_session
from mangrove.aws.sharing import SharingSession, core_session

__all__ = ["Derivation", "DerivedSession"]

_log = logging.getLogger("mangrove.credentials")
_arguments = inspect.signature(boto3.Session.client)

# An event's name, a handler, and in which of botocore's three sections it is: first, middle or last.
Handler = tuple[str, Callable[..., Any], int]


class OnlyCredentials:
    """Stand where botocore looks for its chain of credential and token providers, and know one answer.

    Args:
        load: returns the credentials.
    """

    def __init__(self, load: Callable[[], Any]) -> None:
        self._load = load

    def load_credentials(self) -> Any:
        """Return the credentials; botocore asks once per session."""
        return self._load()

    def load_token(self, **_: Any) -> None:
        """Answer that there is no bearer token: the one that botocore would find is the base's, another identity's."""


class DerivedSession(Session):
    """Be a session of other credentials; its clients go where those of the session it comes from go.

    Args:
        core: the botocore session.
        region_name: the region of clients that name none.
        endpoint_url: where all clients go instead of AWS, unless they name an endpoint; None for AWS.
    """

    def __init__(self, core: Any, region_name: str | None, endpoint_url: str | None) -> None:
        self._endpoint_url = endpoint_url
        super().__init__(region_name=region_name, botocore_session=core)

    def client(self, *args: Any, **kwargs: Any) -> Any:
        """Make a client, with boto3's arguments; see `boto3.Session.client`."""
        if self._endpoint_url is not None:
            given = _arguments.bind(self, *args, **kwargs).arguments
            if not given.get("endpoint_url"):
                kwargs = {**given, "endpoint_url": self._endpoint_url}
                args = (kwargs.pop("self"),)[1:]
        return super().client(*args, **kwargs)


class Derivation:
    """Hold what sessions of other credentials take over from a session, as it is now.

    They take its profile, variables, configuration files, default client configuration, region, event handlers and
    user agent. They don't take its credentials, nor its bearer token.

    Args:
        base: any boto3 session.
    """

    def __init__(self, base: boto3.Session) -> None:
        self._base = base
        self._core = botocore_session(base)
        self._light = isinstance(self._core, SharingSession)
        self._handlers = tuple(own_handlers(self._core))
        self._endpoint_url: str | None = getattr(base, "_endpoint_url", None)
        # Sessions that are changed in the same way share templates among themselves.
        self._templates = Templates()

    def session(
        self,
        load: Callable[[], Any],
        *,
        region_name: str | None = None,
        variables: Mapping[str, Any] | None = None,
        handlers: Iterable[tuple[str, Callable[..., Any]]] = (),
    ) -> Session:
        """Return a session of other credentials.

        Args:
            load: returns the credentials; called when the session first needs them.
            region_name: its region; None takes the base's.
            variables: configuration variables of botocore that it has for itself.
            handlers: events and what handles them, before all others; they must hold neither session nor credentials,
                as clients' templates keep them.
        """
        core = self._new_core(variables or {})
        only = OnlyCredentials(load)
        core.register_component("credential_provider", only)
        core.register_component("token_provider", only)
        made = DerivedSession(core, region_name or self._base.region_name, self._endpoint_url)
        self._take_user_agent(core)
        events = core.get_component("event_emitter")
        for event, handler in handlers:
            events.register_first(event, handler)
        if isinstance(core, SharingSession):
            core.settle()
        for event, handler, section in self._handlers:
            (events.register_first, events.register, events.register_last)[section](event, handler)
        if isinstance(core, SharingSession):
            self._share_templates(core)
        return made

    def _new_core(self, variables: Mapping[str, Any]) -> Any:
        base: Any = self._core
        # A session of ours that is not light is so by its user's wish.
        safe_mode = True if isinstance(self._base, Session) and not self._light else None
        core = core_session(dict(base.session_var_map), base.profile, safe_mode=safe_mode)
        for name, value in {**base.instance_variables(), **variables}.items():
            if name not in {"region", "profile"}:
                core.set_config_variable(name, value)
        config = base.get_default_client_config()
        if self._endpoint_url is not None and _is_loopback(self._endpoint_url):
            # No proxy stands between us and ourselves.
            direct = Config(proxies={})
            config = direct if config is None else direct.merge(config)
        core.set_default_client_config(config)
        if self._light and isinstance(core, SharingSession):
            # A thousand profiles in each of a thousand sessions would be the largest thing in the process.
            core._config, core._config_number = base.full_config, base._config_number
            core._config_read = base._config_read
            core.register_component("data_loader", base.get_component("data_loader"))
        return core

    def _take_user_agent(self, core: Any) -> None:
        base = self._core
        if self._light or base.user_agent_name not in {"Botocore", "Boto3"}:
            core.user_agent_name, core.user_agent_version = base.user_agent_name, base.user_agent_version
            core.user_agent_extra = base.user_agent_extra

    def _share_templates(self, core: SharingSession) -> None:
        """Give the session the templates of its base's kind, where a user has changed the base; else it has all's."""
        base, changed = self._core, bool(self._handlers)
        if self._light:
            factory = base.get_component("response_parser_factory")
            if getattr(factory, "_own_defaults", False):
                changed = True
                core.register_component("response_parser_factory", factory)
            for name, value in base.get_component("config_store")._overrides.items():
                changed = True
                core.get_component("config_store").set_config_variable(name, value)
        if changed:
            core._own_templates, core._own_state = self._templates, core._state()


def own_handlers(core: Any) -> Iterator[Handler]:
    """Yield the handlers that a user has registered on a botocore session; botocore's and boto3's are not the user's.

    Args:
        core: the botocore session.
    """
    try:
        found = _handlers_of(core.get_component("event_emitter"))
        usual = [(event, handler) for event, handler, _ in _handlers_of(session_emitter())]
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        _log.warning(
            "sessions of roles don't take over the base's event handlers: this botocore has changed (%s)", error
        )
        return
    by_event: dict[str, list[Any]] = {}
    for event, handler in usual:
        by_event.setdefault(event, []).append(handler)
    for event, handler, section in found:
        ours = getattr(handler, "__module__", None) or ""
        if not ours.startswith(("boto3.", "mangrove.credentials.")) and handler not in by_event.get(event, ()):
            yield event, handler, section


def _handlers_of(emitter: Any) -> list[Handler]:
    """Return every handler of an emitter; its tree is botocore's own, and a canary test watches it."""
    found: list[Handler] = []

    def walk(node: Any, path: tuple[str, ...]) -> None:
        sections: Iterable[Any] = node["values"] or ()
        for section, handlers in enumerate(sections):
            found.extend((".".join(path), handler, section) for handler in handlers)
        for part, child in node["children"].items():
            walk(child, (*path, part))

    walk(emitter._emitter._handlers._root, ())
    return found


def _is_loopback(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
