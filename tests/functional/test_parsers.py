"""The compiled parsers against botocore's own: the same answer to the last key, type and order, or the same error."""

# ruff: noqa: S311, C901, PLR0911  random responses need no cryptography; a writer of a format is one long match
from __future__ import annotations

import base64
import fcntl
import gc
import json
import math
import os
import random
import struct
import subprocess
import sys
import tarfile
import threading
import time
import weakref
from datetime import datetime
from xml.etree import ElementTree as ET
from xml.sax.saxutils import escape

import botocore
import botocore.session
import pytest
from botocore import xform_name
from botocore.awsrequest import HeadersDict
from botocore.eventstream import EventStream
from botocore.loaders import Loader
from botocore.model import OperationModel, ServiceModel
from botocore.parsers import PROTOCOL_PARSERS, ResponseParserFactory
from botocore.utils import parse_timestamp
from hypothesis import given, settings
from hypothesis import strategies as st

from mangrove.aws._parse_common import instant
from mangrove.aws.parsers import CompiledParserFactory

LOADER = Loader()
SERVICES = LOADER.list_available_services("service-2")
OURS, PLAIN = CompiledParserFactory(), ResponseParserFactory()
STAMPS = ["2026-01-02T03:04:05Z", "2026-11-30T23:59:59.123Z", "Tue, 29 Apr 2014 18:30:38 GMT", "1422172800"]


def model_of(service):
    return ServiceModel(LOADER.load_service_model(service, "service-2"), service)


def assert_same(ours, plain, at="$"):
    """Compare to the last key, type and order."""
    assert type(ours) is type(plain), at
    if isinstance(plain, dict):
        assert list(ours) == list(plain), at
        for key in plain:
            assert_same(ours[key], plain[key], f"{at}.{key}")
    elif isinstance(plain, list):
        assert len(ours) == len(plain), at
        for index, (one, other) in enumerate(zip(ours, plain, strict=True)):
            assert_same(one, other, f"{at}[{index}]")
    elif isinstance(plain, datetime):
        assert (ours, ours.utcoffset(), type(ours.tzinfo)) == (plain, plain.utcoffset(), type(plain.tzinfo)), at
    elif isinstance(plain, ET.Element):
        assert ET.tostring(ours) == ET.tostring(plain), at
    elif isinstance(plain, float) and math.isnan(plain):
        assert math.isnan(ours), at
    else:
        assert ours == plain, at


def outcome(parser, body, shape, status=200, headers=None):
    response = {"status_code": status, "headers": headers or {}, "body": body, "context": {"operation_name": "X"}}
    try:
        return parser.parse(response, shape), None
    except Exception as error:  # noqa: BLE001  the error is the result
        return None, error


def assert_same_outcome(protocol, body, shape, **rest):
    ours, our_error = outcome(OURS.create_parser(protocol), body, shape, **rest)
    plain, plain_error = outcome(PLAIN.create_parser(protocol), body, shape, **rest)
    assert type(our_error) is type(plain_error)
    if not isinstance(plain_error, RecursionError):  # its text names where the stack ended
        assert str(our_error) == str(plain_error)
    if plain_error is None:
        assert_same(ours, plain)
    else:
        assert our_error.__context__ is None or type(our_error.__context__) is type(plain_error.__context__)


class Wire:
    """Write a response for a shape as the service would, with members chosen by a seeded random."""

    def __init__(self, protocol, seed, density=1.0, budget=200):
        self.protocol, self.random, self.density, self.budget = protocol, random.Random(seed), density, budget

    def response(self, shape, operation):
        """Return body and headers."""
        if shape is None:
            return (b"<R><requestId>r</requestId></R>" if self.protocol in ("query", "ec2") else b""), {}
        headers = {"x-amzn-RequestId": "id"}
        for name, member in shape.members.items():
            location = member.serialization.get("location")
            if location == "header" and member.type_name != "timestamp" and self.random.random() < self.density:
                headers[member.serialization.get("name", name)] = self.scalar(member)
        payload = shape.serialization.get("payload")
        inner = shape.members[payload] if payload else shape
        if payload and inner.type_name in ("blob", "string"):
            return b"payload", headers
        return self.body(inner, operation), headers

    def body(self, shape, operation):
        if self.protocol in ("json", "rest-json"):
            return json.dumps(self.json(shape)).encode()
        if "cbor" in self.protocol:
            return self.cbor(shape)
        content = self.xml(shape)
        namespace = ' xmlns="http://example.amazonaws.com/doc/2026-01-01/"'
        head = '<?xml version="1.0" encoding="UTF-8"?>\n' if self.random.random() < 0.5 else ""
        if self.protocol == "query":
            wrapper = shape.serialization.get("resultWrapper")
            content = f"<{wrapper}>{content}</{wrapper}>" if wrapper else content
            content += "<ResponseMetadata><RequestId>r</RequestId></ResponseMetadata>"
        elif self.protocol == "ec2":
            content = f"<requestId>r</requestId>{content}"
        return f"{head}<{operation}Response{namespace}>{content}</{operation}Response>\n".encode()

    def members(self, shape):
        chosen = list(shape.members.items())
        if shape.metadata.get("union"):
            chosen = [self.random.choice(chosen)] if chosen else []
        else:
            self.random.shuffle(chosen)
        for name, member in chosen:
            self.budget -= 1
            if self.budget < 0 and not shape.metadata.get("union"):
                return
            if self.random.random() <= self.density or shape.metadata.get("union"):
                yield name, member

    def count(self):
        return self.random.choice((0, 1, 2)) if self.budget > 0 else 0

    def scalar(self, shape):
        choose = self.random.choice
        match shape.type_name:
            case "boolean":
                return choose(("true", "false", "True"))
            case "integer" | "long":
                return str(self.random.randrange(-9, 10**9))
            case "float" | "double":
                return choose(("1.5", "0", "-2e10", "NaN"))
            case "timestamp":
                return choose(STAMPS)
            case "blob":
                return base64.b64encode(self.random.randbytes(5)).decode()
        if shape.metadata.get("enum"):
            return choose(shape.metadata["enum"])
        return choose(("", "text", "ü & <b> \"'", " two\nlines ", "1", "true"))

    def xml(self, shape):
        gap = self.random.choice(("", "", "\n  "))
        match shape.type_name:
            case "structure":
                return gap + "".join(self.element(name, member) + gap for name, member in self.members(shape))
            case "list":
                name = shape.member.serialization.get("name", "member")
                return "".join(self.wrap(name, shape.member) + gap for _ in range(self.count()))
            case "map":
                return "".join(f"<entry>{self.pair(shape, n)}</entry>{gap}" for n in range(self.count()))
        return escape(self.scalar(shape), {'"': "&quot;"} if self.random.random() < 0.5 else {"\n": "&#10;"})

    def pair(self, shape, n):
        key, value = shape.key.serialization.get("name", "key"), shape.value.serialization.get("name", "value")
        return f"<{key}>k{n}</{key}>{self.wrap(value, shape.value)}"

    def wrap(self, name, shape):
        content = self.xml(shape)
        return f"<{name}/>" if not content and self.random.random() < 0.5 else f"<{name}>{content}</{name}>"

    def element(self, name, shape):
        wire, serialization = shape.serialization.get("name", name), shape.serialization
        if serialization.get("location") in ("header", "headers", "statusCode"):
            return ""
        if serialization.get("xmlAttribute"):
            return ""
        if serialization.get("flattened") and shape.type_name == "list":
            wire = shape.member.serialization.get("name", wire)
            return "".join(self.wrap(wire, shape.member) for _ in range(self.count()))
        if serialization.get("flattened"):
            return "".join(f"<{wire}>{self.pair(shape, n)}</{wire}>" for n in range(self.count()))
        return self.wrap(wire, shape)

    def json(self, shape):
        if shape.metadata.get("document"):
            return {"any": ["thing", 1, None]}
        match shape.type_name:
            case "structure":
                found = {m.serialization.get("name", n): self.json(m) for n, m in self.members(shape)}
                return found if shape.metadata.get("union") else {**found, "unknown": 1, "null": None}
            case "list":
                return [self.json(shape.member) for _ in range(self.count())]
            case "map":
                return {f"k{n}": self.json(shape.value) for n in range(self.count())}
            case "boolean":
                return self.random.random() < 0.5
            case "integer" | "long":
                return self.random.randrange(10**6)
            case "float" | "double":
                return self.random.choice((1.5, 2, "NaN"))
            case "timestamp":
                return self.random.choice((1422172800, 1422172800.123, *STAMPS))
        return self.scalar(shape)

    def head(self, major, number):
        if number < 24:
            return bytes((major << 5 | number,))
        return bytes((major << 5 | 26,)) + number.to_bytes(4, "big")

    def cbor(self, shape):
        def text(value):
            return self.head(3, len(value.encode())) + value.encode()

        def items(major, each):
            joined = b"".join(each)
            if self.random.random() < 0.3:
                return bytes((major << 5 | 31,)) + joined + b"\xff"
            return self.head(major, len(each)) + joined

        match shape.type_name:
            case "structure":
                return items(5, [text(n) + self.cbor(m) for n, m in self.members(shape)])
            case "list":
                return items(4, [self.cbor(shape.member) for _ in range(self.count())])
            case "map":
                return items(5, [text(f"k{n}") + self.cbor(shape.value) for n in range(self.count())])
            case "boolean":
                return self.random.choice((b"\xf4", b"\xf5", b"\xf6"))
            case "integer" | "long":
                number = self.random.randrange(-300, 10**6)
                return self.head(0, number) if number >= 0 else self.head(1, -1 - number)
            case "float" | "double":
                return self.random.choice(
                    (b"\xfb" + struct.pack(">d", 1.25), b"\xf9" + struct.pack(">e", 0.5), b"\x05")
                )
            case "timestamp":
                return b"\xc1" + self.random.choice(
                    (self.head(0, 1422172800), b"\xfb" + struct.pack(">d", 1422172800.5))
                )
            case "blob":
                return self.head(2, 3) + b"abc"
        return text(self.scalar(shape))


def protocol_of(model):
    return model.resolved_protocol


def is_stream(shape):
    return shape is not None and (shape.event_stream_name or shape.serialization.get("eventstream"))


def compare_operations(service, seeds, density, *, every=1):
    model = model_of(service)
    protocol, compared = protocol_of(model), 0
    for operation in model.operation_names[::every]:
        shape = model.operation_model(operation).output_shape
        if is_stream(shape):
            continue
        for seed in seeds:
            wire = Wire(protocol, f"{operation}{seed}", density)
            body, headers = wire.response(shape, operation)
            assert_same_outcome(protocol, body, shape, headers=headers)
            compared += 1
    return compared


@pytest.mark.parametrize("service", SERVICES)
def test_every_operation_of_every_service_gives_botocores_answer(service):
    """Compare a full response of each operation, and for some of them responses that lack members at random."""
    assert compare_operations(service, [0], 1.0)
    assert compare_operations(service, [1, 2], 0.5, every=25)


@pytest.fixture(scope="module")
def shapes():
    """Return a response of each protocol that has all that the protocol can have."""
    wanted = {
        "ec2": ("ec2", "DescribeInstances"),
        "query": ("iam", "ListRoles"),
        "rest-xml": ("s3", "ListObjectVersions"),
        "json": ("dynamodb", "Query"),
        "rest-json": ("lambda", "GetFunction"),
        "smithy-rpc-v2-cbor": ("cloudwatch", "DescribeAlarms"),  # whatever that service speaks in this botocore
    }
    found = {}
    for protocol, (service, operation) in wanted.items():
        model = model_of(service)
        shape = model.operation_model(operation).output_shape
        found[protocol] = (model, shape, Wire(protocol, 3, 1.0, 60).body(shape, operation))
    return found


PROTOCOLS = sorted(PROTOCOL_PARSERS)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_body_cut_anywhere_is_botocores_error(protocol, shapes):
    _, shape, body = shapes[protocol]
    for end in range(0, len(body), max(1, len(body) // 300)):
        assert_same_outcome(protocol, body[:end], shape)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_body_with_a_byte_changed_is_botocores_answer_or_error(protocol, shapes):
    _, shape, body = shapes[protocol]
    chance = random.Random(protocol)
    for _ in range(400):
        at, what = (
            chance.randrange(len(body)),
            chance.choice([b"<", b">", b"&", b"/", b"\x00", b"\xff", b"", b"]]>", b'"', b" "]),
        )
        assert_same_outcome(protocol, body[:at] + what + body[at + chance.randrange(2) :], shape)


MALFORMED = {
    "empty": b"",
    "spaces": b"  \n",
    "html": b"<html><body><b>Http/1.1 Service Unavailable</b></body></html>",
    "not closed html": b"<html><br></html>",
    "text": b"upstream timed out",
    "utf-16": '<?xml version="1.0" encoding="UTF-16"?><R><a>b</a></R>'.encode("utf-16"),
    "latin-1": "<R><Name>ü</Name></R>".encode("latin-1"),
    "marked": b"\xef\xbb\xbf<R></R>",
    "null": b"null",
    "list": b"[]",
    "list of names": b'["Items", "Count"]',
    "number": b"12",
    "string": b'"Items"',
    "two values": b"{}{}",
    "nan": b'{"Count": NaN}',
    "deep list": b"[" * 50_000,
    "deep map": b'{"Items":' * 50_000,
    "deep xml": b"<a>" * 50_000 + b"</a>" * 50_000,
    "entities": b'<!DOCTYPE R [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><R><Name>&b;</Name></R>',
    "unknown entity": b"<R><Name>&nbsp;</Name></R>",
    "two roots": b"<R></R><R></R>",
    "text after": b"<R></R>text",
    "comment after": b"<R></R><!-- c -->\n",
    "cbor endless": b"\xbf" * 2000,
    "cbor huge": b"\xbb\xff\xff\xff\xff\xff\xff\xff\xff",
    "cbor tag": b"\xc2\x01",
    "random": random.Random(1).randbytes(2000),
}


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("name", MALFORMED)
@pytest.mark.parametrize("status", [200, 301, 404, 500])
def test_a_malformed_body_is_botocores_answer_or_error(protocol, name, status, shapes):
    assert_same_outcome(protocol, MALFORMED[name], shapes[protocol][1], status=status)
    assert_same_outcome(protocol, MALFORMED[name], None, status=status)


S3_BODIES = {
    "wrong root": "<Other><Name>a</Name></Other>",
    "twice": "<R><Name>a</Name><Name>b</Name></R>",
    "list twice": "<R><CommonPrefixes><Prefix>a</Prefix></CommonPrefixes><x/><CommonPrefixes/></R>",
    "unknown": "<R><New><Deep>1</Deep><E/></New><Name>a</Name><Flat/><Zero>0</Zero></R>",
    "unknown twice": "<R><New/><New><New>1</New></New></R>",
    "number": "<R><MaxKeys>many</MaxKeys></R>",
    "no number": "<R><MaxKeys/></R>",
    "number in spaces": "<R><MaxKeys> 1_0 </MaxKeys></R>",
    "number by reference": "<R><MaxKeys>&#49;</MaxKeys></R>",
    "true by reference": "<R><IsTruncated>&#116;rue</IsTruncated></R>",
    "time": "<R><Contents><LastModified>yesterday</LastModified></Contents></R>",
    "time of February": "<R><Contents><LastModified>2026-02-30T00:00:00Z</LastModified></Contents></R>",
    "no time": "<R><Contents><LastModified/></Contents></R>",
    "children in text": "<R><Name>a<b/>c</Name></R>",
    "text in structure": "<R>t<Contents>t<Key>a</Key>t</Contents>t</R>",
    "structure as text": "<R><Contents>text</Contents><Contents><Owner>x</Owner></Contents></R>",
    "comment": "<R><Name>a<!-- b -->c</Name><!-- <Name>d</Name> --></R>",
    "cdata": "<R><Name><![CDATA[<a>&]]></Name></R>",
    "instruction": "<R><?p q?><Name>a</Name></R>",
    "end of cdata": "<R><Name>a]]>b</Name></R>",
    "brackets": "<R><Name>a]]b]>c</Name></R>",
    "greater": "<R><Name>a>b</Name></R>",
    "less": "<R><Name>a<b</Name></R>",
    "references": "<R><Name>&lt;&amp;lt;&#65;&#x42;&#13;&apos;&quot;&gt;&amp;#65;</Name></R>",
    "bad reference": "<R><Name>&#0;</Name></R>",
    "bad reference outside": "<R>&#xFFFF;<Name>a</Name></R>",
    "ampersand": "<R><Name>a&b</Name></R>",
    "ampersand outside": "<R>&<Name>a</Name></R>",
    "control": "<R><Name>\x01</Name></R>",
    "never": "<R><Name>\ufffe</Name></R>",
    "return": "<R><Name>a\r\nb\rc</Name></R>",
    "tab": "<R><Name>a\tb\x7f\x85\u2028</Name></R>",
    "astral": "<R><Name>\U0001f600</Name></R>",
    "prefix": '<p:R xmlns:p="http://p"><p:Name>a</p:Name></p:R>',
    "two namespaces": '<R xmlns="http://a"><Name>a</Name><Name xmlns="http://b">b</Name></R>',
    "unbound prefix": "<R><p:Name>a</p:Name></R>",
    "reserved namespace": '<R xmlns="http://www.w3.org/2000/xmlns/"><Name>a</Name></R>',
    "attribute": '<R a="1"><Name b="2">a</Name></R>',
    "attribute twice": '<R a="1" a="2"><Name>a</Name></R>',
    "spaces in tags": "<R ><Name\n>a</Name ></R\n>",
    "space before name": "<R>< Name>a</Name></R>",
    "not closed": "<R><Name>a</R>",
    "crossed": "<R><Contents><Key>a</Contents></Key></R>",
    "tag without end": "<R><Name</Name></R>",
    "closing without end": "<R><Name>a</Name</R>",
    "open in tag": "<R><Name<Name>a</Name></R>",
    "digit name": "<R><1a>b</1a></R>",
    "odd name": "<R><a-b.c_d>x</a-b.c_d><é>y</é></R>",
    "slashes": "<R><Name//><//></R>",
    "empty name": "<R><></></R>",
    "closed root": "<R/>",
    "closed root and more": "<R/><R/>",
    "two declarations": '<?xml version="1.0"?><?xml version="1.0"?><R/>',
    "late declaration": ' <?xml version="1.0"?><R></R>',
    "old version": '<?xml version="1.1"?><R></R>',
    "wrong charset": '<?xml version="1.0" encoding="ISO-8859-1"?><R><Name>ü</Name></R>',
    "single quotes": "<?xml version='1.0' encoding='utf-8'?><R><Name>a</Name></R>",
    "standalone": '<?xml version="1.0" encoding="utf-8" standalone="yes"?>\n\n<R><Name>a</Name></R>\n\n',
}


@pytest.mark.parametrize("name", S3_BODIES)
def test_xml_of_every_odd_form_is_botocores_answer_or_error(name):
    shape = model_of("s3").operation_model("ListObjectsV2").output_shape
    assert_same_outcome("rest-xml", S3_BODIES[name].encode(), shape)


@pytest.mark.parametrize(
    "body",
    [
        '<R xmlns="http://a"><ResponseMetadata><RequestId>1</RequestId><Other/></ResponseMetadata></R>',
        "<R><{w}/><ResponseMetadata/></R>",
        "<R><{w}></{w}></R>",
        "<R><{w}/><{w}/></R>",
        "<R><{w}/><ResponseMetadata/><ResponseMetadata><RequestId>1</RequestId></ResponseMetadata></R>",
        "<R><ResponseMetadata><RequestId/></ResponseMetadata><{w}/><Other>1</Other></R>",
        "<R><{w}/><ResponseMetadata><RequestId><a/></RequestId></ResponseMetadata></R>",
        "<R><{w}>text</{w}><ResponseMetadata>text</ResponseMetadata></R>",
    ],
)
def test_the_wrapper_and_metadata_of_query_are_botocores(body):
    shape = model_of("sts").operation_model("GetCallerIdentity").output_shape
    assert_same_outcome("query", body.format(w=shape.serialization["resultWrapper"]).encode(), shape)


@pytest.mark.parametrize(
    "inner", ["", "<requestId/>", "<requestId>a</requestId>", "<requestId>a</requestId><requestId/>"]
)
def test_the_request_id_of_ec2_is_botocores(inner):
    shape = model_of("ec2").operation_model("DescribeInstances").output_shape
    assert_same_outcome("ec2", f"<R>{inner}<reservationSet/></R>".encode(), shape)


@pytest.mark.parametrize("protocol", ["json", "rest-json"])
@pytest.mark.parametrize(
    "value", [None, "s", 1, 1.5, True, [], {}, [None], {"S": None}, {"S": 1}, {"x": 1}, [["a"]], "ü"]
)
def test_json_of_every_wrong_type_is_botocores_answer_or_error(protocol, value):
    shape = model_of("dynamodb").operation_model("Query").output_shape
    for name in shape.members:
        for body in ({name: value}, {name: [value]}, {name: {"k": value}}, {name: [{"k": value}]}):
            assert_same_outcome(protocol, json.dumps(body).encode(), shape)
    for kind in "S N B SS NS BS M L NULL BOOL".split():
        for body in ({kind: value}, {kind: [value]}, {kind: {"k": value}}, {kind: value, "S": "x"}):
            assert_same_outcome(protocol, json.dumps({"Items": [{"a": body}]}).encode(), shape)


@pytest.mark.parametrize("service", ["bedrock-runtime", "quicksight", "bedrock-agent"])
@pytest.mark.parametrize("form", ["unknown", "two", "none", "typed", "nulls"])
def test_unions_of_every_form_are_botocores(service, form):
    """Put what a union must not be where a union is."""
    model, compared = model_of(service), 0
    for name in model.shape_names:
        shape = model.shape_for(name)
        if shape.type_name != "structure" or not shape.metadata.get("union") or shape.metadata.get("document"):
            continue
        keys = [member.serialization.get("name", n) for n, member in shape.members.items()]
        body = {
            "unknown": {"new": 1},
            "two": {key: {} for key in keys[:2]},
            "none": {},
            "typed": {"__type": "x", keys[0]: None},
            "nulls": {**dict.fromkeys(keys), "__type": "x"},
        }[form]
        assert_same_outcome(protocol_of(model), json.dumps(body).encode(), shape)
        compared += 1
    assert compared


def test_a_deep_item_is_botocores_or_better():
    shape = model_of("dynamodb").operation_model("Query").output_shape
    for depth in (10, 100, 3000):
        body = b'{"Items":[{"a":' + b'{"L":[' * depth + b'{"S":"x"}' + b"]}" * depth + b"}]}"
        plain, error = outcome(PLAIN.create_parser("json"), body, shape)
        ours, our_error = outcome(OURS.create_parser("json"), body, shape)
        assert type(our_error) in (type(error), type(None))
        if error is None:
            assert ours == plain


def test_a_large_body_is_botocores():
    shape = model_of("s3").operation_model("ListObjectsV2").output_shape
    body = (
        b"<R>"
        b"<Contents><Key>"
        + b"k" * 4_000_000
        + b"</Key></Contents>" * 1
        + b"<Name>"
        + b"&amp;" * 400_000
        + b"</Name></R>"
    )
    assert_same_outcome("rest-xml", body, shape)


TIMES = st.one_of(
    st.datetimes().map(lambda d: d.isoformat() + "Z"),
    st.datetimes().map(lambda d: d.strftime("%Y-%m-%dT%H:%M:%S.000Z")),
    st.from_regex(r"\A[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?Z?\Z"),
    st.integers(-(10**10), 10**12),
    st.floats(-(10**10), 10**12),
    st.sampled_from(STAMPS),
    st.text(max_size=12),
)


@pytest.fixture(
    params=["UTC0", "Europe/London", "America/New_York", "UTC+3", "XYZ-1UTC", "GMT0", ":no/such"], scope="module"
)
def zone(request):
    before = os.environ.get("TZ")
    os.environ["TZ"] = request.param
    time.tzset()
    yield request.param
    os.environ.pop("TZ")
    if before is not None:
        os.environ["TZ"] = before
    time.tzset()


@settings(max_examples=300, deadline=None)
@given(value=TIMES)
def test_a_time_is_what_botocore_reads_in_every_zone(zone, value):
    def read(parse):
        try:
            return parse(value)
        except Exception as error:  # noqa: BLE001
            return type(error), str(error)

    assert_same(read(instant), read(parse_timestamp))


def test_closures_go_with_their_model():
    model = model_of("sqs")
    shape = model.operation_model("ReceiveMessage").output_shape
    parser = OURS.create_parser(protocol_of(model))
    before = len(parser.compiler._walks)
    outcome(parser, b'{"Messages":[{"MessageId":"1","Attributes":{"a":"b"}}]}', shape)
    walk = weakref.ref(parser.compiler.walk_of(shape))
    assert walk() is not None
    assert len(parser.compiler._walks) == before + 1
    gone = weakref.ref(model), weakref.ref(shape)
    del model, shape
    gc.collect()
    gc.collect()  # what the first one freed held the closures
    assert [each() for each in (*gone, walk)] == [None] * 3
    assert len(parser.compiler._walks) <= before


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_no_protocol_keeps_a_model_alive(protocol, shapes):
    model = model_of(shapes[protocol][0].service_name)
    operation = next(
        o for o in model.operation_names if getattr(model.operation_model(o).output_shape, "members", None)
    )
    shape = model.operation_model(operation).output_shape
    wire = Wire(protocol, 5)
    assert_same_outcome(protocol, wire.body(shape, operation), shape)
    gone = weakref.ref(model), weakref.ref(shape)
    del model, shape
    gc.collect()
    assert [each() for each in gone] == [None, None]


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_many_threads_compile_one_shape_at_once(protocol, shapes):
    used, _, _ = shapes[protocol]
    model = model_of(used.service_name)
    operation = max(
        (o for o in model.operation_names if model.operation_model(o).output_shape),
        key=lambda o: len(model.operation_model(o).output_shape.members),
    )
    shape = model.operation_model(operation).output_shape
    body, headers = Wire(protocol, 7).response(shape, operation)
    gate, found = threading.Barrier(12), []

    def work():
        gate.wait()
        found.extend(outcome(OURS.create_parser(protocol), body, shape, headers=headers) for _ in range(5))

    threads = [threading.Thread(target=work) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    expected, _ = outcome(PLAIN.create_parser(protocol), body, shape, headers=headers)
    assert len(found) == 60
    for ours, error in found:
        assert error is None
        assert_same(ours, expected)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_what_is_ordinary_never_takes_botocores_walk(protocol, shapes, monkeypatch):
    """Without this, every other test would pass with parsers that always fall back."""
    _, shape, body = shapes[protocol]
    parser = CompiledParserFactory().create_parser(protocol)

    def refuse(*_args, **_kwargs):
        raise AssertionError("botocore's walk was taken")

    for name in ("_parse_shape", "_parse_body_as_xml", "_initial_body_parse"):
        monkeypatch.setattr(parser._plain, name, refuse, raising=False)
    parsed, error = outcome(parser, body, shape)
    assert error is None
    assert len(parsed) > 1


def test_defaults_of_ones_own_are_botocores_business(shapes):
    factory = CompiledParserFactory()
    shared = factory.create_parser("json")
    assert factory.create_parser("json") is shared
    factory.set_parser_defaults(timestamp_parser=str, blob_parser=str)
    assert type(factory.create_parser("json")) is PROTOCOL_PARSERS["json"]
    _, shape, body = shapes["json"]
    plain = ResponseParserFactory()
    plain.set_parser_defaults(timestamp_parser=str, blob_parser=str)
    ours, _ = outcome(factory.create_parser("json"), body, shape)
    assert_same(ours, outcome(plain.create_parser("json"), body, shape)[0])
    factory.set_parser_defaults(unknown=1)
    with pytest.raises(TypeError, match="unknown"):
        factory.create_parser("json")
    with pytest.raises(KeyError, match="soap"):
        CompiledParserFactory().create_parser("soap")


def test_a_trait_that_nobody_knows_is_left_to_botocore():
    model = model_of("sqs")
    shape = model.operation_model("ReceiveMessage").output_shape
    shape.members["Messages"].serialization["newTrait"] = True
    body = b'{"Messages":[{"MessageId":"1"}]}'
    parser = CompiledParserFactory().create_parser("json")
    asked = []
    walk = parser._plain._parse_shape
    parser._plain._parse_shape = lambda *args: asked.append(args) or walk(*args)
    assert outcome(parser, body, shape)[0]["Messages"] == [{"MessageId": "1"}]
    assert asked


# -- botocore's own data: read from the sdist of the installed version, which carries its tests ----------------------


@pytest.fixture(scope="session")
def sdist(request):
    """Return botocore's source archive, downloaded once and shared by all workers."""
    folder = request.config.cache.mkdir("botocore-sdist")
    archive, lock = folder / f"botocore-{botocore.__version__}.tar.gz", folder / "lock"
    with lock.open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        if not archive.is_file():
            download = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
            wanted = ["--no-binary", ":all:", "--dest", str(folder / "new"), f"botocore=={botocore.__version__}"]
            run = subprocess.run([*download, *wanted], capture_output=True, text=True, timeout=300, check=False)
            if run.returncode:
                pytest.fail(
                    f"botocore's own test data can't be had: pip could not download its sdist\n{run.stderr}",
                    pytrace=False,
                )
            (folder / "new" / archive.name).replace(archive)
    with tarfile.open(archive) as opened:
        yield opened


def files_of(sdist, folder, suffix):
    """Return the contents of the files below a folder of the archive, by name."""
    return {
        member.name.split(f"/{folder}/")[1]: sdist.extractfile(member).read()
        for member in sdist.getmembers()
        if f"/{folder}/" in member.name and member.name.endswith(suffix)
    }


def plain_values(value):
    """Write bytes, times and floats as botocore's expected results do."""
    if isinstance(value, dict):
        return {key: plain_values(each) for key, each in value.items()}
    if isinstance(value, (list, EventStream)):
        return [plain_values(each) for each in value]
    if isinstance(value, bytes):
        return value.decode()
    if isinstance(value, datetime):
        return value.timestamp()
    if isinstance(value, float) and not math.isfinite(value):
        return {math.inf: "Infinity", -math.inf: "-Infinity"}.get(value, "NaN")
    return value


def operation_of(models, filename):
    service, _, name = filename.rsplit("/", 1)[-1].rsplit(".", 1)[0].partition("-")
    model = models.setdefault(service, model_of(service))
    name = name.split("#")[0].replace("-", "_")
    return next(o for o in map(model.operation_model, model.operation_names) if xform_name(o.name) == name)


def test_botocores_own_responses(sdist):
    models, compared, met = {}, 0, 0
    files = files_of(sdist, "unit/response_parsing", (".xml", ".json"))
    for name, body in files.items():
        expected = name.replace("json/errors", "json/expected").replace(".xml", ".json")
        if name.startswith("json/expected") or (name.startswith("xml") and name.endswith(".json")):
            continue
        operation, headers = operation_of(models, name), {}
        if b"__headers__" in body:
            loaded = json.loads(body)
            headers, body = loaded.pop("__headers__"), json.dumps(loaded).encode()  # noqa: PLW2901
        status = 400 if "errors" in name else 200
        protocol, shape = protocol_of(operation.service_model), operation.output_shape
        assert_same_outcome(protocol, body, shape, status=status, headers=headers)
        compared += 1
        ours, error = outcome(OURS.create_parser(protocol), body, shape, status=status, headers=headers)
        # Some have a text that is no time, which botocore's own test does not look at.
        if error is None:
            wanted = json.loads(files[expected])
            wanted["ResponseMetadata"].update(HTTPStatusCode=status, HTTPHeaders=headers)
            met += plain_values(ours) == times_read(wanted, ours)
    assert compared > 200
    # The rest is what handlers make of an answer after the parser, such as a policy's JSON.
    assert met > compared * 0.9


def times_read(wanted, ours):
    """Read the texts of an expected result where the answer has a time."""
    if isinstance(ours, datetime):
        return parse_timestamp(wanted).timestamp()
    if isinstance(wanted, dict) and isinstance(ours, dict):
        return {key: times_read(each, ours.get(key)) for key, each in wanted.items()}
    if isinstance(wanted, list) and isinstance(ours, list) and len(wanted) == len(ours):
        return [times_read(each, our) for each, our in zip(wanted, ours, strict=True)]
    return wanted


class Raw:
    """Be the connection's end of a stream."""

    def __init__(self, body):
        self.body = body

    def stream(self):
        yield self.body


def prepared(case, model, protocol):
    """Return the shape and the response of one protocol test; the response anew each time, because streams end."""
    operation = OperationModel(case["given"], model)
    shape, name = operation.output_shape, case["given"].get("name", "OperationName")
    if protocol == "query" and "error" not in case and shape and shape.members:
        shape.serialization["resultWrapper"] = f"{name}Result"
    body = case["response"].get("body", "<xml/>" if protocol == "query" else "").encode()
    if "cbor" in protocol or operation.has_event_stream_output:
        body = base64.b64decode(body)

    def response():
        sent = Raw(body) if operation.has_event_stream_output else body
        headers = HeadersDict(case["response"].get("headers", {}))
        context = {"operation_name": name}
        return {
            "status_code": case["response"].get("status_code", 200),
            "headers": headers,
            "body": sent,
            "context": context,
        }

    return shape, response


def protocol_cases(sdist):
    ignored = files_of(sdist, "unit/protocols", "protocol-tests-ignore-list.json")
    listed = json.loads(next(iter(ignored.values()))) if ignored else {}
    for file, content in sorted(files_of(sdist, "unit/protocols/output", ".json").items()):
        for suite in json.loads(content):
            protocol = file.removesuffix(".json")
            skips = [listed.get("general", {}), listed.get("protocols", {}).get(protocol, {})]
            for case in suite.pop("cases"):
                skipped = any(
                    suite["description"] in each.get("output", {}).get("suites", ())
                    or case.get("id") in each.get("output", {}).get("cases", ())
                    for each in skips
                )
                if "response" in case and not skipped:
                    yield file, suite, case


def test_botocores_own_protocol_tests(sdist):
    """Compare with botocore's parser, and with the result that the protocol's authors expect."""
    compared, events = 0, 0
    for file, suite, case in protocol_cases(sdist):
        description = {**suite, "operations": {case["given"].get("name", "OperationName"): case}}
        model = ServiceModel(description)
        protocol = model.metadata["protocol"]
        shape, response = prepared(case, model, protocol)
        where = f"{file}: {case.get('id')}"
        ours = OURS.create_parser(protocol).parse(response(), shape)
        plain = PLAIN.create_parser(protocol).parse(response(), shape)
        streams = [key for key, value in ours.items() if isinstance(value, EventStream)]
        for key in streams:
            ours[key], plain[key] = list(ours[key]), list(plain[key])
            events += 1
        assert_same(ours, plain, where)
        compared += 1
        if "error" not in case:
            ours.pop("ResponseMetadata", None)
            assert plain_values(ours) == plain_values(case["result"]), where
        else:
            assert ours["Error"].get("Code", "") == case.get("errorCode", ""), where
    assert compared > 150


def test_a_session_takes_the_factory_as_a_component():
    session = botocore.session.get_session()
    session.register_component("response_parser_factory", CompiledParserFactory())
    client = session.create_client("sqs", "eu-west-1", aws_access_key_id="k", aws_secret_access_key="s")
    assert isinstance(client._endpoint._response_parser_factory, CompiledParserFactory)
