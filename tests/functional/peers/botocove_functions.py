"""Functions as they are written for botocove: from its README, and with all that its sessions have."""

# ruff: noqa: T201, RET504  as written
from __future__ import annotations

from botocore.exceptions import ClientError


def get_iam_users(session):
    iam = session.client("iam", region_name="eu-west-1")
    all_users = iam.get_paginator("list_users").paginate().build_full_result()
    return all_users


def do_things(session):
    return True


def do_nothing(session):
    print(session.session_information)  # Outputs a dict of known information
    # This function runs no boto3-specific API, but does test that a role
    # can be assumed


def instance_ids(session):
    ec2 = session.resource("ec2")
    return [instance.id for instance in ec2.instances.all()]


def where_am_i(session):
    info = session.session_information
    caller = session.client("sts").get_caller_identity()
    if caller["Account"] != info["Id"]:
        raise RuntimeError(f"{caller['Account']} is not {info['Id']}")
    return {
        "account": info["Id"],
        "role": info["RoleName"],
        "region": info["Region"],
        "partition": info["Partition"],
        "assumed": info["AssumeRoleSuccess"],
        "session_region": session.region_name,
    }


def label(session):
    info = session.session_information
    return f"{info['Name']} <{info['Email']}> {info['Status']} {info['Arn']}"


def tag_everything(session, key, value="yes", *, dry_run=True):
    return {"account": session.session_information["Id"], key: value, "dry_run": dry_run}


def denied(session):
    try:
        session.client("ec2").describe_vpcs()
    except ClientError as error:
        return error.response["Error"]["Code"]
    return None


def fails(session):
    raise ValueError(session.session_information["Id"])
