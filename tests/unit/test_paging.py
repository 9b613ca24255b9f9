"""Every page of a list is read, whatever the API calls its tokens, and what can't be read whole says so."""

from __future__ import annotations

from itertools import count

import boto3
import pytest
from boto3.resources.collection import CollectionFactory, CollectionManager, ResourceCollection
from boto3.resources.factory import ResourceFactory
from botocore.awsrequest import AWSResponse
from botocore.exceptions import PaginationError

import mangrove
from mangrove.aws.paging import pages_of, paging_of

KEYS = {
    "aws_access_key_id": "AKIAIOSFODNN7EXAMPLE",
    "aws_secret_access_key": "s" * 40,
    "aws_account_id": "123456789012",
}


@pytest.fixture
def session():
    return mangrove.Session(region_name="eu-west-1", **KEYS)


class Api:
    """Answers for an API, and remembers what it was asked."""

    def __init__(self, session, service, operation, answers):
        self.asked, self._answers = [], iter(answers)
        session.events.register(f"provide-client-params.{service}.{operation}", self._ask)
        session.events.register(f"before-call.{service}.{operation}", self._answer)

    def _ask(self, params, **_):
        self.asked.append(dict(params))

    def _answer(self, **_):
        return AWSResponse("https://example.com", 200, {}, None), next(self._answers)


def operation(service, name):
    client = boto3.client(service, region_name="eu-west-1")
    return client.meta.service_model.operation_model(name)


@pytest.mark.parametrize(
    ("service", "name", "tokens", "more"),
    [
        ("events", "ListEventBuses", (("NextToken", "NextToken"),), ""),
        ("wafv2", "ListWebACLs", (("NextMarker", "NextMarker"),), ""),
        ("cloudfront", "ListCachePolicies", (("Marker", "CachePolicyList.NextMarker"),), ""),
        ("pinpoint", "GetApps", (("Token", "ApplicationsResponse.NextToken"),), ""),
        ("lightsail", "GetBuckets", (("pageToken", "nextPageToken"),), ""),
        ("route53", "ListReusableDelegationSets", (("Marker", "NextMarker"),), "IsTruncated"),
        ("s3", "ListBucketInventoryConfigurations", (("ContinuationToken", "NextContinuationToken"),), "IsTruncated"),
        ("dynamodb", "ListGlobalTables", (("ExclusiveStartGlobalTableName", "LastEvaluatedGlobalTableName"),), ""),
        (
            "firehose",
            "ListDeliveryStreams",
            (("ExclusiveStartDeliveryStreamName", "DeliveryStreamNames[-1]"),),
            "HasMoreDeliveryStreams",
        ),
        ("firehose", "ListTagsForDeliveryStream", (("ExclusiveStartTagKey", "Tags[-1].Key"),), "HasMoreTags"),
        ("sts", "GetCallerIdentity", (), ""),
        ("workdocs", "GetResources", (("Marker", "Marker"),), ""),  # it takes an AuthenticationToken too
    ],
)
def test_tokens_follow_from_the_members(service, name, tokens, more):
    found = paging_of(operation(service, name))
    assert (found.tokens, found.more) == (tokens, more)


def test_a_collection_gives_all_pages(session):
    pages = [
        {"WebACLs": [{"Name": "a", "Id": "1", "ARN": "arn:a"}], "NextMarker": "x"},
        {"WebACLs": [{"Name": "b", "Id": "2", "ARN": "arn:b"}], "NextMarker": "y"},
        {"WebACLs": [{"Name": "c", "Id": "3", "ARN": "arn:c"}]},
    ]
    api = Api(session, "wafv2", "ListWebACLs", pages)
    assert [each.name for each in session.resource("wafv2").regional_web_acls.page_size(1)] == ["a", "b", "c"]
    assert [each.get("NextMarker") for each in api.asked] == [None, "x", "y"]
    assert {each["Limit"] for each in api.asked} == {1}
    assert {each["Scope"] for each in api.asked} == {"REGIONAL"}


def test_a_collection_of_a_resource_gives_all_pages(session):
    pages = [{"webhooks": [{"webhookId": "a"}], "nextToken": "x"}, {"webhooks": [{"webhookId": "b"}]}]
    api = Api(session, "amplify", "ListWebhooks", pages)
    assert [each.id for each in session.resource("amplify").App("d1").webhooks.all()] == ["a", "b"]
    assert api.asked == [{"appId": "d1"}, {"appId": "d1", "nextToken": "x"}]


@pytest.mark.parametrize(("most", "calls"), [(1, 1), (2, 1), (3, 2), (9, 3)])
def test_a_limit_ends_the_reading(session, most, calls):
    pages = [{"EventBuses": [{"Name": f"{n}{x}"} for x in "ab"], "NextToken": str(n)} for n in (1, 2)]
    api = Api(session, "events", "ListEventBuses", [*pages, {"EventBuses": []}])
    assert len(list(session.resource("events").event_buses.limit(most))) == min(most, 4)
    assert len(api.asked) == calls


def test_a_list_that_goes_on_after_its_last_item(session):
    pages = [
        {"DeliveryStreamNames": ["a", "b"], "HasMoreDeliveryStreams": True},
        {"DeliveryStreamNames": ["c"], "HasMoreDeliveryStreams": False},
    ]
    api = Api(session, "firehose", "ListDeliveryStreams", pages)
    assert [each.name for each in session.resource("firehose").delivery_streams.all()] == ["a", "b", "c"]
    assert api.asked[1] == {"ExclusiveStartDeliveryStreamName": "b"}


@pytest.mark.parametrize("tokens", [["x"], ["x", "y"]])
def test_a_token_that_comes_again_is_an_error(session, tokens):
    pages = ({"EventBuses": [{"Name": str(n)}], "NextToken": tokens[n % len(tokens)]} for n in count())
    Api(session, "events", "ListEventBuses", pages)
    with pytest.raises(PaginationError, match="twice"):
        list(session.resource("events").event_buses.all())


def test_a_list_without_a_way_on_does_not_pretend_to_be_whole(session):
    page = {"ProvisioningArtifactDetails": [], "NextPageToken": "x"}
    Api(session, "service-catalog", "ListProvisioningArtifacts", [page, {**page, "NextPageToken": None}])
    client = session.client("servicecatalog")
    pages = pages_of(client, "list_provisioning_artifacts", {"ProductId": "prod-1"})
    assert next(pages)["NextPageToken"] == "x"
    with pytest.raises(PaginationError, match="narrow"):
        next(pages)
    assert len(list(pages_of(client, "list_provisioning_artifacts", {"ProductId": "prod-1"}))) == 1


def test_where_a_list_says_that_there_is_more_it_must_say_where(session):
    Api(session, "firehose", "ListDeliveryStreams", [{"DeliveryStreamNames": [], "HasMoreDeliveryStreams": True}])
    with pytest.raises(PaginationError, match="where it goes on"):
        list(session.resource("firehose").delivery_streams.all())


def test_tags_come_with_all_of_their_pages(session):
    pages = [
        {"Tags": [{"Key": "a", "Value": "1"}], "HasMoreTags": True},
        {"Tags": [{"Key": "b", "Value": "2"}], "HasMoreTags": False},
    ]
    api = Api(session, "firehose", "ListTagsForDeliveryStream", pages)
    assert session.resource("firehose").DeliveryStream("s").get_tags() == {"a": "1", "b": "2"}
    assert api.asked[1] == {"DeliveryStreamName": "s", "ExclusiveStartTagKey": "a"}


def test_what_botocore_paginates_is_left_to_it(session):
    api = Api(session, "sqs", "ListQueues", [{"QueueUrls": ["https://a/1/a"], "NextToken": "x"}, {}])
    assert len(list(session.resource("sqs").queues.page_size(1))) == 1
    assert [each.get("MaxResults") for each in api.asked] == [1, 1]


def test_the_parts_of_boto3_that_are_relied_on_are_there(session):
    """A canary: boto3 keeps these to itself."""
    assert isinstance(ResourceFactory(None)._collection_factory, CollectionFactory)
    assert CollectionManager._collection_cls is ResourceCollection
    collection = session.resource("sqs").queues.filter(QueueNamePrefix="a").limit(3)
    assert {"_parent", "_model", "_params", "_handler"} <= vars(collection).keys()
    assert collection._params == {"QueueNamePrefix": "a", "limit": 3}
