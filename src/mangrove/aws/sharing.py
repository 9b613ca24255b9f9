"""A botocore session that makes its clients from templates, and reads its configuration files once."""

from __future__ import annotations

import copy
import os
from collections.abc import Hashable
from typing import Any

from botocore import UNSIGNED, retryhandler, translate
from botocore.context import with_current_context
from botocore.credentials import Credentials
from botocore.exceptions import PartialCredentialsError

from mangrove._version import __version__
from mangrove.aws._botocore import CoreSession, get_context, register_feature_id
from mangrove.aws.agent import RememberingAgent
from mangrove.aws.clients import SharingCreator, Template, Templates
from mangrove.aws.compat import give_up, why_not
from mangrove.aws.configurations import parsed_once
from mangrove.aws.emitter import session_emitter
from mangrove.aws.loader import shared_loader
from mangrove.aws.parsers import CompiledParserFactory
from mangrove.aws.transport import freeze

__all__ = ["SharingSession", "core_session"]

# Sessions without handlers or components of their own make equal clients for equal configurations.
_TEMPLATES = Templates()
_PARSERS = CompiledParserFactory()

# Variables that hold a secret: that they are there is part of a configuration, what they are is not.
_SECRET = ("KEY", "SECRET", "TOKEN")
_PREFIXES = ("AWS_", "BOTO", "REQUESTS_")
_PROXY = "_PROXY"
# Components that decide whose calls are made, and not what a client is like.
_OF_THE_ACCOUNT = frozenset({"credential_provider", "token_provider"})


class SharingSession(CoreSession):
    """Be a botocore session whose clients are light copies of templates.

    The answers are botocore's own: the templates are made by its code. What a user registers on the session (handlers,
    components) gives the session templates of its own.

    Args:
        session_vars: as botocore's.
        profile: as botocore's.
    """

    _config: Any
    _config_number: int

    def __init__(self, session_vars: dict[str, Any] | None = None, profile: str | None = None) -> None:
        events = session_emitter()
        self._components_changed = False
        self._baseline = -1
        super().__init__(
            session_vars=session_vars, event_hooks=events._emitter, include_builtin_handlers=False, profile=profile
        )
        self._events = events
        self._register_event_emitter()
        self._own_templates: Templates | None = None
        self._own_generation = -1
        self._variables_seen: tuple[dict[str, Any], Hashable] = ({}, None)
        self.settle()

    def settle(self) -> None:
        """Take the handlers and components there are now for what every session of this kind has."""
        self._baseline = self._events.generation
        self._components_changed = False

    def register_component(self, name: str, component: Any) -> None:
        """Register a component; see botocore."""
        self._components_changed = self._components_changed or name not in _OF_THE_ACCOUNT
        super().register_component(name, component)

    def lazy_register_component(self, name: str, component: Any) -> None:
        """Register a component made at its first use; see botocore."""
        self._components_changed = self._components_changed or name not in _OF_THE_ACCOUNT
        super().lazy_register_component(name, component)

    @property
    def full_config(self) -> Any:
        """Return the parsed configuration files; sessions share them as long as the files do not change."""
        if self._config is None:
            paths = (self.get_config_variable(name) for name in ("config_file", "credentials_file"))
            found = parsed_once(paths, lambda: CoreSession.full_config.fget(self))
            self._config, self._config_number = found.parsed, found.number
        return self._config

    @with_current_context()
    def create_client(
        self,
        service_name: str,
        region_name: str | None = None,
        api_version: str | None = None,
        use_ssl: bool = True,  # noqa: FBT001, FBT002  botocore's signature
        verify: bool | str | None = None,  # noqa: FBT001
        endpoint_url: str | None = None,
        aws_access_key_id: str | None = None,
        aws_secret_access_key: str | None = None,
        aws_session_token: str | None = None,
        config: Any = None,
        aws_account_id: str | None = None,
    ) -> Any:
        """Make a client, with botocore's arguments; see `botocore.session.Session.create_client`."""
        arguments = (service_name, region_name, api_version, use_ssl, verify, endpoint_url)
        keys = (aws_access_key_id, aws_secret_access_key, aws_session_token)
        if not why_not():
            features = set(get_context().features)
            try:
                return self._create_light(*arguments, keys, config, aws_account_id)
            except (AttributeError, TypeError, KeyError) as error:
                # Either the caller's mistake, which botocore will tell again, or a botocore that has changed.
                get_context().features.intersection_update(features)
                client = super().create_client(*arguments, *keys, config, aws_account_id)
                give_up(f"{type(error).__name__}: {error}")
                return client
        return super().create_client(*arguments, *keys, config, aws_account_id)

    def _create_light(
        self,
        service_name: str,
        region_name: str | None,
        api_version: str | None,
        use_ssl: bool,  # noqa: FBT001
        verify: bool | str | None,  # noqa: FBT001
        endpoint_url: str | None,
        keys: tuple[str | None, str | None, str | None],
        config: Any,
        aws_account_id: str | None,
    ) -> Any:
        default = self.get_default_client_config()
        config = default if config is None else (config if default is None else default.merge(config))
        arguments = {
            "service_name": service_name,
            "region_name": self._resolve_region_name(region_name, config),
            "is_secure": use_ssl,
            "verify": self.get_config_variable("ca_bundle") if verify is None else verify,
            "api_version": api_version or self.get_config_variable("api_versions").get(service_name),
        }
        credentials = self._credentials_of(config, *keys, aws_account_id)
        template = self._template(arguments, config, endpoint_url)
        token = self.get_auth_token()
        signing_name = template.client.meta.service_model.signing_name
        if signing_name:
            token = self.get_auth_token(signing_name=signing_name) or token
        client = template.stamp(self._events, credentials, token)
        monitor = self._get_internal_component("monitor")
        if monitor is not None:
            monitor.register(client.meta.events)
        self._register_client_plugins(client)
        return client

    def _credentials_of(
        self, config: Any, key: str | None, secret: str | None, token: str | None, account: str | None
    ) -> Any:
        if config is not None and config.signature_version is UNSIGNED:
            return None
        if key is not None and secret is not None:
            found: Any = Credentials(access_key=key, secret_key=secret, token=token, account_id=account)
        elif missing := self._missing_cred_vars(key, secret):
            raise PartialCredentialsError(provider="explicit", cred_var=missing)
        else:
            found = self.get_credentials()
        if getattr(found, "method", None) == "explicit":
            register_feature_id("CREDENTIALS_CODE")
        return found

    # -- templates ----------------------------------------------------------------------------------------------------

    def _template(self, arguments: dict[str, Any], config: Any, endpoint_url: str | None) -> Template:
        templates = self._templates()
        fingerprint = self._fingerprint()

        def build() -> Template:
            # What sessions share must hold none of them, nor its credentials: a session of nobody builds it.
            builder = self if templates is self._own_templates else templates.nobody(fingerprint, self._nobody)
            return builder._build(templates, arguments, config, endpoint_url)

        try:
            key = (
                freeze(arguments),
                freeze(vars(config)) if config is not None else None,
                endpoint_url,
                fingerprint,
                _surroundings(),
                # Such as that the keys were given in code: the user agent says so.
                frozenset(get_context().features),
            )
            hash(key)
        except TypeError:
            return build()  # a setting that can't be compared is shared with nobody
        return templates.get(key, build)

    def _templates(self) -> Templates:
        """Return the templates of all sessions, or this one's own, if it has handlers or components of its own."""
        if self._events.generation == self._baseline and not self._components_changed:
            return _TEMPLATES
        if self._own_templates is None or self._own_generation != self._events.generation:
            self._own_templates, self._own_generation = Templates(), self._events.generation
        return self._own_templates

    def _fingerprint(self) -> Hashable:
        """Return everything of the session that decides what a client is like."""
        self.full_config  # noqa: B018  read, if it is not yet
        return (
            self._config_number,
            self.profile,
            self.get_component("data_loader"),
            freeze({name: value for name, value in self._session_instance_vars.items() if name != "region"}),
            self._variables(),
            (self.user_agent_name, self.user_agent_version, self.user_agent_extra),
        )

    def _nobody(self) -> SharingSession:
        """Return a session with all settings of this one, and without its credentials."""
        twin = SharingSession(session_vars=dict(self.session_var_map))
        for name, value in self._session_instance_vars.items():
            if name != "region":  # that is the caller's, and an argument of each template
                twin.set_config_variable(name, value)
        for name in ("data_loader", "response_parser_factory"):
            twin.register_component(name, self.get_component(name))
        agent = copy.copy(self.get_component("user_agent_creator"))
        twin.register_component("user_agent_creator", agent)
        twin._config, twin._config_number = self.full_config, self._config_number
        twin.user_agent_name, twin.user_agent_version = self.user_agent_name, self.user_agent_version
        twin.user_agent_extra = self.user_agent_extra
        twin._events = copy.copy(self._events)
        twin._register_event_emitter()
        return twin

    def _variables(self) -> Hashable:
        """Return where the session looks for its settings; most sessions look in the same places."""
        now = dict(self.session_var_map)
        seen, frozen = self._variables_seen
        if now != seen:
            frozen = freeze(now)
            self._variables_seen = now, frozen
        return frozen

    def _build(
        self, templates: Templates, arguments: dict[str, Any], config: Any, endpoint_url: str | None
    ) -> Template:
        """Build a template as botocore's `create_client` builds a client, up to what is the account's."""
        config_store = copy.copy(self.get_component("config_store"))
        agent = copy.copy(self.get_component("user_agent_creator"))
        agent.set_session_config(
            session_user_agent_name=self.user_agent_name,
            session_user_agent_version=self.user_agent_version,
            session_user_agent_extra=self.user_agent_extra,
        )
        mode = self._resolve_defaults_mode(config, config_store)
        if mode != "legacy":
            smart_defaults = self._get_internal_component("smart_defaults_factory")
            smart_defaults.merge_smart_defaults(config_store, mode, arguments["region_name"])
        self._add_configured_endpoint_provider(client_name=arguments["service_name"], config_store=config_store)
        agent.set_client_features(get_context().features)
        creator = SharingCreator(
            self.get_component("data_loader"),
            self._get_internal_component("endpoint_resolver"),
            self.user_agent(),
            self._events,
            retryhandler,
            translate,
            self.get_component("response_parser_factory"),
            self._get_internal_component("exceptions_factory"),
            config_store,
            user_agent_creator=agent,
        )
        creator.shared = templates.shared
        return Template.build(
            creator,
            client_config=config,
            scoped_config=self.get_scoped_config(),
            endpoint_url=endpoint_url,
            **arguments,
        )


def core_session(
    session_vars: dict[str, Any] | None = None, profile: str | None = None, *, safe_mode: bool | None = None
) -> Any:
    """Return a botocore session that shares models, and clients unless in safe mode.

    Args:
        session_vars: as botocore's.
        profile: a profile of the configuration files.
        safe_mode: True makes clients in botocore's own way; None takes it from MANGROVE_SAFE_MODE.
    """
    if safe_mode is None:
        safe_mode = os.environ.get("MANGROVE_SAFE_MODE", "").lower() in {"1", "true", "yes"}
    plain = safe_mode or bool(why_not())
    session = (CoreSession if plain else SharingSession)(session_vars=session_vars)
    if profile is not None:
        # Before the loader: the profile may name a data_path of its own.
        session.set_config_variable("profile", profile)
    session.register_component("data_loader", shared_loader(session.get_config_variable("data_path")))
    if not plain:
        session.register_component("response_parser_factory", _PARSERS)
        session.register_component("user_agent_creator", RememberingAgent.from_environment())
    session.user_agent_extra = f"mangrove/{__version__}"
    return session


_seen: tuple[Any, Hashable] = (None, ())


def _surroundings() -> Hashable:
    """Return the environment as far as botocore reads it, without what is secret."""
    global _seen  # noqa: PLW0603  the environment is the process's
    # The dict under os.environ compares in a microsecond; where there is none, the answer is worked out each time.
    raw = getattr(os.environ, "_data", None)
    if raw is None or raw != _seen[0]:
        _seen = (dict(raw) if raw is not None else None, _read_surroundings())
    return _seen[1]


def _read_surroundings() -> Hashable:
    return tuple(
        (name, not name.endswith(_SECRET) and value)
        for name, value in os.environ.items()
        if name.startswith(_PREFIXES) or name.upper().endswith(_PROXY)
    )
