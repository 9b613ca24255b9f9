"""Make a client for another account out of one that is there: everything but the credentials is shared.

botocore builds each client from the ground: model, class, endpoint rules, serializer, retries, HTTP pool. Of all that
the signer alone depends on the account. So one template is built per (service, region, endpoint, configuration), by
botocore's own code and without credentials, and a client is a light copy of it with its own signer and emitter.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import Any

from botocore.regions import EndpointResolverBuiltins

from mangrove._concurrency import Recent
from mangrove.aws._botocore import ClientCreator, get_context
from mangrove.aws.requests import QuickEndpoint
from mangrove.aws.signing import QuickSigner
from mangrove.aws.transport import share

__all__ = ["SharingCreator", "Template", "Templates", "own_config"]

# Templates kept at most: services by regions by configurations in use at the same time.
_MOST = 4096
_MOST_SETTINGS = 64


class SharingCreator(ClientCreator):
    """Be botocore's maker of clients, with models and classes made once.

    Attributes:
        shared: where they are kept.
    """

    shared: Recent[Any]

    def _load_service_model(self, service_name: str, api_version: str | None = None) -> Any:
        load = super()._load_service_model
        return self.shared.get((self._loader, service_name, api_version), lambda: load(service_name, api_version))

    def _create_client_class(self, service_name: str, service_model: Any) -> Any:
        create = super()._create_client_class
        # The model itself is the key: it lives as long as its class.
        return self.shared.get(service_model, lambda: create(service_name, service_model))


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
            setattr(twin, name, copy.deepcopy(value))
    return twin


class Templates:
    """Keep the templates of sessions that make equal clients.

    Attributes:
        shared: models and classes, by what they are of.
        kept: templates, by all that a client depends on but its account.
        nobodies: the sessions that build templates for all sessions of equal settings, by those settings.
    """

    def __init__(self) -> None:
        self.start_anew()

    def start_anew(self) -> None:
        """Forget everything, locks included: what a child process needs."""
        self.shared = Recent[Any](_MOST)
        self.kept = Recent[Template](_MOST)
        self.nobodies = Recent[Any](_MOST_SETTINGS)
