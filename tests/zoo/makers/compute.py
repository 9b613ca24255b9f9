"""Makes what runs code: instances, functions, containers, clusters and jobs."""

from __future__ import annotations

import json

from zoo.base import Site, maker

IMAGE = "ami-12c6146b"


def _one(on: Site, kind: str, resource: str, identifier: str, name: str = "", *, account: str | None = None) -> str:
    on.compose("ec2", kind, f"{resource}/{identifier}", account=account, **{name or f"{kind}Id": identifier})
    return identifier


def zipped() -> bytes:
    """Return a zip file with a small handler."""
    import io
    import zipfile

    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("handler.py", "def handler(event, context):\n    return event\n")
    return buffer.getvalue()


@maker(second=True)
def instances(on: Site) -> None:
    ec2 = on.client("ec2")
    _, subnets, _ = on.network()
    made = ec2.run_instances(ImageId=IMAGE, MinCount=1, MaxCount=1, InstanceType="t3.micro", SubnetId=subnets[0])
    instance = _one(on, "Instance", "instance", made["Instances"][0]["InstanceId"])
    volume = _one(on, "Volume", "volume", ec2.create_volume(AvailabilityZone=f"{on.region}a", Size=8)["VolumeId"])
    snapshot = ec2.create_snapshot(VolumeId=volume)["SnapshotId"]
    _one(on, "Snapshot", "snapshot", snapshot, account="")
    _one(on, "Image", "image", ec2.create_image(InstanceId=instance, Name="zoo")["ImageId"], account="")
    key = ec2.create_key_pair(KeyName="zoo")
    on.compose("ec2", "KeyPair", f"key-pair/{key['KeyName']}", KeyName=key["KeyName"], KeyPairId=key["KeyPairId"])
    data = {"ImageId": IMAGE, "InstanceType": "t3.micro"}
    template = ec2.create_launch_template(LaunchTemplateName="zoo", LaunchTemplateData=data)["LaunchTemplate"]
    _one(on, "LaunchTemplate", "launch-template", template["LaunchTemplateId"])


@maker
def capacity(on: Site) -> None:
    ec2 = on.client("ec2")
    host = ec2.allocate_hosts(AvailabilityZone=f"{on.region}a", InstanceType="m5.large", Quantity=1)["HostIds"][0]
    _one(on, "Host", "dedicated-host", host)
    spot = ec2.request_spot_instances(
        SpotPrice="0.5", LaunchSpecification={"ImageId": IMAGE, "InstanceType": "t3.micro"}
    )["SpotInstanceRequests"][0]["SpotInstanceRequestId"]
    _one(on, "SpotInstanceRequest", "spot-instances-request", spot)
    template = ec2.create_launch_template(
        LaunchTemplateName="zoo-fleet", LaunchTemplateData={"ImageId": IMAGE, "InstanceType": "t3.micro"}
    )["LaunchTemplate"]["LaunchTemplateId"]
    config = [{"LaunchTemplateSpecification": {"LaunchTemplateId": template, "Version": "1"}}]
    target = {"TotalTargetCapacity": 1, "OnDemandTargetCapacity": 1, "DefaultTargetCapacityType": "on-demand"}
    fleet = ec2.create_fleet(LaunchTemplateConfigs=config, TargetCapacitySpecification=target)["FleetId"]
    _one(on, "Fleet", "fleet", fleet)
    _, subnets, _ = on.network()
    specification = {"ImageId": IMAGE, "InstanceType": "t3.micro", "SubnetId": subnets[0]}
    request = {"TargetCapacity": 1, "IamFleetRole": on.role(), "LaunchSpecifications": [specification]}
    request["AllocationStrategy"] = "lowestPrice"
    spot_fleet = ec2.request_spot_fleet(SpotFleetRequestConfig=request)["SpotFleetRequestId"]
    _one(on, "SpotFleetRequest", "spot-fleet-request", spot_fleet)


@maker(second=True)
def autoscaling(on: Site) -> None:
    client = on.client("autoscaling")
    _, subnets, _ = on.network()
    client.create_launch_configuration(LaunchConfigurationName="zoo", ImageId=IMAGE, InstanceType="t3.micro")
    found = client.describe_launch_configurations()["LaunchConfigurations"][0]
    on.record("autoscaling", "LaunchConfiguration", found["LaunchConfigurationARN"], LaunchConfigurationName="zoo")
    client.create_auto_scaling_group(
        AutoScalingGroupName="zoo", LaunchConfigurationName="zoo", MinSize=1, MaxSize=2, VPCZoneIdentifier=subnets[0]
    )
    group = client.describe_auto_scaling_groups()["AutoScalingGroups"][0]
    on.record("autoscaling", "AutoScalingGroup", group["AutoScalingGroupARN"], AutoScalingGroupName="zoo")
    client.put_scaling_policy(
        AutoScalingGroupName="zoo", PolicyName="up", AdjustmentType="ChangeInCapacity", ScalingAdjustment=1
    )
    policy = client.describe_policies(AutoScalingGroupName="zoo")["ScalingPolicies"][0]
    on.record("autoscaling", "ScalingPolicy", policy["PolicyARN"], AutoScalingGroupName="zoo", PolicyName="up")


@maker
def application_autoscaling(on: Site) -> None:
    on.client("ecs").create_cluster(clusterName="scaled")
    on.client("ecs").register_task_definition(
        family="scaled", containerDefinitions=[{"name": "a", "image": "a", "memory": 128}]
    )
    on.client("ecs").create_service(cluster="scaled", serviceName="app", taskDefinition="scaled", desiredCount=0)
    what = {
        "ServiceNamespace": "ecs",
        "ResourceId": "service/scaled/app",
        "ScalableDimension": "ecs:service:DesiredCount",
    }
    on.create(
        "application-autoscaling", "ScalableTarget", "register_scalable_target", "ScalableTargetARN", ids="ResourceId",
        MinCapacity=1, MaxCapacity=3, **what,
    )  # fmt: skip
    tracking = {
        "TargetValue": 50.0,
        "PredefinedMetricSpecification": {"PredefinedMetricType": "ECSServiceAverageCPUUtilization"},
    }
    on.create(
        "application-autoscaling", "ScalingPolicy", "put_scaling_policy", "PolicyARN", ids="PolicyName",
        PolicyName="up", PolicyType="TargetTrackingScaling",
        TargetTrackingScalingPolicyConfiguration=tracking, **what,
    )  # fmt: skip
    client = on.client("application-autoscaling")
    client.put_scheduled_action(
        ScheduledActionName="night", Schedule="cron(0 3 * * ? *)", ScalableTargetAction={"MinCapacity": 0}, **what
    )
    action = client.describe_scheduled_actions(ServiceNamespace="ecs")["ScheduledActions"][0]
    on.record("application-autoscaling", "ScheduledAction", action["ScheduledActionARN"], ScheduledActionName="night")


@maker(second=True)
def functions(on: Site) -> None:
    role = _role(on, "zoo-lambda")
    for name in ("zoo", "zoo-other"):
        on.create(
            "lambda", "Function", "create_function", "FunctionArn", ids="FunctionName", FunctionName=name,
            Runtime="python3.12", Role=role, Handler="handler.handler", Code={"ZipFile": zipped()},
        )  # fmt: skip
    on.create("lambda", "Version", "publish_version", "FunctionArn", ids="FunctionName Version", FunctionName="zoo")
    on.create(
        "lambda", "Alias", "create_alias", "AliasArn", ids="FunctionName Name", FunctionName="zoo", Name="live",
        FunctionVersion="1",
    )  # fmt: skip
    on.create(
        "lambda", "LayerVersion", "publish_layer_version", "LayerVersionArn", ids="LayerName Version",
        LayerName="zoo", Content={"ZipFile": zipped()},
    )  # fmt: skip
    layer = on.client("lambda").list_layers()["Layers"][0]
    on.record("lambda", "Layer", layer["LayerArn"], LayerName="zoo")
    queue = on.client("sqs").create_queue(QueueName="zoo-source")["QueueUrl"]
    source = on.client("sqs").get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"][
        "QueueArn"
    ]
    mapping = on.client("lambda").create_event_source_mapping(FunctionName="zoo", EventSourceArn=source)["UUID"]
    on.compose("lambda", "EventSourceMapping", f"event-source-mapping:{mapping}", UUID=mapping)


def _role(on: Site, name: str) -> str:
    iam = on.client("iam")
    trust = json.dumps({"Version": "2012-10-17", "Statement": []})
    try:
        return iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust)["Role"]["Arn"]
    except iam.exceptions.EntityAlreadyExistsException:
        return on.role(name)


@maker(second=True)
def ecs(on: Site) -> None:
    on.create("ecs", "Cluster", "create_cluster", "cluster.clusterArn", ids="clusterName", clusterName="zoo")
    task = on.create(
        "ecs", "TaskDefinition", "register_task_definition", "taskDefinition.taskDefinitionArn", ids="family",
        family="zoo", containerDefinitions=[{"name": "app", "image": "nginx", "memory": 128, "cpu": 10}],
    )  # fmt: skip
    on.create(
        "ecs", "Service", "create_service", "service.serviceArn", ids="serviceName cluster", cluster="zoo",
        serviceName="web", taskDefinition=task.arn, desiredCount=1, deploymentController={"type": "EXTERNAL"},
    )  # fmt: skip
    group = on.arn("autoscaling", "autoScalingGroup:00000000-0000-4000-8000-000000000000:autoScalingGroupName/zoo")
    on.create(
        "ecs", "CapacityProvider", "create_capacity_provider", "capacityProvider.capacityProviderArn", ids="name",
        name="zoo", autoScalingGroupProvider={"autoScalingGroupArn": group},
    )  # fmt: skip
    on.create(
        "ecs", "TaskSet", "create_task_set", "taskSet.taskSetArn", ids="cluster service", cluster="zoo", service="web",
        taskDefinition=task.arn,
    )  # fmt: skip
    _container_instance(on, task.arn)


def _container_instance(on: Site, task: str) -> None:
    ec2 = on.client("ec2")
    _, subnets, _ = on.network()
    made = ec2.run_instances(ImageId=IMAGE, MinCount=1, MaxCount=1, InstanceType="t3.medium", SubnetId=subnets[0])
    document = json.dumps({"instanceId": made["Instances"][0]["InstanceId"]})
    on.create(
        "ecs", "ContainerInstance", "register_container_instance", "containerInstance.containerInstanceArn",
        ids="cluster", cluster="zoo", instanceIdentityDocument=document,
    )  # fmt: skip
    on.create("ecs", "Task", "run_task", "tasks[0].taskArn", ids="cluster", cluster="zoo", taskDefinition=task, count=1)


@maker(second=True)
def ecr(on: Site) -> None:
    for name in ("zoo", "team/zoo"):
        on.create(
            "ecr", "Repository", "create_repository", "repository.repositoryArn", ids="repositoryName",
            repositoryName=name,
        )  # fmt: skip


@maker
def eks(on: Site) -> None:
    _, subnets, _ = on.network()
    on.create(
        "eks", "Cluster", "create_cluster", "cluster.arn", ids="name", name="zoo", roleArn=on.role(),
        resourcesVpcConfig={"subnetIds": list(subnets)},
    )  # fmt: skip
    on.create(
        "eks", "Nodegroup", "create_nodegroup", "nodegroup.nodegroupArn", ids="clusterName nodegroupName",
        clusterName="zoo", nodegroupName="workers", subnets=list(subnets), nodeRole=on.role(),
    )  # fmt: skip
    on.create(
        "eks", "FargateProfile", "create_fargate_profile", "fargateProfile.fargateProfileArn",
        ids="clusterName fargateProfileName", clusterName="zoo", fargateProfileName="default",
        podExecutionRoleArn=on.role(), selectors=[{"namespace": "default"}],
    )  # fmt: skip


@maker
def elasticbeanstalk(on: Site) -> None:
    on.create(
        "elasticbeanstalk", "Application", "create_application", "Application.ApplicationArn", ids="ApplicationName",
        ApplicationName="zoo",
    )  # fmt: skip
    on.create(
        "elasticbeanstalk", "Environment", "create_environment", "EnvironmentArn",
        ids="ApplicationName EnvironmentName", ApplicationName="zoo", EnvironmentName="zoo-prod",
        SolutionStackName="64bit Amazon Linux 2023 v4.0.0 running Python 3.12",
    )  # fmt: skip


@maker
def batch(on: Site) -> None:
    role = _role(on, "zoo-batch")
    environment = on.create(
        "batch", "ComputeEnvironment", "create_compute_environment", "computeEnvironmentArn",
        ids="computeEnvironmentName", computeEnvironmentName="zoo", type="UNMANAGED", serviceRole=role, state="ENABLED",
    )  # fmt: skip
    order = [{"order": 1, "computeEnvironment": environment.arn}]
    on.create(
        "batch", "JobQueue", "create_job_queue", "jobQueueArn", ids="jobQueueName", jobQueueName="zoo", priority=1,
        state="ENABLED",
        computeEnvironmentOrder=order,
    )  # fmt: skip
    container = {"image": "busybox", "vcpus": 1, "memory": 128, "command": ["true"]}
    on.create(
        "batch", "JobDefinition", "register_job_definition", "jobDefinitionArn", ids="jobDefinitionName",
        jobDefinitionName="zoo", type="container", containerProperties=container,
    )  # fmt: skip
    on.create(
        "batch", "SchedulingPolicy", "create_scheduling_policy", "arn", ids="name", name="zoo",
        fairsharePolicy={"shareDecaySeconds": 60},
    )  # fmt: skip
