"""Know the low quotas that AWS documents, so that a fleet's first requests need not find them out.

Only what a document of AWS says is here, or what others have observed for years, and it says so: everything else is
learned from throttled answers. Where a document has several values, by region or by age, the highest is taken. A quota
without a burst of its own is taken to have one of a second. A limit of the same name that is given replaces one here.
"""

from __future__ import annotations

from mangrove.fleet.limits import Limit

__all__ = ["DEFAULT_LIMITS"]

_EACH = ("account", "region", "service", "operation")
_GLOBAL = ("account", "service", "operation")
_TOGETHER = ("account", "region")


def _each(name: str, service: str, rate: float, burst: float, operations: str) -> Limit:
    """Limit each operation by itself, in each account and region."""
    where = {"service": service.split(), "operation": operations.split()}
    return Limit(name, rate=rate, burst=burst, scope=_EACH, where=where)


# Operations of EC2 that have a bucket of their own.
_EC2_OWN = (
    _each(
        "ec2-capacity-blocks", "ec2", 0.15, 10, "DescribeCapacityBlockOfferings DescribeCapacityBlockExtensionOfferings"
    ),
    _each("ec2-byoip", "ec2", 0.5, 1, "DescribeByoipCidrs"),
    _each("ec2-store-image-tasks", "ec2", 0.5, 50, "DescribeStoreImageTasks"),
    _each("ec2-topology", "ec2", 1, 1, "DescribeInstanceTopology DescribeMovingAddresses"),
    _each("ec2-enclaves", "ec2", 1, 10, "GetAssociatedEnclaveCertificateIamRoles"),
    _each(
        "ec2-host-reservations",
        "ec2",
        2,
        5,
        "DescribeHostReservations DescribeHostReservationOfferings GetHostReservationPurchasePreview",
    ),
    _each("ec2-verified-access-logging", "ec2", 2, 10, "DescribeVerifiedAccessInstanceLoggingConfigurations"),
    _each("ec2-spot-fleet-requests", "ec2", 3, 50, "DescribeSpotFleetRequests"),
    _each("ec2-spot-fleets", "ec2", 5, 100, "DescribeSpotFleetInstances DescribeSpotFleetRequestHistory"),
    _each(
        "ec2-policies-reports", "ec2", 5, 5, "DescribeDeclarativePoliciesReports GetDeclarativePoliciesReportSummary"
    ),
    _each("ec2-stale-security-groups", "ec2", 5, 20, "DescribeSecurityGroupReferences DescribeStaleSecurityGroups"),
    _each(
        "ec2-id-formats",
        "ec2",
        10,
        10,
        "DescribeAggregateIdFormat DescribeIdentityIdFormat DescribeIdFormat DescribePrincipalIdFormat "
        "DescribeReservedInstancesOfferings",
    ),
    _each("ec2-spot-datafeed", "ec2", 13, 100, "DescribeSpotDatafeedSubscription"),
    # These have 100 and 20 too where a request has a filter or asks for a page's size; what it has is not known here.
    _each(
        "ec2-unpaged",
        "ec2",
        10,
        50,
        "DescribeInstances DescribeInstanceStatus DescribeNetworkInterfaces DescribeSecurityGroups DescribeSnapshots "
        "DescribeSpotInstanceRequests DescribeVolumes",
    ),
)
_EC2_REST = " ".join(f"!{name}" for limit in _EC2_OWN for name in limit.where["operation"])

# docs.aws.amazon.com/ec2/latest/devguide/ec2-api-throttling.html, "Request token bucket sizes and refill rates": each
# operation is evaluated by itself, for each account in each region.
_EC2 = (*_EC2_OWN, _each("ec2-reads", "ec2", 20, 100, f"Describe* List* Search* Get* {_EC2_REST}"))

_MANAGEMENT = (
    # docs.aws.amazon.com/accounts/latest/reference/quotas.html; one endpoint serves all regions.
    *(
        Limit(
            name, rate=rate, burst=burst, scope=_GLOBAL, where={"service": "account", "operation": operations.split()}
        )
        for name, rate, burst, operations in (
            ("account-information", 3, 3, "GetAccountInformation GetPrimaryEmail"),
            ("account-regions", 5, 5, "ListRegions GetRegionOptStatus"),
            ("account-contacts", 10, 15, "GetAlternateContact GetContactInformation"),
        )
    ),
    # docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_LookupEvents.html, API_ListInsightsData.html
    _each("cloudtrail-lookup", "cloudtrail", 2, 2, "LookupEvents ListInsightsData"),
    # docs.aws.amazon.com/awscloudtrail/latest/userguide/WhatIsCloudTrail-Limits.html
    _each("cloudtrail-insights-metrics", "cloudtrail", 1, 1, "ListInsightsMetricData"),
    _each("cloudtrail-reads", "cloudtrail", 10, 10, "Get* Describe* List* !ListInsightsData !ListInsightsMetricData"),
    # docs.aws.amazon.com/servicequotas/latest/userguide/reference_limits.html; Steampipe observed that the additional
    # burst which it names is not given.
    _each(
        "servicequotas-each",
        "service-quotas",
        5,
        5,
        "GetAWSDefaultServiceQuota GetRequestedServiceQuotaChange GetServiceQuota ListRequestedServiceQuotaChange*",
    ),
    _each(
        "servicequotas-lists",
        "service-quotas",
        10,
        10,
        "ListAWSDefaultServiceQuotas ListServiceQuotas ListServices",
    ),
    # docs.aws.amazon.com/singlesignon/latest/userguide/limits.html: "a collective throttle maximum of 20"
    Limit("sso-admin-all", rate=20, scope=_TOGETHER, where={"service": "sso-admin"}),
    # docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html: of the account that calls
    Limit("sts-all", rate=600, scope=_TOGETHER, where={"service": "sts"}),
    # docs.aws.amazon.com/securityhub/1.0/APIReference/Welcome.html
    _each("securityhub-findings", "securityhub", 3, 6, "GetFindings"),
    _each("securityhub-rest", "securityhub", 10, 30, "!GetFindings !BatchEnableStandards !UpdateStandardsControl"),
)

_NETWORK = (
    # docs.aws.amazon.com/Route53/latest/DeveloperGuide/throttling-api-requests.html: the account's bucket for all
    # operations; it was 5 a second before.
    Limit("route53-all", rate=10, burst=50, scope=("account",), where={"service": "route53"}),
    # docs.aws.amazon.com/apigateway/latest/developerguide/limits.html, "creating, deploying and managing an API"
    Limit("apigateway-all", rate=10, burst=40, scope=_TOGETHER, where={"service": ["apigateway", "apigatewayv2"]}),
    _each("apigateway-resources", "apigateway", 2.5, 5, "GetResources"),
    # docs.aws.amazon.com/waf/latest/developerguide/limits.html
    _each("wafv2-resources", "wafv2", 1, 1, "GetWebACLForResource ListResourcesForWebACL"),
    _each("wafv2-reads", "wafv2", 5, 5, "Get* List* !GetWebACLForResource !ListResourcesForWebACL"),
    # docs.aws.amazon.com/waf/latest/developerguide/classic-limits.html
    _each("waf-gets", "waf waf-regional", 1, 1, "Get* ListResourcesForWebACL !GetChangeToken"),
    _each("waf-lists", "waf waf-regional", 5, 5, "List* !ListResourcesForWebACL"),
    # Observed by Steampipe; AWS documents no quota of CloudFront's API.
    Limit("cloudfront-all", rate=5, burst=10, scope=("account",), where={"service": "cloudfront"}),
)

_DATA = (
    # docs.aws.amazon.com/streams/latest/dev/service-sizes-and-limits.html
    _each("kinesis-limits", "kinesis", 1, 1, "DescribeLimits"),
    _each("kinesis-lists", "kinesis", 5, 5, "ListStreams ListStreamConsumers ListTagsForStream"),
    _each("kinesis-streams", "kinesis", 10, 10, "DescribeStream"),
    _each("kinesis-summaries", "kinesis", 20, 20, "DescribeStreamSummary DescribeStreamConsumer"),
    # docs.aws.amazon.com/firehose/latest/dev/limits.html
    _each("firehose-each", "firehose", 5, 5, "DescribeDeliveryStream ListDeliveryStreams ListTagsForDeliveryStream"),
    # docs.aws.amazon.com/amazondynamodb/latest/APIReference, of each operation
    _each("dynamodb-lists", "dynamodb", 5, 5, "ListBackups DescribeContributorInsights ListContributorInsights"),
    _each("dynamodb-each", "dynamodb", 10, 10, "DescribeBackup DescribeContinuousBackups ListTagsOfResource"),
    _each("dynamodb-streams-lists", "dynamodbstreams", 5, 5, "ListStreams"),
    _each("dynamodb-streams-each", "dynamodbstreams", 10, 10, "DescribeStream"),
    # docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_dax_ListTags.html
    _each("dax-tags", "dax", 10, 10, "ListTags"),
    # docs.aws.amazon.com/athena/latest/ug/service-limits.html
    _each("athena-lists", "athena", 5, 10, "BatchGetNamedQuery ListNamedQueries ListQueryExecutions"),
    _each("athena-named-queries", "athena", 5, 20, "GetNamedQuery"),
)

_APPLICATIONS = (
    # docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html: the rest of the control plane has one quota
    _each("lambda-functions", "lambda", 100, 100, "GetFunction"),
    _each("lambda-policies", "lambda", 15, 15, "GetPolicy"),
    Limit(
        "lambda-control",
        rate=15,
        scope=_TOGETHER,
        where={"service": "lambda", "operation": ["!Invoke*", "!GetFunction", "!GetPolicy"]},
    ),
    # docs.aws.amazon.com/step-functions/latest/dg/limits.html
    _each(
        "states-rare",
        "stepfunctions",
        1,
        200,
        "DescribeActivity DescribeStateMachineForExecution ListTagsForResource",
    ),
    _each("states-lists", "stepfunctions", 5, 200, "ListExecutions ListStateMachines"),
    _each("states-activities", "stepfunctions", 10, 100, "ListActivities"),
    _each("states-machines", "stepfunctions", 20, 200, "DescribeStateMachine"),
    # docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch_limits.html
    _each("cloudwatch-alarm-history", "cloudwatch", 3, 3, "DescribeAlarmHistory DescribeAlarmsForMetric"),
    _each("cloudwatch-alarms", "cloudwatch", 9, 9, "DescribeAlarms"),
    _each("cloudwatch-dashboards", "cloudwatch", 10, 10, "GetDashboard ListDashboards DescribeAnomalyDetectors"),
    _each("cloudwatch-metrics", "cloudwatch", 25, 25, "ListMetrics"),
    # docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_DescribeLogStreams.html
    _each("logs-streams", "logs", 25, 25, "DescribeLogStreams"),
    # docs.aws.amazon.com/acm/latest/userguide/acm-limits.html
    _each("acm-lists", "acm", 5, 5, "ListCertificates"),
    _each("acm-certificates", "acm", 10, 10, "DescribeCertificate ListTagsForCertificate"),
    # docs.aws.amazon.com/ses/latest/dg/quotas.html: every action but those that send mail
    _each("ses-each", "ses", 1, 1, "!Send*"),
)

# AWS documents no quotas of IAM's API. These were observed by Steampipe.
_IAM = tuple(
    Limit(name, rate=rate, scope=_GLOBAL, where={"service": "iam", "operation": operations.split()})
    for name, rate, operations in (
        ("iam-roles", 15, "GetRole ListInstanceProfilesForRole ListAttachedRolePolicies ListRolePolicies"),
        ("iam-policies", 35, "GetPolicy GetPolicyVersion"),
        ("iam-policy-entities", 40, "ListEntitiesForPolicy"),
    )
)

DEFAULT_LIMITS: tuple[Limit, ...] = (*_EC2, *_MANAGEMENT, *_NETWORK, *_DATA, *_APPLICATIONS, *_IAM)
