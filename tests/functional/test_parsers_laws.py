"""The law of the compiled parsers, for what hypothesis makes from the shapes: botocore's answer, or its error.

The writer of ordinary responses is the one of the other tests, and here hypothesis is its dice, so that what fails
shrinks. To the ordinary comes whatever a service, or somebody between, may send.
"""

from __future__ import annotations

import base64
import importlib.util
import json
import re
import struct
from functools import lru_cache
from pathlib import Path
from xml.sax.saxutils import escape, quoteattr

import pytest
from botocore.parsers import PROTOCOL_PARSERS
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

_spec = importlib.util.spec_from_file_location("parsers_side_by_side", Path(__file__).with_name("test_parsers.py"))
_side_by_side = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(_side_by_side)
Wire = _side_by_side.Wire
model_of = lru_cache(maxsize=64)(_side_by_side.model_of)

PROTOCOLS = sorted(PROTOCOL_PARSERS)
# Outputs that together have all that outputs can have. Any of them may come in any protocol.
OUTPUTS = {
    "ec2": "DescribeInstances DescribeImages DescribeVpcs GetConsoleOutput DescribeAvailabilityZones",
    "iam": "ListRoles GetAccountSummary GetPolicy ListAccessKeys",
    "sts": "AssumeRole GetCallerIdentity",
    "sns": "GetTopicAttributes ListTopics",
    "rds": "DescribeDBInstances",
    "cloudformation": "DescribeStacks",
    "s3": "ListObjectVersions ListObjectsV2 GetBucketAcl GetBucketLifecycleConfiguration HeadObject GetBucketLocation",
    "route53": "ListResourceRecordSets",
    "cloudfront": "ListDistributions",
    "dynamodb": "Query DescribeTable BatchGetItem",
    "sqs": "ReceiveMessage GetQueueAttributes",
    "cloudwatch": "GetMetricData DescribeAlarms",
    "ecs": "DescribeTasks",
    "lambda": "GetFunction ListFunctions Invoke",
    "apigateway": "GetRestApis GetIntegration",
    "bedrock-runtime": "Converse",
    "quicksight": "DescribeAnalysisDefinition",
    "glacier": "DescribeVault InitiateJob",
    "kinesis": "GetRecords",
    "cloudtrail": "LookupEvents",
}
CASES = [(service, name) for service, names in OUTPUTS.items() for name in names.split()]
# Neither wrappers nor headers are in any output of EC2's own protocol.
OF_EC2 = [case for case in CASES if case[0] == "ec2"]
TEXTS = (
    "",
    " ",
    "text",
    "1",
    "true",
    "null",
    "NaN",
    "Infinity",
    "ü\u2028\U0001f600",
    "<a&b>\"'",
    "]]>",
    "a\r\nb\t",
    "\x7f\x85",
)
TIMES = (
    *(
        "2026-01-02T03:04:05Z",
        "2026-01-02T03:04:05.1Z",
        "2026-01-02T03:04:05.123456Z",
        "2026-01-02T03:04:05.123456789Z",
    ),
    *("2026-01-02T03:04:05+02:00", "2026-01-02T03:04:05", "2026-01-02", "20260102T030405Z", "2026-01-02 03:04:05"),
    *("0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "2026-02-30T00:00:00Z", "2026-01-02t03:04:05z", "03:04"),
    *("Tue, 29 Apr 2014 18:30:38 GMT", "Tue, 29 Apr 2014 18:30:38.123 GMT", "Tuesday, 29-Apr-14 18:30:38 GMT"),
    *("1422172800", "1422172800.5", "-1", "0", "1e9", "99999999999999", "NaN", "", "soon"),
)
INTEGERS = ("0", "-1", "007", " 5 ", "1_0", "9" * 30, "1.0", "1e3", "", "x", "+3")
FLOATS = ("1.5", "-2e10", "NaN", "Infinity", "-Infinity", "inf", " 1 ", "", "x", "1e999")
BOOLEANS = ("true", "false", "True", "FALSE", "1", "0", "", " true", "yes")
BLOBS = ("AAE=", "AAE", "", "!!!", "YQ==\n", " YQ==", "ü")


class WildWire(Wire):
    """Write responses of a shape as no service should: nulls, wrong types, things twice, things unknown.

    Args:
        protocol: botocore's name of it.
        dice: chooses.
        wildness: how often something is not as it should be, from 0 to 1.
    """

    def __init__(self, protocol, dice, density, wildness):
        super().__init__(protocol, 0, density, budget=40)
        self.random, self.wildness = dice, wildness

    def wild(self):
        return self.wildness and self.random.random() < self.wildness

    def one_of(self, choices):
        return choices[self.random.randrange(len(choices))]

    def scalar(self, shape):
        if not self.wild():
            return super().scalar(shape)
        kinds = {"boolean": BOOLEANS, "timestamp": TIMES, "blob": BLOBS, "integer": INTEGERS, "long": INTEGERS}
        return self.one_of(kinds.get(shape.type_name) or (FLOATS if shape.type_name in ("float", "double") else TEXTS))

    # -- XML

    def xml(self, shape):
        if shape.type_name in ("structure", "list", "map"):
            if not self.wild():
                return super().xml(shape)
            odd = (
                "text",
                "",
                "<!-- c -->",
                "<Unknown><Deep a='1'>x</Deep></Unknown>",
                "<![CDATA[x]]>",
                "<Empty/>",
                "<?p q?>",
                "\r\n",
            )
            return self.one_of(odd) + super().xml(shape) + self.one_of(("", *odd))
        if not self.wild():
            return super().xml(shape)
        text = self.scalar(shape)
        return self.one_of(
            (
                escape(text),
                "".join(f"&#{ord(each)};" if each >= " " else each for each in text),
                "".join(f"&#x{ord(each):x};" if each >= " " else each for each in text),
                f"<![CDATA[{text}]]>",
                f"<!-- c -->{escape(text)}",
                f"{escape(text)}<child>x</child>tail",
                f"  {escape(text)}\n",
            )
        )

    def wrap(self, name, shape):
        attributes = ""
        if shape.type_name == "structure":
            for key, member in shape.members.items():
                if member.serialization.get("xmlAttribute") and self.random.random() < self.density:
                    prefix, _, _ = member.serialization.get("name", key).partition(":")
                    space = f' xmlns:{prefix}="http://www.w3.org/2001/XMLSchema-instance"'
                    value = quoteattr(super().scalar(member).replace("\n", " "))
                    attributes += f"{space} {member.serialization.get('name', key)}={value}"
        if self.wild():
            attributes += self.one_of((' a="1"', " ", "\n", ' xmlns="http://other"', ' xmlns:q="http://q" q:a="1"'))
        content = self.xml(shape)
        return f"<{name}{attributes}>{content}</{name}>" if attributes else super().wrap(name, shape)

    def element(self, name, shape):
        found = super().element(name, shape)
        if not self.wild():
            return found
        wire = shape.serialization.get("name", name)
        return self.one_of(
            (found + found, f"<{wire}/>", f"<{wire}>text</{wire}>", "", found + f"<{wire}/>", f"<u>{found}</u>")
        )

    # -- JSON

    def members(self, shape):
        if not (shape.metadata.get("union") and self.wild()):
            yield from super().members(shape)
            return
        names = list(shape.members.items())
        yield from names[: self.random.randrange(3)]

    def json(self, shape):
        if self.wild():
            return self.one_of(
                (None, "text", 1, 1.5, True, [], {}, [None], {"S": None}, {"__type": "x"}, "1", "", 10**30)
            )
        found = super().json(shape)
        if type(found) is dict and self.wild():
            return {"Unknown": {"a": [1]}, "": 1, "__type": "x#Y", **found, **dict.fromkeys(list(found)[:1])}
        return found

    # -- CBOR

    def cbor(self, shape):
        if not self.wild():
            return super().cbor(shape)
        return self.one_of(
            (
                *(b"\xf6", b"\xf7", b"\xf5", b"\x00", b"\x20", b"\x60", b"\x61a", b"\x40", b"\x41a", b"\x80", b"\xa0"),
                *(b"\x9f\xff", b"\xbf\xff", b"\x7f\x61a\x61b\xff", b"\x5f\x41a\xff", b"\xbf\x61a\xf6\xff"),
                *(b"\xf9\x7e\x00", b"\xf9\x7c\x00", b"\xfa\x00\x00\x00\x01", b"\xfb" + struct.pack(">d", -0.0)),
                *(
                    b"\x1b" + b"\xff" * 8,
                    b"\x3b" + b"\xff" * 8,
                    b"\xc1\x61a",
                    b"\xc1\xf6",
                    b"\xc2\x41a",
                    b"\xd8\x64\x00",
                ),
                *(
                    b"\xc1\x1b" + b"\xff" * 8,
                    b"\xe0",
                    b"\xf8\x20",
                    b"\x1c",
                    b"\xff",
                    b"\x81",
                    b"\xa1\x01\x02",
                    b"\x62\xff\xff",
                ),
            )
        )


def assert_same_outcome(protocol, body, shape, **rest):
    (ours, our_error), (plain, plain_error) = (
        _side_by_side.outcome(factory.create_parser(protocol), body, shape, **rest)
        for factory in (_side_by_side.OURS, _side_by_side.PLAIN)
    )
    # Some errors show an element of XML, with its address.
    found = [(type(error), re.sub("0x[0-9a-f]+", "", str(error))) for error in (our_error, plain_error)]
    assert found[0] == found[1]
    _side_by_side.assert_same(ours, plain)


LAW = {
    "derandomize": True,
    "deadline": None,
    "database": None,
    "suppress_health_check": [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.function_scoped_fixture],
}
DICE = st.randoms(use_true_random=False)


@pytest.mark.parametrize("protocol", PROTOCOLS)
@settings(max_examples=150, **LAW)
@given(
    data=st.data(),
    dice=DICE,
    density=st.sampled_from((1.0, 0.7, 0.3)),
    wildness=st.sampled_from((0, 0, 0.05, 0.3)),
    status=st.sampled_from((200, 200, 200, 201, 301, 400, 503)),
)
def test_any_answer_is_botocores(protocol, data, dice, density, wildness, status):
    service, operation = data.draw(st.sampled_from(OF_EC2 if protocol == "ec2" else CASES))
    shape = model_of(service).operation_model(operation).output_shape
    body, headers = WildWire(protocol, dice, density, wildness).response(shape, operation)
    assert_same_outcome(protocol, body, shape, headers=headers, status=status)


def error_body(protocol, dice, wire, shape):
    """Write an error as the protocol's services write theirs, with some of the shape's members."""

    def maybe(text):
        return text if dice.random() < 0.7 else ""

    code = dice.choice((shape.name, "Throttling", "", "ns#Code", "Code:http://x/", " Code "))
    message = dice.choice(("m", "", "ü<&>", None))
    if protocol in ("json", "rest-json"):
        body = wire.json(shape)
        if type(body) is dict:
            names = dice.choice(
                (("__type", "message"), ("code", "Message"), ("__type", "errorMessage"), ("Code", "message"))
            )
            body |= dict(zip(names, (code, message), strict=True))
        return json.dumps(body).encode()
    if "cbor" in protocol:
        return wire.cbor(shape)
    inner = "" if message is None else f"<Message>{escape(message)}</Message>"
    inner = maybe(f"<Type>Sender</Type><Code>{escape(code)}</Code>{inner}") + wire.xml(shape)
    if protocol == "ec2":
        return (
            f"<Response><Errors><Error>{inner}</Error></Errors>{maybe('<RequestID>r</RequestID>')}</Response>".encode()
        )
    if protocol == "rest-xml" and dice.random() < 0.5:
        return f"<Error>{inner}<RequestId>r</RequestId><HostId>h</HostId></Error>".encode()
    return (
        f"<ErrorResponse>{maybe(f'<Error>{inner}</Error>')}{maybe('<RequestId>r</RequestId>')}</ErrorResponse>".encode()
    )


ERRORS = ("s3", "dynamodb", "iam", "sqs", "lambda", "bedrock-runtime", "cloudformation", "route53", "kinesis")
CODES = (
    None,
    "ns#Thing",
    "Thing:http://internal/",
    "",
    "Thing;Sender",
    ";",
    "AWS.SimpleQueueService.NonExistentQueue;Sender",
)


@pytest.mark.parametrize("protocol", PROTOCOLS)
@settings(max_examples=80, **LAW)
@given(
    service=st.sampled_from(ERRORS),
    number=st.integers(0, 50),
    dice=DICE,
    wildness=st.sampled_from((0, 0, 0.2)),
    status=st.sampled_from((301, 400, 403, 404, 500, 503)),
    code=st.sampled_from(CODES),
    query_code=st.sampled_from(CODES),
)
def test_any_error_is_botocores(protocol, service, number, dice, wildness, status, code, query_code):
    model = model_of(service)
    shapes = model.error_shapes
    shape = shapes[number % len(shapes)]
    body = error_body(protocol, dice, WildWire(protocol, dice, 0.8, wildness), shape)
    headers = {"x-amzn-errortype": code, "x-amzn-query-error": query_code, "x-amzn-requestid": "r"}
    headers = {name: value for name, value in headers.items() if value is not None}
    output = model.operation_model(model.operation_names[0]).output_shape
    for each in (shape, output, None):
        assert_same_outcome(protocol, body, each, headers=headers, status=status)


@pytest.mark.parametrize("protocol", PROTOCOLS)
@settings(max_examples=60, **LAW)
@given(
    body=st.binary(max_size=60) | st.text(max_size=40).map(str.encode),
    case=st.sampled_from(CASES),
    status=st.sampled_from((200, 500)),
)
def test_any_bytes_are_botocores(protocol, body, case, status):
    shape = model_of(case[0]).operation_model(case[1]).output_shape
    assert_same_outcome(protocol, body, shape, status=status)


NAMES = ("R", "Contents", "Key", "Name", "Owner", "ID", "x")
XML_PARTS = st.sampled_from(
    [
        *(f"<{name}>" for name in NAMES),
        *(f"</{name}>" for name in NAMES),
        *(
            "<R/>",
            "<Key />",
            "text",
            " ",
            "&amp;",
            "&#65;",
            "&nbsp;",
            "]]>",
            "<![CDATA[",
            "]]>",
            "<!--",
            "-->",
            "<?x?>",
            ">",
            "<",
            "\r",
            "\x00",
        ),
        *(
            '<R xmlns="http://a">',
            '<Key xml:space="preserve">',
            "<Contents><Key>k</Key></Contents>",
            '<?xml version="1.0"?>',
        ),
    ]
)


@settings(max_examples=600, **LAW)
@given(parts=st.lists(XML_PARTS, max_size=14), whole=st.booleans())
def test_any_pieces_of_xml_are_botocores(parts, whole):
    shape = model_of("s3").operation_model("ListObjectsV2").output_shape
    text = "".join(parts)
    assert_same_outcome("rest-xml", (f"<R>{text}</R>" if whole else text).encode(), shape)


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats()
    | st.text(max_size=4)
    | st.sampled_from(TIMES),
    lambda inner: (
        st.lists(inner, max_size=10)
        | st.dictionaries(
            st.sampled_from(["Items", "S", "N", "B", "L", "M", "NULL", "BOOL", "SS", "x", "__type"]), inner, max_size=3
        )
    ),
    max_leaves=12,
)


@pytest.mark.parametrize("protocol", ["json", "rest-json"])
@settings(max_examples=200, **LAW)
@given(items=st.lists(JSON, max_size=12), same=st.integers(0, 40))
def test_any_json_is_botocores_for_few_values_and_for_many(protocol, items, same):
    """Repeat what was made: many rows alike, with some that are not, are looked at in another way than few."""
    shape = model_of("dynamodb").operation_model("Query").output_shape
    rows = [
        *({"a": {"S": "x"}, "b": {"N": "1"}, "c": {"B": base64.b64encode(bytes([n])).decode()}} for n in range(same)),
        *items,
    ]
    assert_same_outcome(protocol, json.dumps({"Items": rows, "Count": same}).encode(), shape)
    wrapped = [{"a": row} for row in items] + [{"a": {"L": items}}] * min(same, 9)
    assert_same_outcome(protocol, json.dumps({"Items": wrapped}).encode(), shape)


ROWS = {
    "dynamodb": ("Query", "Items", {"a": {"S": "x"}}),
    "ecs": ("DescribeTasks", "tasks", {"createdAt": 1.5, "containers": [{"name": "n", "exitCode": 1}]}),
    "cloudtrail": (
        "LookupEvents",
        "Events",
        {"EventId": "e", "EventTime": 1422172800.0, "Resources": [{"ResourceName": "r"}]},
    ),
    "lambda": (
        "ListFunctions",
        "Functions",
        {"FunctionName": "f", "CodeSize": 1, "Environment": {"Variables": {"a": "b"}}},
    ),
    "kinesis": ("GetRecords", "Records", {"Data": "AAE=", "SequenceNumber": "1", "ApproximateArrivalTimestamp": 1.5}),
}


@pytest.mark.parametrize("service", ROWS)
@settings(max_examples=120, **LAW)
@given(
    count=st.sampled_from((0, 1, 7, 8, 9, 31, 32, 33, 60)),
    spoil=st.lists(st.tuples(st.integers(0, 59), JSON), max_size=3),
    data=st.data(),
)
def test_one_row_that_is_not_like_the_others_is_botocores(service, count, spoil, data):
    operation, member, row = ROWS[service]
    shape = model_of(service).operation_model(operation).output_shape
    rows = [dict(row) for _ in range(count)]
    for place, value in spoil:
        if count:
            key = data.draw(st.sampled_from([*row, "unknown"]))
            what = data.draw(st.sampled_from(["value", "missing", "row", "order"]))
            at = place % count
            if what == "value" and type(rows[at]) is dict:
                rows[at][key] = value
            elif what == "missing" and type(rows[at]) is dict:
                rows[at].pop(key, None)
            elif what == "order" and type(rows[at]) is dict:
                rows[at] = dict(reversed(rows[at].items()))
            else:
                rows[at] = value
    for protocol in ("json", "rest-json"):
        assert_same_outcome(protocol, json.dumps({member: rows}).encode(), shape)
