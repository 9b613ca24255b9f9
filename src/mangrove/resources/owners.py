"""Know which botocore service an ARN belongs to: IAM's prefixes and botocore's names differ for a third of them."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from fnmatch import fnmatchcase
from typing import Any

from mangrove.resources._format import Format
from mangrove.resources.formats import known_prefixes, table

__all__ = ["derived_prefix", "owner_of", "prefix_of", "prefixes_of", "services_of"]

# Services that have types under a second prefix.
_MORE = {
    "opensearch": ("opensearch",),
    "s3": ("s3express",),
    "s3control": ("s3express", "s3-outposts", "s3-object-lambda"),
}

# Which of the services that share a prefix has a type, by the resource in its format: the first that fits.
# Of two versions of an API the newer one is named, as it has the older one's resources too.
_HOMES: Mapping[str, tuple[tuple[str, str], ...]] = {
    "account-access": (("*", "account-access"),),
    "apigateway": (
        ("/apis*", "apigatewayv2"),
        ("/portal*", "apigatewayv2"),
        ("/domainnames/*/apimappings*", "apigatewayv2"),
        ("/domainnames/*/routingrules*", "apigatewayv2"),
        ("*", "apigateway"),
    ),
    "aws-marketplace": (("*", "marketplace-catalog"),),
    "bedrock": (
        ("agent/*", "bedrock-agent"),
        ("agent-alias/*", "bedrock-agent"),
        ("flow/*/execution/*", "bedrock-agent-runtime"),
        ("flow/*", "bedrock-agent"),
        ("knowledge-base/*", "bedrock-agent"),
        ("prompt/*", "bedrock-agent"),
        ("session/*", "bedrock-agent-runtime"),
        ("async-invoke/*", "bedrock-runtime"),
        ("blueprint*", "bedrock-data-automation"),
        ("data-automation-invocation/*", "bedrock-data-automation-runtime"),
        ("data-automation-*", "bedrock-data-automation"),
        ("*", "bedrock"),
    ),
    "bedrock-agentcore": (("*", "bedrock-agentcore-control"),),
    "cassandra": (("*/stream/*", "keyspacesstreams"), ("*", "keyspaces")),
    "chime": (
        ("app-instance/*/channel*", "chime-sdk-messaging"),
        ("app-instance/*", "chime-sdk-identity"),
        ("media-*", "chime-sdk-media-pipelines"),
        ("meeting/*", "chime-sdk-meetings"),
        ("*", "chime-sdk-voice"),
    ),
    "cloudhsm": (("*", "cloudhsmv2"),),
    "connect-campaigns": (("*", "connectcampaignsv2"),),
    "dynamodb": (("*/stream/*", "dynamodbstreams"), ("*", "dynamodb")),
    "elasticloadbalancing": (("loadbalancer/${LoadBalancerName}", "elb"), ("*", "elbv2")),
    "es": (("*", "opensearch"),),
    "events": (("event-busv2/*", "eventbridgev2"), ("event-sourcev2/*", "eventbridgev2"), ("*", "events")),
    "greengrass": (("/*", "greengrass"), ("*", "greengrassv2")),
    "iot": (("tunnel/*", "iotsecuretunneling"), ("*", "iot")),
    "ivs": (
        ("stage/*", "ivs-realtime"),
        ("composition/*", "ivs-realtime"),
        ("encoder-configuration/*", "ivs-realtime"),
        ("ingest-configuration/*", "ivs-realtime"),
        ("public-key/*", "ivs-realtime"),
        ("storage-configuration/*", "ivs-realtime"),
        ("*", "ivs"),
    ),
    "kinesisanalytics": (("*", "kinesisanalyticsv2"),),
    "lambda": (("web-function/*", "lambda-web"), ("microvm*", "lambda-microvms"), ("*", "lambda")),
    "lex": (
        ("bot/*", "lexv2-models"),
        ("bot-alias/*", "lexv2-models"),
        ("test-set/*", "lexv2-models"),
        ("*", "lex-models"),
    ),
    "mediastore": (("container/*/*", "mediastore-data"), ("*", "mediastore")),
    # RDS, DocumentDB and Neptune share ARNs, and RDS's API describes the resources of all three.
    "rds": (("*", "rds"),),
    "resiliencehub": (
        ("policy/*", "resiliencehubv2"),
        ("service/*", "resiliencehubv2"),
        ("system/*", "resiliencehubv2"),
        ("*", "resiliencehub"),
    ),
    "s3": (("${BucketName}*", "s3"), ("*", "s3control")),
    "s3express": (("bucket/*", "s3"), ("*", "s3control")),
    "s3-object-lambda": (("*", "s3control"),),
    "servicecatalog": (("/*", "servicecatalog-appregistry"), ("*", "servicecatalog")),
    "ses": (("mailmanager-*", "mailmanager"), ("addon-*", "mailmanager"), ("*", "sesv2")),
    "sms-voice": (("*", "pinpoint-sms-voice-v2"),),
    "sso": (("*", "sso-admin"),),
    "timestream": (("scheduled-query/*", "timestream-query"), ("*", "timestream-write")),
    "wisdom": (("*", "qconnect"),),
}


def derived_prefix(service: str, metadata: Mapping[str, Any], known: Collection[str]) -> str | None:
    """Return the IAM prefix that a service's botocore metadata names, or None.

    Permissions and ARNs go by the name that requests are signed for; where botocore leaves that out, it is the
    endpoint's name, and where that is a host's, the service's own.

    Args:
        service: botocore's name of it.
        metadata: the `metadata` of its model.
        known: the prefixes there are.

    Example:
        >>> derived_prefix("emr", {"endpointPrefix": "elasticmapreduce", "serviceId": "EMR"}, {"elasticmapreduce"})
        'elasticmapreduce'
    """
    own = re.sub("[^a-z0-9]", "", str(metadata.get("serviceId", "")).lower())
    names = (metadata.get("signingName"), metadata.get("endpointPrefix"), service, own)
    return next((name for name in names if name in known), None)


def prefix_of(service: str, metadata: Mapping[str, Any] | None = None) -> str | None:
    """Return the IAM prefix of a botocore service, or None if it has none that is known.

    Args:
        service: botocore's name of it.
        metadata: the `metadata` of its model, for services that are newer than the fact file; None to do without.

    Example:
        >>> prefix_of("emr"), prefix_of("elbv2"), prefix_of("ec2"), prefix_of("mturk")
        ('elasticmapreduce', 'elasticloadbalancing', 'ec2', None)
    """
    listed: Mapping[str, str] = table()["services"]
    if service in listed:
        return listed[service]
    if service in known_prefixes():
        return service
    return derived_prefix(service, metadata, known_prefixes()) if metadata else None


def prefixes_of(service: str, metadata: Mapping[str, Any] | None = None) -> tuple[str, ...]:
    """Return every IAM prefix under which a botocore service has types, its own first.

    Example:
        >>> prefixes_of("opensearch")
        ('es', 'opensearch')
    """
    own = prefix_of(service, metadata)
    return (*((own,) if own else ()), *_MORE.get(service, ()))


def services_of(prefix: str, services: Iterable[str]) -> tuple[str, ...]:
    """Return the botocore services that have types under an IAM prefix, sorted.

    Args:
        prefix: the IAM prefix.
        services: the names that the session knows.

    Example:
        >>> services_of("rds", ["docdb", "ec2", "neptune", "rds"])
        ('docdb', 'neptune', 'rds')
    """
    return tuple(sorted(each for each in services if prefix in prefixes_of(each)))


def owner_of(form: Format, services: Collection[str]) -> str | None:
    """Return the botocore service whose API has a type, or None if there is none.

    Where several share a prefix, the type decides (`loadbalancer/${LoadBalancerName}` is of elb, all else of elbv2);
    where they share the type too, the newer API is taken (opensearch before es, sesv2 before ses), and rds before docdb
    and neptune. `services_of` has all of them, for callers that know better.

    Args:
        form: the format of the type.
        services: the names that the session knows.

    Example:
        >>> from mangrove.resources.formats import best_match
        >>> arn = "arn:aws:elasticloadbalancing:eu-west-1:123456789012:loadbalancer/net/front/0123456789abcdef"
        >>> owner_of(best_match(arn).format, ["ec2", "elb", "elbv2"])
        'elbv2'
    """
    for pattern, service in _HOMES.get(form.prefix, ()):
        if fnmatchcase(form.resource, pattern) and service in services:
            return service
    sharing = services_of(form.prefix, services)
    return form.prefix if form.prefix in sharing else next(iter(sharing), None)
