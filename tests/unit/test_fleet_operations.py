"""What is known of an operation before its first call, in all services; what an error says; how pages follow."""

from __future__ import annotations

import random
import re

import pytest
from botocore import exceptions as botocores
from botocore.exceptions import ClientError, PaginationError
from botocore.paginate import Paginator

import mangrove
from mangrove.aws.faults import code_of, fault_of, is_passing, retry_after
from mangrove.aws.operations import _CHANGES, check_parameters, find_operation, is_read_only, rows_of
from mangrove.aws.paging import next_request, paging_from
from mangrove.errors import (
    AssumeRoleError,
    ConfigError,
    CredentialError,
    DeclarationTypeError,
    LoginRequiredError,
    NoRegionsError,
    RegionDisabledError,
    UnknownServiceError,
)

SESSION = mangrove.Session("AKIAIOSFODNN7EXAMPLE", "s" * 40, region_name="eu-west-1")
CORE = SESSION._session


def operation(service, name):
    return find_operation(SESSION, service, name)


# -- names -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["describe_instances", "describe-instances", "DescribeInstances"])
def test_an_operation_by_a_name_of_any_form(name):
    found = operation("ec2", name)
    assert (found.service, found.name, found.method) == ("ec2", "DescribeInstances", "describe_instances")
    assert (found.results, found.read_only) == (("Reservations",), True)


@pytest.mark.parametrize(
    ("service", "name", "method", "results"),
    [
        ("iam", "list_mfa_devices", "list_mfa_devices", ("MFADevices",)),
        ("s3", "list-objects-v2", "list_objects_v2", ("Contents", "CommonPrefixes")),
        ("sqs", "ListQueues", "list_queues", ("QueueUrls",)),
        ("sts", "get-caller-identity", "get_caller_identity", ()),
        ("rds", "DescribeDBInstances", "describe_db_instances", ("DBInstances",)),
        ("cloudfront", "list_distributions", "list_distributions", ("DistributionList.Items",)),
        # Its paginator names counts too.
        ("dynamodb", "scan", "scan", ("Items", "Count", "ScannedCount")),
        # botocore has no paginator for it; it has one list.
        ("events", "list_event_buses", "list_event_buses", ("EventBuses",)),
        ("sns", "publish", "publish", ()),
    ],
)
def test_what_an_operation_lists(service, name, method, results):
    found = operation(service, name)
    assert (found.method, found.results) == (method, results)


@pytest.mark.parametrize(
    ("service", "name", "error", "match"),
    [
        ("ec2", "describe_instanc", ConfigError, r"ec2 has no operation 'describe_instanc'; did you mean 'desc"),
        ("ec2", "describe-instanc", ConfigError, r"did you mean 'describe_instances'"),
        ("ec2", "xyzzy", ConfigError, r"ec2 has no operation 'xyzzy'"),
        ("ec2", "", ConfigError, r"no operation ''"),
        ("ec2", 3, DeclarationTypeError, r"named by a string.*got int"),
        ("ec3", "x", UnknownServiceError, r"no service 'ec3'"),
        (3, "x", DeclarationTypeError, r""),
    ],
)
def test_what_there_is_not(service, name, error, match):
    with pytest.raises(error, match=match or "service"):
        operation(service, name)


# -- rows --------------------------------------------------------------------------------------------------------------


def test_rows_are_the_items_of_all_lists():
    answer = {"Contents": [{"Key": "a"}], "CommonPrefixes": [{"Prefix": "b/"}], "KeyCount": 2}
    assert list(rows_of(operation("s3", "list_objects_v2"), answer)) == [
        ("Contents", {"Key": "a"}),
        ("CommonPrefixes", {"Prefix": "b/"}),
    ]
    scan = {"Items": [{"id": {"S": "1"}}], "Count": 1, "ScannedCount": 9}
    assert list(rows_of(operation("dynamodb", "scan"), scan)) == [("Items", {"id": {"S": "1"}})]
    assert list(rows_of(operation("cloudfront", "list_distributions"), {"DistributionList": {"Quantity": 0}})) == []
    assert list(rows_of(operation("sts", "get_caller_identity"), {"Account": "1"})) == [("", {"Account": "1"})]


# -- parameters --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("service", "name", "parameters"),
    [
        ("ec2", "describe_instances", {}),
        ("ec2", "describe_instances", {"Filters": [{"Name": "vpc-id", "Values": ["v"]}]}),
        ("ec2", "run_instances", {"MinCount": 1, "MaxCount": 1}),  # its token is botocore's to make
        ("ec2", "run_instances", {"MinCount": 1, "MaxCount": 1, "ClientToken": "mine"}),
        ("cloudwatch", "get_metric_data", {"MetricDataQueries": [], "StartTime": "2026-01-01", "EndTime": 0}),
        ("s3", "put_object", {"Bucket": "b", "Key": "k", "Body": b"x"}),
    ],
)
def test_parameters_that_are_right(service, name, parameters):
    before = dict(parameters)
    check_parameters(operation(service, name), parameters)
    assert parameters == before


@pytest.mark.parametrize(
    ("service", "name", "parameters", "match"),
    [
        ("ec2", "describe_instances", {"InstanceIds": "i-1"}, r"^ec2 describe_instances: Invalid type .*InstanceIds"),
        ("ec2", "describe_instances", {"InstanceId": ["i-1"]}, r"no parameter 'InstanceId'; did you mean 'InstanceIds"),
        ("ec2", "describe_instances", {"Filters": [{"Nam": "x"}]}, r'Unknown parameter in Filters\[0\]: "Nam"'),
        ("ec2", "run_instances", {"MinCount": 1}, r'Missing required parameter in input: "MaxCount"'),
        ("sqs", "get_queue_url", {}, r"QueueName"),
        ("ec2", "describe_instances", {"MaxResults": "5"}, r"MaxResults"),
        ("s3", "list_buckets", {"": 1}, r"no parameter ''"),
    ],
)
def test_parameters_that_are_wrong(service, name, parameters, match):
    with pytest.raises(ConfigError, match=match) as caught:
        check_parameters(operation(service, name), parameters)
    assert "\n" not in str(caught.value)


def test_an_operation_without_parameters_takes_none():
    found = operation("cur", "describe_report_definitions")
    check_parameters(found, {})
    none = next(
        each for each in every_operation("iam", "sts", "s3control", "batch", "account") if each.input_shape is None
    )
    found = operation(none.service_model.service_name, none.name)
    check_parameters(found, {})
    with pytest.raises(ConfigError, match="Foo.* takes none|takes no parameters; got Foo"):
        check_parameters(found, {"Foo": 1})


# -- read-only ---------------------------------------------------------------------------------------------------------


def every_operation(*services):
    for service in services or CORE.get_available_services():
        model = CORE.get_service_model(service)
        for name in model.operation_names:
            yield model.operation_model(name)


CHANGES = re.compile(
    "Accept|Add|Apply|Approve|Assign|Associate|Attach|Authorize|Cancel|Close|Complete|Copy|Create|Delete|Deploy|"
    "Deregister|Detach|Disable|Disassociate|Enable|Execute|Export|Import|Initiate|Invite|Invoke|Merge|Modify|Move|"
    "Promote|Publish|Purchase|Purge|Put|Reboot|Refresh|Register|Reject|Release|Remove|Replace|Request|Reset|Restore|"
    "Resume|Revoke|Rotate|Run|Schedule|Send|Set|Start|Stop|Submit|Suspend|Swap|Tag|Terminate|Transfer|Unassign|"
    "Untag|Update|Upgrade|Upload|Write"
)


def test_nothing_that_changes_something_is_called_read_only():
    count, wrong = 0, []
    for each in every_operation():
        if not is_read_only(each):
            continue
        count += 1
        name, raw = each.name, each._operation_model
        said = raw.get("readonly") is True
        if each.http.get("method") in {"PUT", "DELETE", "PATCH"}:
            wrong.append((each.service_model.service_name, name, each.http["method"]))
        if CHANGES.match(name) and not said:
            wrong.append((each.service_model.service_name, name))
        if raw.get("readonly") is False:
            wrong.append((each.service_model.service_name, name, "by its model"))
    assert wrong == []
    assert count > 5000


@pytest.mark.parametrize(
    "text",
    """
    ec2.DescribeInstances ec2.GetConsoleOutput ec2.SearchTransitGatewayRoutes iam.ListRoles iam.GetRole
    iam.SimulatePrincipalPolicy s3.HeadObject s3.GetObject s3.ListObjectsV2 s3.SelectObjectContent dynamodb.Scan
    dynamodb.Query dynamodb.BatchGetItem sqs.ListQueues sqs.GetQueueAttributes sts.GetCallerIdentity
    cloudtrail.LookupEvents logs.FilterLogEvents ce.GetCostAndUsage rekognition.CompareFaces
    ecr.BatchGetImage ecr.BatchCheckLayerAvailability codebuild.BatchGetProjects ssm.GetParameter
    organizations.ListAccounts pricing.GetProducts resource-explorer-2.Search workmail.DescribeUser
    """.split(),
)
def test_what_is_read_only(text):
    assert is_read_only(operation(*text.rsplit(".", 1)).model)


@pytest.mark.parametrize(
    "text",
    """
    ec2.TerminateInstances ec2.RunInstances ec2.StopInstances ec2.ModifyInstanceAttribute ec2.CreateTags
    ec2.AuthorizeSecurityGroupIngress iam.CreateRole iam.DeleteRole iam.AttachRolePolicy iam.TagRole
    iam.UploadSSHPublicKey
    s3.PutObject s3.DeleteObjects s3.CopyObject s3.RestoreObject s3.UploadPart dynamodb.PutItem
    dynamodb.BatchWriteItem dynamodb.ExecuteStatement sqs.SendMessage sqs.ReceiveMessage sqs.PurgeQueue
    sqs.SetQueueAttributes
    sts.AssumeRole lambda.Invoke lambda.PublishVersion sns.Publish sns.Subscribe logs.StartQuery rds.RebootDBInstance
    elasticache.TestFailover support.ResolveCase kms.Encrypt kms.ScheduleKeyDeletion route53.ChangeResourceRecordSets
    cloudformation.ExecuteChangeSet cloudformation.DetectStackDrift ssm.SendCommand athena.StartQueryExecution
    organizations.CloseAccount ecr.BatchDeleteImage config.StartConfigRulesEvaluation autoscaling.ExecutePolicy
    """.split(),
)
def test_what_is_not_read_only(text):
    assert not is_read_only(operation(*text.rsplit(".", 1)).model)


def test_what_makes_something_on_the_way_is_not_read_only():
    for service, name in sorted(_CHANGES - {("apigatewayv2", "PreviewPortal")}):  # the oldest botocore has no portals
        assert not is_read_only(operation(service, name).model), name
    assert not is_read_only(operation("redshift", "GetClusterCredentials").model)  # AutoCreate
    assert is_read_only(operation("sts", "GetSessionToken").model)


# -- errors ------------------------------------------------------------------------------------------------------------


def answered(code, status=400, message="no", **headers):
    metadata = {"HTTPStatusCode": status, "HTTPHeaders": headers}
    return ClientError({"Error": {"Code": code, "Message": message}, "ResponseMetadata": metadata}, "ListThings")


def caused(error, cause):
    error.__cause__ = cause
    return error


class HttpxError(Exception):
    response = object()


URL = {"endpoint_url": "https://ec2.eu-west-1.amazonaws.com"}


@pytest.mark.parametrize(
    ("error", "fault", "passing"),
    [
        (answered("AccessDenied", 403), "denied", False),
        (answered("AccessDeniedException", 403, "explicit deny in a service control policy"), "denied", False),
        (answered("UnauthorizedOperation", 403), "denied", False),
        (answered("SubscriptionRequiredException"), "denied", False),
        (answered("InvalidClientTokenId", 403), "denied", False),
        (answered("OptInRequired", 401), "disabled", False),
        (answered("RegionDisabledException"), "disabled", False),
        (answered("Throttling"), "throttled", True),
        (answered("RequestLimitExceeded", 503), "throttled", True),
        (answered("TooManyRequestsException", 429), "throttled", True),
        (answered("SomethingNew", 429), "throttled", True),
        (answered("SlowDown", 503), "throttled", True),
        (answered("ExpiredToken"), "expired", False),
        (answered("ExpiredTokenException"), "expired", False),
        (answered("RequestExpired"), "expired", False),
        (answered("UnknownOperationException"), "unsupported", False),
        (answered("InvalidAction"), "unsupported", False),
        (answered("InternalError", 500), "failed", True),
        (answered("Unheard", 503), "failed", True),
        (answered("ValidationException"), "failed", False),
        (answered("", 404), "failed", False),
        (botocores.ReadTimeoutError(**URL), "timeout", True),
        (botocores.ConnectTimeoutError(**URL), "timeout", True),
        (TimeoutError(), "timeout", False),
        (botocores.EndpointConnectionError(**URL), "failed", True),
        (botocores.ConnectionClosedError(**URL), "failed", True),
        (botocores.ParamValidationError(report="x"), "failed", False),
        (botocores.NoCredentialsError(), "denied", False),
        (botocores.UnauthorizedSSOTokenError(), "expired", False),
        (LoginRequiredError("log in"), "expired", False),
        (RegionDisabledError("no"), "disabled", False),
        (NoRegionsError("none"), "unsupported", False),
        (CredentialError("none"), "denied", False),
        (caused(AssumeRoleError("no"), answered("AccessDenied", 403)), "denied", False),
        (caused(AssumeRoleError("no"), answered("Throttling")), "throttled", True),
        (caused(AssumeRoleError("no"), answered("ExpiredToken")), "expired", False),
        (caused(AssumeRoleError("no"), answered("InternalFailure", 500)), "failed", True),
        (caused(AssumeRoleError("no"), botocores.ReadTimeoutError(**URL)), "timeout", True),
        (caused(AssumeRoleError("no"), botocores.EndpointConnectionError(**URL)), "failed", True),
        (ValueError("x"), "failed", False),
        (HttpxError("x"), "failed", False),
    ],
)
def test_what_an_error_says(error, fault, passing):
    assert (fault_of(error), is_passing(error)) == (fault, passing)


def test_a_bad_key_in_a_region_that_must_be_enabled_means_that_it_is_not():
    error = answered("UnrecognizedClientException")
    assert (fault_of(error), fault_of(error, opt_in=True)) == ("denied", "disabled")


@pytest.mark.parametrize(
    ("error", "seconds"),
    [
        (answered("Throttling", **{"retry-after": "3"}), 3.0),
        (answered("Throttling", **{"retry-after": "Wed, 21 Oct 2026 07:28:00 GMT"}), 0.0),
        (answered("Throttling", **{"retry-after": "-1"}), 0.0),
        (answered("Throttling", **{"retry-after": "٣"}), 0.0),
        (answered("Throttling"), 0.0),
        (HttpxError(), 0.0),
        (OSError(), 0.0),
    ],
)
def test_how_long_aws_asks_to_wait(error, seconds):
    assert retry_after(error) == seconds


@pytest.mark.parametrize("response", [None, [], "text", {"Error": None}, {"Error": "text"}, {"ResponseMetadata": 3}])
def test_errors_of_others_have_no_code(response):
    error = ValueError("x")
    error.response = response
    assert (code_of(error), retry_after(error), fault_of(error)) == ("", 0.0, "failed")


# -- pages -------------------------------------------------------------------------------------------------------------


def value_of(shape, dice, depth=0):
    """Return a value of a shape, with members left out as it comes."""
    kind = shape.type_name
    if kind == "structure":
        members = shape.members.items() if depth < 4 else ()
        return {name: value_of(each, dice, depth + 1) for name, each in members if dice.random() < 0.8}
    if kind == "list":
        return [value_of(shape.member, dice, depth + 1) for _ in range(dice.randrange(3))] if depth < 4 else []
    if kind == "map":
        return {}
    if kind == "boolean":
        return dice.random() < 0.7
    if kind in {"integer", "long", "float", "double"}:
        return dice.randrange(2)
    return dice.choice(["", "a", "b", "c", "d", "e", "f", "g"])


def theirs(definition, model, answers):
    asked, left = [], iter(answers)

    def method(**given):
        asked.append(given)
        return next(left, {})

    try:
        for _ in Paginator(method, definition, model).paginate(Given="x"):
            pass
    except PaginationError:
        asked.append("twice")
    return asked


def ours(definition, name, answers):
    paging, left = paging_from(definition), iter(answers)
    asked, request = [], {"Given": "x"}
    while request is not None:
        asked.append(request)
        try:
            request = next_request(paging, request, next(left, {}), name)
        except PaginationError as error:
            # botocore stops there without a word: the list would seem complete.
            return asked if "does not say where" in str(error) else [*asked, "twice"]
    return asked


def test_pages_follow_one_another_as_botocores_paginators_have_it():
    dice, seen, longest = random.Random(7), 0, 0  # noqa: S311  the same each time
    for service in CORE.get_available_services():
        try:
            paginators = CORE.get_paginator_model(service)._paginator_config
        except (botocores.DataNotFoundError, ValueError):
            continue
        model = CORE.get_service_model(service)
        for name, definition in paginators.items():
            operation_model = model.operation_model(name)
            for _ in range(3):
                answers = [value_of(operation_model.output_shape, dice) for _ in range(4)]
                expected = theirs(definition, operation_model, answers)
                assert ours(definition, name, answers) == expected, (service, name, answers)
                longest = max(longest, len(expected))
            seen += 1
    assert seen > 2000
    assert longest > 3
