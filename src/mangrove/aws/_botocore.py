"""botocore's classes with what its type stubs leave out; here alone they are untyped.

Whatever of them is private is watched by `mangrove.aws.compat` at run time and by a canary test on both ends of the
supported versions.
"""

from __future__ import annotations

from typing import Any

import botocore.args
import botocore.auth
import botocore.awsrequest
import botocore.client
import botocore.compat
import botocore.endpoint
import botocore.hooks
import botocore.httpsession
import botocore.session
import botocore.signers
import botocore.useragent

__all__ = [
    "AWSHTTPConnection",
    "AWSHTTPSConnection",
    "AWSPreparedRequest",
    "AWSRequest",
    "AWSRequestPreparer",
    "AWSResponse",
    "BaseClient",
    "ClientArgsCreator",
    "ClientCreator",
    "CoreSession",
    "Endpoint",
    "EndpointCreator",
    "EventAliaser",
    "HTTPHeaders",
    "HeadersDict",
    "HierarchicalEmitter",
    "NodeList",
    "PrefixTrie",
    "RequestSigner",
    "S3SigV4Auth",
    "SigV4Auth",
    "URLLib3Session",
    "UserAgentString",
    "get_context",
    "plugins",
    "register_feature_id",
    "useragent",
]

_hooks: Any = botocore.hooks
useragent: Any = botocore.useragent

AWSHTTPConnection: Any = botocore.awsrequest.AWSHTTPConnection
AWSHTTPSConnection: Any = botocore.awsrequest.AWSHTTPSConnection
AWSPreparedRequest: Any = botocore.awsrequest.AWSPreparedRequest
AWSRequest: Any = botocore.awsrequest.AWSRequest
AWSRequestPreparer: Any = botocore.awsrequest.AWSRequestPreparer
AWSResponse: Any = botocore.awsrequest.AWSResponse
HeadersDict: Any = botocore.awsrequest.HeadersDict
HTTPHeaders: Any = botocore.compat.HTTPHeaders
BaseClient: Any = botocore.client.BaseClient
ClientArgsCreator: Any = botocore.args.ClientArgsCreator
ClientCreator: Any = botocore.client.ClientCreator
CoreSession: Any = botocore.session.Session
Endpoint: Any = botocore.endpoint.Endpoint
EndpointCreator: Any = botocore.endpoint.EndpointCreator
EventAliaser: Any = _hooks.EventAliaser
HierarchicalEmitter: Any = _hooks.HierarchicalEmitter
NodeList: Any = _hooks.NodeList
PrefixTrie: Any = _hooks._PrefixTrie
RequestSigner: Any = botocore.signers.RequestSigner
S3SigV4Auth: Any = botocore.auth.S3SigV4Auth
SigV4Auth: Any = botocore.auth.SigV4Auth
UserAgentString: Any = useragent.UserAgentString
URLLib3Session: Any = botocore.httpsession.URLLib3Session
get_context: Any = botocore.session.get_context  # type: ignore[attr-defined]


def register_feature_id(feature_id: str) -> None:
    """Count a feature in the user agent, where this botocore counts them.

    Args:
        feature_id: such as `CREDENTIALS_CODE`.
    """
    register = getattr(useragent, "register_feature_id", None)
    if register is not None:
        register(feature_id)


def plugins() -> str:
    """Return the plug-ins that botocore has in every client, where the user has named any."""
    get_plugins = getattr(botocore.session, "get_botocore_plugins", None)
    found = get_plugins() if get_plugins is not None else None
    return "" if found in (None, "DISABLED") else str(found)
