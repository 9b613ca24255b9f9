"""Makes the seeded fleet: one small function a service, each returning how many resources it made."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from mangrove.testing._seed_data import IMAGE, stack_template, trust_policy, zipped_handler
from mangrove.testing._seed_more import MORE_ACCOUNT_STEPS, MORE_CENTRAL_STEPS, MORE_REGION_STEPS
from mangrove.testing._seed_place import Place, Step

__all__ = ["ACCOUNT_STEPS", "CENTRAL_STEPS", "REGION_STEPS"]


def _iam(place: Place) -> int:
    iam = place.client("iam")
    services = ("OrganizationAccountAccessRole", None), ("lambda-execution", "lambda.amazonaws.com")
    roles = (*services, *((place.named(role), "ec2.amazonaws.com") for role in place.profile.roles))
    for role, service in roles:
        policy = trust_policy(place.account, service)
        iam.create_role(RoleName=role, AssumeRolePolicyDocument=policy, Tags=place.tags(role))
    iam.create_user(UserName=place.profile.user, Tags=place.tags(place.profile.user))
    return len(roles) + 1


def _route53(place: Place) -> int:
    route53 = place.client("route53")
    name = f"{place.profile.environment}-{place.account}.example.com"
    zone = route53.create_hosted_zone(Name=name, CallerReference=name)["HostedZone"]["Id"]
    route53.change_tags_for_resource(
        ResourceType="hostedzone", ResourceId=zone.rpartition("/")[2], AddTags=place.tags(name)
    )
    return 1


def _ec2(place: Place) -> int:
    ec2 = place.client("ec2")

    def tagged(name: str, *types: str) -> list[dict[str, Any]]:
        return [{"ResourceType": kind, "Tags": place.tags(place.named(name))} for kind in types]

    network = f"10.{place.index % 256}"
    vpc = ec2.create_vpc(CidrBlock=f"{network}.0.0/16", TagSpecifications=tagged("main", "vpc"))["Vpc"]["VpcId"]
    subnets = [
        ec2.create_subnet(
            VpcId=vpc,
            CidrBlock=f"{network}.{number}.0/24",
            AvailabilityZone=f"{place.region}{zone}",
            TagSpecifications=tagged(f"private-{zone}", "subnet"),
        )["Subnet"]["SubnetId"]
        for number, zone in enumerate("ab")
    ]
    group = ec2.create_security_group(
        GroupName=place.named("internal"),
        Description="traffic within the VPC",
        VpcId=vpc,
        TagSpecifications=tagged("internal", "security-group"),
    )["GroupId"]
    for number, instances in enumerate(place.profile.groups):
        ec2.run_instances(
            ImageId=IMAGE,
            InstanceType=instances.instance_type,
            MinCount=instances.count,
            MaxCount=instances.count,
            SubnetId=subnets[number % len(subnets)],
            SecurityGroupIds=[group],
            TagSpecifications=tagged(instances.name, "instance", "volume"),
        )
    ec2.create_volume(
        AvailabilityZone=f"{place.region}a", Size=100, VolumeType="gp3", TagSpecifications=tagged("data", "volume")
    )
    place.made.update(vpc=vpc, subnets=subnets)
    # An instance brings a root volume with it.
    return 3 + len(subnets) + 2 * sum(instances.count for instances in place.profile.groups)


def _s3(place: Place) -> int:
    s3 = place.client("s3")
    # The one region that S3 does not let one name.
    where = {} if place.region == "us-east-1" else {"LocationConstraint": place.region}
    for bucket in place.profile.buckets:
        name = place.bucket(bucket)
        s3.create_bucket(Bucket=name, **({"CreateBucketConfiguration": where} if where else {}))
        s3.put_bucket_tagging(Bucket=name, Tagging={"TagSet": place.tags(name)})
        s3.put_object(Bucket=name, Key="README.txt", Body=f"{bucket} of {place.profile.team}\n".encode())
    return len(place.profile.buckets)


def _sqs(place: Place) -> int:
    sqs = place.client("sqs")
    for queue in place.profile.queues:
        sqs.create_queue(QueueName=place.named(queue), tags=place.profile.tags(place.named(queue)))
    return len(place.profile.queues)


def _sns(place: Place) -> int:
    name = place.named("alarms")
    place.client("sns").create_topic(Name=name, Tags=place.tags(name))
    return 1


def _lambda(place: Place) -> int:
    client = place.client("lambda")
    for function in place.profile.functions:
        client.create_function(
            FunctionName=place.named(function),
            Runtime="python3.12",
            Role=f"arn:aws:iam::{place.account}:role/lambda-execution",
            Handler="handler.handler",
            Code={"ZipFile": zipped_handler()},
            Tags=place.profile.tags(place.named(function)),
        )
    return len(place.profile.functions)


def _dynamodb(place: Place) -> int:
    client = place.client("dynamodb")
    for table in place.profile.tables:
        client.create_table(
            TableName=place.named(table),
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
            BillingMode="PAY_PER_REQUEST",
            Tags=place.tags(place.named(table)),
        )
    return len(place.profile.tables)


def _rds(place: Place) -> int:
    client = place.client("rds")
    for database in place.profile.databases:
        client.create_db_instance(
            DBInstanceIdentifier=place.named(database),
            Engine="postgres",
            DBInstanceClass="db.t3.medium",
            AllocatedStorage=100,
            MasterUsername="postgres",
            MasterUserPassword="not-a-secret",  # a managed one costs moto the making of an RSA key
            Tags=place.tags(place.named(database)),
        )
    return len(place.profile.databases)


def _kms(place: Place) -> int:
    kms = place.client("kms")
    name = place.named("data")
    tags = [{"TagKey": key, "TagValue": value} for key, value in place.profile.tags(name).items()]
    key = kms.create_key(Description=f"encrypts the {name} of {place.region}", Tags=tags)["KeyMetadata"]["KeyId"]
    kms.create_alias(AliasName=f"alias/{name}", TargetKeyId=key)
    return 2


def _logs(place: Place) -> int:
    logs = place.client("logs")
    for group in place.profile.log_groups:
        logs.create_log_group(logGroupName=group, tags=place.profile.tags(group))
    return len(place.profile.log_groups)


def _secretsmanager(place: Place) -> int:
    name = f"{place.profile.environment}/api-token"
    place.client("secretsmanager").create_secret(Name=name, SecretString="not-a-secret", Tags=place.tags(name))
    return 1


def _ssm(place: Place) -> int:
    ssm = place.client("ssm")
    for name in place.profile.parameters:
        ssm.put_parameter(Name=name, Value="1", Type="String", Tags=place.tags(name))
    return len(place.profile.parameters)


def _ecs(place: Place) -> int:
    name = place.named("services")
    ecs = place.client("ecs")
    ecs.create_cluster(clusterName=name, tags=place.small_tags(name))
    for service in map(place.named, place.profile.services):
        container = {"name": "app", "image": f"{place.profile.team}/{place.profile.environment}:latest", "memory": 512}
        ecs.register_task_definition(family=service, containerDefinitions=[container])
        ecs.create_service(
            cluster=name, serviceName=service, taskDefinition=service, desiredCount=2, tags=place.small_tags(service)
        )
    return 1 + 2 * len(place.profile.services)


def _ecr(place: Place) -> int:
    name = f"{place.profile.team}/{place.profile.environment}"
    place.client("ecr").create_repository(repositoryName=name, tags=place.tags(name))
    return 1


def _events(place: Place) -> int:
    name = place.named("nightly")
    place.client("events").put_rule(Name=name, ScheduleExpression="cron(0 3 * * ? *)", Tags=place.tags(name))
    return 1


def _cloudformation(place: Place) -> int:
    name = place.named("network")
    template = stack_template(place.profile.environment)
    place.client("cloudformation").create_stack(StackName=name, TemplateBody=template, Tags=place.tags(name))
    return 1


# In the order of work: Lambda asks for a role that IAM has.
ACCOUNT_STEPS: Mapping[str, Step] = MappingProxyType({"iam": _iam, "route53": _route53, **MORE_ACCOUNT_STEPS})
CENTRAL_STEPS: Mapping[str, Step] = MORE_CENTRAL_STEPS
"""What comes after the others in the first region of an account."""
REGION_STEPS: Mapping[str, Step] = MappingProxyType(
    {
        "ec2": _ec2,
        "s3": _s3,
        "sqs": _sqs,
        "sns": _sns,
        "lambda": _lambda,
        "dynamodb": _dynamodb,
        "rds": _rds,
        "kms": _kms,
        "logs": _logs,
        "secretsmanager": _secretsmanager,
        "ssm": _ssm,
        "ecs": _ecs,
        "ecr": _ecr,
        "events": _events,
        "cloudformation": _cloudformation,
        **MORE_REGION_STEPS,
    }
)
