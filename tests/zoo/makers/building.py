"""Makes what builds, ships, tests and configures software."""

from __future__ import annotations

import json

from zoo.base import Site, maker


@maker(second=True)
def codebuild(on: Site) -> None:
    on.create(
        "codebuild", "Project", "create_project", "project.arn", ids="name", name="zoo", serviceRole=on.role(),
        source={"type": "S3", "location": "zoo/x"}, artifacts={"type": "NO_ARTIFACTS"},
        environment={"type": "LINUX_CONTAINER", "image": "zoo", "computeType": "BUILD_GENERAL1_SMALL"},
    )  # fmt: skip
    on.create("codebuild", "Build", "start_build", "build.arn", ids="id", projectName="zoo")


@maker
def codecommit(on: Site) -> None:
    on.create(
        "codecommit", "Repository", "create_repository", "repositoryMetadata.Arn", ids="repositoryName",
        repositoryName="zoo",
    )  # fmt: skip


@maker
def codedeploy(on: Site) -> None:
    client = on.client("codedeploy")
    client.create_application(applicationName="zoo", computePlatform="Server")
    on.compose("codedeploy", "Application", "application:zoo", applicationName="zoo")
    client.create_deployment_group(applicationName="zoo", deploymentGroupName="prod", serviceRoleArn=on.role())
    on.compose(
        "codedeploy", "DeploymentGroup", "deploymentgroup:zoo/prod", applicationName="zoo", deploymentGroupName="prod"
    )


@maker
def codepipeline(on: Site) -> None:
    trust = {
        "Statement": [
            {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "codepipeline.amazonaws.com"}}
        ]
    }
    role = on.client("iam").create_role(RoleName="zoo-pipeline", AssumeRolePolicyDocument=json.dumps(trust))
    what = {"category": "Source", "owner": "AWS", "provider": "S3", "version": "1"}
    source = {
        "name": "a", "actionTypeId": what, "configuration": {"S3Bucket": "zoo", "S3ObjectKey": "x"},
        "outputArtifacts": [{"name": "app"}],
    }  # fmt: skip
    approve = {
        "name": "b",
        "actionTypeId": {"category": "Approval", "owner": "AWS", "provider": "Manual", "version": "1"},
    }
    client = on.client("codepipeline")
    client.create_pipeline(
        pipeline={
            "name": "zoo", "roleArn": role["Role"]["Arn"], "artifactStore": {"type": "S3", "location": "zoo"},
            "stages": [{"name": "Source", "actions": [source]}, {"name": "Approve", "actions": [approve]}],
        }
    )  # fmt: skip
    found = client.get_pipeline(name="zoo")["metadata"]["pipelineArn"]
    on.record("codepipeline", "Pipeline", found, name="zoo")


@maker(second=True)
def appconfig(on: Site) -> None:
    client = on.client("appconfig")
    application = client.create_application(Name="zoo")["Id"]
    on.compose("appconfig", "Application", f"application/{application}", ApplicationId=application)
    profile = client.create_configuration_profile(ApplicationId=application, Name="zoo", LocationUri="hosted")["Id"]
    path = f"application/{application}/configurationprofile/{profile}"
    ids = {"ApplicationId": application, "ConfigurationProfileId": profile}
    on.compose("appconfig", "ConfigurationProfile", path, **ids)


@maker
def synthetics(on: Site) -> None:
    client = on.client("synthetics")
    canary = client.create_canary(
        Name="zoo", Code={"Handler": "x.handler"}, ArtifactS3Location="s3://zoo", ExecutionRoleArn=on.role(),
        Schedule={"Expression": "rate(5 minutes)"}, RuntimeVersion="syn-nodejs-puppeteer-9.1",
    )  # fmt: skip
    assert canary
    on.compose("synthetics", "Canary", "canary:zoo", Name="zoo")


@maker
def fis(on: Site) -> None:
    template = on.create(
        "fis", "ExperimentTemplate", "create_experiment_template", "experimentTemplate.arn", ids="id",
        clientToken="zoo", description="zoo", stopConditions=[{"source": "none"}], roleArn=on.role(),
        actions={"wait": {"actionId": "aws:fis:wait", "parameters": {"duration": "PT1M"}}},
    ).ids["id"]  # fmt: skip
    on.create(
        "fis", "Experiment", "start_experiment", "experiment.arn", ids="id", clientToken="zoo",
        experimentTemplateId=template,
    )  # fmt: skip


@maker
def resiliencehub(on: Site) -> None:
    on.create("resiliencehub", "App", "create_app", "app.appArn", name="zoo")
    hours = {"rpoInSecs": 3600, "rtoInSecs": 3600}
    on.create(
        "resiliencehub", "ResiliencyPolicy", "create_resiliency_policy", "policy.policyArn", policyName="zoo",
        tier="NonCritical", policy=dict.fromkeys(("Software", "Hardware", "AZ"), hours),
    )  # fmt: skip


@maker(second=True)
def amp(on: Site) -> None:
    workspace = on.create("amp", "Workspace", "create_workspace", "arn", ids="workspaceId", alias="zoo")
    on.create(
        "amp", "RuleGroupsNamespace", "create_rule_groups_namespace", "arn", ids="workspaceId name",
        workspaceId=workspace.ids["workspaceId"], name="rules", data=b"groups: []",
    )  # fmt: skip


@maker
def clouddirectory(on: Site) -> None:
    schema = on.create("clouddirectory", "Schema", "create_schema", "SchemaArn", Name="zoo").arn
    published = on.create(
        "clouddirectory", "PublishedSchema", "publish_schema", "PublishedSchemaArn", DevelopmentSchemaArn=schema,
        Version="1",
    ).arn  # fmt: skip
    on.create("clouddirectory", "Directory", "create_directory", "DirectoryArn", Name="zoo", SchemaArn=published)
