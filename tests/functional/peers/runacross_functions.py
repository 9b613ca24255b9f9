"""Functions as they are written for runacross: from its README, and with all that it hands over."""

from __future__ import annotations


def who_am_i(session, account):
    sts = session.client("sts")
    return sts.get_caller_identity()["Arn"]


def list_instance_ids(session, account, region):
    instance_ids = []
    paginator = session.client("ec2").get_paginator("describe_instances")
    for page in paginator.paginate():
        for reservation in page["Reservations"]:
            instance_ids.extend(instance["InstanceId"] for instance in reservation["Instances"])
    return instance_ids


def describe(session, account, region):
    return {"account": account.id, "name": account.name, "region": region, "session_region": session.region_name}


def by_other_names(boto_session, acct):
    return acct.id, boto_session.client("sts").get_caller_identity()["Account"]


def fails(session, account):
    raise ValueError(account.id)


class Counter:
    """runacross takes any callable."""

    def __call__(self, session, account, region):
        return len(session.client("sqs").list_queues()["QueueUrls"])
