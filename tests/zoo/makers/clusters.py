"""Makes what processes data at rest or in motion on clusters: EMR, Kafka, MQ, Kinesis and their like."""

from __future__ import annotations

from zoo.base import Site, maker


@maker
def emr(on: Site) -> None:
    # moto's server keeps all clusters of EMR in this region
    _, subnets, _ = on.network()
    on.create(
        "emr", "Cluster", "run_job_flow", "ClusterArn", ids="JobFlowId", region="us-east-1", Name="zoo",
        ReleaseLabel="emr-7.0.0",
        JobFlowRole="zoo", ServiceRole="zoo",
        Instances={
            "MasterInstanceType": "m5.large", "SlaveInstanceType": "m5.large", "InstanceCount": 2,
            "KeepJobFlowAliveWhenNoSteps": True, "Ec2SubnetId": subnets[0],
        },
    )  # fmt: skip


@maker
def emr_containers(on: Site) -> None:
    _, subnets, _ = on.network()
    on.client("eks").create_cluster(name="emr", roleArn=on.role(), resourcesVpcConfig={"subnetIds": list(subnets)})
    cluster = on.create(
        "emr-containers", "VirtualCluster", "create_virtual_cluster", "arn", ids="id", name="zoo", clientToken="zoo",
        containerProvider={"id": "emr", "type": "EKS", "info": {"eksInfo": {"namespace": "emr"}}},
    )  # fmt: skip
    on.create(
        "emr-containers", "JobRun", "start_job_run", "arn", ids="virtualClusterId id", name="zoo", clientToken="zoo",
        virtualClusterId=cluster.ids["id"], executionRoleArn=on.role(), releaseLabel="emr-6.3.0-latest",
        jobDriver={"sparkSubmitJobDriver": {"entryPoint": "s3://zoo/x.py"}},
    )  # fmt: skip


@maker
def emr_serverless(on: Site) -> None:
    application = on.create(
        "emr-serverless", "Application", "create_application", "arn", ids="applicationId", name="zoo", type="SPARK",
        releaseLabel="emr-6.6.0", clientToken="zoo",
    )  # fmt: skip
    on.client("emr-serverless").start_application(applicationId=application.ids["applicationId"])
    on.create(
        "emr-serverless", "JobRun", "start_job_run", "arn", ids="applicationId jobRunId",
        applicationId=application.ids["applicationId"], clientToken="zoo", executionRoleArn=on.role(),
        jobDriver={"sparkSubmit": {"entryPoint": "s3://zoo/x.py"}},
    )  # fmt: skip


@maker
def kafka(on: Site) -> None:
    _, subnets, _ = on.network()
    brokers = {"InstanceType": "kafka.m5.large", "ClientSubnets": list(subnets)}
    on.create(
        "kafka", "Cluster", "create_cluster", "ClusterArn", ids="ClusterName", ClusterName="zoo",
        BrokerNodeGroupInfo=brokers, KafkaVersion="3.5.1", NumberOfBrokerNodes=2,
    )  # fmt: skip
    on.create(
        "kafka", "Cluster", "create_cluster_v2", "ClusterArn", ids="ClusterName", ClusterName="zoo-serverless",
        Serverless={"VpcConfigs": [{"SubnetIds": list(subnets)}]},
    )  # fmt: skip


@maker
def mq(on: Site) -> None:
    on.create(
        "mq", "Broker", "create_broker", "BrokerArn", ids="BrokerId", BrokerName="zoo",
        DeploymentMode="SINGLE_INSTANCE",
        EngineType="ACTIVEMQ", EngineVersion="5.17.6", HostInstanceType="mq.t3.micro", PubliclyAccessible=False,
        AutoMinorVersionUpgrade=False, Users=[{"Username": "zoo", "Password": "not-a-secret"}],
    )  # fmt: skip
    on.create(
        "mq", "Configuration", "create_configuration", "Arn", ids="Id", Name="zoo", EngineType="ACTIVEMQ",
        EngineVersion="5.17.6",
    )  # fmt: skip


@maker(second=True)
def kinesis(on: Site) -> None:
    client = on.client("kinesis")
    client.create_stream(StreamName="zoo", ShardCount=1)
    stream = client.describe_stream_summary(StreamName="zoo")["StreamDescriptionSummary"]["StreamARN"]
    on.record("kinesis", "Stream", stream, StreamName="zoo")
    on.create(
        "kinesis", "StreamConsumer", "register_stream_consumer", "Consumer.ConsumerARN", ids="ConsumerName",
        StreamARN=stream, ConsumerName="reader",
    )  # fmt: skip


@maker
def kinesisanalyticsv2(on: Site) -> None:
    on.create(
        "kinesisanalyticsv2", "Application", "create_application", "ApplicationDetail.ApplicationARN",
        ids="ApplicationName", ApplicationName="zoo", RuntimeEnvironment="FLINK-1_18", ServiceExecutionRole=on.role(),
    )  # fmt: skip


@maker
def kinesisvideo(on: Site) -> None:
    on.create("kinesisvideo", "Stream", "create_stream", "StreamARN", ids="StreamName", StreamName="zoo")


@maker(second=True)
def firehose(on: Site) -> None:
    destination = {"RoleARN": on.role(), "BucketARN": "arn:aws:s3:::zoo"}
    on.create(
        "firehose", "DeliveryStream", "create_delivery_stream", "DeliveryStreamARN", ids="DeliveryStreamName",
        DeliveryStreamName="zoo", S3DestinationConfiguration=destination,
    )  # fmt: skip


@maker
def osis(on: Site) -> None:
    body = (
        'version: "2"\nlog-pipeline:\n  source:\n    http:\n      path: "/x"\n  sink:\n    - s3:\n        aws:\n'
        f'          sts_role_arn: "{on.role()}"\n          region: "{on.region}"\n        bucket: "zoo"\n'
    )
    on.create(
        "osis", "Pipeline", "create_pipeline", "Pipeline.PipelineArn", ids="PipelineName", PipelineName="zoo",
        MinUnits=1, MaxUnits=2, PipelineConfigurationBody=body,
    )  # fmt: skip


@maker
def datapipeline(on: Site) -> None:
    made = on.client("datapipeline").create_pipeline(name="zoo", uniqueId="zoo")["pipelineId"]
    on.compose("datapipeline", "Pipeline", f"pipeline/{made}", pipelineId=made)
