"""Says what the seeded fleet consists of: one profile for each kind of account, and nothing that makes a call."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

__all__ = [
    "IMAGE",
    "Group",
    "Profile",
    "profile_of",
    "stack_template",
    "trust_policy",
    "zipped_handler",
]

# One of the images that moto has in every region: it warns about any other.
IMAGE = "ami-12c6146b"


@dataclass(frozen=True, slots=True)
class Group:
    """Describe instances that are launched together."""

    name: str
    instance_type: str
    count: int


@dataclass(frozen=True, slots=True)
class Profile:
    """Describe one kind of account: whose it is, and what it has in each of its regions."""

    environment: str
    team: str
    cost_center: str
    groups: tuple[Group, ...]
    buckets: tuple[str, ...]
    queues: tuple[str, ...]
    functions: tuple[str, ...]
    tables: tuple[str, ...]
    databases: tuple[str, ...]
    log_groups: tuple[str, ...]
    parameters: tuple[str, ...]
    roles: tuple[str, ...]
    user: str
    services: tuple[str, ...]
    # Service to the names of what the account has of it.
    more: Mapping[str, tuple[str, ...]]

    def tags(self, name: str) -> dict[str, str]:
        """Return the tags of a resource of this account.

        Args:
            name: the value of its Name tag.
        """
        return {
            "Name": name,
            "team": self.team,
            "environment": self.environment,
            "cost-center": self.cost_center,
        }


_MANAGEMENT = Profile(
    environment="management",
    team="platform",
    cost_center="CC-1000",
    groups=(Group("bastion", "t3.micro", 1),),
    buckets=("audit", "logs"),
    queues=("findings",),
    functions=("audit-export",),
    tables=("account-registry",),
    databases=("inventory",),
    log_groups=("/aws/cloudtrail/organization",),
    parameters=("/platform/guardrails/version",),
    roles=("audit-reader", "log-archiver"),
    user="break-glass",
    services=(),
    more={
        "cloudtrail": ("organization",),
        "cloudwatch": ("root-sign-in",),
        "stepfunctions": ("new-account",),
    },
)
_PROD = Profile(
    environment="prod",
    team="payments",
    cost_center="CC-2100",
    groups=(Group("api", "m5.large", 4), Group("worker", "c5.xlarge", 3)),
    buckets=("assets", "backups"),
    queues=("orders", "orders-dead-letter"),
    functions=("charge-card",),
    tables=("orders",),
    databases=("orders",),
    log_groups=("/app/api", "/app/worker"),
    parameters=("/payments/feature-flags", "/payments/rate-limit"),
    roles=("api-instance", "deployer"),
    user="ci-deployer",
    services=("checkout",),
    more={
        "acm": ("shop",),
        "apigateway": ("partners",),
        "autoscaling": ("workers",),
        "cloudfront": ("assets",),
        "cloudtrail": ("audit",),
        "cloudwatch": ("api-latency", "worker-cpu"),
        "efs": ("invoices",),
        "elasticache": ("sessions",),
        "elbv2": ("web",),
        "kinesis": ("payments",),
        "opensearch": ("search",),
        "redshift": ("warehouse",),
        "stepfunctions": ("refund",),
        "wafv2": ("web",),
    },
)
_DEV = Profile(
    environment="dev",
    team="payments",
    cost_center="CC-2900",
    groups=(Group("sandbox", "t3.small", 2),),
    buckets=("scratch",),
    queues=("orders",),
    functions=("charge-card",),
    tables=("orders",),
    databases=("sandbox",),
    log_groups=("/app/api",),
    parameters=("/payments/feature-flags",),
    roles=("developer",),
    user="dev-tools",
    services=("checkout",),
    more={
        "apigateway": ("partners",),
        "autoscaling": ("workers",),
        "cloudwatch": ("worker-cpu",),
        "efs": ("scratch",),
        "elbv2": ("web",),
        "kinesis": ("payments",),
        "stepfunctions": ("refund",),
    },
)


def profile_of(position: int) -> Profile:
    """Return the profile of the account at this place: management first, then prod and dev in turn."""
    if position == 0:
        return _MANAGEMENT
    return (_DEV, _PROD)[position % 2]


def trust_policy(account: str, service: str | None = None) -> str:
    """Return the JSON of who may assume a role: an account's principals, or an AWS service.

    Args:
        account: the account, 12 digits.
        service: the service's principal, such as `lambda.amazonaws.com`, instead of the account.
    """
    principal = {"Service": service} if service else {"AWS": f"arn:aws:iam::{account}:root"}
    statement = {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def stack_template(environment: str) -> str:
    """Return the JSON of a small CloudFormation template with one parameter of SSM in it."""
    parameter = {
        "Type": "AWS::SSM::Parameter",
        "Properties": {"Name": f"/{environment}/network/version", "Type": "String", "Value": "1"},
    }
    return json.dumps({"AWSTemplateFormatVersion": "2010-09-09", "Resources": {"NetworkVersion": parameter}})


@cache
def zipped_handler() -> bytes:
    """Return a zip file with the code of a Lambda function, the same bytes each time."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        # A ZipInfo with no date has that of 1980: writestr() with a name would take today's.
        archive.writestr(zipfile.ZipInfo("handler.py"), "def handler(event, context):\n    return event\n")
    return buffer.getvalue()
