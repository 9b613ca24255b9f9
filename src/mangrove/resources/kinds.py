"""Name what is listed: a type of resource by its collection, and what its API wants beyond what derivation knows."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from mangrove.errors import ConfigError, DeclarationTypeError
from mangrove.resources.lookups import LOOKUPS, Lookup

__all__ = ["DEFAULT_TYPES", "Kind", "kind_of"]

_NAME = re.compile(r"\A[a-z0-9][a-z0-9_-]*(?:\.[a-z_][a-z0-9_]*)+\Z")


@dataclass(frozen=True, slots=True)
class Kind:
    """Be a type of resource, named by the collection that lists it.

    Args:
        name: the service and its collection, as boto3 spells them; a collection of those resources' own may follow.
        arguments: further arguments of the list, as pairs: what narrows it to what the account itself has.
        page_size: how many items to ask for at once, where the default is small or switches pages off.
        tags: how the tags are asked for, where the resource's own `get_tags` can't; None leaves it to that.
        home: a member of an item that names its region, where one list answers for all regions.
        home_call: the call for that region, where an item lacks it.

    Example:
        >>> services = Kind("ecs.clusters.services")
        >>> services.service, services.path
        ('ecs', ('clusters', 'services'))
    """

    name: str
    arguments: tuple[tuple[str, Any], ...] = ()
    page_size: int | None = None
    tags: Lookup | None = None
    home: str | None = None
    home_call: Lookup | None = None

    @property
    def service(self) -> str:
        """Return boto3's name of the service."""
        return self.name.partition(".")[0]

    @property
    def path(self) -> tuple[str, ...]:
        """Return the collections that lead to the resources, the first of the service and each next of the last's."""
        return tuple(self.name.split(".")[1:])


def kind_of(name: str | Kind) -> Kind:
    """Return the kind of that name, with what is known of its API.

    Args:
        name: such as `ec2.instances`, or a kind, which is returned as it is.

    Raises:
        ConfigError: it does not name a service and a collection.
        DeclarationTypeError: it is no string.

    Example:
        >>> kind_of("ec2.images").arguments, kind_of("rds.db_clusters").arguments
        ((('Owners', ['self']),), ())
    """
    if isinstance(name, Kind):
        return name
    if not isinstance(name, str):
        text = f"a type is named by a string, such as 'ec2.instances'; got {type(name).__name__}: {name!r}"
        raise DeclarationTypeError(text)
    if not _NAME.match(name):
        text = f"{name!r} names no type; write the service and its collection as boto3 does, such as 'ec2.instances'"
        raise ConfigError(text)
    known = _KNOWN.get(name)
    return known or Kind(name, page_size=_PAGE_SIZES.get(name.partition(".")[0]), tags=LOOKUPS.get(name))


def _known(name: str, **more: Any) -> Kind:
    size = _PAGE_SIZES.get(name.partition(".")[0])
    return Kind(name, **{"page_size": size, "tags": LOOKUPS.get(name), **more})


# AWS asks for pages: EC2's unpaged call is throttled sooner and can time out, and SQS's ends after 1,000 queues
# without a word. Where an operation takes fewer, it gets fewer.
_PAGE_SIZES = {"ec2": 500, "iam": 1000, "sqs": 1000}

_OWN = (("Owners", ["self"]),)
_KNOWN: Mapping[str, Kind] = MappingProxyType(
    {
        kind.name: kind
        for kind in (
            # Trails of all regions are in every region's list.
            _known("cloudtrail.trails", home="HomeRegion"),
            # These three would list what Amazon, or everybody, has shared.
            _known("ec2.images", arguments=_OWN),
            _known("ec2.snapshots", arguments=(("OwnerIds", ["self"]),)),
            _known("iam.policies", arguments=(("Scope", "Local"),)),
            # Without a limit it is ten of them.
            _known("firehose.delivery_streams", page_size=10_000),
            _known("kms.keys", page_size=1000),
            _known("logs.log_groups", page_size=50),
            _known(
                "s3.buckets",
                # S3 tells the regions of the buckets only to a call with a parameter.
                page_size=1000,
                home="BucketRegion",
                home_call=Lookup(
                    "get_bucket_location", "Bucket", of="name", result="LocationConstraint || 'us-east-1'"
                ),
            ),
            _known("secretsmanager.secrets", page_size=100),
            _known("ssm.parameters", page_size=50),
        )
    }
)

DEFAULT_TYPES: tuple[str, ...] = tuple(
    """
    acm.certificates
    apigateway.rest_apis
    autoscaling.auto_scaling_groups
    cloudformation.stacks
    cloudfront.distributions
    cloudtrail.trails
    cloudwatch.alarms
    dynamodb.tables
    ec2.instances
    ec2.security_groups
    ec2.subnets
    ec2.volumes
    ec2.vpcs
    ecr.repositories
    ecs.clusters
    ecs.clusters.services
    efs.file_systems
    eks.clusters
    elasticache.replication_groups
    elbv2.load_balancers
    elbv2.target_groups
    events.event_buses
    events.event_buses.rules
    iam.roles
    iam.users
    kinesis.streams
    kms.keys
    lambda.functions
    logs.log_groups
    opensearch.domains
    rds.db_instances
    redshift.clusters
    route53.hosted_zones
    s3.buckets
    secretsmanager.secrets
    sns.topics
    sqs.queues
    ssm.parameters
    stepfunctions.state_machines
    wafv2.regional_web_acls
    """.split()
)
"""What an inventory takes where nobody says which types."""
