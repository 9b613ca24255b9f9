"""Makes what understands language and pictures: Bedrock, Comprehend, Lex and their like."""

from __future__ import annotations

from zoo.base import Site, maker


@maker
def bedrock(on: Site) -> None:
    bucket = "zoo-bedrock"
    on.client("s3").create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": on.region})
    on.create(
        "bedrock", "ModelCustomizationJob", "create_model_customization_job", "jobArn", ids="jobName", jobName="zoo",
        customModelName="zoo-model", roleArn=on.role(), baseModelIdentifier="amazon.titan-text-express-v1",
        trainingDataConfig={"s3Uri": f"s3://{bucket}/x"}, outputDataConfig={"s3Uri": f"s3://{bucket}/y"},
        hyperParameters={"epochCount": "1"},
    )  # fmt: skip
    model = on.client("bedrock").list_custom_models()["modelSummaries"][0]
    on.record("bedrock", "CustomModel", model["modelArn"], modelName=model["modelName"])


@maker
def bedrock_agents(on: Site) -> None:
    model = on.arn("bedrock", "foundation-model/x", account="")
    on.create(
        "bedrock-agent", "Agent", "create_agent", "agent.agentArn", ids="agentId", agentName="zoo",
        agentResourceRoleArn=on.role(),
    )  # fmt: skip
    on.create(
        "bedrock-agent", "KnowledgeBase", "create_knowledge_base", "knowledgeBase.knowledgeBaseArn",
        ids="knowledgeBaseId", name="zoo", roleArn=on.role(),
        knowledgeBaseConfiguration={
            "type": "VECTOR",
            "vectorKnowledgeBaseConfiguration": {"embeddingModelArn": model},
        },
        storageConfiguration={"type": "OPENSEARCH_SERVERLESS"},
    )  # fmt: skip


@maker
def agentcore(on: Site) -> None:
    url = "https://example.com/.well-known/openid-configuration"
    service = "bedrock-agentcore-control"
    runtime = on.create(
        service, "AgentRuntime", "create_agent_runtime", "agentRuntimeArn", ids="agentRuntimeId",
        agentRuntimeName="zoo", roleArn=on.role(), networkConfiguration={"networkMode": "PUBLIC"},
        agentRuntimeArtifact={"containerConfiguration": {"containerUri": "1.dkr.ecr.eu-west-1.amazonaws.com/zoo:1"}},
    )  # fmt: skip
    on.create(
        service, "AgentRuntimeEndpoint", "create_agent_runtime_endpoint", "agentRuntimeEndpointArn", name="live",
        agentRuntimeId=runtime.ids["agentRuntimeId"],
    )  # fmt: skip
    on.create(service, "Memory", "create_memory", "memory.arn", ids="id", name="zoo", eventExpiryDuration=30)
    on.create(
        service, "Gateway", "create_gateway", "gatewayArn", ids="gatewayId", name="zoo", roleArn=on.role(),
        authorizerType="CUSTOM_JWT", authorizerConfiguration={"customJWTAuthorizer": {"discoveryUrl": url}},
        protocolType="MCP",
    )  # fmt: skip


@maker
def comprehend(on: Site) -> None:
    place = {"S3Uri": "s3://zoo/x"}
    role = on.role()
    on.create(
        "comprehend", "EntityRecognizer", "create_entity_recognizer", "EntityRecognizerArn", RecognizerName="zoo",
        DataAccessRoleArn=role, LanguageCode="en",
        InputDataConfig={"EntityTypes": [{"Type": "ZOO"}], "Documents": place},
    )  # fmt: skip
    on.create(
        "comprehend", "DocumentClassifier", "create_document_classifier", "DocumentClassifierArn",
        DocumentClassifierName="zoo", DataAccessRoleArn=role, LanguageCode="en", InputDataConfig=place,
    )  # fmt: skip
    on.create(
        "comprehend", "Flywheel", "create_flywheel", "FlywheelArn", FlywheelName="zoo", DataAccessRoleArn=role,
        DataLakeS3Uri="s3://zoo", ModelType="DOCUMENT_CLASSIFIER",
        TaskConfig={"LanguageCode": "en", "DocumentClassificationConfig": {"Mode": "MULTI_CLASS", "Labels": ["a"]}},
    )  # fmt: skip


@maker
def comprehend_jobs(on: Site) -> None:
    common = {
        "InputDataConfig": {"S3Uri": "s3://zoo/x"},
        "OutputDataConfig": {"S3Uri": "s3://zoo/y"},
        "DataAccessRoleArn": on.role(),
    }
    for kind, operation in (
        ("EntitiesDetectionJob", "start_entities_detection_job"),
        ("KeyPhrasesDetectionJob", "start_key_phrases_detection_job"),
        ("SentimentDetectionJob", "start_sentiment_detection_job"),
        ("TargetedSentimentDetectionJob", "start_targeted_sentiment_detection_job"),
    ):
        on.create("comprehend", kind, operation, "JobArn", ids="JobId", JobName="zoo", LanguageCode="en", **common)
    for kind, operation in (
        ("DominantLanguageDetectionJob", "start_dominant_language_detection_job"),
        ("TopicsDetectionJob", "start_topics_detection_job"),
    ):
        on.create("comprehend", kind, operation, "JobArn", ids="JobId", JobName="zoo", **common)
    on.create(
        "comprehend", "PiiEntitiesDetectionJob", "start_pii_entities_detection_job", "JobArn", ids="JobId",
        JobName="zoo", LanguageCode="en", Mode="ONLY_OFFSETS", **common,
    )  # fmt: skip


@maker
def comprehend_endpoint(on: Site) -> None:
    on.create(
        "comprehend", "Endpoint", "create_endpoint", "EndpointArn", EndpointName="zoo", DesiredInferenceUnits=1,
        ModelArn=on.arn("comprehend", "document-classifier/zoo"),
    )  # fmt: skip


@maker
def lex(on: Site) -> None:
    client = on.client("lexv2-models")
    bot = client.create_bot(
        botName="zoo", roleArn=on.role(), dataPrivacy={"childDirected": False}, idleSessionTTLInSeconds=60
    )["botId"]
    on.compose("lexv2-models", "Bot", f"bot/{bot}", prefix="lex", botId=bot)
    alias = client.create_bot_alias(botAliasName="live", botId=bot)["botAliasId"]
    on.compose("lexv2-models", "BotAlias", f"bot-alias/{bot}/{alias}", prefix="lex", botId=bot, botAliasId=alias)


@maker
def forecast(on: Site) -> None:
    on.create(
        "forecast", "DatasetGroup", "create_dataset_group", "DatasetGroupArn", DatasetGroupName="zoo", Domain="RETAIL"
    )


@maker
def personalize(on: Site) -> None:
    on.create("personalize", "Schema", "create_schema", "schemaArn", name="zoo", schema="{}")


@maker
def polly(on: Site) -> None:
    lexicon = '<?xml version="1.0" encoding="UTF-8"?><lexicon version="1.0" alphabet="ipa" xml:lang="en-US"></lexicon>'
    client = on.client("polly")
    client.put_lexicon(Name="zoo", Content=lexicon)
    found = client.get_lexicon(Name="zoo")["LexiconAttributes"]
    on.record("polly", "Lexicon", found["LexiconArn"], Name="zoo")


@maker
def transcribe(on: Site) -> None:
    client = on.client("transcribe")
    client.start_transcription_job(
        TranscriptionJobName="zoo", Media={"MediaFileUri": "s3://zoo/x.mp3"}, LanguageCode="en-US"
    )
    on.compose("transcribe", "TranscriptionJob", "transcription-job/zoo", TranscriptionJobName="zoo")
    client.create_vocabulary(VocabularyName="zoo", LanguageCode="en-US", Phrases=["zoo"])
    on.compose("transcribe", "Vocabulary", "vocabulary/zoo", VocabularyName="zoo")
    client.create_medical_vocabulary(
        VocabularyName="zoo-med", LanguageCode="en-US", VocabularyFileUri="https://s3.amazonaws.com/zoo/x.txt"
    )
    on.compose("transcribe", "MedicalVocabulary", "medical-vocabulary/zoo-med", VocabularyName="zoo-med")


@maker
def devops_agent(on: Site) -> None:
    answer = on.client("devops-agent").create_agent_space(name="zoo")["agentSpace"]
    identifier = answer["agentSpaceId"]
    on.compose("devops-agent", "AgentSpace", f"agentspace/{identifier}", prefix="aidevops", agentSpaceId=identifier)
