"""Makes things, streams of pictures, and desktops: IoT, media and WorkSpaces."""

from __future__ import annotations

import json

from zoo.base import Site, maker

_POLICY = json.dumps({"Version": "2012-10-17", "Statement": []})


@maker(second=True)
def iot(on: Site) -> None:
    on.create("iot", "Thing", "create_thing", "thingArn", ids="thingName", thingName="zoo")
    on.create("iot", "ThingGroup", "create_thing_group", "thingGroupArn", ids="thingGroupName", thingGroupName="zoo")
    on.create("iot", "ThingType", "create_thing_type", "thingTypeArn", ids="thingTypeName", thingTypeName="zoo")
    on.create("iot", "Policy", "create_policy", "policyArn", ids="policyName", policyName="zoo", policyDocument=_POLICY)


@maker
def iot_certificates(on: Site) -> None:
    on.create("iot", "Certificate", "create_keys_and_certificate", "certificateArn", ids="certificateId")


@maker
def iot_authority(on: Site) -> None:
    on.create(
        "iot", "CACertificate", "register_ca_certificate", "certificateArn", ids="certificateId",
        caCertificate=on.certificate()[0], verificationCertificate=on.certificate()[0],
    )  # fmt: skip


@maker
def iot_more(on: Site) -> None:
    on.create(
        "iot", "BillingGroup", "create_billing_group", "billingGroupArn", ids="billingGroupName", billingGroupName="zoo"
    )
    on.create(
        "iot", "RoleAlias", "create_role_alias", "roleAliasArn", ids="roleAlias", roleAlias="zoo", roleArn=on.role()
    )
    on.create(
        "iot", "DomainConfiguration", "create_domain_configuration", "domainConfigurationArn",
        ids="domainConfigurationName", domainConfigurationName="zoo",
    )  # fmt: skip
    thing = on.client("iot").create_thing(thingName="zoo-job")["thingArn"]
    on.create(
        "iot", "Job", "create_job", "jobArn", ids="jobId", jobId="zoo", targets=[thing], document="{}", description="x"
    )
    on.create(
        "iot", "JobTemplate", "create_job_template", "jobTemplateArn", ids="jobTemplateId", jobTemplateId="zoo",
        description="zoo", document="{}",
    )  # fmt: skip


@maker
def iot_rules(on: Site) -> None:
    client = on.client("iot")
    client.create_topic_rule(ruleName="zoo", topicRulePayload={"sql": "SELECT * FROM 'x'", "actions": []})
    on.record("iot", "TopicRule", client.get_topic_rule(ruleName="zoo")["ruleArn"], ruleName="zoo")


@maker
def greengrass(on: Site) -> None:
    group = on.create("greengrass", "Group", "create_group", "Arn", ids="Id", Name="zoo").ids["Id"]
    on.create("greengrass", "GroupVersion", "create_group_version", "Arn", ids="Version", GroupId=group)
    thing = on.arn("iot", "thing/zoo")
    core = {"Id": "a", "ThingArn": thing, "CertificateArn": on.arn("iot", "cert/zoo"), "SyncShadow": False}
    for kind, operation, member, initial in (
        ("CoreDefinition", "create_core_definition", "Cores", [core]),
        ("DeviceDefinition", "create_device_definition", "Devices", [core]),
        ("SubscriptionDefinition", "create_subscription_definition", "Subscriptions",
         [{"Id": "a", "Source": thing, "Target": thing, "Subject": "x"}]),
        ("ResourceDefinition", "create_resource_definition", "Resources",
         [{"Id": "a", "Name": "a", "ResourceDataContainer": {
             "LocalVolumeResourceData": {"SourcePath": "/x", "DestinationPath": "/y"}}}]),
        ("FunctionDefinition", "create_function_definition", "Functions",
         [{"Id": "a", "FunctionArn": on.arn("lambda", "function:zoo:1"), "FunctionConfiguration": {
             "MemorySize": 1, "Timeout": 1}}]),
    ):  # fmt: skip
        on.create("greengrass", kind, operation, "Arn", ids="Id", Name="zoo", InitialVersion={member: initial})


@maker
def ivs(on: Site) -> None:
    on.create("ivs", "Channel", "create_channel", "channel.arn", name="zoo")


@maker
def medialive(on: Site) -> None:
    on.create("medialive", "Channel", "create_channel", "Channel.Arn", ids="Id", Name="zoo")
    on.create("medialive", "Input", "create_input", "Input.Arn", ids="Id", Name="zoo", Type="RTP_PUSH")


@maker
def mediapackage(on: Site) -> None:
    on.create("mediapackage", "Channel", "create_channel", "Arn", ids="Id", Id="zoo")
    on.create(
        "mediapackage", "OriginEndpoint", "create_origin_endpoint", "Arn", ids="Id", Id="zoo-end", ChannelId="zoo"
    )


@maker
def mediapackagev2(on: Site) -> None:
    on.create(
        "mediapackagev2", "ChannelGroup", "create_channel_group", "Arn", ids="ChannelGroupName", ChannelGroupName="zoo"
    )
    on.create(
        "mediapackagev2", "Channel", "create_channel", "Arn", ids="ChannelGroupName ChannelName",
        ChannelGroupName="zoo", ChannelName="one",
    )  # fmt: skip


@maker
def mediaconnect(on: Site) -> None:
    on.create(
        "mediaconnect", "Flow", "create_flow", "Flow.FlowArn", Name="zoo",
        Source={"Name": "a", "Protocol": "rtp", "IngestPort": 5000},
    )  # fmt: skip


@maker
def workspaces(on: Site) -> None:
    vpc, subnets, _ = on.network()
    directory = on.client("ds").create_directory(
        Name="desk.example.com", Password="Not-a-secret1", Size="Small",
        VpcSettings={"VpcId": vpc, "SubnetIds": list(subnets)},
    )["DirectoryId"]  # fmt: skip
    client = on.client("workspaces")
    client.register_workspace_directory(DirectoryId=directory)
    on.compose("workspaces", "WorkspaceDirectory", f"directory/{directory}", DirectoryId=directory)
    answer = client.create_workspaces(
        Workspaces=[{"DirectoryId": directory, "UserName": "ann", "BundleId": "wsb-abcdefgh1"}]
    )
    made = answer["PendingRequests"][0]["WorkspaceId"]
    on.compose("workspaces", "Workspace", f"workspace/{made}", WorkspaceId=made)
    image = client.create_workspace_image(Name="zoo", Description="zoo", WorkspaceId=made)["ImageId"]
    on.compose("workspaces", "WorkspaceImage", f"workspaceimage/{image}", ImageId=image)


@maker
def workspaces_web(on: Site) -> None:
    vpc, subnets, group = on.network()
    service = "workspaces-web"
    on.create(service, "Portal", "create_portal", "portalArn", displayName="zoo")
    on.create(service, "BrowserSettings", "create_browser_settings", "browserSettingsArn", browserPolicy="{}")
    on.create(
        service, "NetworkSettings", "create_network_settings", "networkSettingsArn", vpcId=vpc,
        subnetIds=list(subnets), securityGroupIds=[group],
    )  # fmt: skip
    allowed = dict.fromkeys(
        ("copyAllowed", "pasteAllowed", "downloadAllowed", "uploadAllowed", "printAllowed"), "Enabled"
    )
    on.create(service, "UserSettings", "create_user_settings", "userSettingsArn", **allowed)
    on.create(
        service, "UserAccessLoggingSettings", "create_user_access_logging_settings", "userAccessLoggingSettingsArn",
        kinesisStreamArn=on.arn("kinesis", "stream/amazon-workspaces-web-zoo"),
    )  # fmt: skip


@maker
def managedblockchain(on: Site) -> None:
    fabric = {"Fabric": {"AdminUsername": "admin", "AdminPassword": "Not-a-secret1"}}
    member = {"Name": "one", "FrameworkConfiguration": fabric}
    voting = {
        "ApprovalThresholdPolicy": {
            "ThresholdPercentage": 50,
            "ThresholdComparator": "GREATER_THAN",
            "ProposalDurationInHours": 24,
        }
    }
    logs = {"Fabric": {"CaLogs": {"Cloudwatch": {"Enabled": False}}}}
    member = {**member, "LogPublishingConfiguration": logs}
    client = on.client("managedblockchain")
    made = client.create_network(
        ClientRequestToken="zoo", Name="zoo", Framework="HYPERLEDGER_FABRIC", FrameworkVersion="1.2",
        VotingPolicy=voting, MemberConfiguration=member, FrameworkConfiguration={"Fabric": {"Edition": "STARTER"}},
    )  # fmt: skip
    network, member = made["NetworkId"], made["MemberId"]
    on.compose("managedblockchain", "Network", f"networks/{network}", account="", NetworkId=network)
    on.compose("managedblockchain", "Member", f"members/{member}", NetworkId=network, MemberId=member)
