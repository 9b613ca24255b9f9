"""Makes what SageMaker has: its answers name an ARN for each."""

from __future__ import annotations

from zoo.base import Made, Site, maker


def _named(on: Site, kind: str, operation: str, name: str, value: str = "zoo", **params: object) -> Made:
    return on.create("sagemaker", kind, operation, f"{kind}Arn", ids=name, **{name: value}, **params)


@maker(second=True)
def models(on: Site) -> None:
    role = on.role()
    _named(on, "Model", "create_model", "ModelName", ExecutionRoleArn=role, PrimaryContainer={"Image": "zoo"})
    variant = {
        "VariantName": "a", "ModelName": "zoo", "InitialInstanceCount": 1, "InstanceType": "ml.t2.medium",
        "InitialVariantWeight": 1.0,
    }  # fmt: skip
    _named(on, "EndpointConfig", "create_endpoint_config", "EndpointConfigName", ProductionVariants=[variant])
    _named(on, "Endpoint", "create_endpoint", "EndpointName", EndpointConfigName="zoo")


@maker
def packages(on: Site) -> None:
    group = _named(on, "ModelPackageGroup", "create_model_package_group", "ModelPackageGroupName")
    on.create(
        "sagemaker", "ModelPackage", "create_model_package", "ModelPackageArn", ModelPackageGroupName="zoo",
        ModelPackageDescription="zoo",
    )  # fmt: skip
    _named(on, "ModelCard", "create_model_card", "ModelCardName", Content="{}", ModelCardStatus="Draft")
    assert group


@maker
def experiments(on: Site) -> None:
    _named(on, "Experiment", "create_experiment", "ExperimentName")
    _named(on, "Trial", "create_trial", "TrialName", ExperimentName="zoo")
    _named(on, "TrialComponent", "create_trial_component", "TrialComponentName")


@maker
def notebooks(on: Site) -> None:
    on.create(
        "sagemaker", "NotebookInstance", "create_notebook_instance", "NotebookInstanceArn", ids="NotebookInstanceName",
        NotebookInstanceName="zoo", InstanceType="ml.t2.medium", RoleArn=on.role(),
    )  # fmt: skip
    _named(
        on, "NotebookInstanceLifecycleConfig", "create_notebook_instance_lifecycle_config",
        "NotebookInstanceLifecycleConfigName", OnStart=[{"Content": "eA=="}],
    )  # fmt: skip


@maker
def domains(on: Site) -> None:
    vpc, subnets, _ = on.network()
    on.create(
        "sagemaker", "Domain", "create_domain", "DomainArn", DomainName="zoo", AuthMode="IAM", VpcId=vpc,
        SubnetIds=list(subnets), DefaultUserSettings={"ExecutionRole": on.role()},
    )  # fmt: skip


@maker
def features(on: Site) -> None:
    _named(
        on, "FeatureGroup", "create_feature_group", "FeatureGroupName", RecordIdentifierFeatureName="id",
        EventTimeFeatureName="at", FeatureDefinitions=[{"FeatureName": "id", "FeatureType": "String"}],
        OfflineStoreConfig={"S3StorageConfig": {"S3Uri": "s3://zoo"}}, RoleArn=on.role(),
    )  # fmt: skip


@maker
def pipelines(on: Site) -> None:
    pipeline = _named(
        on, "Pipeline", "create_pipeline", "PipelineName", PipelineDefinition="{}", ClientRequestToken="z" * 32,
        RoleArn=on.role(),
    )  # fmt: skip
    on.create(
        "sagemaker", "PipelineExecution", "start_pipeline_execution", "PipelineExecutionArn", PipelineName="zoo",
        ClientRequestToken="z" * 32,
    )  # fmt: skip
    assert pipeline


@maker
def training(on: Site) -> None:
    role, output = on.role(), {"S3OutputPath": "s3://zoo"}
    resources = {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1}
    stop = {"MaxRuntimeInSeconds": 60}
    _named(
        on, "TrainingJob", "create_training_job", "TrainingJobName", RoleArn=role, OutputDataConfig=output,
        AlgorithmSpecification={"TrainingImage": "zoo", "TrainingInputMode": "File"}, ResourceConfig=resources,
        StoppingCondition=stop,
    )  # fmt: skip
    cluster = {"ClusterConfig": resources}
    _named(
        on, "ProcessingJob", "create_processing_job", "ProcessingJobName", RoleArn=role, ProcessingResources=cluster,
        AppSpecification={"ImageUri": "zoo"},
    )  # fmt: skip


@maker
def transforms(on: Site) -> None:
    source = {"DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "s3://zoo"}}}
    _named(
        on, "TransformJob", "create_transform_job", "TransformJobName", ModelName="zoo", TransformInput=source,
        TransformOutput={"S3OutputPath": "s3://zoo"},
        TransformResources={"InstanceType": "ml.m5.large", "InstanceCount": 1},
    )  # fmt: skip


@maker
def tuning(on: Site) -> None:
    _named(
        on, "HyperParameterTuningJob", "create_hyper_parameter_tuning_job", "HyperParameterTuningJobName",
        HyperParameterTuningJobConfig={
            "Strategy": "Bayesian", "ResourceLimits": {"MaxNumberOfTrainingJobs": 1, "MaxParallelTrainingJobs": 1},
        },
    )  # fmt: skip


@maker
def compilation(on: Site) -> None:
    _named(
        on, "CompilationJob", "create_compilation_job", "CompilationJobName", RoleArn=on.role(),
        OutputConfig={"S3OutputLocation": "s3://zoo"}, StoppingCondition={"MaxRuntimeInSeconds": 60},
        InputConfig={"S3Uri": "s3://zoo", "DataInputConfig": "{}", "Framework": "ONNX"},
    )  # fmt: skip


@maker
def hyperpods(on: Site) -> None:
    group = {
        "InstanceCount": 1, "InstanceGroupName": "a", "InstanceType": "ml.t3.medium", "ExecutionRole": on.role(),
        "ThreadsPerCore": 1,
        "LifeCycleConfig": {"SourceS3Uri": "s3://sagemaker-zoo", "OnCreate": "x.sh"},
    }  # fmt: skip
    on.create(
        "sagemaker", "Cluster", "create_cluster", "ClusterArn", ids="ClusterName", ClusterName="zoo",
        InstanceGroups=[group],
    )  # fmt: skip


@maker
def automl(on: Site) -> None:
    columns = {"ContentColumn": "a", "TargetLabelColumn": "b", "CompletionCriteria": {"MaxCandidates": 1}}
    source = {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "s3://zoo"}}
    on.create(
        "sagemaker", "AutoMLJob", "create_auto_ml_job_v2", "AutoMLJobArn", ids="AutoMLJobName", AutoMLJobName="zoo",
        AutoMLJobInputDataConfig=[{"ChannelType": "training", "DataSource": source}], RoleArn=on.role(),
        OutputDataConfig={"S3OutputPath": "s3://zoo"},
        AutoMLProblemTypeConfig={"TextClassificationJobConfig": columns},
    )  # fmt: skip


@maker
def monitors(on: Site) -> None:
    place = {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 1}
    common = {
        "RoleArn": on.role(),
        "JobResources": {"ClusterConfig": place},
    }
    results = {
        "MonitoringOutputs": [{"S3Output": {"S3Uri": "s3://zoo", "LocalPath": "/x"}}],
    }
    endpoint = {"EndpointInput": {"EndpointName": "zoo", "LocalPath": "/x"}}
    truth = {**endpoint, "GroundTruthS3Input": {"S3Uri": "s3://zoo"}}
    for kind, given, source in (
        ("DataQuality", {"ImageUri": "zoo"}, endpoint),
        ("ModelQuality", {"ImageUri": "zoo"}, truth),
        ("ModelBias", {"ImageUri": "zoo", "ConfigUri": "s3://zoo"}, truth),
        ("ModelExplainability", {"ImageUri": "zoo", "ConfigUri": "s3://zoo"}, endpoint),
    ):
        operation = {
            "DataQuality": "create_data_quality_job_definition", "ModelQuality": "create_model_quality_job_definition",
            "ModelBias": "create_model_bias_job_definition",
            "ModelExplainability": "create_model_explainability_job_definition",
        }[kind]  # fmt: skip
        on.create(
            "sagemaker", f"{kind}JobDefinition", operation, "JobDefinitionArn", ids="JobDefinitionName",
            JobDefinitionName="zoo", **common,
            **{f"{kind}AppSpecification": given, f"{kind}JobInput": source, f"{kind}JobOutputConfig": results},
        )  # fmt: skip
