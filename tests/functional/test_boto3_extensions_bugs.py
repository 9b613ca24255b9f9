"""The 28 definitions and the 22 ARN formats of boto3_extensions 0.23.0 that were wrong: each is right here."""

from __future__ import annotations

import copy
import io
import json
import zipfile
from functools import cache
from pathlib import Path

import boto3
import pytest
from botocore.loaders import ExtrasProcessor, Loader

import mangrove
from mangrove.resources.derive import derive
from mangrove.resources.derive.gather import gather
from mangrove.resources.derive.validate import validate
from mangrove.resources.formats import match

LOADER = Loader(extra_search_paths=[str(Path(boto3.__file__).parent / "data")])
ACCOUNT = "123456789012"
REGION = "eu-west-1"


@cache
def known(service):
    facts = gather(LOADER, service)
    derived = derive(facts)
    if not derived.extends:
        return facts, derived.definition
    merged = copy.deepcopy(dict(facts.existing))
    ExtrasProcessor().process(merged, [copy.deepcopy(dict(derived.definition))])
    return facts, merged


def part(service, path):
    """Return a piece of a service's definition: `service.hasMany.Jobs`, or `Job.load`."""
    found = known(service)[1]
    for step in path.split("."):
        found = found[step] if step == "service" or step in found else found["resources"][step]
    return found


def params(entry):
    """List what a request takes: its input and the identifier, the path or the value that fills it."""
    given = entry["request"].get("params", ())
    return {each["target"]: each.get("name") or each.get("path") or each.get("value") for each in given}


# ---------------------------------------------------------------------------------------------------------------------
# The 28 definitions: what was wrong, where the right one stands, its operation, its inputs

ARN = {"ResourceArn": "Arn"}
READY = ("Dataset", "DatasetImportJob", "Predictor", "PredictorBacktestExportJob", "Forecast", "ForecastExportJob")
DEFINITIONS = {
    "glue-jobs-by-an-operation-that-never-was": ("glue", "service.hasMany.Jobs", "GetJobs", {}),
    "glue-job-by-an-operation-that-never-was": ("glue", "Job.load", "GetJob", {"JobName": "Name"}),
    "glue-tables-without-a-database": ("glue", "service.hasMany.Tables", "SearchTables", {}),
    "glue-table-without-a-database": (
        "glue",
        "Table.load",
        "GetTable",
        {"DatabaseName": "DatabaseName", "Name": "Name"},
    ),
    "forecast-create-backtest-misspelt": (
        "forecast",
        "Predictor.actions.CreatePredictorBacktestExportJob",
        "CreatePredictorBacktestExportJob",
        {"PredictorArn": "Arn"},
    ),
    "forecast-create-backtest-by-its-misspelt-name": (
        "forecast",
        "Predictor.actions.CreatePreditorBacktestExportJob",
        "CreatePredictorBacktestExportJob",
        {"PredictorArn": "Arn"},
    ),
    "forecast-backtest-loads-another-type": (
        "forecast",
        "PredictorBacktestExportJob.load",
        "DescribePredictorBacktestExportJob",
        {"PredictorBacktestExportJobArn": "Arn"},
    ),
    "forecast-backtest-deletes-another-type": (
        "forecast",
        "PredictorBacktestExportJob.actions.Delete",
        "DeletePredictorBacktestExportJob",
        {"PredictorBacktestExportJobArn": "Arn"},
    ),
    "cloudfront-of-an-old-api": ("cloudfront", "Distribution.load", "GetDistribution", {"Id": "Id"}),
    "cloudtrail-public-keys-under-another-path": ("cloudtrail", "service.hasMany.PublicKeys", "ListPublicKeys", {}),
    "ec2-reserved-create-listing": (
        "ec2",
        "ReservedInstances.actions.CreateListing",
        "CreateReservedInstancesListing",
        {"ReservedInstancesId": "Id"},
    ),
    "ec2-reserved-modify": (
        "ec2",
        "ReservedInstances.actions.Modify",
        "ModifyReservedInstances",
        {"ReservedInstancesIds[0]": "Id"},
    ),
    "ec2-reserved-accept-quote": (
        "ec2",
        "ReservedInstances.actions.AcceptExchangeQuote",
        "AcceptReservedInstancesExchangeQuote",
        {"ReservedInstanceIds[0]": "Id"},
    ),
    "ec2-reserved-get-quote": (
        "ec2",
        "ReservedInstances.actions.GetExchangeQuote",
        "GetReservedInstancesExchangeQuote",
        {"ReservedInstanceIds[0]": "Id"},
    ),
    "ec2-offering-purchase": (
        "ec2",
        "ReservedInstancesOffering.actions.Purchase",
        "PurchaseReservedInstancesOffering",
        {"ReservedInstancesOfferingId": "Id"},
    ),
    "elbv2-load-balancers-under-another-path": (
        "elbv2",
        "service.hasMany.LoadBalancers",
        "DescribeLoadBalancers",
        {},
    ),
    "ssm-documents-under-another-path": ("ssm", "service.hasMany.Documents", "ListDocuments", {}),
    "lambda-aliases-of-a-version-under-another-path": (
        "lambda",
        "Version.hasMany.Aliases",
        "ListAliases",
        {"FunctionName": "FunctionName", "FunctionVersion": "Version"},
    ),
    "kafka-cluster-under-another-path": ("kafka", "Cluster.load", "DescribeCluster", {"ClusterArn": "Arn"}),
    "health-entities-by-a-filter-that-is-none": (
        "health",
        "Event.hasMany.affectedEntities",
        "DescribeAffectedEntities",
        {"filter.eventArns[0]": "Arn"},
    ),
    "kms-create-grant-was-empty": ("kms", "Key.actions.CreateGrant", "CreateGrant", {"KeyId": "Id"}),
    "secretsmanager-random-password-of-a-secret": (
        "secretsmanager",
        "Secret.actions.GetRandomPassword",
        "GetRandomPassword",
        {},
    ),
}
PATHS = {
    "cloudtrail-public-keys-under-another-path": "PublicKeyList[]",
    "elbv2-load-balancers-under-another-path": "LoadBalancers[]",
    "ssm-documents-under-another-path": "DocumentIdentifiers[]",
    "lambda-aliases-of-a-version-under-another-path": "Aliases[]",
    "kafka-cluster-under-another-path": "ClusterInfo",
    "glue-jobs-by-an-operation-that-never-was": "Jobs[]",
}


@pytest.mark.parametrize("name", DEFINITIONS)
def test_a_definition_is_right(name):
    service, path, operation, given = DEFINITIONS[name]
    entry = part(service, path)
    assert entry["request"]["operation"] == operation
    assert params(entry) == given
    if name in PATHS:
        assert entry.get("resource", {}).get("path", entry.get("path")) == PATHS[name]
    facts, definition = known(service)
    where = (path if path.startswith("service") else f"resources.{path}") + ":"
    assert not [str(each) for each in validate(definition, facts.model, facts.waiters) if str(each).startswith(where)]


@pytest.mark.parametrize("kind", READY)
def test_forecast_promises_no_waiter_that_botocore_lacks(kind):
    assert known("forecast")[0].waiters == {}
    assert "waiters" not in part("forecast", kind)


def test_cloudfront_is_of_the_newest_api(aws):
    service = aws.session(region_name=REGION).resource("cloudfront")
    newest = LOADER.determine_latest_version("cloudfront", "service-2")
    assert service.meta.client.meta.service_model.api_version == newest > "2017-03-25"


# ---------------------------------------------------------------------------------------------------------------------
# The same against an AWS that answers


@pytest.fixture
def aws(embedded_aws):
    return embedded_aws


@pytest.fixture
def session(aws):
    return aws.session(region_name=REGION)


def test_glue_lists_and_loads(session):
    client = session.client("glue")
    client.create_database(DatabaseInput={"Name": "farm"})
    client.create_table(DatabaseName="farm", TableInput={"Name": "barns"})
    client.create_job(Name="mow", Role="r", Command={"Name": "glueetl"})
    glue = session.resource("glue")
    [job] = glue.jobs.all()
    assert (job.name, glue.Job("mow").role) == ("mow", "r")
    table = glue.Table("farm", "barns")
    table.load()
    assert table.arn == f"arn:aws:glue:{REGION}:{session.account_id}:table/farm/barns"
    assert [each.name for each in glue.Database("farm").tables.all()] == ["barns"]


def test_elbv2_lists(session):
    subnets = [each.id for each in session.resource("ec2").subnets.limit(2)]
    made = session.client("elbv2").create_load_balancer(Name="front", Subnets=subnets)["LoadBalancers"][0]
    [found] = session.resource("elbv2").load_balancers.all()
    assert (found.arn, found.load_balancer_name) == (made["LoadBalancerArn"], "front")
    other = session.resource("elbv2").LoadBalancerByName("front")
    assert other.get_arn(load=True) == made["LoadBalancerArn"]
    assert [*other.listeners.all()] == []


def test_ssm_lists(session):
    content = json.dumps({"schemaVersion": "2.2", "mainSteps": []})
    session.client("ssm").create_document(Name="mine", Content=content, DocumentType="Command")
    names = {each.name for each in session.resource("ssm").documents.all()}
    assert "mine" in names
    assert session.resource("ssm").Document("mine").document_type == "Command"


def test_lambda_lists_the_aliases_of_a_version(session):
    iam = session.client("iam")
    role = iam.create_role(RoleName="run", AssumeRolePolicyDocument="{}")["Role"]["Arn"]
    code = io.BytesIO()
    with zipfile.ZipFile(code, "w") as archive:
        archive.writestr("a.py", "")
    client = session.client("lambda")
    client.create_function(
        FunctionName="mow", Role=role, Runtime="python3.12", Handler="a.b", Code={"ZipFile": code.getvalue()}
    )
    client.create_alias(FunctionName="mow", Name="live", FunctionVersion="$LATEST")
    function = session.resource("lambda").Function("mow")
    [alias] = function.aliases.all()
    assert (alias.function_name, alias.name) == ("mow", "live")
    [version] = [each for each in function.versions.all() if each.version == "$LATEST"]
    assert [each.name for each in version.aliases.all()] == ["live"]


def test_kafka_loads(session):
    arn = session.client("kafka").create_cluster(
        ClusterName="c",
        KafkaVersion="3.6.0",
        NumberOfBrokerNodes=1,
        BrokerNodeGroupInfo={"InstanceType": "kafka.m5.large", "ClientSubnets": ["subnet-1"]},
    )["ClusterArn"]
    assert session.resource("kafka").Cluster(arn).cluster_name == "c"


def test_kms_creates_a_grant(session):
    key = session.resource("kms").Key(session.client("kms").create_key()["KeyMetadata"]["KeyId"])
    made = key.create_grant(GranteePrincipal=f"arn:aws:iam::{session.account_id}:root", Operations=["Encrypt"])
    assert made.key_id == key.id
    assert [each.id for each in key.grants.all()] == [made.id]
    assert key.KeyRotationStatus().key_rotation_enabled is False


def test_secretsmanager_makes_a_password(session):
    session.client("secretsmanager").create_secret(Name="s", SecretString="x")
    secret = session.resource("secretsmanager").Secret("s")
    assert len(secret.get_random_password(PasswordLength=20)["RandomPassword"]) == 20
    assert secret.get_secret_value()["SecretString"] == "x"


def test_cloudtrail_lists_and_loads(session):
    session.client("s3").create_bucket(Bucket="logs", CreateBucketConfiguration={"LocationConstraint": REGION})
    arn = session.client("cloudtrail").create_trail(Name="all", S3BucketName="logs")["TrailARN"]
    [trail] = session.resource("cloudtrail").trails.all()
    assert trail.arn == arn
    trail.start_logging()
    assert trail.get_status()["IsLogging"] is True
    assert session.resource("cloudtrail").Trail("all").s3_bucket_name == "logs"


def test_acm_tells_all_of_a_certificate(session):
    arn = session.client("acm").request_certificate(DomainName="example.org")["CertificateArn"]
    assert session.resource("acm").Certificate(arn).domain_name == "example.org"


def test_route53_lists_records_without_a_set_identifier(session):
    client = session.client("route53")
    zone = client.create_hosted_zone(Name="example.org", CallerReference="1")["HostedZone"]["Id"]
    records = [*session.resource("route53").HostedZone(zone).resource_record_sets.all()]
    assert {each.type for each in records} >= {"NS", "SOA"}
    assert {each.name for each in records} == {"example.org."}


# ---------------------------------------------------------------------------------------------------------------------
# The 22 formats

HERE = f"{REGION}:{ACCOUNT}"
FORMATS = [
    ("cur", "ReportDefinition", f"arn:aws:cur:{HERE}:definition/x"),
    ("ec2", "AccountAttribute", None),
    ("ec2", "ClassicAddress", None),
    ("ec2", "ReservedInstance", f"arn:aws:ec2:{HERE}:reserved-instances/x"),
    ("ec2", "ReservedInstancesListing", None),
    ("ec2", "ReservedInstancesOffering", None),
    ("ec2", "VpcAddress", f"arn:aws:ec2:{HERE}:elastic-ip/x"),
    ("ec2", "FlowLog", f"arn:aws:ec2:{HERE}:vpc-flow-log/x"),
    ("elasticache", "EngineVersion", None),
    ("elasticache", "Parameter", None),
    ("elasticache", "ParameterGroup", f"arn:aws:elasticache:{HERE}:parametergroup:x"),
    ("elasticache", "ReplicationGroup", f"arn:aws:elasticache:{HERE}:replicationgroup:x"),
    ("elasticache", "ReservedNode", f"arn:aws:elasticache:{HERE}:reserved-instance:x"),
    ("elasticache", "ReservedNodesOffering", None),
    ("elasticache", "SubnetGroup", f"arn:aws:elasticache:{HERE}:subnetgroup:x"),
    ("elasticache", "TypeSpecificParameter", None),
    ("emr", "Cluster", f"arn:aws:elasticmapreduce:{HERE}:cluster/x"),
    ("pricing", "Service", None),
    ("redshift", "ReservedNode", None),
    ("redshift", "ReservedNodeOffering", None),
    ("support", "CaseDetails", None),
    ("support", "TrustedAdvisorCheckDescription", None),
]


@pytest.fixture(scope="module")
def offline():
    return mangrove.Session("AKIAIOSFODNN7EXAMPLE", "x", aws_account_id=ACCOUNT, region_name=REGION)


@pytest.mark.parametrize(("service", "kind", "arn"), FORMATS)
def test_an_arn_is_right(offline, service, kind, arn):
    make = getattr(offline.resource(service), kind)
    count = 2 if kind in {"EngineVersion", "Parameter", "TypeSpecificParameter"} else 1
    assert make(*["x"] * count).arn == arn


def test_there_are_22_of_them():
    assert len(FORMATS) == 22


@pytest.mark.parametrize("arn", [arn for _, _, arn in FORMATS if arn])
def test_a_right_arn_has_an_official_format(arn):
    assert any(not found.format.is_open for found in match(mangrove.Arn.parse(arn)))


# ---------------------------------------------------------------------------------------------------------------------
# B11, B15: what the ARN patch did wrong; B12-B14 and B16-B18 stand in test_resources_seed.py


def test_b11_an_object_is_of_the_session_that_made_it(offline):
    """B11: the session was looked for in the callers' frames."""
    other = mangrove.Session("AKIAIOSFODNN7EXAMPLE", "x", aws_account_id="210987654321", region_name="us-east-1")

    def made_elsewhere(self):  # a frame with another `self`, as one that the patch took its session from
        return offline.resource("rds").DBInstance("x")

    assert made_elsewhere(other).arn == f"arn:aws:rds:{HERE}:db:x"
    assert other.resource("rds").DBInstance("x").arn == "arn:aws:rds:us-east-1:210987654321:db:x"


@pytest.mark.parametrize(
    ("bucket", "key"), [("b", "a:/c"), ("b", "hostedzone//x"), ("b", "arn:aws:s3:::b/{key}"), ("b", "${Partition}")]
)
def test_b15_nothing_is_replaced_in_what_a_user_names(offline, bucket, key):
    """B15: a replacement meant for one part was made in the whole ARN."""
    assert offline.resource("s3").Object(bucket, key).arn == f"arn:aws:s3:::{bucket}/{key}"


def test_b15_a_hosted_zones_id_loses_its_prefix_once(offline):
    zones = offline.resource("route53")
    assert zones.HostedZone("/hostedzone/Z1").arn == zones.HostedZone("Z1").arn == "arn:aws:route53:::hostedzone/Z1"
