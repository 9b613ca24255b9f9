"""Makes what watches, configures and governs an account."""

from __future__ import annotations

import json

from zoo.base import Site, maker

_TEMPLATE = json.dumps(
    {
        "Resources": {
            "Name": {"Type": "AWS::SSM::Parameter", "Properties": {"Name": "zoo-stack", "Type": "String", "Value": "1"}}
        }
    }
)


@maker(second=True)
def cloudformation(on: Site) -> None:
    on.create(
        "cloudformation", "Stack", "create_stack", "StackId", ids="StackName", StackName="zoo", TemplateBody=_TEMPLATE
    )
    on.create(
        "cloudformation", "ChangeSet", "create_change_set", "Id", ids="ChangeSetName", StackName="zoo-next",
        ChangeSetName="first", ChangeSetType="CREATE", TemplateBody=_TEMPLATE,
    )  # fmt: skip


@maker
def stack_sets(on: Site) -> None:
    client = on.client("cloudformation")
    client.create_stack_set(StackSetName="zoo", TemplateBody=_TEMPLATE)
    found = client.describe_stack_set(StackSetName="zoo")["StackSet"]
    on.record("cloudformation", "StackSet", found["StackSetARN"], StackSetName="zoo")


@maker(second=True)
def cloudwatch(on: Site) -> None:
    client = on.client("cloudwatch")
    client.put_metric_alarm(
        AlarmName="zoo cpu", MetricName="CPUUtilization", Namespace="AWS/EC2", Statistic="Average", Period=60,
        EvaluationPeriods=1, Threshold=1.0, ComparisonOperator="GreaterThanThreshold",
    )  # fmt: skip
    alarm = client.describe_alarms(AlarmNames=["zoo cpu"])["MetricAlarms"][0]
    on.record("cloudwatch", "Alarm", alarm["AlarmArn"], AlarmName="zoo cpu")
    body = json.dumps({"widgets": []})
    client.put_dashboard(DashboardName=f"zoo-{on.region}", DashboardBody=body)
    dashboard = client.get_dashboard(DashboardName=f"zoo-{on.region}")["DashboardArn"]
    on.record("cloudwatch", "Dashboard", dashboard, DashboardName=f"zoo-{on.region}")


@maker
def cloudwatch_insights(on: Site) -> None:
    definition = {"Schema": {"Name": "CloudWatchLogRule", "Version": 1}, "LogGroupNames": ["zoo"], "LogFormat": "JSON"}
    on.client("cloudwatch").put_insight_rule(RuleName="zoo", RuleDefinition=json.dumps(definition))
    on.compose("cloudwatch", "InsightRule", "insight-rule/zoo", RuleName="zoo")


@maker(second=True)
def logs(on: Site) -> None:
    client = on.client("logs")
    client.create_log_group(logGroupName="/zoo/app")
    group = client.describe_log_groups(logGroupNamePrefix="/zoo/app")["logGroups"][0]
    on.record("logs", "LogGroup", group["arn"].removesuffix(":*"), logGroupName="/zoo/app")
    client.create_log_stream(logGroupName="/zoo/app", logStreamName="web/1")
    stream = client.describe_log_streams(logGroupName="/zoo/app")["logStreams"][0]
    on.record("logs", "LogStream", stream["arn"], logGroupName="/zoo/app", logStreamName="web/1")
    on.create(
        "logs", "Destination", "put_destination", "destination.arn", ids="destinationName", destinationName="zoo",
        targetArn=on.arn("kinesis", "stream/zoo"), roleArn=on.role(),
    )  # fmt: skip


@maker
def logs_deliveries(on: Site) -> None:
    group = on.client("logs").create_log_group(logGroupName="/zoo/deliveries")
    assert group
    source = on.create(
        "logs", "DeliverySource", "put_delivery_source", "deliverySource.arn", ids="name", name="zoo",
        resourceArn=on.arn("cloudfront", "distribution/E1Q5O5EXAMPLE", region=""), logType="ACCESS_LOGS",
    )  # fmt: skip
    destination = on.create(
        "logs", "DeliveryDestination", "put_delivery_destination", "deliveryDestination.arn", ids="name", name="zoo",
        deliveryDestinationConfiguration={"destinationResourceArn": on.arn("logs", "log-group:/zoo/deliveries")},
    )  # fmt: skip
    on.create(
        "logs", "Delivery", "create_delivery", "delivery.arn", ids="id", deliverySourceName=source.ids["name"],
        deliveryDestinationArn=destination.arn,
    )  # fmt: skip


@maker(second=True)
def ssm(on: Site) -> None:
    client = on.client("ssm")
    for name in ("/zoo/deep/key", "zoo-flat"):
        client.put_parameter(Name=name, Value="1", Type="String")
        on.record("ssm", "Parameter", client.get_parameter(Name=name)["Parameter"]["ARN"], Name=name)
    content = {"schemaVersion": "2.2", "description": "zoo", "mainSteps": []}
    client.create_document(Name="zoo", Content=json.dumps(content), DocumentType="Command", DocumentFormat="JSON")
    on.compose("ssm", "Document", "document/zoo", Name="zoo")
    window = client.create_maintenance_window(
        Name="zoo", Schedule="cron(0 3 ? * SUN *)", Duration=2, Cutoff=1, AllowUnassociatedTargets=False
    )["WindowId"]
    on.compose("ssm", "MaintenanceWindow", f"maintenancewindow/{window}", WindowId=window)
    baseline = client.create_patch_baseline(Name="zoo")["BaselineId"]
    on.compose("ssm", "PatchBaseline", f"patchbaseline/{baseline}", BaselineId=baseline)


@maker
def ssm_targets(on: Site) -> None:
    client = on.client("ssm")
    window = client.create_maintenance_window(
        Name="zoo-two", Schedule="rate(1 day)", Duration=2, Cutoff=1, AllowUnassociatedTargets=True
    )["WindowId"]
    target = client.register_target_with_maintenance_window(
        WindowId=window, ResourceType="INSTANCE", Targets=[{"Key": "tag:Name", "Values": ["web"]}]
    )["WindowTargetId"]
    on.compose("ssm", "MaintenanceWindowTarget", f"windowtarget/{target}", WindowId=window, WindowTargetId=target)
    task = client.register_task_with_maintenance_window(
        WindowId=window, TaskArn="AWS-RunShellScript", TaskType="RUN_COMMAND",
        Targets=[{"Key": "WindowTargetIds", "Values": [target]}],
    )["WindowTaskId"]  # fmt: skip
    on.compose("ssm", "MaintenanceWindowTask", f"windowtask/{task}", WindowId=window, WindowTaskId=task)


@maker(second=True)
def cloudtrail(on: Site) -> None:
    bucket = f"zoo-trail-{on.region}"
    on.client("s3").create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": on.region})
    on.create("cloudtrail", "Trail", "create_trail", "TrailARN", ids="Name", Name="zoo", S3BucketName=bucket)


@maker
def config(on: Site) -> None:
    client = on.client("config")
    role = on.role()
    client.put_configuration_recorder(ConfigurationRecorder={"name": "zoo", "roleARN": role})
    rule = {"ConfigRuleName": "zoo", "Source": {"Owner": "AWS", "SourceIdentifier": "S3_BUCKET_VERSIONING_ENABLED"}}
    client.put_config_rule(ConfigRule=rule)
    found = client.describe_config_rules()["ConfigRules"][0]
    on.record("config", "ConfigRule", found["ConfigRuleArn"], ConfigRuleName="zoo")
    on.create(
        "config", "ConfigurationAggregator", "put_configuration_aggregator",
        "ConfigurationAggregator.ConfigurationAggregatorArn", ids="ConfigurationAggregatorName",
        ConfigurationAggregatorName="zoo",
        AccountAggregationSources=[{"AccountIds": ["123456789012"], "AllAwsRegions": True}],
    )  # fmt: skip
    on.create(
        "config", "AggregationAuthorization", "put_aggregation_authorization",
        "AggregationAuthorization.AggregationAuthorizationArn", ids="AuthorizedAccountId AuthorizedAwsRegion",
        AuthorizedAccountId="123456789012", AuthorizedAwsRegion="us-east-1",
    )  # fmt: skip


@maker
def config_packs(on: Site) -> None:
    on.create(
        "config", "OrganizationConformancePack", "put_organization_conformance_pack", "OrganizationConformancePackArn",
        ids="OrganizationConformancePackName", OrganizationConformancePackName="zoo", DeliveryS3Bucket="zoo",
        TemplateS3Uri="s3://zoo/pack.yaml",
    )  # fmt: skip


@maker
def resource_groups(on: Site) -> None:
    query = {"ResourceTypeFilters": ["AWS::AllSupported"], "TagFilters": [{"Key": "team", "Values": ["a"]}]}
    on.create(
        "resource-groups", "Group", "create_group", "Group.GroupArn", ids="Name", Name="zoo",
        ResourceQuery={"Type": "TAG_FILTERS_1_0", "Query": json.dumps(query)},
    )  # fmt: skip


@maker
def servicecatalog(on: Site) -> None:
    on.create(
        "servicecatalog", "Portfolio", "create_portfolio", "PortfolioDetail.ARN", ids="Id", DisplayName="zoo",
        ProviderName="zoo", IdempotencyToken="zoo",
    )  # fmt: skip
    on.create(
        "servicecatalog", "Product", "create_product", "ProductViewDetail.ProductARN", ids="ProductId", Name="zoo",
        Owner="zoo", ProductType="CLOUD_FORMATION_TEMPLATE", IdempotencyToken="zoo-product",
    )  # fmt: skip
    on.create(
        "servicecatalog-appregistry", "Application", "create_application", "application.arn", ids="id", name="zoo",
        clientToken="zoo",
    )  # fmt: skip


@maker
def budgets(on: Site) -> None:
    amount = {"Amount": "10", "Unit": "USD"}
    budget = {"BudgetName": "zoo", "BudgetLimit": amount, "TimeUnit": "MONTHLY", "BudgetType": "COST"}
    on.client("budgets").create_budget(AccountId=on.account, Budget=budget)
    on.compose("budgets", "Budget", "budget/zoo", region="", AccountId=on.account, BudgetName="zoo")


@maker
def cost_explorer(on: Site) -> None:
    rule = {"Value": "a", "Rule": {"Dimensions": {"Key": "LINKED_ACCOUNT", "Values": ["123456789012"]}}}
    on.create(
        "ce", "CostCategory", "create_cost_category_definition", "CostCategoryArn", Name="zoo",
        RuleVersion="CostCategoryExpression.v1", Rules=[rule],
    )  # fmt: skip


@maker
def quotas(on: Site) -> None:
    found = on.client("service-quotas").list_aws_default_service_quotas(ServiceCode="vpc")["Quotas"][0]
    on.record("service-quotas", "ServiceQuota", found["QuotaArn"], ServiceCode="vpc", QuotaCode=found["QuotaCode"])
