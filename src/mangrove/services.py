"""A pool class for every AWS service that botocore knows, made when its name is first asked for.

The class of a service is its name in camel case with `Pool` behind it: `Ec2Pool`, `Route53Pool`, `BedrockRuntimePool`.
The names of the first mangrove work too: `AutoscalePool`, `SimpleNotificationPool`, `VpcPool` and the others.

Example:
    >>> from mangrove.services import BedrockRuntimePool, Ec2Pool, SimpleNotificationPool
    >>> BedrockRuntimePool.service, Ec2Pool.service, SimpleNotificationPool.service
    ('bedrock-runtime', 'ec2', 'sns')
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from mangrove.aws.services import REMOVED_SERVICES, find_service, one_of, service_names
from mangrove.aws.session import Session
from mangrove.errors import ServiceRemovedError
from mangrove.pool.declaration import camel_name
from mangrove.pool.service import ServicePool

# The class names of the first mangrove, where the rule gives another one.
_SEED_NAMES = {
    "AutoscalePool": "autoscaling",
    "BeanstalkPool": "elasticbeanstalk",
    "CloudFormationPool": "cloudformation",
    "CloudSearchPool": "cloudsearch",
    "DynamoDB2Pool": "dynamodb",
    "DynamoDBPool": "dynamodb",
    "ElasticTranscoderPool": "elastictranscoder",
    "MechanicalTurkPool": "mturk",
    "SimpleDBPool": "sdb",
    "SimpleEmailPool": "ses",
    "SimpleNotificationPool": "sns",
    "VpcPool": "ec2",
}


@lru_cache(maxsize=1)
def _classes() -> dict[str, str]:
    """Return every class name with its service's name; reads the names of botocore's models once."""
    known = service_names(Session())
    by_rule = {f"{camel_name(service)}Pool": service for service in known}
    seed = {name: service for name, service in _SEED_NAMES.items() if service in known}
    return {**by_rule, **seed}


def _removed_classes() -> dict[str, str]:
    by_rule = {f"{camel_name(service)}Pool": service for service in REMOVED_SERVICES}
    return {**by_rule, **{name: service for name, service in _SEED_NAMES.items() if service in REMOVED_SERVICES}}


def __getattr__(name: str) -> Any:
    if name == "__all__":
        return sorted(_classes())
    if not name.endswith("Pool") or name.startswith("_"):
        text = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(text)
    service = _classes().get(name)
    if service is None:
        raise _no_such_class(name)
    doc = f"Connect to the service {service!r} in every region, or in the regions you name; see `ServicePool`."
    made = type(name, (ServicePool,), {"service": service, "__module__": __name__, "__doc__": doc})
    return globals().setdefault(name, made)


def _no_such_class(name: str) -> Exception:
    removed = _removed_classes().get(name)
    if removed is not None:
        try:
            find_service(removed, ())
        except ServiceRemovedError as error:
            return error
    return AttributeError(f"module {__name__!r} has no pool class {name!r}{one_of(name, _classes())}")


def __dir__() -> list[str]:
    return sorted(_classes())
