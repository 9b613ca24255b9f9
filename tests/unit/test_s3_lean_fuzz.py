"""The lean engine under fuzzing: parameters go as botocore sends them, answers are read in one way only."""

from __future__ import annotations

import datetime as dt
import itertools
import re
import sys
import threading
import time
from functools import cache
from hashlib import sha256
from http.client import HTTPResponse
from io import BytesIO
from types import SimpleNamespace
from urllib.parse import parse_qsl, urlsplit

import pytest
from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest, AWSResponse
from botocore.config import Config
from botocore.credentials import Credentials
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import mangrove
from mangrove.errors import ConfigError
from mangrove.s3.engines.base import Call
from mangrove.s3.engines.lean.reading import MalformedAnswerError, Reading
from mangrove.s3.engines.lean.requests import OPERATIONS
from mangrove.s3.engines.lean.signing import Signer
from mangrove.s3.engines.lean.writing import Writer

KEYS = Credentials("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", "a/token+==")
# What the transport says for itself, or what the layers above do: checksums.
APART = frozenset(
    "host user-agent amz-sdk-invocation-id amz-sdk-request authorization x-amz-date accept-encoding content-length"
    " expect x-amz-content-sha256 x-amz-security-token content-type x-amz-checksum-crc32 x-amz-sdk-checksum-algorithm".split()  # noqa: E501
)
BODIES = {"PutObject": b"body", "UploadPart": b"body"}
ANSWERS = {"HeadObject": b""}


@cache
def client():
    session = mangrove.Session(KEYS.access_key, KEYS.secret_key, KEYS.token, region_name="eu-west-1")
    config = Config(request_checksum_calculation="when_required", response_checksum_validation="when_required")
    return session.client("s3", config=config)


@cache
def writer():
    return Writer(client(), KEYS)


class Raw(BytesIO):
    def stream(self, *_, **__):
        return iter(())


def botocores(operation, params):
    made = []

    def capture(request, **_):
        made.append(request)
        response = AWSResponse(request.url, 200, {}, Raw())
        response._content = ANSWERS.get(operation, b"<R/>")
        return response

    body = {"Body": BODIES[operation]} if operation in BODIES else {}
    name = next(name for name, api in client().meta.method_to_api_mapping.items() if api == operation)
    client().meta.events.register_first("before-send.s3", capture)
    try:
        getattr(client(), name)(**params, **body)
    finally:
        client().meta.events.unregister("before-send.s3", capture)
    return made[0]


# -- requests ---------------------------------------------------------------------------------------------------------

KEY = st.one_of(
    st.sampled_from(
        [
            "..", ".", "/", "//", "a//b", "../../etc/passwd", "%2F", "%", "a b", "a+b", "a?b=c&d", "#", "\u00e9", "e\u0301",  # noqa: E501
            "\U0001f600", "~", "*", "(a)'!", "a\\b", ":", ";", "=", "@", "\t", "\n", "a\r\nb", "\x7f", "\u2028", "<&>",
        ]
    ),
    st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), min_size=1, max_size=30),
)  # fmt: skip
# What stands in a header as it is: S3 and botocore disagree about what is no ASCII, so it is tested by itself.
VALUE = st.text(st.sampled_from("abzAZ09 -_.~+/=,;:'\"()[]{}<>@!#$%^&*?|\\  \t"), min_size=1, max_size=24).filter(
    lambda text: text.strip()
)
TOKEN = st.text(st.sampled_from("abczAZ019-_.!#$%&'*+^`|~"), min_size=1, max_size=12)
MOMENT = st.datetimes(dt.datetime(2000, 1, 1), dt.datetime(2037, 1, 1), timezones=st.just(dt.timezone.utc))


def encodes(text):
    try:
        return bool(text.encode())
    except UnicodeEncodeError:
        return False


def named():
    return {
        "Bucket": st.sampled_from(["bucket", "with.dots", "arn:aws:s3:us-west-2:123456789012:accesspoint/name"]),
        "Key": KEY,
        "CopySource": st.builds(
            lambda key, version: {"Bucket": "source", "Key": key, **({"VersionId": version} if version else {})},
            KEY,
            st.sampled_from(["", "null", "3HL4kqtJlcpXroDTDmJ"]),
        ),
        "UploadId": st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), min_size=1, max_size=20),
        "Metadata": st.dictionaries(TOKEN.map(str.lower), VALUE, max_size=4),
        "Delete": st.builds(
            lambda keys, quiet: {"Objects": [{"Key": key} for key in keys], "Quiet": quiet},
            st.lists(KEY, min_size=1, max_size=3),
            st.booleans(),
        ),
        "MultipartUpload": st.just({"Parts": [{"ETag": '"a"', "PartNumber": 1}]}),
        "SSECustomerKey": st.text(min_size=1, max_size=32).filter(encodes),
        "CopySourceSSECustomerKey": st.text(min_size=1, max_size=32).filter(encodes),
    }


def strategy(name, shape):
    given_by_name = named().get(name)
    if given_by_name is not None:
        return given_by_name
    query = shape.serialization.get("location") == "querystring"
    if shape.type_name == "string":
        enum = getattr(shape, "enum", None)
        return st.sampled_from(enum) if enum else KEY if query else VALUE
    return {
        "integer": st.integers(0, 2**31 - 1),
        "long": st.integers(0, 2**62),
        "boolean": st.booleans(),
        "timestamp": MOMENT,
        "list": st.just(["RestoreStatus"]),
    }[shape.type_name]


@cache
def params_of(operation):
    shape = client().meta.service_model.operation_model(operation).input_shape
    # Where a listing has no encoding botocore asks for one, and undoes it; listings of ours always have one.
    required = {*shape.required_members, "MultipartUpload", "EncodingType"}
    # The MD5 comes with a key; the body and its length by themselves; a checksum of botocore's own choice does not.
    skipped = {"Body", "ContentLength", "ContentMD5", "ChecksumAlgorithm", "SSECustomerKeyMD5", "ContentType"}
    skipped |= {"CopySourceSSECustomerKeyMD5", "ChecksumMode"} | {
        name for name in shape.members if name.startswith("Checksum")
    }
    if operation == "ListParts":
        skipped.add("SSECustomerKey")  # here botocore forgets to encode it
    members = {name: strategy(name, each) for name, each in shape.members.items() if name not in skipped}
    return st.fixed_dictionaries(
        {name: each for name, each in members.items() if name in required},
        optional={name: each for name, each in members.items() if name not in required},
    )


@pytest.mark.parametrize("operation", sorted(OPERATIONS))
def test_any_parameters_go_where_botocore_sends_them(operation):
    @given(params_of(operation))
    @settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck), database=None)
    def check(params):
        assert_alike(operation, params)

    check()


def assert_alike(operation, params):
    theirs = botocores(operation, dict(params))
    ours = writer().write(Call(operation, dict(params), body=BODIES.get(operation)))
    line, *lines = ours.head.decode().removesuffix("\r\n\r\n").split("\r\n")
    method, target, _ = line.split(" ")
    fields = dict(each.split(": ", 1) if ": " in each else (each[:-1], "") for each in lines)
    assert len(fields) == len(lines), "no name twice"
    url = urlsplit(theirs.url)
    path, _, query = target.partition("?")
    assert method == theirs.method
    assert f"{ours.origin}{path}" == f"{url.scheme}://{url.netloc}{url.path}"
    assert sorted(parse_qsl(query, keep_blank_values=True)) == sorted(parse_qsl(url.query, keep_blank_values=True))
    wanted = {name.lower(): text(value) for name, value in theirs.headers.items()}
    for name in (wanted.keys() | fields.keys()) - APART:
        # What is sent may differ in the white space around it, which no server keeps.
        assert fields.get(name, "").strip() == wanted.get(name, "").strip(), name
    assert fields["host"] == url.netloc
    assert_signed(method, f"{ours.origin}{target}", fields)


def text(value):
    return value.decode() if isinstance(value, bytes) else value


def assert_signed(method, url, fields):
    scope = fields["authorization"].split("Credential=")[1].split(",")[0].split("/")
    names = fields["authorization"].split("SignedHeaders=")[1].split(",")[0].split(";")
    request = AWSRequest(method, url, headers={name: fields[name] for name in names if name != "host"})
    request.context = {"timestamp": fields["x-amz-date"], "client_config": None}
    signer = S3SigV4Auth(KEYS, scope[3], scope[2])
    canonical = signer.canonical_request(request)
    signature = signer.signature(signer.string_to_sign(request, canonical), request)
    assert fields["authorization"].endswith(f"Signature={signature}")


def test_a_key_of_ones_own_whose_md5_is_given_is_sent_as_it_is():
    params = {"Bucket": "b", "Key": "k", "SSECustomerAlgorithm": "AES256"}
    params |= {"SSECustomerKey": "YWFhYQ==", "SSECustomerKeyMD5": "R0zmQZ1ag+cyaO5Wx0hIjA=="}
    assert_alike("GetObject", params | {"Bucket": "bucket"})


@pytest.mark.parametrize(
    ("operation", "params"),
    [
        ("DeleteObject", {"Key": ""}),
        ("DeleteObject", {}),
        ("PutObject", {"Key": ""}),
        ("GetObject", {"Key": None}),
        ("AbortMultipartUpload", {"Key": "k"}),
        ("AbortMultipartUpload", {"Key": "k", "UploadId": None}),
        ("AbortMultipartUpload", {"Key": "k", "UploadId": ""}),
        ("UploadPart", {"Key": "k", "UploadId": None, "PartNumber": 1}),
        ("UploadPart", {"Key": "k", "UploadId": "u"}),
        ("CompleteMultipartUpload", {"Key": "k", "UploadId": "u"}),
        ("DeleteObjects", {}),
        ("CopyObject", {"Key": "k"}),
        ("ListParts", {"Key": "k"}),
    ],
)
def test_a_request_that_would_be_another_one_is_never_made(operation, params):
    with pytest.raises(ConfigError, match="needs"):
        writer().write(Call(operation, {"Bucket": "bucket", **params}))


@pytest.mark.parametrize("name", ["a: b", "a b", "a:b", "\u00e9", "a\r\nb", "a\0b", "(a)"])
def test_a_name_that_no_header_can_have_is_refused(name):
    params = {"Bucket": "bucket", "Key": "key", "Metadata": {name: "value"}}
    with pytest.raises(ConfigError, match="Metadata"):
        writer().write(Call("PutObject", params, body=b""))


def test_names_that_differ_in_case_alone_are_refused():
    params = {"Bucket": "bucket", "Key": "key", "Metadata": {"A": "1", "a": "2"}}
    with pytest.raises(ConfigError, match="Metadata"):
        writer().write(Call("PutObject", params, body=b""))


@given(st.text(min_size=1, max_size=20))
@settings(max_examples=200, deadline=None)
def test_no_value_makes_another_line(value):
    try:
        head = (
            writer().write(Call("PutObject", {"Bucket": "bucket", "Key": "key", "CacheControl": value}, body=b"")).head
        )
    except (ConfigError, UnicodeEncodeError):
        return
    names = [line.split(b":")[0] for line in head.split(b"\r\n")[1:-2]]
    assert b"\n" not in head.replace(b"\r\n", b"")
    assert len(names) == len(set(names))


def test_threads_that_sign_at_once_never_mix_two_seconds():
    ticks = [0]

    def now():
        ticks[0] += 1
        return 1_700_006_390 + ticks[0] // 3  # over midnight too

    signer = Signer(SimpleNamespace(access_key="AK", secret_key="SK", token=None), "r", "s3", now)
    made = []

    def sign():
        made.extend([signer.fields("GET", "/k", "", "h", [], "p") for _ in range(4000)])

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        threads = [threading.Thread(target=sign) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(interval)
    wanted = {}
    for lines in made:
        stamp = re.search("x-amz-date: (.*)\r", lines)[1]
        if stamp not in wanted:
            wanted[stamp] = signed_at(stamp)
        assert wanted[stamp] in lines


def test_what_a_second_shares_is_never_taken_for_another_second_host_or_field():
    credentials = SimpleNamespace(access_key="A%sK", secret_key="SK", token="t%s")
    moments = [1_700_006_390, 1_700_006_390.9, 1_700_006_391, 1_700_006_400, 1_700_006_390]
    now = [0.0]
    signer = Signer(credentials, "r", "s3", lambda: now[0])
    for now[0] in moments:
        for host, fields in itertools.product(
            ["h", "h:1"], [[], [("a%s", "1  2")], [("a%s", "%d")], [("a", "%"), ("z", "")], [("z", "x"), ("a", "y")]]
        ):
            fresh = Signer(credentials, "r", "s3", lambda: now[0])
            asked = ("GET", "/%25", "a=%20", host, fields, "p")
            assert signer.fields(*asked) == fresh.fields(*asked)
            assert f"x-amz-date: {time.strftime('%Y%m%dT%H%M%SZ', time.gmtime(int(now[0])))}\r" in fresh.fields(*asked)


def signed_at(stamp):
    auth = S3SigV4Auth(Credentials("AK", "SK"), "s3", "r")
    names = "host;x-amz-content-sha256;x-amz-date"
    canonical = f"GET\n/k\n\nhost:h\nx-amz-content-sha256:p\nx-amz-date:{stamp}\n\n{names}\np"
    scope = f"{stamp[:8]}/r/s3/aws4_request"
    to_sign = f"AWS4-HMAC-SHA256\n{stamp}\n{scope}\n{sha256(canonical.encode()).hexdigest()}"
    request = SimpleNamespace(context={"timestamp": stamp})
    return f"Credential=AK/{scope}, SignedHeaders={names}, Signature={auth.signature(to_sign, request)}"


# -- answers ----------------------------------------------------------------------------------------------------------


def read(data, **options):
    """Return the reading of all of it, whole or not."""
    reading = Reading(**options)
    if not reading.feed(memoryview(data)):
        reading.end()
    return reading


@pytest.mark.parametrize(
    "head",
    [
        b"Content-Length: 3\r\nContent-Length: 5",
        b"Content-Length:3\r\nContent-Length: 5",
        b"content-length: 5\r\nCONTENT-LENGTH:3",
        b"Content-Length: 5, 3",
        b"Content-Length: +5",
        b"Content-Length: -5",
        b"Content-Length: 0x5",
        b"Content-Length: 5_0",
        b"Content-Length: \xb2",
        b"Content-Length : 5",
        b"Content-Length\t: 5",
        b"Content-Length: 5\r\n 5",
        b"X: a\r\n Content-Length: 3\r\nContent-Length: 5",
        b"X: a\nContent-Length: 3\r\nContent-Length: 5",
        b"X: a\rContent-Length: 3\r\nContent-Length: 5",
        b"X: a\nTransfer-Encoding: chunked\r\nContent-Length: 5",
        b"Transfer-Encoding : chunked\r\nContent-Length: 5",
        b"Transfer-Encoding: xchunked\r\nContent-Length: 5",
        b"Transfer-Encoding: chunked, identity\r\nContent-Length: 5",
        b"Transfer-Encoding: identity, chunked\r\nContent-Length: 5",
        b"Transfer-Encoding:\x0bchunked\r\nContent-Length: 5",
        b"Transfer-Encoding: gzip\r\nContent-Length: 5",
        b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\nContent-Length: 5",
        b": 1\r\nContent-Length: 5",
        b"no colon\r\nContent-Length: 5",
        b"X: a\0b\r\nContent-Length: 5",
    ],
)
def test_a_head_that_others_may_read_in_another_way_is_refused(head):
    with pytest.raises(MalformedAnswerError):
        read(b"HTTP/1.1 200 OK\r\n" + head + b"\r\n\r\n" + b"5\r\nhello\r\n0\r\n\r\n")


@pytest.mark.parametrize(
    "line", [b"HTTP/2 200 OK", b"HTTP/1.1  200 OK", b"HTTP/1.1 20 OK", b"HTTP/1.1 2000 OK", b"HTTP/1.1\t200 OK",
             b"http/1.1 200 OK", b"HTTP/1.2 200 OK", b" HTTP/1.1 200 OK", b"ICY 200 OK", b"HTTP/1.1 101 Switch"],
)  # fmt: skip
def test_a_first_line_of_something_else_is_refused(line):
    with pytest.raises(MalformedAnswerError):
        read(line + b"\r\nContent-Length: 0\r\n\r\n")


@pytest.mark.parametrize(
    "chunks",
    [
        b"5\nhello\r\n0\r\n\r\n",
        b"5\r\nhello0\r\n\r\n",
        b"5\r\nhelloX\r\n0\r\n\r\n",
        b"-5\r\nhello\r\n0\r\n\r\n",
        b"0x5\r\nhello\r\n0\r\n\r\n",
        b"5;a=\rb\r\nhello\r\n0\r\n\r\n",
        b"\r\nhello\r\n0\r\n\r\n",
        b" 5\r\nhello\r\n0\r\n\r\n",
        b"fffffffffffffffff\r\nhello\r\n0\r\n\r\n",
        b"5" + b" " * 5000 + b"\r\nhello\r\n0\r\n\r\n",
        b"5\r\nhello\r\n0\r\n",
        b"5\r\nhello\r\n",
    ],
)
def test_chunks_that_are_none_are_refused(chunks):
    with pytest.raises(MalformedAnswerError):
        read(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks)


def test_extensions_and_trailers_of_chunks_are_passed_over():
    data = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;a=b;c\r\nhello\r\n0;x\r\nX: y\r\n\r\n"
    assert read(data).body == b"hello"


def test_a_length_beside_chunks_is_not_believed_and_ends_the_connection():
    data = b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"
    reading = read(data)
    assert reading.body == b"hello"
    assert not reading.reusable


def test_a_head_without_end_is_refused():
    with pytest.raises(MalformedAnswerError):
        read(b"HTTP/1.1 200 OK\r\n" + b"X: aaaaaaaaaaaaaaaa\r\n" * 20_000)


@pytest.mark.parametrize("head", [b"Transfer-Encoding: chunked", b"Connection: close"])
def test_a_body_of_unknown_length_that_is_longer_than_wanted_is_given_up(head):
    reading = Reading(most=100)
    reading.feed(memoryview(b"HTTP/1.1 200 OK\r\n" + head + b"\r\n\r\n"))
    assert any(reading.feed(memoryview(b"40\r\n" + b"x" * 64 + b"\r\n")) for _ in range(5))
    assert reading.too_long
    assert reading.body == b""
    assert not reading.reusable


FIELD = st.tuples(
    st.sampled_from(
        [b"Content-Length", b"content-length", b"Transfer-Encoding", b"Connection", b"X-Amz-Meta-A", b"ETag"]
    ),
    st.sampled_from([b"5", b"6", b"0", b"chunked", b"close", b"keep-alive", b"", b"a b", b"identity", b" 5 ", b"5, 5"]),
    st.sampled_from([b": ", b":", b":\t", b" :"]),
    st.sampled_from([b"\r\n", b"\r\n", b"\r\n", b"\n", b"\r", b"\r\n "]),
)


class Sock:
    def __init__(self, data):
        self.data = data

    def makefile(self, *_):
        return BytesIO(self.data)


@given(st.sampled_from([b"200", b"206", b"404", b"204"]), st.lists(FIELD, max_size=4), st.binary(max_size=8))
@settings(max_examples=500, deadline=None)
def test_what_is_read_and_goes_on_is_what_the_standard_library_reads(status, fields, extra):
    head = b"".join([name + mark + value + end for name, value, mark, end in fields])
    body = b"5\r\nhello\r\n0\r\n\r\n" if b"chunked" in head else b"hello"
    data = b"HTTP/1.1 " + status + b" OK\r\n" + head + b"\r\n" + body + extra
    try:
        reading = read(data)
    except MalformedAnswerError:
        return
    if not reading.reusable:
        return  # whatever it is: nothing follows on this connection
    theirs = HTTPResponse(Sock(data))
    theirs.begin()
    assert reading.status == theirs.status
    assert reading.body == theirs.read()
