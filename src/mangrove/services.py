"""A pool class for every AWS service that botocore knows, made when its name is first asked for.

The class of a service is its name in camel case with `Pool` behind it: `Ec2Pool`, `Route53Pool`, `BedrockRuntimePool`;
capitals do not matter. The names of the first mangrove work too: `AutoscalePool`, `VpcPool`, and so on.

Example:
    >>> from mangrove.services import BedrockRuntimePool, Ec2Pool, SimpleNotificationPool
    >>> BedrockRuntimePool.service, Ec2Pool.service, SimpleNotificationPool.service
    ('bedrock-runtime', 'ec2', 'sns')
"""

from __future__ import annotations

import os
from functools import lru_cache
from typing import Any

from mangrove.aws.loader import shared_loader
from mangrove.aws.services import REMOVED_SERVICES, find_service, one_of
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
    """Return every class name with its service's name; reads the names of botocore's models once.

    No session is made for it: an import must not fail on a broken AWS_PROFILE.
    """
    known = shared_loader(os.environ.get("AWS_DATA_PATH")).list_available_services("service-2")
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
        # CloudTrailPool is CloudtrailPool: nobody knows how a service writes itself.
        name = next((known for known in _classes() if known.lower() == name.lower()), name)
        if name in globals():
            return globals()[name]
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
