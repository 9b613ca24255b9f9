"""Hold the table of what is listed: one declarative entry for each resource type.

Every ARN here is a member of AWS's answer, or follows the format of the Service Authorization Reference,
https://docs.aws.amazon.com/service-authorization/latest/reference/reference.html
"""

from __future__ import annotations

from typing import Any

from mangrove.inventory.listing import Each, Listing, Lookup

__all__ = ["LISTINGS"]


def _ec2(kind: str, operation: str, items: str, member: str, arn: str | None = None, **more: Any) -> Listing:
    # EC2 has one format for all its types.
    template = f"arn:{{partition}}:ec2:{{region}}:{{account}}:{kind}/{{{member}}}"
    return Listing(
        service="ec2",
        type=kind,
        operation=operation,
        items=items,
        name=member,
        arn=(arn, template) if arn else (template,),
        owner="OwnerId",
        tags="Tags",
        # AWS asks for pages: the unpaged call is throttled sooner and can time out. 500 suits all five.
        page_size=500,
        **more,
    )


LISTINGS: tuple[Listing, ...] = (
    Listing(
        service="cloudformation",
        type="stack",
        operation="describe_stacks",
        items="Stacks",
        name="StackName",
        arn=("StackId",),
        tags="Tags",
    ),
    Listing(
        service="dynamodb",
        type="table",
        operation="list_tables",
        items="TableNames",
        name="Value",
        arn=("arn:{partition}:dynamodb:{region}:{account}:table/{Value}",),
        tag_call=Lookup("list_tags_of_resource", "ResourceArn", of="Arn", result="Tags"),
    ),
    _ec2("instance", "describe_instances", "Reservations", "InstanceId", within="Instances"),
    _ec2("security-group", "describe_security_groups", "SecurityGroups", "GroupId", "SecurityGroupArn"),
    _ec2("subnet", "describe_subnets", "Subnets", "SubnetId", "SubnetArn"),
    _ec2("volume", "describe_volumes", "Volumes", "VolumeId"),
    _ec2("vpc", "describe_vpcs", "Vpcs", "VpcId"),
    Listing(
        service="ecr",
        type="repository",
        operation="describe_repositories",
        items="repositories",
        name="repositoryName",
        arn=("repositoryArn",),
        tag_call=Lookup("list_tags_for_resource", "resourceArn", of="Arn", result="tags"),
    ),
    Listing(
        service="ecs",
        type="cluster",
        operation="list_clusters",
        items="clusterArns",
        pattern=("Value", r"/(?P<ClusterName>[^/]+)$"),
        name="ClusterName",
        arn=("Value",),
        tag_call=Lookup(
            "describe_clusters",
            "clusters",
            of="Value",
            batch=100,
            fixed=(("include", ["TAGS"]),),
            result="clusters[].{key: clusterArn, value: tags}",
        ),
    ),
    Listing(
        service="events",
        type="event-bus",
        operation="list_event_buses",
        items="EventBuses",
        name="Name",
        arn=("Arn",),
        tag_call=Lookup("list_tags_for_resource", "ResourceARN", of="Arn", result="Tags"),
    ),
    Listing(
        service="events",
        type="rule",
        operation="list_rules",
        items="Rules",
        name="Name",
        arn=("Arn",),
        # Without a bus the call answers for the default one only.
        each=Each("list_event_buses", values="EventBuses[].Name", param="EventBusName"),
        tag_call=Lookup("list_tags_for_resource", "ResourceARN", of="Arn", result="Tags"),
    ),
    # IAM's own lists leave the tags out: two calls an account here, where one call a role would be throttled.
    *(
        Listing(
            service="iam",
            type=kind.lower(),
            operation="get_account_authorization_details",
            fixed=(("Filter", [kind]),),
            items=f"{kind}DetailList",
            name=f"{kind}Name",
            arn=("Arn",),
            tags="Tags",
            page_size=1000,
            scope="account",
        )
        for kind in ("Role", "User")
    ),
    Listing(
        service="kms",
        type="key",
        operation="list_keys",
        items="Keys",
        name="KeyId",
        arn=("KeyArn",),
        tag_call=Lookup("list_resource_tags", "KeyId", of="KeyId", result="Tags"),
        page_size=1000,
    ),
    Listing(
        service="lambda",
        type="function",
        operation="list_functions",
        items="Functions",
        name="FunctionName",
        arn=("FunctionArn",),
        tag_call=Lookup("list_tags", "Resource", of="FunctionArn", result="Tags"),
    ),
    Listing(
        service="logs",
        type="log-group",
        operation="describe_log_groups",
        items="logGroups",
        # The older member ends in ":*", which is the pattern of the group's streams and not the group.
        pattern=("arn", r"^(?P<GroupArn>.+?)(?::\*)?$"),
        name="logGroupName",
        arn=("logGroupArn", "GroupArn"),
        tag_call=Lookup("list_tags_for_resource", "resourceArn", of="Arn", result="tags"),
        page_size=50,
    ),
    Listing(
        service="rds",
        type="db-instance",
        operation="describe_db_instances",
        items="DBInstances",
        name="DBInstanceIdentifier",
        arn=("DBInstanceArn",),
        tags="TagList",
    ),
    Listing(
        service="route53",
        type="hosted-zone",
        operation="list_hosted_zones",
        items="HostedZones",
        pattern=("Id", r"^(?:/hostedzone/)?(?P<ZoneId>[^/]+)$"),
        name="Name",
        arn=("arn:{partition}:route53:::hostedzone/{ZoneId}",),
        tag_call=Lookup(
            "list_tags_for_resources",
            "ResourceIds",
            of="ZoneId",
            batch=10,
            fixed=(("ResourceType", "hostedzone"),),
            result="ResourceTagSets[].{key: ResourceId, value: Tags}",
        ),
        scope="account",
    ),
    Listing(
        service="s3",
        type="bucket",
        operation="list_buckets",
        items="Buckets",
        name="Name",
        arn=("arn:{partition}:s3:::{Name}",),
        home="BucketRegion",
        home_call=Lookup("get_bucket_location", "Bucket", of="Name", result="LocationConstraint || 'us-east-1'"),
        tag_call=Lookup("get_bucket_tagging", "Bucket", of="Name", result="TagSet", none_on=("NoSuchTagSet",)),
        # S3 tells the regions of the buckets only to a call with a parameter.
        page_size=1000,
        scope="account",
    ),
    Listing(
        service="secretsmanager",
        type="secret",
        operation="list_secrets",
        items="SecretList",
        name="Name",
        arn=("ARN",),
        tags="Tags",
        page_size=100,
    ),
    Listing(
        service="sns",
        type="topic",
        operation="list_topics",
        items="Topics",
        pattern=("TopicArn", r":(?P<TopicName>[^:]+)$"),
        name="TopicName",
        arn=("TopicArn",),
        tag_call=Lookup("list_tags_for_resource", "ResourceArn", of="TopicArn", result="Tags"),
    ),
    Listing(
        service="sqs",
        type="queue",
        operation="list_queues",
        items="QueueUrls",
        pattern=("Value", r"/(?P<Owner>\d{12})/(?P<QueueName>[^/]+)$"),
        name="QueueName",
        arn=("arn:{partition}:sqs:{region}:{Owner}:{QueueName}",),
        tag_call=Lookup("list_queue_tags", "QueueUrl", of="Value", result="Tags"),
        # Without a size SQS answers the first 1,000 queues and no token for the rest.
        page_size=1000,
    ),
    Listing(
        service="ssm",
        type="parameter",
        operation="describe_parameters",
        items="Parameters",
        pattern=("Name", r"^/?(?P<Path>.+)$"),
        name="Name",
        # A name with a leading slash follows "parameter" as it is; one without gets a slash.
        arn=("ARN", "arn:{partition}:ssm:{region}:{account}:parameter/{Path}"),
        tag_call=Lookup(
            "list_tags_for_resource",
            "ResourceId",
            of="Name",
            fixed=(("ResourceType", "Parameter"),),
            result="TagList",
        ),
        page_size=50,
    ),
)
