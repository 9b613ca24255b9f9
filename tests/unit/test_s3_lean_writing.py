"""Requests are botocore's: the same target, fields and body for the same parameters, and a signature it would make."""

from __future__ import annotations

import datetime as dt
import re
from io import BytesIO
from urllib.parse import parse_qsl, urlsplit

import pytest
from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest, AWSResponse
from botocore.config import Config
from botocore.credentials import Credentials
from hypothesis import given, settings
from hypothesis import strategies as st

import mangrove
from mangrove.errors import ConfigError
from mangrove.s3.engines.base import Call
from mangrove.s3.engines.lean.endpoints import UnusualError, resolve
from mangrove.s3.engines.lean.requests import OPERATIONS
from mangrove.s3.engines.lean.writing import Writer

KEYS = Credentials("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", "a/token+==")
# What the transport says for itself, or what differs by design: checksums are the layers' above.
OF_THE_TRANSPORT = frozenset(
    "host user-agent amz-sdk-invocation-id amz-sdk-request authorization x-amz-date accept-encoding content-length expect"  # noqa: E501
    " x-amz-content-sha256 x-amz-security-token content-type".split()
)


def make_client(**arguments):
    session = mangrove.Session(
        aws_access_key_id=KEYS.access_key,
        aws_secret_access_key=KEYS.secret_key,
        aws_session_token=KEYS.token,
        region_name="eu-west-1",
    )
    config = Config(request_checksum_calculation="when_required", response_checksum_validation="when_required")
    return session.client("s3", config=config.merge(arguments.pop("config", Config())), **arguments)


CLIENT = make_client()
WRITER = Writer(make_client(), KEYS)


class Raw(BytesIO):
    def stream(self, *_, **__):
        return iter(())


def botocores(client, operation, params, body=None):
    made = []

    def capture(request, **_):
        made.append(request)
        content = b"<R/>" if operation != "HeadObject" else b""
        response = AWSResponse(request.url, 200, {}, Raw())
        response._content = content
        return response

    client.meta.events.register_first("before-send.s3", capture)
    method = next(name for name, api in client.meta.method_to_api_mapping.items() if api == operation)
    try:
        getattr(client, method)(**params, **({} if body is None else {"Body": body}))
    finally:
        client.meta.events.unregister("before-send.s3", capture)
    return made[0]


def read_head(head: bytes):
    line, *fields = head.decode().rstrip("\r\n").split("\r\n")
    method, target, version = line.split(" ")
    assert version == "HTTP/1.1"
    return method, target, dict(field.split(": ", 1) for field in fields)


def assert_alike(params, operation, body=None, client=CLIENT, writer=WRITER):
    theirs = botocores(client, operation, params, body)
    ours = writer.write(Call(operation, params, body=body))
    method, target, fields = read_head(ours.head)
    url = urlsplit(theirs.url)
    assert method == theirs.method
    assert f"{ours.origin}{target.partition('?')[0]}" == f"{url.scheme}://{url.netloc}{url.path}"
    assert sorted(parse_qsl(target.partition("?")[2], keep_blank_values=True)) == sorted(
        parse_qsl(url.query, keep_blank_values=True)
    )
    wanted = {name.lower(): text(value) for name, value in theirs.headers.items()}
    for name in wanted.keys() | fields.keys():
        if name not in OF_THE_TRANSPORT:
            assert fields.get(name) == wanted.get(name), name
    assert fields["host"] == url.netloc
    # Which features a client has used changes from call to call.
    assert re.sub(r" m/\S+", "", fields["user-agent"]) == re.sub(r" m/\S+", "", wanted["user-agent"])
    if theirs.body is not None:
        sent = theirs.body if isinstance(theirs.body, bytes) else theirs.body.read()
        if operation not in ("DeleteObjects", "CompleteMultipartUpload"):
            assert bytes(ours.body) == sent
    assert_signed(method, f"{ours.origin}{target}", fields)


def text(value):
    return value.decode() if isinstance(value, bytes) else value


def assert_signed(method, url, fields, keys=KEYS, region="eu-west-1"):
    """The signature is the one that botocore's own signer makes of the same request."""
    names = fields["authorization"].split("SignedHeaders=")[1].split(",")[0].split(";")
    request = AWSRequest(method, url, headers={name: fields[name] for name in names if name != "host"})
    request.context = {"timestamp": fields["x-amz-date"], "client_config": None}
    signer = S3SigV4Auth(keys, "s3", region)
    canonical = signer.canonical_request(request)
    signature = signer.signature(signer.string_to_sign(request, canonical), request)
    assert fields["authorization"].endswith(f"Signature={signature}")


NAMES = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), min_size=1, max_size=40).filter(
    lambda key: len(key.encode()) < 1000
)


@given(NAMES)
@settings(max_examples=150, deadline=None)
def test_any_key_goes_where_botocore_sends_it(key):
    assert_alike({"Bucket": "bucket", "Key": key}, "GetObject")


@given(NAMES, NAMES, st.integers(1, 1000))
@settings(max_examples=80, deadline=None)
def test_queries(prefix, token, number):
    params = {
        "Bucket": "bucket",
        "Prefix": prefix,
        "ContinuationToken": token,
        "MaxKeys": number,
        "EncodingType": "url",
    }
    assert_alike(params, "ListObjectsV2")


WHEN = dt.datetime(2026, 11, 22, 20, 15, 1, tzinfo=dt.timezone.utc)
OBJECT = {"Bucket": "bucket", "Key": "a/b"}


@pytest.mark.parametrize(
    ("operation", "params", "body"),
    [
        ("PutObject", OBJECT, b"hello"),
        (
            "PutObject",
            {
                **OBJECT,
                "ACL": "private",
                "CacheControl": "max-age=5,  public",
                "ContentDisposition": 'attachment; filename="a.txt"',
                "ContentEncoding": "gzip",
                "ContentLanguage": "de",
                "Expires": WHEN,
                "IfNoneMatch": "*",
                "Metadata": {"Owner": "Ada", "b": "two  spaces"},
                "ServerSideEncryption": "aws:kms",
                "SSEKMSKeyId": "alias/key",
                "BucketKeyEnabled": True,
                "StorageClass": "STANDARD_IA",
                "Tagging": "a=1&b=2",
                "ObjectLockMode": "GOVERNANCE",
                "ObjectLockRetainUntilDate": WHEN,
                "RequestPayer": "requester",
                "ExpectedBucketOwner": "123456789012",
                "ChecksumCRC32": "AAAAAA==",
            },
            b"x" * 70_000,
        ),
        ("PutObject", {**OBJECT, "SSECustomerAlgorithm": "AES256", "SSECustomerKey": b"k" * 32}, b""),
        ("PutObject", {**OBJECT, "SSECustomerAlgorithm": "AES256", "SSECustomerKey": "k" * 32}, b""),
        ("GetObject", {**OBJECT, "Range": "bytes=0-9", "VersionId": "v 1+/=", "IfMatch": '"e"'}, None),
        ("GetObject", {**OBJECT, "PartNumber": 3, "ChecksumMode": "ENABLED", "IfModifiedSince": WHEN}, None),
        ("GetObject", {**OBJECT, "ResponseContentType": "text/plain; charset=utf-8", "ResponseExpires": WHEN}, None),
        ("HeadObject", OBJECT, None),
        ("DeleteObject", {**OBJECT, "VersionId": "v", "BypassGovernanceRetention": False}, None),
        ("CopyObject", {**OBJECT, "CopySource": "b/k%20?versionId=1", "MetadataDirective": "REPLACE"}, None),
        ("CopyObject", {**OBJECT, "CopySource": {"Bucket": "b", "Key": "k /?ü", "VersionId": "v.1"}}, None),
        (
            "CopyObject",
            {**OBJECT, "CopySource": {"Bucket": "arn:aws:s3:us-west-2:123456789012:accesspoint/a", "Key": "k"}},
            None,
        ),
        ("CreateMultipartUpload", {**OBJECT, "ChecksumAlgorithm": "CRC64NVME", "ChecksumType": "FULL_OBJECT"}, None),
        ("UploadPart", {**OBJECT, "UploadId": "u+/=", "PartNumber": 7}, b"part"),
        (
            "UploadPartCopy",
            {**OBJECT, "UploadId": "u", "PartNumber": 7, "CopySource": "b/k", "CopySourceRange": "bytes=0-5"},
            None,
        ),
        ("AbortMultipartUpload", {**OBJECT, "UploadId": "u"}, None),
        ("ListParts", {**OBJECT, "UploadId": "u", "PartNumberMarker": 3, "MaxParts": 10}, None),
        (
            "ListObjectsV2",
            {"Bucket": "bucket", "EncodingType": "url", "OptionalObjectAttributes": ["RestoreStatus"]},
            None,
        ),
        (
            "CompleteMultipartUpload",
            {
                **OBJECT,
                "UploadId": "u",
                "MpuObjectSize": 5,
                "MultipartUpload": {"Parts": [{"ETag": '"e"', "PartNumber": 1}]},
            },
            None,
        ),
    ],
)
def test_operations(operation, params, body):
    assert_alike(params, operation, body)


def test_every_parameter_of_every_operation_has_its_place():
    model = CLIENT.meta.service_model
    for operation in sorted(OPERATIONS):
        shape = model.operation_model(operation).input_shape
        params = {
            name: sample(member)
            for name, member in shape.members.items()
            if name not in ("Body", "MultipartUpload", "Delete")
        }
        params |= {"Bucket": "bucket"}
        if "Key" in shape.members:
            params["Key"] = "key"
        if operation == "CompleteMultipartUpload":
            params["MultipartUpload"] = {"Parts": []}
        if operation == "DeleteObjects":
            continue
        # Not everywhere does botocore write a key in base64; here it always is.
        for name in [name for name in params if "CustomerKey" in name]:
            del params[name]
        params.pop("ChecksumAlgorithm", None)
        assert_alike(params, operation, b"x" if "Body" in shape.members else None)


def sample(member):
    kind = member.type_name
    return {
        "string": "value", "integer": 3, "long": 3, "boolean": True, "timestamp": WHEN, "list": ["a", "b"], "map": {"k": "v"},  # noqa: E501
    }[kind] if not getattr(member, "enum", None) else member.enum[0]  # fmt: skip


def test_documents_say_what_botocores_say():
    import xml.etree.ElementTree as ET

    keys = ["a", "b&<c>", "line\nbreak\r\ttab", "ü€𝄞", ' "quoted" ']
    delete = {"Objects": [{"Key": key, "VersionId": "1"} for key in keys], "Quiet": True}
    theirs = botocores(CLIENT, "DeleteObjects", {"Bucket": "bucket", "Delete": delete})
    ours = WRITER.write(Call("DeleteObjects", {"Bucket": "bucket", "Delete": delete}))
    as_text = lambda body: [(each.tag, each.text) for each in ET.fromstring(body).iter()]  # noqa: E731
    assert as_text(ours.body) == as_text(theirs.body)
    assert b"x-amz-checksum-crc32: " in ours.head
    assert b"/?delete" in ours.head


@pytest.mark.parametrize(
    "arguments",
    [
        {"endpoint_url": "http://127.0.0.1:8333"},
        {"endpoint_url": "https://minio.example:9000/tenant"},
        {"config": Config(s3={"use_accelerate_endpoint": True})},
        {"config": Config(s3={"addressing_style": "path"})},
        {"config": Config(use_dualstack_endpoint=True)},
        {"config": Config(use_fips_endpoint=True)},
        {"region_name": "cn-north-1"},
        {"region_name": "us-gov-west-1"},
    ],
    ids=["http", "path", "accelerate", "path-style", "dual-stack", "fips", "china", "gov"],
)
@pytest.mark.parametrize("bucket", ["bucket", "dotted.bucket"])
def test_endpoints(arguments, bucket):
    if bucket == "dotted.bucket" and getattr(arguments.get("config"), "s3", None) == {"use_accelerate_endpoint": True}:
        pytest.skip("S3 has no accelerated endpoint for a name with dots")
    client, own = make_client(**arguments), make_client(**arguments)
    params = {"Bucket": bucket, "Key": "a b/c"}
    theirs = botocores(client, "GetObject", params)
    ours = Writer(own, KEYS).write(Call("GetObject", params))
    url = urlsplit(theirs.url)
    _, target, fields = read_head(ours.head)
    assert (ours.origin, target) == (f"{url.scheme}://{url.netloc}", url.path)
    assert_signed("GET", theirs.url, fields, region=client.meta.region_name)


def test_an_access_point_is_signed_for_its_own_region():
    client = make_client()
    arn = "arn:aws:s3:us-west-2:123456789012:accesspoint/ap"
    endpoint = resolve(client, arn)
    assert (endpoint.host, endpoint.region) == ("ap-123456789012.s3-accesspoint.us-west-2.amazonaws.com", "us-west-2")


@pytest.mark.parametrize("bucket", ["bucket--use1-az4--x-s3", "arn:aws:s3::123456789012:accesspoint/m.mrap"])
def test_what_only_botocore_can_sign_is_unusual(bucket):
    with pytest.raises((UnusualError, Exception)) as caught:
        resolve(make_client(), bucket)
    assert not isinstance(caught.value, AssertionError)


@pytest.mark.parametrize("value", ["a\r\nx-evil: 1", "a\nb", "a\0b"])
def test_a_header_is_never_split(value):
    for params in ({"CacheControl": value}, {"Metadata": {"a": value}}, {"Metadata": {value: "a"}}):
        with pytest.raises(ConfigError):
            WRITER.write(Call("PutObject", {**OBJECT, **params}, body=b""))


def test_an_unknown_parameter_is_an_error():
    with pytest.raises(ConfigError, match="no parameter 'Colour'"):
        WRITER.write(Call("PutObject", {**OBJECT, "Colour": "red"}, body=b""))


def test_nothing_is_signed_without_credentials():
    from botocore import UNSIGNED

    writer = Writer(make_client(config=Config(signature_version=UNSIGNED)), None)
    assert b"authorization" not in writer.write(Call("GetObject", OBJECT)).head


def test_the_key_of_a_day_is_made_anew_and_credentials_are_asked_for_again():
    now = [1_795_391_999.0]

    class Rolling:
        count = 0

        def get_frozen_credentials(self):
            Rolling.count += 1
            return KEYS.get_frozen_credentials() if Rolling.count == 1 else Credentials("AKIDOTHER", "other", None)

    other = Credentials("AKIDOTHER", "other", None)
    writer = Writer(make_client(), Rolling(), clock=lambda: now[0])
    for keys in (KEYS, other):
        written = writer.write(Call("GetObject", OBJECT))
        method, target, fields = read_head(written.head)
        assert_signed(method, f"{written.origin}{target}", fields, keys)
        now[0] += 86_400
    assert Rolling.count == 2


def test_no_secret_shows():
    writer = Writer(make_client(), KEYS)
    writer.write(Call("GetObject", OBJECT))
    shown = repr([writer, *writer._signers.values(), Call("PutObject", {"SSECustomerKey": "secret!"})])
    for secret in (KEYS.secret_key, KEYS.token, "secret!"):
        assert secret not in shown


# Over TLS botocore leaves a body unsigned whose checksum it sends behind it; ours goes before it.
@pytest.mark.parametrize(
    ("scheme", "signed"), [("http", None), ("http", True), ("http", False), ("https", True), ("https", False)]
)
def test_bodies_are_signed_where_botocore_signs_them(scheme, signed):
    settings = {} if signed is None else {"payload_signing_enabled": signed}
    arguments = {"endpoint_url": f"{scheme}://127.0.0.1:9000", "config": Config(s3=settings)}
    params = {**OBJECT, "ChecksumCRC32": "NhCmhg=="}
    theirs = botocores(make_client(**arguments), "PutObject", params, b"hello")
    ours = Writer(make_client(**arguments), KEYS, sign_payload=signed).write(Call("PutObject", params, body=b"hello"))
    assert read_head(ours.head)[2]["x-amz-content-sha256"] == text(theirs.headers["x-amz-content-sha256"])


def test_a_body_is_not_signed_over_tls():
    written = Writer(make_client(), KEYS).write(Call("PutObject", OBJECT, body=b"hello"))
    assert read_head(written.head)[2]["x-amz-content-sha256"] == "UNSIGNED-PAYLOAD"
