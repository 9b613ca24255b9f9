"""Which services the installed botocore knows, under its own names and boto2's, and which ones are gone."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterable

import boto3

from mangrove.errors import DeclarationTypeError, ServiceRemovedError, UnknownServiceError

__all__ = ["BOTO2_NAMES", "REMOVED_SERVICES", "find_service", "one_of", "service_names"]

# The module names of boto2, which older declarations use, and what the service is called today.
BOTO2_NAMES = {
    "autoscale": "autoscaling",
    "awslambda": "lambda",
    "beanstalk": "elasticbeanstalk",
    "cloudsearch2": "cloudsearch",
    "cognito": "cognito-identity",
    "configservice": "config",
    "dynamodb2": "dynamodb",
    "ec2containerservice": "ecs",
    "rds2": "rds",
    "simpledb": "sdb",
    "vpc": "ec2",
}

# Services of botocore 1.10 to 1.44 that a later botocore dropped, as a comparison of its data directories shows.
REMOVED_SERVICES = frozenset(
    "alexaforbusiness apptest backupstorage codestar elastic-inference elastictranscoder evidently finspace "
    "finspace-data gamesparks honeycode iot-roborunner iot1click-devices iot1click-projects iotanalytics iotevents "
    "iotevents-data iotfleethub lookoutmetrics lookoutvision macie mobile nimble opsworks opsworkscm panorama "
    "privatenetworks qldb qldb-session robomaker simspaceweaver sms tnb worklink".split()
)


def service_names(session: boto3.Session) -> tuple[str, ...]:
    """Return the names of every service that this session can make a client of, sorted.

    Source: `boto3.Session.get_available_services`; models of the user's own data path count.
    """
    return tuple(sorted(session.get_available_services()))


def find_service(name: object, known: Collection[str]) -> str:
    """Return botocore's name of a service, given that name or boto2's.

    Args:
        name: what the user wrote.
        known: the names that the session knows.

    Raises:
        DeclarationTypeError: the name is no string.
        ServiceRemovedError: botocore has dropped the service.
        UnknownServiceError: there is no such service; the message has the close matches.

    Example:
        >>> find_service("autoscale", {"autoscaling", "ec2"})
        'autoscaling'
    """
    if not isinstance(name, str):
        text = f"a service is named by a string, such as 'ec2'; got {type(name).__name__}: {name!r}"
        raise DeclarationTypeError(text)
    if name in known:
        return name
    for candidate in (BOTO2_NAMES.get(name, name), name.replace("_", "-")):
        if candidate in known:
            return candidate
    if name in REMOVED_SERVICES:
        text = (
            f"the service {name!r} is gone: AWS has withdrawn it and the installed botocore no longer has it; "
            "an older botocore may still reach it"
        )
        raise ServiceRemovedError(text)
    text = f"no service {name!r} in this botocore{one_of(name, known)}"
    raise UnknownServiceError(text)


def one_of(name: str, known: Iterable[str]) -> str:
    """Return the end of a sentence that offers close matches, or nothing.

    Example:
        >>> one_of("ec3", ["ec2", "ecs", "rds"])
        "; did you mean 'ecs' or 'ec2'?"
    """
    by_small = {each.lower(): each for each in sorted(known)}
    close = difflib.get_close_matches(name.strip().lower(), by_small, n=3, cutoff=0.6)
    if not close:
        return ""
    *head, last = (repr(by_small[match]) for match in close)
    return f"; did you mean {', '.join(head) + ' or ' if head else ''}{last}?"
