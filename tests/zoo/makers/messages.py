"""Makes what carries messages, events and mail, and what runs by them."""

from __future__ import annotations

import datetime as dt
import json

from zoo.base import Site, maker


@maker(second=True)
def sqs(on: Site) -> None:
    client = on.client("sqs")
    for name, attributes in (("zoo", {}), ("zoo.fifo", {"FifoQueue": "true"})):
        url = client.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]
        arn = client.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        on.record("sqs", "Queue", arn, QueueUrl=url)


@maker(second=True)
def sns(on: Site) -> None:
    topic = on.create("sns", "Topic", "create_topic", "TopicArn", Name="zoo").arn
    on.create(
        "sns", "Subscription", "subscribe", "SubscriptionArn", TopicArn=topic, Protocol="sqs",
        Endpoint=on.arn("sqs", "zoo"),
    )  # fmt: skip
    on.create("sns", "Topic", "create_topic", "TopicArn", Name="zoo.fifo", Attributes={"FifoTopic": "true"})


@maker
def sns_mobile(on: Site) -> None:
    application = on.create(
        "sns", "PlatformApplication", "create_platform_application", "PlatformApplicationArn", Name="zoo",
        Platform="GCM", Attributes={"PlatformCredential": "not-a-secret"},
    ).arn  # fmt: skip
    on.create(
        "sns", "PlatformEndpoint", "create_platform_endpoint", "EndpointArn", PlatformApplicationArn=application,
        Token="zoo",
    )  # fmt: skip


@maker(second=True)
def events(on: Site) -> None:
    on.create("events", "EventBus", "create_event_bus", "EventBusArn", ids="Name", Name="zoo")
    on.create("events", "Rule", "put_rule", "RuleArn", ids="Name", Name="nightly", ScheduleExpression="rate(1 day)")
    on.create(
        "events", "Rule", "put_rule", "RuleArn", ids="Name EventBusName", Name="orders", EventBusName="zoo",
        EventPattern='{"source": ["zoo"]}',
    )  # fmt: skip
    on.create(
        "events", "Archive", "create_archive", "ArchiveArn", ids="ArchiveName", ArchiveName="zoo",
        EventSourceArn=on.arn("events", "event-bus/zoo"),
    )  # fmt: skip


@maker
def events_apis(on: Site) -> None:
    key = {"ApiKeyAuthParameters": {"ApiKeyName": "x", "ApiKeyValue": "not-a-secret"}}
    connection = on.create(
        "events", "Connection", "create_connection", "ConnectionArn", ids="Name", Name="zoo",
        AuthorizationType="API_KEY", AuthParameters=key,
    ).arn  # fmt: skip
    on.create(
        "events", "ApiDestination", "create_api_destination", "ApiDestinationArn", ids="Name", Name="zoo",
        ConnectionArn=connection, InvocationEndpoint="https://example.com", HttpMethod="POST",
    )  # fmt: skip


@maker
def events_replay(on: Site) -> None:
    client = on.client("events")
    bus = client.create_event_bus(Name="zoo-past")["EventBusArn"]
    archive = client.create_archive(ArchiveName="zoo-past", EventSourceArn=bus)["ArchiveArn"]
    begin = dt.datetime(2026, 1, 1, tzinfo=dt.timezone.utc)
    on.create(
        "events", "Replay", "start_replay", "ReplayArn", ReplayName="zoo", EventSourceArn=archive,
        EventStartTime=begin, EventEndTime=begin + dt.timedelta(hours=1), Destination={"Arn": bus},
    )  # fmt: skip


@maker
def events_partner(on: Site) -> None:
    on.create(
        "events", "PartnerEventSource", "create_partner_event_source", "EventSourceArn",
        Name="aws.partner/example.com/1/zoo", Account=on.account,
    )  # fmt: skip


@maker(second=True)
def pipes(on: Site) -> None:
    on.create(
        "pipes", "Pipe", "create_pipe", "Arn", ids="Name", Name="zoo", Source=on.arn("sqs", "zoo"),
        Target=on.arn("sqs", "other"), RoleArn=on.role(),
    )  # fmt: skip


@maker(second=True)
def scheduler(on: Site) -> None:
    on.create("scheduler", "ScheduleGroup", "create_schedule_group", "ScheduleGroupArn", ids="Name", Name="zoo")
    what = {
        "ScheduleExpression": "rate(1 day)",
        "FlexibleTimeWindow": {"Mode": "OFF"},
        "Target": {"Arn": on.arn("sqs", "zoo"), "RoleArn": on.role()},
    }
    on.create("scheduler", "Schedule", "create_schedule", "ScheduleArn", ids="Name", Name="plain", **what)
    on.create(
        "scheduler", "Schedule", "create_schedule", "ScheduleArn", ids="Name GroupName", Name="grouped",
        GroupName="zoo", **what,
    )  # fmt: skip


@maker(second=True)
def stepfunctions(on: Site) -> None:
    definition = json.dumps({"StartAt": "A", "States": {"A": {"Type": "Pass", "End": True}}})
    machine = on.create(
        "stepfunctions", "StateMachine", "create_state_machine", "stateMachineArn", ids="name", name="zoo",
        definition=definition, roleArn=on.role(),
    ).arn  # fmt: skip
    on.create("stepfunctions", "Activity", "create_activity", "activityArn", ids="name", name="zoo")
    on.create(
        "stepfunctions", "Execution", "start_execution", "executionArn", ids="name", name="first",
        stateMachineArn=machine,
    )  # fmt: skip


@maker
def stepfunctions_versions(on: Site) -> None:
    definition = json.dumps({"StartAt": "A", "States": {"A": {"Type": "Pass", "End": True}}})
    version = on.client("stepfunctions").create_state_machine(
        name="zoo-versioned", definition=definition, roleArn=on.role(), publish=True
    )["stateMachineVersionArn"]
    on.record("stepfunctions", "StateMachineVersion", version)
    on.create(
        "stepfunctions", "StateMachineAlias", "create_state_machine_alias", "stateMachineAliasArn", name="live",
        routingConfiguration=[{"stateMachineVersionArn": version, "weight": 100}],
    )  # fmt: skip


@maker
def swf(on: Site) -> None:
    client = on.client("swf")
    client.register_domain(name="zoo", workflowExecutionRetentionPeriodInDays="1")
    found = client.describe_domain(name="zoo")["domainInfo"]
    on.record("swf", "Domain", found["arn"], name="zoo")


@maker
def ses(on: Site) -> None:
    client = on.client("ses")
    client.verify_domain_identity(Domain="zoo.example.com")
    on.compose("ses", "Identity", "identity/zoo.example.com", Identity="zoo.example.com")
    client.verify_email_identity(EmailAddress="ann@example.com")
    on.compose("ses", "Identity", "identity/ann@example.com", Identity="ann@example.com")
    client.create_configuration_set(ConfigurationSet={"Name": "zoo"})
    on.compose("ses", "ConfigurationSet", "configuration-set/zoo", Name="zoo")
    client.create_template(Template={"TemplateName": "zoo", "SubjectPart": "a", "TextPart": "b", "HtmlPart": "c"})
    on.compose("ses", "Template", "template/zoo", TemplateName="zoo")


@maker
def sesv2(on: Site) -> None:
    client = on.client("sesv2")
    client.create_email_identity(EmailIdentity="two.example.com")
    on.compose("sesv2", "EmailIdentity", "identity/two.example.com", prefix="ses", EmailIdentity="two.example.com")
    client.create_configuration_set(ConfigurationSetName="zoo-two")
    on.compose("sesv2", "ConfigurationSet", "configuration-set/zoo-two", prefix="ses", ConfigurationSetName="zoo-two")
    client.create_contact_list(ContactListName="zoo")
    on.compose("sesv2", "ContactList", "contact-list/zoo", prefix="ses", ContactListName="zoo")
    client.create_dedicated_ip_pool(PoolName="zoo", ScalingMode="STANDARD")
    on.compose("sesv2", "DedicatedIpPool", "dedicated-ip-pool/zoo", prefix="ses", PoolName="zoo")


@maker
def pinpoint(on: Site) -> None:
    on.create(
        "pinpoint", "App", "create_app", "ApplicationResponse.Arn", ids="Id", CreateApplicationRequest={"Name": "zoo"}
    )


@maker
def connect(on: Site) -> None:
    where = "us-west-2"
    instance = on.create(
        "connect", "Instance", "create_instance", "Arn", ids="Id", IdentityManagementType="CONNECT_MANAGED",
        InstanceAlias="zoo-connect", InboundCallsEnabled=True, OutboundCallsEnabled=True,
        region=where,
    ).ids["Id"]  # fmt: skip
    campaigns = on.client("connectcampaigns", where)
    campaigns.start_instance_onboarding_job(connectInstanceId=instance, encryptionConfig={"enabled": False})
    on.create(
        "connectcampaigns", "Campaign", "create_campaign", "arn", ids="id", name="zoo", connectInstanceId=instance,
        dialerConfig={"progressiveDialerConfig": {"bandwidthAllocation": 1.0}},
        outboundCallConfig={"connectContactFlowId": "zoo"}, region=where,
    )  # fmt: skip
