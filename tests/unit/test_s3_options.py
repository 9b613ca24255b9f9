"""Options are read by any of their names, refused with a reason, and reach the calls that take them."""

from __future__ import annotations

import datetime as dt
import urllib.parse

import botocore.session
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mangrove.errors import ConfigError, DeclarationTypeError
from mangrove.s3.rules.options import NONE, OPERATIONS, Options, Table, members_of

CANARY = "canary-key-of-32-bytes-0123456789"


@pytest.fixture(scope="module")
def table():
    return Table(members_of(botocore.session.get_session().get_service_model("s3")))


def test_every_name_of_the_api_is_one_name(table):
    model = botocore.session.get_session().get_service_model("s3")
    names = {name for operation in OPERATIONS for name in model.operation_model(operation).input_shape.members}
    assert len({name.lower() for name in names}) == len(names)
    for name in names:
        assert table._known[name.lower()] == name
        assert table._known[botocore.xform_name(name).replace("_", "")] == name


@pytest.mark.parametrize(
    ("name", "value", "member"),
    [
        ("content_type", "text/css", "ContentType"),
        ("ContentType", "text/css", "ContentType"),
        ("if_none_match", "*", "IfNoneMatch"),
        ("storage_class", "GLACIER", "StorageClass"),
        ("acl", "private", "ACL"),
        ("sse_kms_key_id", "alias/x", "SSEKMSKeyId"),
        ("ssekms_key_id", "alias/x", "SSEKMSKeyId"),
        ("server_side_encryption", "aws:kms", "ServerSideEncryption"),
        ("bucket_key_enabled", True, "BucketKeyEnabled"),
        ("expires", dt.datetime(2030, 1, 1, tzinfo=dt.timezone.utc), "Expires"),
        ("request_payer", "requester", "RequestPayer"),
        ("object_lock_mode", "GOVERNANCE", "ObjectLockMode"),
        ("checksum_algorithm", "SHA256", "ChecksumAlgorithm"),
        ("tagging", "a=b", "Tagging"),
        ("expected_bucket_owner", "123456789012", "ExpectedBucketOwner"),
    ],
)
def test_options_by_any_name(table, name, value, member):
    assert dict(table.read("upload", {name: value})) == {member: value}
    assert dict(table.read("upload", extra={name: value})) == {member: value}
    assert table.read("upload", {name: value}).of("PutObject") == {member: value}


def test_an_upload_deals_its_options_out(table):
    options = table.read(
        "upload",
        {
            "if_none_match": "*",
            "storage_class": "GLACIER",
            "sse_customer_key": CANARY,
            "expected_bucket_owner": "1" * 12,
        },
        metadata={"owner": "ops"},
    )
    key = {"SSECustomerKey": CANARY, "SSECustomerAlgorithm": "AES256"}
    owner = {"ExpectedBucketOwner": "1" * 12}
    stays = {"StorageClass": "GLACIER", "Metadata": {"owner": "ops"}}
    assert options.of("PutObject") == {**stays, **key, **owner, "IfNoneMatch": "*"}
    assert options.of("CreateMultipartUpload") == {**stays, **key, **owner}
    assert options.of("UploadPart") == {**key, **owner}
    assert options.of("CompleteMultipartUpload") == {**key, **owner, "IfNoneMatch": "*"}
    assert options.of("AbortMultipartUpload") == owner
    assert options.of("HeadObject") == {**key, **owner}  # the condition is the upload's, not the look's
    assert options.of("ListBuckets") == {}


def test_a_checksum_of_the_whole_is_none_of_a_part(table):
    options = table.read("upload", {"checksum_crc32": "AAAAAA==", "ContentMD5": "1B2M2Y8AsgTpgAmY7PhCfg=="})
    assert options.of("UploadPart") == {}
    assert options.of("CompleteMultipartUpload") == {"ChecksumCRC32": "AAAAAA=="}


def test_what_parts_would_lose_is_known(table):
    options = table.read("upload", {"ContentMD5": "1B2M2Y8AsgTpgAmY7PhCfg==", "acl": "private", "if_none_match": "*"})
    assert options.lost("PutObject") == []
    assert options.lost("CreateMultipartUpload", "UploadPart", "CompleteMultipartUpload") == ["ContentMD5"]
    assert NONE.lost("PutObject") == []


def test_a_download_and_its_look_ask_for_the_same(table):
    options = table.read("download", {"version_id": "v1", "if_match": '"1"', "RequestPayer": "requester"})
    assert options.of("GetObject") == options.of("HeadObject") == dict(options)
    assert options.of("GetObjectAttributes") == {"VersionId": "v1", "RequestPayer": "requester"}


def test_a_copy_replaces_what_it_is_told_to(table):
    options = table.read("copy", {"content_type": "a/b"}, tags={"a": "b"})
    assert options.of("CopyObject")["MetadataDirective"] == "REPLACE"
    assert options.of("CopyObject")["TaggingDirective"] == "REPLACE"
    assert "MetadataDirective" not in options.of("CreateMultipartUpload")
    assert dict(table.read("copy", {"storage_class": "GLACIER"})) == {"StorageClass": "GLACIER"}
    with pytest.raises(ConfigError, match="would be dropped by S3"):
        table.read("copy", {"content_type": "a/b", "metadata_directive": "COPY"})


def test_the_source_of_a_copy_has_its_own_key(table):
    options = table.read("copy", {"copy_source_sse_customer_key": CANARY, "sse_customer_key": "other"})
    assert options.of_source() == {"SSECustomerKey": CANARY, "SSECustomerAlgorithm": "AES256"}
    assert options.of("UploadPartCopy")["CopySourceSSECustomerKey"] == CANARY
    assert options.of("UploadPart")["SSECustomerKey"] == "other"


def test_headers(table):
    options = table.read(
        "upload",
        headers={"content-type": "a/b", "X-Amz-Meta-Owner": "ops", "x-amz-storage-class": "GLACIER"}
        | {"x-amz-server-side-encryption-bucket-key-enabled": "true", "Cache-Control": "no-store"},
    )
    assert dict(options) == {
        "BucketKeyEnabled": True,
        "CacheControl": "no-store",
        "ContentType": "a/b",
        "Metadata": {"owner": "ops"},
        "StorageClass": "GLACIER",
    }


def test_what_is_said_twice_alike_is_fine(table):
    options = table.read(
        "upload",
        {"content_type": "a/b", "ContentType": "a/b", "Metadata": {"a": "1"}},
        headers={"Content-Type": "a/b", "x-amz-meta-a": "1", "x-amz-meta-b": "2"},
        metadata={"A": "1", "c": "3"},
    )
    assert dict(options) == {"ContentType": "a/b", "Metadata": {"a": "1", "b": "2", "c": "3"}}


@pytest.mark.parametrize(
    ("kwargs", "says"),
    [
        ({"options": {"content_typ": "a/b"}}, r"did you mean 'content_type' \(ContentType\)"),
        ({"options": {"sse_customer_keys": "x"}}, r"did you mean 'sse_customer_key'"),
        ({"options": {"zzz": 1}}, "upload has no option 'zzz'$"),
        ({"options": {"version_id": "v"}}, "it is one of download, head, delete"),
        ({"options": {"Key": "k"}}, "upload sets Key itself"),
        ({"options": {"content_length": 3}}, "upload sets ContentLength itself"),
        ({"headers": {"Content-Length": "3"}}, "upload sets ContentLength itself"),
        ({"headers": {"Content-Typ": "3"}}, "no header 'Content-Typ'.*did you mean 'content_type'"),
        ({"headers": {"Host": "evil"}}, "no header 'Host'"),
        ({"headers": {"Content-Type": "a/b"}, "options": {"content_type": "c/d"}}, "contradicts another ContentType"),
        ({"options": {"content_type": "a/b"}, "extra": {"ContentType": "c/d"}}, "contradicts another ContentType"),
        ({"options": {"tagging": "a=b"}, "tags": {"a": "c"}}, "contradicts another Tagging"),
        ({"metadata": {"a": "1"}, "headers": {"x-amz-meta-A": "2"}}, "'a' is given twice"),
        ({"metadata": {"a": "1", "A": "2"}}, "twice, in different capitals"),
        ({"metadata": {"a": "é"}}, "US-ASCII"),
        ({"metadata": {"é": "a"}}, "letters, digits"),
        ({"metadata": {"": "a"}}, "letters, digits"),
        ({"metadata": {"a b": "a"}}, "letters, digits"),
        ({"metadata": {"a:b": "a"}}, "letters, digits"),
        ({"metadata": {"a": "x\r\nx-amz-acl: public-read"}}, r"control character U\+000D"),
        ({"metadata": {"a\r\nb": "x"}}, "letters, digits"),
        ({"metadata": {"a": " x"}}, "begins or ends with a space"),
        ({"metadata": {"a": "x" * 2048}}, "2049 bytes"),
        ({"metadata": {"a": "x" * 1100}, "headers": {"x-amz-meta-b": "x" * 1100}}, "2202 bytes"),
        ({"options": {"content_type": "a/b\nX: y"}}, r"ContentType has the control character U\+000A"),
        ({"options": {"content_disposition": "é"}}, r"ContentDisposition has U\+00E9"),
        ({"headers": {"x-amz-server-side-encryption-bucket-key-enabled": "yes"}}, "true or false"),
        ({"tags": {str(n): "" for n in range(11)}}, "11 tags"),
        ({"tags": {"": "a"}}, "1 to 128"),
        ({"tags": {"a": "x" * 257}}, "257 characters"),
        ({"tags": {"aws:x": "y"}}, "AWS's own"),
        ({"tags": {"a": "\ud800"}}, "lone surrogate"),
    ],
)
def test_what_is_refused(table, kwargs, says):
    with pytest.raises(ConfigError, match=says):
        table.read("upload", **kwargs)


@pytest.mark.parametrize(
    "kwargs",
    [
        {"options": {1: "a"}},
        {"headers": {1: "a"}},
        {"headers": {"Content-Type": 1}},
        {"options": {"content_type": b"a/b"}},
        {"options": {"bucket_key_enabled": "true"}},
        {"options": {"checksum_algorithm": True}},
        {"metadata": {"a": 1}},
        {"metadata": [("a", "b")]},
        {"metadata": "a=b"},
        {"tags": {"a": None}},
    ],
)
def test_wrong_types(table, kwargs):
    with pytest.raises(DeclarationTypeError):
        table.read("upload", **kwargs)


def test_nothing_given_costs_nothing(table):
    assert table.read("upload") is NONE
    assert table.read("upload", {"content_type": None}, headers={}, metadata=None) is NONE
    assert NONE.of("PutObject") == {}
    assert NONE.of("PutObject") is not NONE.of("PutObject")


def test_a_call_may_change_what_it_gets(table):
    options = table.read("upload", {"content_type": "a/b"})
    options.of("PutObject")["Bucket"] = "b"
    assert options.of("PutObject") == {"ContentType": "a/b"}


@pytest.mark.parametrize("key", [CANARY, CANARY.encode(), CANARY + "\n\x00é"])
def test_a_key_is_taken_as_it_is_and_never_shown(table, key):
    options = table.read("upload", {"sse_customer_key": key})
    assert options["SSECustomerKey"] == key
    assert CANARY not in repr(options)
    assert "SSECustomerKey" in repr(options)
    with pytest.raises(ConfigError) as caught:
        table.read("upload", {"sse_customer_key": key, "SSECustomerKey": "other" + CANARY})
    assert CANARY not in str(caught.value)


def test_reprs():
    assert repr(NONE) == "<Options>"
    assert repr(Options({"b": 1, "a": 2}, {})) == "<Options a, b>"


UTF8 = st.characters(codec="utf-8")


@given(st.dictionaries(st.text(UTF8, min_size=1, max_size=128), st.text(UTF8, max_size=256), max_size=10))
def test_tags_come_back(table, tags):
    if any(key.lower().startswith("aws:") for key in tags):
        return
    text = table.read("upload", tags=tags).get("Tagging", "")
    assert dict(urllib.parse.parse_qsl(text, keep_blank_values=True, strict_parsing=bool(tags))) == tags


@given(value=st.text())
def test_no_value_makes_a_second_header(table, value):
    for kwargs in ({"metadata": {"a": value}}, {"options": {"cache_control": value}}, {"headers": {"Expires": value}}):
        try:
            options = table.read("upload", **kwargs)
        except ConfigError:
            continue
        assert value.isascii()
        assert not set(value) & {"\r", "\n", "\0"}
        assert value in [*options.values(), *options.get("Metadata", {}).values()]
