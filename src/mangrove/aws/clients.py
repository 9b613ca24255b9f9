"""Make a client for another account out of one that is there: everything but the credentials is shared.

botocore builds each client from the ground: model, class, endpoint rules, serializer, retries, HTTP pool. Of all that
the signer alone depends on the account. So one template is built per (service, region, endpoint, configuration), by
botocore's own code and without credentials, and a client is a light copy of it with its own signer and emitter.
"""

from __future__ import annotations

import copy
import weakref
from collections.abc import Callable
from dataclasses import dataclass
from types import FunctionType, MethodType
from typing import Any

from botocore.regions import EndpointResolverBuiltins

from mangrove._concurrency import Recent, in_child
from mangrove.aws._botocore import ClientArgsCreator, ClientCreator, EndpointCreator, URLLib3Session, get_context
from mangrove.aws.requests import QuickEndpoint
from mangrove.aws.signing import QuickSigner
from mangrove.aws.transport import bundle_stamp, freeze, share

__all__ = ["SharingCreator", "Template", "Templates", "own_config"]

# Templates kept at most: services by regions by configurations in use at the same time.
_MOST = 4096
_MOST_SETTINGS = 64


class SharingCreator(ClientCreator):
    """Be botocore's maker of clients, with models, classes and transports made once.

    Attributes:
        templates: where they are kept.
    """

    templates: Templates

    def _load_service_model(self, service_name: str, api_version: str | None = None) -> Any:
        load, key = super()._load_service_model, (self._loader, service_name, api_version)
        return self.templates.shared.get(key, lambda: load(service_name, api_version))

    def _create_client_class(self, service_name: str, service_model: Any) -> Any:
        create = super()._create_client_class
        # The model itself is the key: it lives as long as its class.
        return self.templates.shared.get(service_model, lambda: create(service_name, service_model))

    def _get_client_args(self, *arguments: Any, **named: Any) -> Any:
        # botocore's own code; it finds our maker of endpoints where it looks for its own.
        get_args = _finding(ClientArgsCreator.get_client_args, EndpointCreator, self._endpoints)

        def args_creator(*args: Any, **kwargs: Any) -> Any:
            made = ClientArgsCreator(*args, **kwargs)
            made.get_client_args = MethodType(get_args, made)
            return made

        return _finding(ClientCreator._get_client_args, ClientArgsCreator, args_creator)(self, *arguments, **named)

    def _endpoints(self, event_emitter: Any) -> Any:
        made = _SharedEndpoints(event_emitter)
        made.transport = self.templates.transport
        return made


class _SharedEndpoints(EndpointCreator):
    """Be botocore's maker of endpoints, without a TLS context for each that nobody would use."""

    transport: Callable[..., Any]

    def create_endpoint(self, *arguments: Any, **named: Any) -> Any:
        return super().create_endpoint(*arguments, **{"http_session_cls": self.transport, **named})


def _finding(function: Any, known: Any, ours: Callable[..., Any]) -> Any:
    """Return a function that finds ours where it looks for a class in its module, which stays as it is.

    Args:
        function: botocore's; returned itself if it looks for no such class, or somebody has put another there.
        known: the class.
        ours: what makes its instances.
    """
    name = known.__name__
    if type(function) is not FunctionType or name not in function.__code__.co_names:
        return function
    if function.__globals__.get(name) is not known:
        return function
    found = {**function.__globals__, name: ours}
    twin = FunctionType(function.__code__, found, function.__name__, function.__defaults__, function.__closure__)
    twin.__kwdefaults__ = function.__kwdefaults__
    return twin


@dataclass(frozen=True, slots=True, eq=False)
class Template:
    """Hold a client without credentials, and how botocore finishes one.

    Attributes:
        client: made by botocore's own code.
        creator: the maker, for the handlers that belong to each client.
        client_config: the caller's configuration.
        scoped_config: the profile's.
        endpoint_url: the caller's.
        features: what botocore says of this configuration in the user agent.
    """

    client: Any
    creator: SharingCreator
    client_config: Any
    scoped_config: Any
    endpoint_url: str | None
    features: frozenset[str]

    @classmethod
    def build(
        cls,
        creator: SharingCreator,
        *,
        client_config: Any,
        scoped_config: Any,
        endpoint_url: str | None,
        **arguments: Any,
    ) -> Template:
        """Build a template by botocore's own code, for nobody: with neither credentials nor token.

        Args:
            creator: the maker.
            client_config: the caller's configuration.
            scoped_config: the profile's.
            endpoint_url: the caller's.
            arguments: the other arguments of `ClientCreator.create_client`.
        """
        client = creator.create_client(
            credentials=None,
            auth_token=None,
            client_config=client_config,
            scoped_config=scoped_config,
            endpoint_url=endpoint_url,
            **arguments,
        )
        client._endpoint.http_session = share(client._endpoint.http_session)
        context = get_context()
        return cls(
            client, creator, client_config, scoped_config, endpoint_url, frozenset(context.features if context else ())
        )

    def stamp(self, events: Any, credentials: Any, auth_token: Any) -> Any:
        """Return a client of its own for these credentials.

        Args:
            events: the session's emitter; the client gets a copy.
            credentials: botocore's, or None.
            auth_token: botocore's, or None.
        """
        model, emitter = self.client, copy.copy(events)
        signer, config = model._request_signer, own_config(model._client_config)
        client = model.__class__(
            serializer=model._serializer,
            endpoint=self._endpoint(emitter),
            response_parser=model._response_parser,
            event_emitter=emitter,
            request_signer=QuickSigner(
                signer._service_id,
                signer._region_name,
                signer._signing_name,
                signer._signature_version,
                credentials,
                emitter,
                auth_token,
            ),
            service_model=model.meta.service_model,
            loader=model._loader,
            client_config=config,
            partition=model.meta.partition,
            exceptions_factory=model._exceptions_factory,
            endpoint_ruleset_resolver=self._resolver(emitter, credentials),
            user_agent_creator=self._user_agent(config),
        )
        self._finish(client)
        return client

    def _endpoint(self, emitter: Any) -> Any:
        endpoint = self.client._endpoint
        return QuickEndpoint(
            endpoint.host,
            endpoint._endpoint_prefix,
            emitter,
            response_parser_factory=endpoint._response_parser_factory,
            http_session=endpoint.http_session,
        )

    def _resolver(self, emitter: Any, credentials: Any) -> Any:
        resolver = copy.copy(self.client._ruleset_resolver)
        if resolver is not None:
            account = credentials.get_deferred_property("account_id") if credentials else None
            resolver._builtins = {**resolver._builtins, EndpointResolverBuiltins.ACCOUNT_ID: account}
            resolver._event_emitter = emitter
            resolver._instance_cache = {}
        return resolver

    def _user_agent(self, config: Any) -> Any:
        agent = copy.copy(self.client._user_agent_creator)
        agent._client_config = config
        context = get_context()
        if context is not None:
            context.features.update(self.features)
            agent.set_client_features(context.features)
        return agent

    def _finish(self, client: Any) -> None:
        """Register the handlers that belong to each client, as botocore's `create_client` does."""
        creator = self.creator
        creator._register_retries(client)
        creator._register_s3_events(
            client=client,
            endpoint_bridge=None,
            endpoint_url=None,
            client_config=self.client_config,
            scoped_config=self.scoped_config,
        )
        creator._register_s3express_events(client=client)
        creator._register_s3_control_events(client=client)
        creator._register_importexport_events(client=client)
        creator._register_endpoint_discovery(client, self.endpoint_url, self.client_config)


def own_config(config: Any) -> Any:
    """Return a copy of a configuration with dicts of its own: what is changed in one is seen in no other.

    Args:
        config: a `botocore.config.Config`, or None.
    """
    if config is None:
        return None
    twin = copy.copy(config)
    for name, value in vars(config).items():
        if isinstance(value, (dict, list)):
            setattr(twin, name, _own(value))
    return twin


def _own(value: Any) -> Any:
    """Copy dicts and lists, however deep; what else a configuration holds never changes."""
    twin = copy.copy(value)
    for place, item in value.items() if isinstance(value, dict) else enumerate(value):
        if isinstance(item, (dict, list)):
            twin[place] = _own(item)
    return twin


_everywhere: weakref.WeakSet[Templates] = weakref.WeakSet()


@in_child
def _after_fork() -> None:
    # The parent's connections are the parent's, and a lock that one of its threads held would never be free here.
    for templates in list(_everywhere):
        templates.start_anew()


class Templates:
    """Keep the templates of sessions that make equal clients.

    Attributes:
        shared: models and classes, by what they are of.
        kept: templates, by all that a client depends on but its account.
        transports: those that the templates are using, by the arguments of botocore's HTTP session.
        nobodies: the sessions that build templates for all sessions of equal settings, by those settings.
    """

    def __init__(self) -> None:
        self.start_anew()
        _everywhere.add(self)

    def start_anew(self) -> None:
        """Forget everything, locks included: what a child process needs."""
        self.shared = Recent[Any](_MOST)
        self.kept = Recent[Template](_MOST)
        self.transports: weakref.WeakValueDictionary[Any, Any] = weakref.WeakValueDictionary()
        self.nobodies = Recent[Any](_MOST_SETTINGS)

    def transport(self, **settings: Any) -> Any:
        """Return the transport that all clients of these settings share.

        Args:
            settings: the arguments of botocore's HTTP session, by name.
        """
        try:
            # A hash of what may hold a proxy's password: keys are kept, and shown in tracebacks.
            key = bundle_stamp(settings["verify"]), hash(freeze(settings))
        except (KeyError, TypeError):
            return share(URLLib3Session(**settings))
        found = self.transports.get(key)
        if found is None:
            found = self.transports[key] = share(URLLib3Session(**settings))
        return found
