"""Says where moto's ARNs are not AWS's, and which official forms the service reference does not have.

Each line has been read: what moto answers, and what AWS documents. A resource with a line in WRONG or DISPUTED is made
and recorded, and counts for nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

from zoo.base import Made

__all__ = ["DISPUTED", "DOCUMENTED", "WRONG", "Line", "line_for"]

_HERE = "arn:${Partition}:%s:${Region}:${Account}:%s"


@dataclass(frozen=True, slots=True)
class Line:
    """Describe one type whose ARN in moto needs a word, or those of its ARNs that contain a text."""

    service: str
    type: str
    # The official form; moto's ARN is not of it (WRONG), or is (DOCUMENTED).
    official: str
    reason: str
    contains: str = ""
    # The fault is within a name or an id, so that the form as such is kept.
    inside: bool = False


def line_for(made: Made, lines: tuple[Line, ...]) -> Line | None:
    """Return the first line that speaks of this resource."""
    return next(
        (
            line
            for line in lines
            if (line.service, line.type) == (made.service, made.type) and line.contains in made.arn
        ),
        None,
    )


def _here(
    service: str, kind: str, resource: str, reason: str, *, prefix: str = "", contains: str = "", inside: bool = False
) -> Line:
    return Line(service, kind, _HERE % (prefix or service, resource), reason, contains, inside)


_NO_PLACE = "no region and no account in it"
_SLASH = "the slash before the resource is missing"
_KEBAB = "the resource's type is spelt in another way"
_LOAD_BALANCER = "an ARN of an application load balancer for one of another kind"
_ACCOUNT = "moto's own account in it, not the caller's"
_NAME = "the resource's name is missing"

WRONG: tuple[Line, ...] = (
    _here("kafka", "Cluster", "cluster/${ClusterName}/${Uuid}", _NAME),
    _here("mq", "Broker", "broker:${BrokerName}:${BrokerId}", _NAME),
    _here("kinesis", "StreamConsumer", "stream/${StreamName}/consumer/${ConsumerName}:${CreationTimestamp}",
          "the time of creation is missing"),
    _here("application-autoscaling", "ScheduledAction",
          "scheduledAction:${Id}:resource/${ResourceId}:scheduledActionName/${ScheduledActionName}",
          "the id of the action is missing", prefix="autoscaling"),
    _here("quicksight", "DataSet", "dataset/${ResourceId}", _KEBAB),
    *(
        _here("greengrass", kind, f"/greengrass/{resource}", _SLASH)
        for kind, resource in (
            ("Group", "groups/${GroupId}"),
            ("GroupVersion", "groups/${GroupId}/versions/${VersionId}"),
            ("CoreDefinition", "definition/cores/${CoreDefinitionId}"),
            ("DeviceDefinition", "definition/devices/${DeviceDefinitionId}"),
            ("SubscriptionDefinition", "definition/subscriptions/${SubscriptionDefinitionId}"),
            ("ResourceDefinition", "definition/resources/${ResourceDefinitionId}"),
            ("FunctionDefinition", "definition/functions/${FunctionDefinitionId}"),
        )
    ),
    _here("medialive", "Channel", "channel:${ChannelId}", _NO_PLACE),
    _here("medialive", "Input", "input:${InputId}", _NO_PLACE),
    _here("mediapackage", "Channel", "channels/${ChannelIdentifier}", _NO_PLACE),
    _here("mediapackage", "OriginEndpoint", "origin_endpoints/${OriginEndpointIdentifier}", _NO_PLACE),
    _here("mediastore", "Container", "container/${ContainerName}", _NO_PLACE),
    *(
        _here("workspaces-web", kind, f"{kind[0].lower()}{kind[1:]}/${{{kind}Id}}", _KEBAB)
        for kind in ("BrowserSettings", "NetworkSettings", "UserSettings", "UserAccessLoggingSettings")
    ),
    _here("bedrock-agentcore-control", "AgentRuntime", "runtime/${RuntimeId}", _KEBAB, prefix="bedrock-agentcore"),
    _here("bedrock-agentcore-control", "AgentRuntimeEndpoint", "runtime/${RuntimeId}/runtime-endpoint/${Name}", _KEBAB,
          prefix="bedrock-agentcore"),
    _here("comprehend", "Endpoint", "document-classifier-endpoint/${DocumentClassifierEndpointName}",
          "the ARN of the model within it"),
    _here("comprehend", "DocumentClassifier", "document-classifier/${Name}/version/${VersionName}",
          "'None' in it, and no word 'version'"),
    _here("servicecatalog-appregistry", "Application", "/applications/${ApplicationId}", _SLASH,
          prefix="servicecatalog"),
    _here("connectcampaigns", "Campaign", "campaign/${CampaignId}", _ACCOUNT, prefix="connect-campaigns"),
    *(
        _here("datasync", kind, resource, _ACCOUNT)
        for kind, resource in (
            ("Location", "location/${LocationId}"),
            ("Task", "task/${TaskId}"),
            ("TaskExecution", "task/${TaskId}/execution/${ExecutionId}"),
        )
    ),
    _here("appmesh", "Mesh", "mesh/${MeshName}", "the resource's type is missing"),
    *(
        Line("networkmanager", kind, f"arn:${{Partition}}:networkmanager::${{Account}}:{resource}",
             "a field is missing")
        for kind, resource in (
            ("GlobalNetwork", "global-network/${ResourceId}"),
            ("Site", "site/${GlobalNetworkId}/${ResourceId}"),
            ("Link", "link/${GlobalNetworkId}/${ResourceId}"),
            ("Device", "device/${GlobalNetworkId}/${ResourceId}"),
            ("CoreNetwork", "core-network/${ResourceId}"),
        )
    ),
    Line("sso-admin", "PermissionSet", "arn:${Partition}:sso:::permissionSet/${InstanceId}/${PermissionSetId}",
         "the resource's type is that of an instance"),
    Line("clouddirectory", "PublishedSchema",
         "arn:${Partition}:clouddirectory:${Region}:${Account}:schema/published/${SchemaName}/${Version}",
         "'None' in it for what was not given", contains="None", inside=True),
    Line("events", "PartnerEventSource", "arn:${Partition}:events:${Region}::event-source/${EventSourceName}",
         "'aws.partner' twice", contains="aws.partner/aws.partner", inside=True),
    *(
        _here("elbv2", kind, f"{resource}/{short}/{rest}", _LOAD_BALANCER, prefix="elasticloadbalancing",
              contains=f"/zoo-{short}/")
        for short in ("net", "gwy")
        for kind, resource, rest in (
            ("LoadBalancer", "loadbalancer", "${LoadBalancerName}/${LoadBalancerId}"),
            ("Listener", "listener", "${LoadBalancerName}/${LoadBalancerId}/${ListenerId}"),
        )
    ),
    _here("wafv2", "RegexPatternSet", "global/regexpatternset/${Name}/${Id}", "'regional' for the scope CLOUDFRONT",
          contains=":us-east-1:"),
    _here("vpc-lattice", "Rule", "service/${ServiceId}/listener/${ListenerId}/rule/${RuleId}",
          "the id of the listener has its prefix twice", contains="listener-listener-", inside=True),
    _here("backup", "ReportPlan", "report-plan:${ReportPlanName}-${ReportPlanId}", "the id after the name is missing"),
    _here("iot", "CACertificate", "cacert/${CACertificate}", "the type of a device's certificate"),
)  # fmt: skip

DISPUTED: tuple[Line, ...] = (
    _here("ec2", "KeyPair", "key-pair/${KeyPairName}",
          "the service reference has the name at the end, tags and Resource Explorer have the id"),
    Line("swf", "Domain", "arn:${Partition}:swf::${Account}:/domain/${DomainName}",
         "the service reference has no region, the answers of the API have one"),
)  # fmt: skip

DOCUMENTED: tuple[Line, ...] = (
    _here("autoscaling", "ScalingPolicy",
          "scalingPolicy:${PolicyId}:autoScalingGroupName/${GroupName}:policyName/${PolicyName}",
          "Amazon EC2 Auto Scaling API Reference, PutScalingPolicy"),
    _here("application-autoscaling", "ScalingPolicy",
          "scalingPolicy:${Id}:resource/${ResourceId}:policyName/${PolicyName}",
          "Application Auto Scaling API Reference, PutScalingPolicy", prefix="autoscaling"),
    Line("service-quotas", "ServiceQuota", "arn:${Partition}:servicequotas:${Region}::${ServiceCode}/${QuotaCode}",
         "Service Quotas API Reference, ListAWSDefaultServiceQuotas: a default has no account"),
    *(
        Line("apigateway", kind, f"arn:${{Partition}}:apigateway:${{Region}}::/restapis/${{RestApiId}}/{resource}",
             "API Gateway Developer Guide, ARN reference; the service reference has the form of version 2 only")
        for kind, resource in (
            ("Deployment", "deployments/${DeploymentId}"),
            ("Stage", "stages/${StageName}"),
            ("Model", "models/${ModelName}"),
            ("Authorizer", "authorizers/${AuthorizerId}"),
        )
    ),
    _here("sns", "Subscription", "${TopicName}:${SubscriptionId}", "Amazon SNS API Reference, Subscribe"),
    _here("sns", "PlatformApplication", "app/${Platform}/${Name}",
          "Amazon SNS API Reference, CreatePlatformApplication"),
    _here("sns", "PlatformEndpoint", "endpoint/${Platform}/${Name}/${Id}",
          "Amazon SNS API Reference, CreatePlatformEndpoint"),
    _here("glue", "Schema", "schema/${RegistryName}/${SchemaName}", "AWS Glue API Reference, CreateSchema"),
    _here("quicksight", "Group", "group/${Namespace}/${GroupName}", "QuickSight API Reference, Group"),
    _here("quicksight", "User", "user/${Namespace}/${UserName}", "QuickSight API Reference, User"),
    _here("events", "Connection", "connection/${ConnectionName}/${Id}", "EventBridge API Reference, CreateConnection"),
    _here("events", "ApiDestination", "api-destination/${Name}/${Id}",
          "EventBridge API Reference, CreateApiDestination"),
    _here("ecs", "TaskSet", "task-set/${ClusterName}/${ServiceName}/ecs-svc/${TaskSetId}",
          "Amazon ECS API Reference, CreateTaskSet"),
    _here("sagemaker", "ModelPackage", "model-package/${ModelPackageGroupName}/${Version}",
          "SageMaker API Reference, CreateModelPackage"),
    _here("codebuild", "Build", "build/${ProjectName}:${BuildId}", "CodeBuild User Guide, ARNs"),
    _here("cognito-identity", "IdentityPool", "identitypool/${Region}:${IdentityPoolId}",
          "Amazon Cognito API Reference, CreateIdentityPool"),
    _here("logs", "LogGroup", "log-group:${LogGroupName}", "the form without ':*', for tags and policies"),
)  # fmt: skip
