"""The pure parts of the fault server: what a request asks for, which fault it has, and what comes of its answer."""

from __future__ import annotations

import json
import pickle
import random
from datetime import datetime, timezone
from xml.etree import ElementTree as ET

import botocore.session
import pytest
from botocore.awsrequest import AWSRequest
from hypothesis import given
from hypothesis import strategies as st

from mangrove.errors import ConfigError, DeclarationTypeError
from mangrove.testing.faults import KINDS, PASSING, Asked, Pace, Toxics, faults
from mangrove.testing.faults.answers import refusal
from mangrove.testing.faults.asked import asked_of
from mangrove.testing.faults.choosing import Chooser, matches
from mangrove.testing.faults.delivery import End, Pause, deliver
from mangrove.testing.faults.kinds import fits, known_kinds
from mangrove.testing.faults.messages import Answer, Head
from mangrove.testing.faults.tcp import treat

NOW = datetime(2026, 1, 1, tzinfo=timezone.utc)
GET = Asked("GET", "/b/k", service="s3", operation="GetObject", bucket="b", key="k")
SIGNED = "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20260101/{}/{}/aws4_request, SignedHeaders=host, Signature=0"


def head(start, service="s3", region="eu-west-1", **fields):
    lines = [f"{name.replace('_', '-')}: {value}" for name, value in fields.items()]
    lines.append(f"Authorization: {SIGNED.format(region, service)}")
    return Head.parse(("\r\n".join([f"{start} HTTP/1.1", *lines]) + "\r\n\r\n").encode())


# -- what is asked for -------------------------------------------------------------------------------------------------

OF_S3 = [
    ("GET /", {}, "ListBuckets"),
    ("PUT /bucket", {}, "CreateBucket"),
    ("GET /bucket?list-type=2&prefix=a", {}, "ListObjectsV2"),
    ("GET /bucket?prefix=a", {}, "ListObjects"),
    ("GET /bucket?versions", {}, "ListObjectVersions"),
    ("GET /bucket?uploads", {}, "ListMultipartUploads"),
    ("POST /bucket?delete", {}, "DeleteObjects"),
    ("GET /bucket?lifecycle", {}, "GetBucketLifecycleConfiguration"),
    ("PUT /bucket/a/b%20c", {}, "PutObject"),
    ("PUT /bucket/key", {"x-amz-copy-source": "bucket/other"}, "CopyObject"),
    ("PUT /bucket/key?partNumber=3&uploadId=x", {}, "UploadPart"),
    ("PUT /bucket/key?partNumber=3&uploadId=x", {"x-amz-copy-source": "b/k"}, "UploadPartCopy"),
    ("POST /bucket/key?uploads", {}, "CreateMultipartUpload"),
    ("POST /bucket/key?uploadId=x", {}, "CompleteMultipartUpload"),
    ("DELETE /bucket/key?uploadId=x", {}, "AbortMultipartUpload"),
    ("GET /bucket/key?uploadId=x", {}, "ListParts"),
    ("GET /bucket/key", {"Range": "bytes=0-1"}, "GetObject"),
    ("HEAD /bucket/key", {}, "HeadObject"),
    ("DELETE /bucket/key?versionId=1", {}, "DeleteObject"),
    ("GET /bucket/key?tagging", {}, "GetObjectTagging"),
]


@pytest.mark.parametrize(("start", "fields", "operation"), OF_S3, ids=[each[2] for each in OF_S3])
def test_operations_of_s3(start, fields, operation):
    found = asked_of(head(start, **fields), b"", lambda key: {"AKIDEXAMPLE": "123456789012"}[key])
    assert (found.service, found.operation) == ("s3", operation)
    assert (found.account, found.region, found.protocol) == ("123456789012", "eu-west-1", "s3")
    if "/bucket" in start:
        assert found.bucket == "bucket"


def test_places_of_objects():
    found = asked_of(head("PUT /bucket/a/b%20c%2Fd?partNumber=7&uploadId=x"), b"")
    assert (found.bucket, found.key, found.part) == ("bucket", "a/b c/d", "7")
    hosted = asked_of(head("GET /key", Host="bucket.s3.eu-west-1.amazonaws.com"), b"")
    assert (hosted.bucket, hosted.key, hosted.operation) == ("bucket", "key", "GetObject")


def test_operations_of_other_protocols():
    form = {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"}
    ec2 = asked_of(head("POST /", "ec2", **form), b"Action=DescribeVpcs&Version=2016-11-15")
    assert (ec2.operation, ec2.protocol) == ("DescribeVpcs", "ec2")
    sts = asked_of(head("POST /", "sts", **form), b"Action=AssumeRole&ExternalId=hidden")
    assert (sts.operation, sts.protocol) == ("AssumeRole", "query")
    assert "hidden" not in repr(sts)
    table = asked_of(head("POST /", "dynamodb", x_amz_target="DynamoDB_20120810.ListTables"), b"{}")
    assert (table.operation, table.protocol) == ("ListTables", "json")
    functions = asked_of(head("GET /2015-03-31/functions?MaxItems=1", "lambda"), b"")
    assert (functions.operation, functions.protocol) == ("ListFunctions", "rest-json")
    unknown = asked_of(head("GET /x/y", "no-such-service"), b"")
    assert unknown.operation == "GET /x/y"
    cbor = asked_of(head("POST /service/GraniteServiceVersion20100801/operation/ListMetrics", "monitoring",
                         smithy_protocol="rpc-v2-cbor"), b"")  # fmt: skip
    assert (cbor.operation, cbor.protocol) == ("ListMetrics", "cbor")


def test_what_is_known_of_a_request_holds_no_secret():
    found = asked_of(head("PUT /b/k", x_amz_security_token="TOKENHIDDEN"), b"")
    seen = repr(found).encode() + pickle.dumps(found)
    for secret in (b"TOKENHIDDEN", b"AKIDEXAMPLE", b"Signature"):
        assert secret not in seen
    assert "TOKENHIDDEN" not in repr(head("PUT /b/k", x_amz_security_token="TOKENHIDDEN"))


@given(st.text(st.characters(codec="ascii", exclude_characters="\r\n\0"), max_size=60))
def test_any_target_is_read(target):
    found = asked_of(Head.parse(f"GET /{target} HTTP/1.1\r\n\r\n".encode()), b"")
    assert found.operation


# -- heads -------------------------------------------------------------------------------------------------------------


def test_a_head_is_passed_on_as_it_came():
    raw = b"GET / HTTP/1.1\r\nhost:x \r\nX-Odd\r\nA:  b\r\n\r\n"
    parsed = Head.parse(raw)
    assert parsed.raw == raw
    assert parsed.get("host") == "x"
    assert parsed.get("a") == "b"
    assert parsed.replaced("A", None).raw == b"GET / HTTP/1.1\r\nhost: x\r\nX-Odd: \r\n\r\n"
    assert not parsed.ends
    assert Head.parse(b"HTTP/1.0 200 OK\r\n\r\n").ends
    assert Head.parse(b"HTTP/1.1 200 OK\r\nConnection: Close\r\n\r\n").ends
    assert Head.parse(b"GET http://h:1/a?b HTTP/1.1\r\n\r\n").target == "/a?b"


# -- choosing ----------------------------------------------------------------------------------------------------------


def chosen(chooser, asked):
    found = chooser.choose(asked)
    return None if found is None else found[0].name


def test_the_dice_fall_the_same_in_any_order():
    asked = [Asked("GET", f"/b/{n % 40}", service="s3", operation="GetObject", key=str(n % 40)) for n in range(200)]

    def seen(order, seed):
        chooser = Chooser(0.3, PASSING, seed)
        return sorted((each.key, chosen(chooser, each) or "") for each in order)

    shuffled = list(asked)
    random.Random(1).shuffle(shuffled)  # noqa: S311  no secret
    assert seen(asked, 7) == seen(shuffled, 7)
    assert seen(asked, 7) != seen(asked, 8)


@given(st.integers(), st.floats(0, 1))
def test_the_rate_is_kept(seed, rate):
    chooser = Chooser(rate, ["reset"], seed)
    count = sum(chosen(chooser, GET) is not None for _ in range(400))
    assert abs(count - 400 * rate) < 100


def test_no_more_in_a_row_than_said():
    chooser = Chooser(1, ["reset", "throttle"], 1, in_a_row=2)
    found = [chosen(chooser, GET) is not None for _ in range(9)]
    assert found == [True, True, False] * 3


def test_a_script_counts_what_matches():
    line = ("throttle", {"operation": "PutObject", "nth": 2, "times": 2})
    chooser = Chooser(0, PASSING, 1, script=[line, "reset"])
    put = Asked("PUT", "/b/k", service="s3", operation="PutObject")
    assert [chosen(chooser, each) for each in (GET, GET, put, put, put, put)] == [
        "reset",
        None,
        None,
        "throttle",
        "throttle",
        None,
    ]


def test_a_match_may_be_fields_or_a_function():
    assert matches({"bucket": "b", "key": "k"}, GET)
    assert not matches({"bucket": "c"}, GET)
    assert matches(lambda asked: asked.key.startswith("k"), GET)
    chooser = Chooser(1, ["reset"], 1, match={"operation": "PutObject"})
    assert chosen(chooser, GET) is None


@given(st.sampled_from(sorted(KINDS)), st.sampled_from(["GET", "HEAD", "PUT"]), st.sampled_from(["s3", "ec2"]))
def test_only_kinds_that_fit_are_chosen(kind, method, service):
    asked = Asked(method, "/b/k", service=service, operation="GetObject")
    assert chosen(Chooser(1, [kind], 1), asked) == (kind if fits(KINDS[kind], asked) else None)


@pytest.mark.parametrize(
    ("error", "given"),
    [
        (ConfigError, {"rate": 1.5}),
        (ConfigError, {"rate": True}),
        (ConfigError, {"rate": float("nan")}),
        (ConfigError, {"kinds": ["none"]}),
        (ConfigError, {"kinds": []}),
        (DeclarationTypeError, {"kinds": "reset"}),
        (ConfigError, {"match": {"name": "x"}}),
        (DeclarationTypeError, {"match": 3}),
        (ConfigError, {"script": ["none"]}),
        (ConfigError, {"script": [("reset", {"nth": 0})]}),
        (DeclarationTypeError, {"script": "reset"}),
        (ConfigError, {"in_a_row": 0}),
        (ConfigError, {"seed": "a"}),
    ],
)
def test_bad_input_is_refused_before_anything_listens(error, given):
    with pytest.raises(error):
        faults("http://127.0.0.1:1", **given)


@pytest.mark.parametrize("url", ["https://s3.amazonaws.com", "127.0.0.1:1", "http://h:1/path", ""])
def test_only_a_server_of_ones_own_is_taken(url):
    with pytest.raises(ConfigError, match="http://"):
        faults(url)


def test_there_is_a_new_seed_unless_one_is_given():
    assert faults("http://127.0.0.1:1").seed != faults("http://127.0.0.1:1").seed
    assert faults("http://127.0.0.1:1", seed=3).seed == 3
    assert "seed=3" in repr(faults("http://127.0.0.1:1", seed=3))


# -- answers -----------------------------------------------------------------------------------------------------------


def parsed(protocol, answer):
    """Parse an error as botocore does."""
    service = {"s3": "s3", "query": "sts", "ec2": "ec2", "json": "dynamodb", "rest-json": "lambda"}[protocol]
    model = botocore.session.get_session().get_service_model(service)
    parser = botocore.parsers.create_parser("rest-xml" if protocol == "s3" else protocol)
    headers = botocore.awsrequest.HeadersDict(dict(answer.head.fields))
    given = {"status_code": answer.head.status, "headers": headers, "body": answer.body}
    return parser.parse(given, model.operation_model(model.operation_names[0]).output_shape)


@pytest.mark.parametrize("protocol", ["s3", "query", "ec2", "json", "rest-json"])
@pytest.mark.parametrize("kind", sorted(name for name, kind in KINDS.items() if kind.does == "answers"))
def test_every_error_is_read_by_botocore(kind, protocol):
    where = KINDS[kind].where
    if (where == "api") == (protocol == "s3") and where in ("api", "s3"):
        pytest.skip("it is no error of that protocol")
    if kind == "error_in_200":
        return
    asked = Asked("GET", "/b/k", protocol=protocol, region="eu-west-1", bucket="b")
    answer = refusal(kind, asked, request_id="ID", now=NOW)
    assert parsed(protocol, answer)["Error"]["Code"] in answer.body.decode()
    assert int(answer.head.get("content-length")) == len(answer.body)
    assert refusal(kind, Asked("HEAD", "/b/k"), request_id="ID", now=NOW).body == b""


def test_errors_say_what_a_client_needs():
    asked = Asked("GET", "/b/k", region="eu-west-1", bucket="b")
    moved = refusal("wrong_region", asked, request_id="ID", now=NOW)
    assert moved.head.get("x-amz-bucket-region") == "eu-west-1"
    assert ET.fromstring(moved.body).findtext("Region") == "eu-west-1"
    late = refusal("clock_skew", asked, request_id="ID", now=NOW)
    assert late.head.get("date") == "Thu, 01 Jan 2026 00:20:00 GMT"
    there = refusal("redirect_307", asked, request_id="ID", now=NOW, here="http://127.0.0.1:1")
    assert there.head.get("location") == "http://127.0.0.1:1/b/k"
    assert json.loads(refusal("throttle", Asked("POST", "/", protocol="json"), request_id="ID", now=NOW).body)
    cbor = refusal("throttle", Asked("POST", "/", protocol="cbor"), request_id="ID", now=NOW)
    assert b"ThrottlingException" in cbor.body


# -- delivery ----------------------------------------------------------------------------------------------------------

ANSWERS = st.binary(max_size=3000).map(
    lambda body: Answer(Head.parse(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body)), body)
)
GO_THROUGH = ["slice", "latency", "bandwidth", "no_continue", "range_ignored", "no_such_upload"]


def sent(steps):
    return b"".join(step for step in steps if isinstance(step, bytes))


@given(ANSWERS, st.sampled_from(GO_THROUGH), st.randoms(use_true_random=False))
def test_faults_of_pace_change_no_byte(answer, kind, dice):
    assert sent(deliver(kind, answer, dice, Pace())) == answer.raw


@given(ANSWERS, st.sampled_from(["reset_in_body", "truncated", "stall"]), st.randoms(use_true_random=False))
def test_what_ends_too_early_is_a_beginning(answer, kind, dice):
    steps = deliver(kind, answer, dice, Pace())
    assert answer.raw.startswith(sent(steps))
    assert len(sent(steps)) < len(answer.raw) or not answer.body
    assert steps[-1] == End("close" if kind == "truncated" else "reset")


@given(ANSWERS, st.randoms(use_true_random=False))
def test_a_head_may_end_too_early(answer, dice):
    through, last = deliver("truncated_head", answer, dice, Pace())
    assert answer.head.raw.startswith(through)
    assert b"\r\n\r\n" not in through
    assert last == End("close")


@given(ANSWERS, st.randoms(use_true_random=False))
def test_one_bit_is_another(answer, dice):
    changed = sent(deliver("flipped_byte", answer, dice, Pace()))[len(answer.head.raw) :]
    differing = [one ^ other for one, other in zip(answer.body, changed, strict=True) if one != other]
    assert [each & (each - 1) for each in differing] == ([0] if answer.body else [])


@given(ANSWERS, st.randoms(use_true_random=False))
def test_nothing_comes_of_an_answer_that_is_lost(answer, dice):
    assert deliver("answer_lost", answer, dice, Pace()) == [End("reset")]


@given(ANSWERS, st.randoms(use_true_random=False))
def test_lengths_that_lie(answer, dice):
    shorter = sent(deliver("wrong_length", answer, dice, Pace()))
    told = Head.parse(shorter.partition(b"\r\n\r\n")[0] + b"\r\n\r\n").get("content-length")
    assert shorter.endswith(answer.body)
    assert int(told) < len(answer.body) or not answer.body
    cut = sent(deliver("malformed", answer, dice, Pace()))
    top, _, body = cut.partition(b"\r\n\r\n")
    assert int(Head.parse(top + b"\r\n\r\n").get("content-length")) == len(body)
    assert len(body) < len(answer.body) or not body


def test_ranges_and_etags_that_lie():
    given = Head.parse(b'HTTP/1.1 206 P\r\nContent-Range: bytes 0-3/9\r\nETag: "a"\r\nx-amz-checksum-crc32: x\r\n\r\n')
    answer = Answer(given, b"abcd")
    dice = random.Random(1)  # noqa: S311  no secret
    assert b"bytes 1-4/9" in sent(deliver("wrong_range", answer, dice, Pace()))
    changed = sent(deliver("object_changed", answer, dice, Pace()))
    assert changed.endswith(b"dcba")
    assert b'"a"' not in changed
    assert b"checksum" not in changed
    assert sent(deliver("duplicated_answer", answer, dice, Pace())) == answer.raw * 2
    assert sent(deliver("extra_continue", answer, dice, Pace())).endswith(b"\r\n\r\n" + answer.raw)


def test_every_kind_is_delivered_or_answered():
    answer = Answer(Head.parse(b"HTTP/1.1 200 OK\r\n\r\n"), b"")
    for kind in known_kinds(KINDS):
        if kind.does in ("forwards", "changes", "repeats"):
            assert deliver(kind.name, answer, random.Random(1), Pace())  # noqa: S311  no secret
        elif kind.does == "answers":
            assert refusal(kind.name, GET, request_id="ID", now=NOW).head.status


# -- the TCP proxy -----------------------------------------------------------------------------------------------------


@given(st.binary(max_size=200), st.integers(0, 300), st.integers(1, 50), st.integers(0, 300))
def test_pieces_and_ends(data, passed, size, end):
    steps = treat(data, passed, Toxics(slice=size, limit=end))
    through = sent(steps)
    assert data.startswith(through)
    assert len(through) == min(len(data), max(0, end - passed))
    assert all(len(step) <= size for step in steps if isinstance(step, bytes))
    assert (End("close") in steps) == (end <= passed + len(data))


def test_what_is_bad_about_a_network():
    assert treat(b"ab", 0, Toxics()) == [b"ab"]
    assert treat(b"ab", 0, Toxics(latency=0.5)) == [Pause(0.5), b"ab"]
    assert treat(b"ab", 0, Toxics(bandwidth=4)) == [Pause(0.5), b"ab"]
    assert treat(b"ab", 0, Toxics(reset=1)) == [b"a", End("reset")]
    assert treat(b"ab", 0, Toxics(stall=0, timeout=0.25)) == [Pause(0.25), End("close")]


@pytest.mark.parametrize("given", [{"latency": -1}, {"slice": 0}, {"bandwidth": 0}, {"reset": True}])
def test_toxics_are_checked(given):
    with pytest.raises(ConfigError):
        Toxics(**given)


def test_a_request_of_botocore_is_read():
    request = AWSRequest("PUT", "http://h/b/k", data=b"x").prepare()
    raw = f"{request.method} /b/k HTTP/1.1\r\n".encode() + b"".join(
        f"{name}: {value}\r\n".encode() for name, value in request.headers.items()
    )
    assert asked_of(Head.parse(raw + b"\r\n"), b"").operation == "PutObject"
