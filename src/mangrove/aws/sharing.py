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
from mangrove.aws.clients import SharingCreator, Template, Templates, own_config
from mangrove.aws.compat import give_up, why_not
from mangrove.aws.configurations import KnownSettings, parsed_once
from mangrove.aws.emitter import session_emitter
from mangrove.aws.loader import session_loader, settled
from mangrove.aws.parsers import CompiledParserFactory
from mangrove.aws.surroundings import surroundings
from mangrove.aws.transport import bundle_stamp, freeze

__all__ = ["SharingSession", "core_session"]

# Sessions without handlers or components of their own make equal clients for equal configurations.
_TEMPLATES = Templates()

# Components that decide whose calls are made, and not what a client is like.
_OF_THE_ACCOUNT = frozenset({"credential_provider", "token_provider"})


class SharingSession(CoreSession):
    """Be a botocore session whose clients are light copies of templates.

    The answers are botocore's own: the templates are made by its code. What a user registers on the session that may
    change how a client is built (components, some handlers) gives the session templates of its own.

    Args:
        session_vars: as botocore's.
        profile: as botocore's.
    """

    _config: Any
    _config_number: int

    def __init__(self, session_vars: dict[str, Any] | None = None, profile: str | None = None) -> None:
        events = session_emitter()
        self._components_changed = 0
        self._baseline: tuple[Any, ...] = ()
        super().__init__(
            session_vars=session_vars, event_hooks=events._emitter, include_builtin_handlers=False, profile=profile
        )
        self._events = events
        self._register_event_emitter()
        self._own_templates: Templates | None = None
        self._own_state: tuple[Any, ...] = ()
        self._variables_seen: tuple[dict[str, Any], Hashable] = ({}, None)
        self._config_read: Any = None
        self._known_settings: KnownSettings | None = None
        self.settle()

    def settle(self) -> None:
        """Take the handlers and components there are now for what every session of this kind has.

        For whoever makes sessions of one kind; a session that a user has changed is never settled anew.
        """
        self._baseline = self._state()
        self._baseline_events = copy.copy(self._events)

    def _state(self) -> tuple[Any, ...]:
        """Return what tells whether a user has given this session something of its own; compared, never hashed."""
        store = self.get_component("config_store")
        return (
            self._events.generation,
            self._components_changed,
            getattr(self.get_component("response_parser_factory"), "_own_defaults", False),
            dict(store._overrides),
            tuple(store._mapping.values()),
            self._config == self._config_read,
        )

    def register_component(self, name: str, component: Any) -> None:
        """Register a component; see botocore."""
        self._components_changed += name not in _OF_THE_ACCOUNT
        super().register_component(name, component)

    def lazy_register_component(self, name: str, component: Any) -> None:
        """Register a component made at its first use; see botocore."""
        self._components_changed += name not in _OF_THE_ACCOUNT
        super().lazy_register_component(name, component)

    def _register_internal_component(self, name: str, component: Any) -> None:
        self._components_changed += 1
        super()._register_internal_component(name, component)

    @property
    def full_config(self) -> Any:
        """Return the parsed configuration files, read once by all sessions as long as the files do not change."""
        if self._config is None:
            paths = (self.get_config_variable(name) for name in ("config_file", "credentials_file"))
            found = parsed_once(paths, lambda: CoreSession.full_config.fget(self))
            # A copy: what a user changes in it is this session's alone.
            self._config, self._config_number = _copied(found.parsed), found.number
            self._config_read = found.parsed
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
        if why_not():
            return super().create_client(*arguments, *keys, config, aws_account_id)
        default = self.get_default_client_config()
        merged = default if config is None else (config if default is None else default.merge(config))
        settings = {
            "service_name": service_name,
            "region_name": self._resolve_region_name(region_name, merged),
            "is_secure": use_ssl,
            "verify": self.get_config_variable("ca_bundle") if verify is None else verify,
            "api_version": api_version or self.get_config_variable("api_versions").get(service_name),
        }
        credentials = self._credentials_of(merged, *keys, aws_account_id)
        features = set(get_context().features)
        try:
            client = self._create_light(settings, merged, endpoint_url, credentials)
        except (AttributeError, TypeError, KeyError) as error:
            # Either the caller's mistake, which botocore will tell again, or a botocore that has changed.
            get_context().features.intersection_update(features)
            client = super().create_client(*arguments, *keys, config, aws_account_id)
            give_up(f"{type(error).__name__}: {error}")
            return client
        monitor = self._get_internal_component("monitor")
        if monitor is not None:
            monitor.register(client.meta.events)
        self._register_client_plugins(client)
        return client

    def _create_light(self, settings: dict[str, Any], config: Any, endpoint_url: str | None, credentials: Any) -> Any:
        template = self._template(settings, own_config(config), endpoint_url)
        token = self.get_auth_token()
        signing_name = template.client.meta.service_model.signing_name
        if signing_name:
            token = self.get_auth_token(signing_name=signing_name) or token
        return template.stamp(self._events, credentials, token)

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
        try:
            fingerprint = self._fingerprint()
            # A hash of what may hold a secret, such as a proxy's password: keys are kept, and shown in tracebacks.
            configured = hash(freeze(vars(config))) if config is not None else None
            # Of the features: such as that the keys were given in code, which the user agent says.
            around = (surroundings(), frozenset(get_context().features))
            trust = bundle_stamp(arguments["verify"])
            key = (freeze(arguments), configured, endpoint_url, fingerprint, trust, *around)
            hash(key)
        except TypeError:
            # A setting that can't be compared is shared with nobody.
            return self._build(Templates(), arguments, config, endpoint_url)

        def build() -> Template:
            # What sessions share must hold none of them, nor its credentials: a session of nobody builds it.
            shared = templates is _TEMPLATES
            builder = templates.nobodies.get(fingerprint, self._nobody) if shared else self
            return builder._build(templates, arguments, config, endpoint_url)

        return templates.kept.get(key, build)

    def _templates(self) -> Templates:
        """Return the templates of all sessions, or this one's own, if a user has given it something of its own."""
        state = self._state()
        if state == self._baseline:
            return _TEMPLATES
        if self._own_templates is None or self._own_state != state or not state[-1]:
            self._own_templates, self._own_state = Templates(), state
        return self._own_templates

    def _fingerprint(self) -> Hashable:
        """Return everything of the session that decides what a client is like."""
        self.full_config  # noqa: B018  read, if it is not yet
        return (
            self._config_number,
            self.profile,
            settled(self.get_component("data_loader")),
            freeze({name: value for name, value in self._session_instance_vars.items() if name != "region"}),
            self._variables(),
            (self.user_agent_name, self.user_agent_version, self.user_agent_extra),
            getattr(self.get_component("user_agent_creator"), "_execution_env", None),
        )

    def _nobody(self) -> SharingSession:
        """Return a session with all settings of this one, and without its credentials."""
        twin = SharingSession(session_vars=dict(self.session_var_map))
        for name, value in self._session_instance_vars.items():
            if name != "region":  # that is the caller's, and an argument of each template
                twin.set_config_variable(name, value)
        twin.register_component("data_loader", settled(self.get_component("data_loader")))
        twin.register_component("response_parser_factory", CompiledParserFactory())
        agent = copy.copy(self.get_component("user_agent_creator"))
        twin.register_component("user_agent_creator", agent)
        twin._config_read, twin._config_number = self._config_read, self._config_number
        twin._config = _copied(self._config_read)
        # Nobody changes a setting of this session: only the environment can.
        twin._known_settings = KnownSettings()
        twin.user_agent_name, twin.user_agent_version = self.user_agent_name, self.user_agent_version
        twin.user_agent_extra = self.user_agent_extra
        # Without what a user has registered since, and what boto3 has made to hold this session's events.
        twin._events = copy.copy(self._baseline_events)
        twin._events.forget("creating-resource-class")
        twin._register_event_emitter()
        return twin

    def _variables(self) -> Hashable:
        """Return where the session looks for its settings; most sessions look in the same places."""
        # Its store, where there is one: a mapping written in Python is slow to copy, and this is for each client.
        store: Any = getattr(self.session_var_map, "_store", self.session_var_map)
        now = dict(store)
        seen, frozen = self._variables_seen
        if now != seen:
            # A hash: it would be the largest part of a key that is hashed for each client.
            frozen = hash(freeze(now))
            self._variables_seen = now, frozen
        return frozen

    def _build(
        self, templates: Templates, arguments: dict[str, Any], config: Any, endpoint_url: str | None
    ) -> Template:
        """Build a template as botocore's `create_client` builds a client, up to what is the account's."""
        config_store = copy.copy(self.get_component("config_store"))
        if self._known_settings is not None:
            config_store = self._known_settings.remember(config_store)
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
            settled(self.get_component("data_loader")),
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
        creator.templates = templates
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
    session.register_component("data_loader", session_loader(session.get_config_variable("data_path")))
    if not plain:
        session.register_component("response_parser_factory", CompiledParserFactory())
        session.register_component("user_agent_creator", RememberingAgent.from_environment())
    session.user_agent_extra = f"mangrove/{__version__}"
    if not plain:
        session.settle()
    return session


def _copied(value: Any) -> Any:
    return {name: _copied(item) for name, item in value.items()} if isinstance(value, dict) else value
