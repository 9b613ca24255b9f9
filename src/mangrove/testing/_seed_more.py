"""Makes what the applications of the seeded fleet run on beside the basics: one small function a service.

Each makes one resource of a name, with what must be there for it, and returns how many it has made.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import partial
from types import MappingProxyType
from typing import Any, TypeAlias

from mangrove.testing._seed_data import IMAGE
from mangrove.testing._seed_place import Place, Step

__all__ = ["MORE_ACCOUNT_STEPS", "MORE_CENTRAL_STEPS", "MORE_REGION_STEPS"]

_Make: TypeAlias = Callable[[Place, str], int]


def _acm(place: Place, name: str) -> int:
    domain = f"{name}.example.com"
    place.client("acm").request_certificate(DomainName=domain, ValidationMethod="DNS", Tags=place.tags(domain))
    return 1


def _apigateway(place: Place, name: str) -> int:
    place.client("apigateway").create_rest_api(name=name, tags=place.profile.tags(name))
    return 1


def _autoscaling(place: Place, name: str) -> int:
    data = {"ImageId": IMAGE, "InstanceType": "c5.large"}
    place.client("ec2").create_launch_template(LaunchTemplateName=name, LaunchTemplateData=data)
    whose = {"ResourceId": name, "ResourceType": "auto-scaling-group", "PropagateAtLaunch": True}
    place.client("autoscaling").create_auto_scaling_group(
        AutoScalingGroupName=name,
        LaunchTemplate={"LaunchTemplateName": name, "Version": "$Latest"},
        MinSize=0,
        MaxSize=10,
        DesiredCapacity=0,
        VPCZoneIdentifier=",".join(place.made["subnets"]),
        Tags=[{**tag, **whose} for tag in place.tags(name)],
    )
    return 1


def _cloudfront(place: Place, name: str) -> int:
    origin = {"Id": "assets", "DomainName": f"{name}-{place.account}.s3.amazonaws.com", "S3OriginConfig": _NO_IDENTITY}
    behavior = {
        "TargetOriginId": "assets",
        "ViewerProtocolPolicy": "redirect-to-https",
        "ForwardedValues": {"QueryString": False, "Cookies": {"Forward": "none"}},
        "MinTTL": 0,
    }
    config: dict[str, Any] = {
        "CallerReference": f"{name}-{place.account}",
        "Comment": name,
        "Enabled": True,
        "Origins": {"Quantity": 1, "Items": [origin]},
        "DefaultCacheBehavior": behavior,
    }
    tagged = {"DistributionConfig": config, "Tags": {"Items": place.tags(name)}}
    place.client("cloudfront").create_distribution_with_tags(DistributionConfigWithTags=tagged)
    return 1


_NO_IDENTITY = {"OriginAccessIdentity": ""}


def _cloudtrail(place: Place, name: str) -> int:
    bucket = place.bucket(place.profile.buckets[0])
    place.client("cloudtrail").create_trail(Name=name, S3BucketName=bucket, TagsList=place.tags(name))
    return 1


def _cloudwatch(place: Place, name: str) -> int:
    place.client("cloudwatch").put_metric_alarm(
        AlarmName=name,
        Namespace="AWS/EC2",
        MetricName="CPUUtilization",
        Statistic="Average",
        Period=300,
        EvaluationPeriods=3,
        Threshold=80,
        ComparisonOperator="GreaterThanThreshold",
        Tags=place.tags(name),
    )
    return 1


def _efs(place: Place, name: str) -> int:
    place.client("efs").create_file_system(CreationToken=name, Encrypted=True, Tags=place.tags(name))
    return 1


def _elasticache(place: Place, name: str) -> int:
    place.client("elasticache").create_replication_group(
        ReplicationGroupId=name, ReplicationGroupDescription="sessions of the web application", Tags=place.tags(name)
    )
    return 1


def _elbv2(place: Place, name: str) -> int:
    elbv2 = place.client("elbv2")
    elbv2.create_load_balancer(
        Name=name, Subnets=place.made["subnets"], Scheme="internal", Type="application", Tags=place.tags(name)
    )
    elbv2.create_target_group(Name=name, Protocol="HTTP", Port=80, VpcId=place.made["vpc"], Tags=place.tags(name))
    return 2


def _kinesis(place: Place, name: str) -> int:
    kinesis = place.client("kinesis")
    kinesis.create_stream(StreamName=name, ShardCount=1)
    kinesis.add_tags_to_stream(StreamName=name, Tags=place.profile.tags(name))
    return 1


def _opensearch(place: Place, name: str) -> int:
    place.client("opensearch").create_domain(DomainName=name, TagList=place.tags(name))
    return 1


def _redshift(place: Place, name: str) -> int:
    place.client("redshift").create_cluster(
        ClusterIdentifier=name,
        NodeType="ra3.large",
        MasterUsername="admin",
        MasterUserPassword="Not-a-secret1",
        Tags=place.tags(name),
    )
    return 1


def _stepfunctions(place: Place, name: str) -> int:
    states = {"StartAt": "Run", "States": {"Run": {"Type": "Pass", "End": True}}}
    place.client("stepfunctions").create_state_machine(
        name=name, definition=json.dumps(states), roleArn=place.role("lambda-execution"), tags=place.small_tags(name)
    )
    return 1


def _wafv2(place: Place, name: str) -> int:
    unseen = {"SampledRequestsEnabled": False, "CloudWatchMetricsEnabled": False, "MetricName": name}
    place.client("wafv2").create_web_acl(
        Name=name, Scope="REGIONAL", DefaultAction={"Allow": {}}, VisibilityConfig=unseen, Tags=place.tags(name)
    )
    return 1


def _steps(makers: Mapping[str, _Make]) -> Mapping[str, Step]:
    return MappingProxyType({service: partial(_each, service, make) for service, make in makers.items()})


def _each(service: str, make: _Make, place: Place) -> int:
    return sum(make(place, place.named(name)) for name in place.profile.more.get(service, ()))


MORE_ACCOUNT_STEPS = _steps({"cloudfront": _cloudfront})
# What an account has in its first region alone. No EKS: moto's reads the user's own configuration files.
MORE_CENTRAL_STEPS = _steps({"acm": _acm, "cloudtrail": _cloudtrail, "opensearch": _opensearch, "redshift": _redshift})
MORE_REGION_STEPS = _steps(
    {
        "apigateway": _apigateway,
        "autoscaling": _autoscaling,
        "cloudwatch": _cloudwatch,
        "efs": _efs,
        "elasticache": _elasticache,
        "elbv2": _elbv2,
        "kinesis": _kinesis,
        "stepfunctions": _stepfunctions,
        "wafv2": _wafv2,
    }
)
