"""Answers as no service sends them, cut, deep and huge: botocore's answer or its error, and no secret in a log."""

from __future__ import annotations

import gzip
import importlib.util
import json
import logging
import random
import socket
import subprocess
import sys
import textwrap
import threading
from contextlib import contextmanager, suppress
from pathlib import Path

import boto3
import botocore.session
import pytest
from botocore.config import Config
from botocore.loaders import Loader
from botocore.parsers import PROTOCOL_PARSERS

import mangrove

_spec = importlib.util.spec_from_file_location("parsers_side_by_side", Path(__file__).with_name("test_parsers.py"))
_side_by_side = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(_side_by_side)
Wire, model_of, assert_same_outcome = _side_by_side.Wire, _side_by_side.model_of, _side_by_side.assert_same_outcome

MODELS = Loader()
PROTOCOLS = sorted(PROTOCOL_PARSERS)
XML = ("ec2", "query", "rest-xml")
WHOLE = {
    "ec2": ("ec2", "DescribeVpcs"),
    "query": ("iam", "ListAccessKeys"),
    "rest-xml": ("s3", "ListObjectsV2"),
    "json": ("dynamodb", "Query"),
    "rest-json": ("lambda", "ListFunctions"),
    "smithy-rpc-v2-cbor": ("cloudwatch", "DescribeAlarms"),
}


class LongWire(Wire):
    """Write long lists."""

    def count(self):
        return 12 if self.budget > 0 else 0


LARGE = {
    "ec2": ("ec2", "DescribeInstances"),
    "query": ("iam", "ListRoles"),
    "rest-xml": ("s3", "ListObjectVersions"),
    "json": ("ecs", "DescribeTasks"),
    "rest-json": ("lambda", "ListFunctions"),
    "smithy-rpc-v2-cbor": ("cloudwatch", "DescribeAlarms"),
}


def answer_of(protocol, budget, seed=1):
    """Return a service's output shape and an ordinary body for it."""
    service, operation = WHOLE[protocol]
    shape = model_of(service).operation_model(operation).output_shape
    return shape, Wire(protocol, seed, 1.0, budget).body(shape, operation)


# -- bodies cut short, in other charsets, deep -------------------------------------------------------------------------


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_small_body_cut_at_every_byte(protocol):
    shape, body = answer_of(protocol, 12)
    assert 50 < len(body) < 4000
    for end in range(len(body) + 1):
        assert_same_outcome(protocol, body[:end], shape)
        if end % 5 == 0:
            assert_same_outcome(protocol, body[end:], shape)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_large_body_cut_anywhere(protocol):
    service, operation = LARGE[protocol]
    shape = model_of(service).operation_model(operation).output_shape
    body = LongWire(protocol, 1, 1.0, 400).body(shape, operation)
    assert len(body) > 5000
    chance = random.Random(protocol)  # noqa: S311
    for _ in range(25):
        start, end = sorted(chance.sample(range(len(body)), 2))
        assert_same_outcome(protocol, body[:end], shape)
        assert_same_outcome(protocol, body[:start] + body[end:], shape)


CHARSETS = "utf-16 utf-16-le utf-16-be utf-32 latin-1 cp1252 utf-7 utf-8-sig cp037 shift_jis".split()
DECLARED = ["", *"UTF-8 utf8 UTF-16 ISO-8859-1 latin1 windows-1252 US-ASCII UTF-7 nonsense Shift_JIS".split()]


@pytest.mark.parametrize("charset", CHARSETS)
def test_other_charsets_said_and_unsaid(charset):
    shape, _ = answer_of("rest-xml", 12)
    for declared in DECLARED:
        head = f'<?xml version="1.0" encoding="{declared}"?>' if declared else ""
        for text in ("plain", "é"):
            body = f"{head}<R><Name>{text}</Name><MaxKeys>5</MaxKeys></R>".encode(charset, errors="replace")
            assert_same_outcome("rest-xml", body, shape)
            assert_same_outcome("rest-xml", b"\xef\xbb\xbf" + body, shape, status=404)
    for protocol in ("json", "rest-json"):
        shape, _ = answer_of(protocol, 12)
        member = "Items" if protocol == "json" else "Functions"
        body = json.dumps({member: [], "é": "é", "LastEvaluatedKey": {"é": {"S": "é"}}}, ensure_ascii=False)
        for status in (200, 400):
            assert_same_outcome(protocol, body.encode(charset, errors="replace"), shape, status=status)


def nested(protocol, depth):
    """Return bodies that are deep where the shape says nothing, where it says something, and outside everything."""
    if protocol in XML:
        wrapper = {"query": "ListAccessKeysResult"}.get(protocol, "R")
        yield b"<R><%b>" % wrapper.encode() + b"<a>" * depth + b"</a>" * depth + b"</%b></R>" % wrapper.encode()
        yield b"<R><Contents><Owner>" + b"<Owner>" * depth + b"</Owner>" * depth + b"</Owner></Contents></R>"
        yield b"<a>" * depth
    elif "cbor" in protocol:
        yield b"\x81" * depth + b"\x01"
        yield b"\xa1\x61a" * depth + b"\x01"
        yield b"\xa1\x6cMetricAlarms" + b"\x9f" * depth
        yield b"\xc1" * depth + b"\x01"
    else:
        yield b'{"a":' * depth + b"1" + b"}" * depth
        yield b'{"Items":' + b"[" * depth + b"]" * depth + b"}"
        yield b'{"Items":[{"a":' + b'{"L":[' * depth + b"]}" * depth + b"}]}"
        yield b"[" * depth


@pytest.mark.parametrize("depth", [100, 1_000, 100_000])
@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_body_nested_deep(protocol, depth):
    """Begin near the stack's start: how deep botocore can go depends on what called it."""
    shape, _ = answer_of(protocol, 12)
    failed = []

    def compare():
        try:
            for body in nested(protocol, depth):
                for status in (200, 400):
                    assert_same_or_better(protocol, body, shape, status)
        except BaseException as error:  # noqa: BLE001  brought to the test below
            failed.append(error)

    thread = threading.Thread(target=compare)
    thread.start()
    thread.join(60)
    assert not thread.is_alive()
    if failed:
        raise failed[0]


def assert_same_or_better(protocol, body, shape, status):
    """Compare; only where botocore's stack ends may there be an answer."""
    ours, our_error = _side_by_side.outcome(_side_by_side.OURS.create_parser(protocol), body, shape, status)
    plain, error = _side_by_side.outcome(_side_by_side.PLAIN.create_parser(protocol), body, shape, status)
    if isinstance(error, RecursionError):
        assert our_error is None or isinstance(our_error, RecursionError)
    else:
        assert (type(our_error), str(our_error)) == (type(error), str(error))
        assert ours == plain


LAUGHS = '<!DOCTYPE R [<!ENTITY a0 "ha">{}]><R><Name>&a{};</Name></R>'
ENTITIES = {
    "billion laughs": LAUGHS.format("".join(f'<!ENTITY a{n + 1} "{f"&a{n};" * 10}">' for n in range(30)), 30),
    "few laughs": LAUGHS.format("".join(f'<!ENTITY a{n + 1} "{f"&a{n};" * 10}">' for n in range(3)), 3),
    "quadratic": f'<!DOCTYPE R [<!ENTITY a "{"x" * 50_000}">]><R><Name>{"&a;" * 5_000}</Name></R>',
    "file": '<!DOCTYPE R [<!ENTITY a SYSTEM "file:///etc/hostname">]><R><Name>&a;</Name></R>',
    "web": '<!DOCTYPE R [<!ENTITY a SYSTEM "http://127.0.0.1:9/">]><R><Name>&a;</Name></R>',
    "parameter": '<!DOCTYPE R [<!ENTITY % a SYSTEM "file:///etc/hostname"> %a;]><R><Name>b</Name></R>',
    "itself": '<!DOCTYPE R [<!ENTITY a "&b;"><!ENTITY b "&a;">]><R><Name>&a;</Name></R>',
    "elsewhere": '<!DOCTYPE R SYSTEM "file:///etc/hostname"><R><Name>b</Name></R>',
    "default": '<!DOCTYPE R [<!ATTLIST R Name CDATA "b">]><R><Name>c</Name></R>',
}


@pytest.mark.parametrize("protocol", XML)
@pytest.mark.parametrize("name", ENTITIES)
def test_entities_bring_nothing_in(protocol, name):
    shape, _ = answer_of(protocol, 12)
    hostname = Path("/etc/hostname").read_text().strip() if Path("/etc/hostname").exists() else "no such thing"
    for status in (200, 400):
        body, parser = ENTITIES[name].encode(), _side_by_side.OURS.create_parser(protocol)
        assert_same_outcome(protocol, body, shape, status=status)
        ours, _ = _side_by_side.outcome(parser, body, shape, status)
        assert not hostname or hostname not in str((ours or {}).get("Name"))


# -- 100 MB ------------------------------------------------------------------------------------------------------------

HUGE = """
    import hashlib, json, pickle, resource, sys, time
    from botocore.loaders import Loader
    from botocore.model import ServiceModel
    from botocore.parsers import ResponseParserFactory
    from mangrove.aws.parsers import CompiledParserFactory
    which, protocol = sys.argv[1:]
    factory = {"ours": CompiledParserFactory, "plain": ResponseParserFactory}[which]()
    if protocol == "rest-xml":
        service, operation = "s3", "ListObjectsV2"
        item = b"<Contents><Key>%d&amp;" + b"k" * 100_000 + b"</Key><Size>5</Size></Contents>"
        parts = [b"<R><Name>n</Name>", *(item % n for n in range(1000)), b"</R>"]
    else:
        service, operation = "dynamodb", "Query"
        item = b'{"a":{"S":"%d\\\\u00fc' + b"k" * 100_000 + b'"},"n":{"N":"1"},"b":{"B":"AAE="}}'
        parts = [b'{"Items":[', b",".join(item % n for n in range(1000)), b"]}"]
    body = b"".join(parts)
    parts = None
    assert len(body) > 100_000_000
    model = ServiceModel(Loader().load_service_model(service, "service-2"), service)
    shape = model.operation_model(operation).output_shape
    response = {"status_code": 200, "headers": {}, "body": body, "context": {"operation_name": operation}}
    parsed = factory.create_parser(protocol).parse(response, shape)
    digest = hashlib.sha256()
    for value in parsed.get("Contents") or parsed["Items"]:
        digest.update(pickle.dumps(list(value.items()), protocol=4))
    print(json.dumps([len(parsed.get("Contents") or parsed["Items"]), list(parsed), digest.hexdigest(),
        resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024]))
"""


@pytest.mark.parametrize("protocol", ["rest-xml", "json"])
def test_a_hundred_megabytes_are_botocores_in_sane_memory(protocol):
    pytest.importorskip("resource")
    found = []
    for which in ("ours", "plain"):
        command = [sys.executable, "-c", textwrap.dedent(HUGE), which, protocol]
        run = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
        assert run.returncode == 0, run.stderr
        found.append(json.loads(run.stdout))
    (*ours, our_peak), (*theirs, their_peak) = found
    assert ours == theirs
    assert ours[0] == 1000
    # The body, its text, the pieces of it that live at one time.
    assert our_peak < max(their_peak * 1.5, 700), found


@pytest.mark.parametrize("protocol", ["rest-xml", "json"])
def test_many_thousands_of_values_are_botocores(protocol):
    service, operation = WHOLE[protocol]
    shape = model_of(service).operation_model(operation).output_shape
    if protocol == "json":
        row = b'{"a":{"S":"%d"},"m":{"M":{"x":{"L":[{"N":"1"},{"BOOL":true}]}}},"b":{"B":"AAE="}}'
        body = b'{"Items":[' + b",".join(row % n for n in range(20_000)) + b"]}"
    else:
        row = b"<Contents><Key>%d</Key><LastModified>2026-01-02T03:04:05.000Z</LastModified><Size>1</Size></Contents>"
        body = b"<R>" + b"".join(row % n for n in range(10_000)) + b"</R>"
    assert_same_outcome(protocol, body, shape)


# -- broken HTTP, on a new connection and on one that was used before --------------------------------------------------

BODY = b'{"TableNames":["table"]}'
END = b"Content-Length: 24\r\n\r\n" + BODY
FINE = b"HTTP/1.1 200 OK\r\nContent-Type: application/x-amz-json-1.0\r\n" + END
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n"
WIRE = {
    "fine": FINE,
    "asks to go on": b"HTTP/1.1 100 Continue\r\n\r\n" + FINE,
    "asks twice": b"HTTP/1.1 100 Continue\r\n\r\n" * 2 + FINE,
    "processing": b"HTTP/1.1 102 Processing\r\nX: y\r\n\r\n" + FINE,
    "early hints": b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + FINE,
    "switches": b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\n\r\n",
    "nothing": b"",
    "half a status": b"HTTP/1.",
    "half a head": b"HTTP/1.1 200 OK\r\nContent-Le",
    "half a head, more": b"HTTP/1.1 200 OK\r\nContent-Length: 24\r\n",
    "half a body": FINE[:-9],
    "no body": FINE[: -len(BODY)],
    "more than a body": FINE + FINE,
    "some bytes more": FINE + b"x",
    "until the end": b"HTTP/1.1 200 OK\r\n\r\n" + BODY,
    "empty until the end": b"HTTP/1.1 200 OK\r\n\r\n",
    "old": b"HTTP/1.0 200 OK\r\n" + END,
    "old, kept": b"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\n" + END,
    "older": b"HTTP/0.9 200 OK\r\n" + END,
    "newer": b"HTTP/2.0 200 OK\r\n" + END,
    "HTTP/1.2": b"HTTP/1.2 200 OK\r\n" + END,
    "no reason": b"HTTP/1.1 200\r\n" + END,
    "empty reason": b"HTTP/1.1 200 \r\n" + END,
    "icy": b"ICY 200 OK\r\n" + END,
    "small letters": b"http/1.1 200 OK\r\n" + END,
    "status 99": b"HTTP/1.1 099 Odd\r\n" + END,
    "status 999": b"HTTP/1.1 999 Odd\r\n" + END,
    "status 1000": b"HTTP/1.1 1000 Odd\r\n" + END,
    "status words": b"HTTP/1.1 abc Odd\r\n" + END,
    "no content": b"HTTP/1.1 204 No Content\r\n\r\n",
    "no content, but some": b"HTTP/1.1 204 No Content\r\n" + END,
    "not modified": b"HTTP/1.1 304 Not Modified\r\nContent-Length: 24\r\n\r\n",
    "reset content": b"HTTP/1.1 205 Reset\r\nContent-Length: 0\r\n\r\n",
    "line feeds": FINE.replace(b"\r\n", b"\n"),
    "line feeds and returns": b"HTTP/1.1 200 OK\nContent-Length: 24\r\n\n" + BODY,
    "empty line first": b"\r\n" + FINE,
    "text": b"upstream timed out\n",
    "tls": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    "html": b"<html><body>503</body></html>",
    "length twice": b"HTTP/1.1 200 OK\r\nContent-Length: 24\r\n" + END,
    "lengths that differ": b"HTTP/1.1 200 OK\r\nContent-Length: 20\r\n" + END,
    "lengths in one": b"HTTP/1.1 200 OK\r\nContent-Length: 24, 24\r\n\r\n" + BODY,
    "negative length": b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n" + BODY,
    "length with a plus": b"HTTP/1.1 200 OK\r\nContent-Length: +24\r\n\r\n" + BODY,
    "length in words": b"HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\n" + BODY,
    "length of nothing": b"HTTP/1.1 200 OK\r\nContent-Length: \r\n\r\n" + BODY,
    "length in other digits": "HTTP/1.1 200 OK\r\nContent-Length: ²4\r\n\r\n".encode("latin-1") + BODY,
    "length of many digits": b"HTTP/1.1 200 OK\r\nContent-Length: " + b"9" * 5000 + b"\r\n\r\n" + BODY,
    "length in spaces": b"HTTP/1.1 200 OK\r\nContent-Length:   24  \r\n\r\n" + BODY,
    "length and an underscore": b"HTTP/1.1 200 OK\r\nContent-Length: 2_4\r\n\r\n" + BODY,
    "chunks": CHUNKED + b"\r\na\r\n" + BODY[:10] + b"\r\ne\r\n" + BODY[10:] + b"\r\n0\r\n\r\n",
    "chunks with more": CHUNKED.replace(b"chunked", b"Chunked")
    + b"\r\n18;a=b\r\n"
    + BODY
    + b"\r\n0;x\r\nTrail: er\r\n\r\n",
    "chunks and a length": CHUNKED + b"Content-Length: 5\r\n\r\n18\r\n" + BODY + b"\r\n0\r\n\r\n",
    "chunks without an end": CHUNKED + b"\r\n18\r\n" + BODY + b"\r\n",
    "chunks without a last line": CHUNKED + b"\r\n18\r\n" + BODY + b"\r\n0\r\n",
    "a chunk cut short": CHUNKED + b"\r\n18\r\n" + BODY[:10],
    "a chunk of no size": CHUNKED + b"\r\nzz\r\n" + BODY,
    "a negative chunk": CHUNKED + b"\r\n-18\r\n" + BODY,
    "a huge chunk": CHUNKED + b"\r\nffffffffff\r\n" + BODY,
    "zipped chunks": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n18\r\n" + BODY + b"\r\n0\r\n\r\n",
    "identity": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: identity\r\n" + END,
    "zipped": b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n%b"
    % (len(gzip.compress(BODY, mtime=0)), gzip.compress(BODY, mtime=0)),
    "said to be zipped": b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n" + END,
    "a field without colon": b"HTTP/1.1 200 OK\r\nnonsense\r\nX-After: 1\r\n" + END,
    "a field without name": b"HTTP/1.1 200 OK\r\n: nameless\r\nX-After: 1\r\n" + END,
    "a space before the colon": b"HTTP/1.1 200 OK\r\nX-Odd : 1\r\nX-After: 1\r\n" + END,
    "folded": b"HTTP/1.1 200 OK\r\nX-Long: one\r\n two\r\n\tthree\r\n" + END,
    "folded first": b"HTTP/1.1 200 OK\r\n folded\r\n" + END,
    "a return in a field": b"HTTP/1.1 200 OK\r\nX-Odd: a\rb\r\n" + END,
    "a zero in a field": b"HTTP/1.1 200 OK\r\nX-Odd: a\0b\r\n" + END,
    "latin": b"HTTP/1.1 200 OK\r\nX-Odd: \xe9\xff\r\n" + END,
    "utf-8": "HTTP/1.1 200 OK\r\nX-Odd: é\r\n".encode() + END,
    "fields twice": b"HTTP/1.1 200 OK\r\nx-amzn-RequestId: 1\r\nA: a\r\nX-AMZN-REQUESTID: 2\r\na: b\r\n" + END,
    "empty fields": b"HTTP/1.1 200 OK\r\nX-Odd:\r\nX-Other:   \r\n" + END,
    "many fields": b"HTTP/1.1 200 OK\r\n" + b"".join(b"X-%d: y\r\n" % n for n in range(90)) + END,
    "too many fields": b"HTTP/1.1 200 OK\r\n" + b"".join(b"X-%d: y\r\n" % n for n in range(200)) + END,
    "a long field": b"HTTP/1.1 200 OK\r\nX-Long: " + b"y" * 60_000 + b"\r\n" + END,
    "a field too long": b"HTTP/1.1 200 OK\r\nX-Long: " + b"y" * 70_000 + b"\r\n" + END,
    "closes": b"HTTP/1.1 200 OK\r\nConnection: close\r\n" + END,
    "closes in capitals": b"HTTP/1.1 200 OK\r\nCONNECTION: Close\r\n" + END,
    "an error": b'HTTP/1.1 400 Bad\r\nx-amzn-ErrorType: Thing:http://x\r\nContent-Length: 15\r\n\r\n{"message":"m"}',
    "an error and a checksum": b"HTTP/1.1 200 OK\r\nx-amz-crc32: 1\r\n" + END,
    "a redirect": b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:9/\r\nContent-Length: 2\r\n\r\n{}",
}


def take_request(connection):
    """Read one request, in however many pieces it comes; return whether there was one."""
    data = b""
    while b"\r\n\r\n" not in data:
        more = connection.recv(65536)
        if not more:
            return False
        data += more
    head, _, body = data.partition(b"\r\n\r\n")
    lengths = [line[15:] for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")]
    while len(body) < int((lengths or [b"0"])[0]):
        body += connection.recv(65536)
    return True


@contextmanager
def scripted(*answers):
    """Answer the requests of each connection with these bytes, one after another, and hang up after the last."""
    listener = socket.create_server(("127.0.0.1", 0))
    done = threading.Event()

    def serve(connection):
        with connection:
            for answer in answers:
                if not take_request(connection):
                    return
                connection.sendall(answer)
            connection.shutdown(socket.SHUT_WR)
            while connection.recv(65536):
                pass

    def accept():
        while not done.is_set():
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=suppressed, args=(serve, connection), daemon=True).start()

    thread = threading.Thread(target=accept, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        done.set()
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(5)


def suppressed(serve, connection):
    with suppress(OSError):
        serve(connection)


def plain():
    core = botocore.session.get_session()
    core.register_component("data_loader", MODELS)
    return boto3.Session("AKIA", "secret", region_name="us-east-1", botocore_session=core)


def light():
    return mangrove.Session("AKIA", "secret", region_name="us-east-1")


def results(make, url, *operations):
    config = Config(retries={"total_max_attempts": 1}, read_timeout=20, s3={"addressing_style": "path"})
    service = "s3" if operations[0][0] == "head_object" else "dynamodb"
    client, found = make().client(service, endpoint_url=url, config=config), []
    for operation, arguments in operations:
        try:
            found.append(getattr(client, operation)(**arguments))
        except Exception as error:  # noqa: BLE001  the error is the result
            found.append((type(error).__name__, getattr(error, "response", None)))
    return found


LIST = ("list_tables", {})
HEAD = ("head_object", {"Bucket": "bucket", "Key": "k"})
# Where botocore takes what is there for the whole, an error is an answer too: what is missing may be what matters.
CUT = {"half a body", "no body", "half a head", "half a head, more", "chunks without a last line"}
# Neither botocore's answer nor its error is right there; ours may be.
ODD = {"processing", "early hints", "switches", "older", "a negative chunk"}


@pytest.mark.parametrize("name", WIRE)
@pytest.mark.parametrize("before", [0, 1])
def test_http_of_every_odd_form(name, before):
    fine = [FINE] * before
    with scripted(*fine, WIRE[name]) as url:
        ours, theirs = (results(make, url, *[LIST] * (before + 1)) for make in (light, plain))
    if name in CUT | ODD and ours != theirs:
        last = ours.pop()
        theirs.pop()
        refused = ("ConnectionClosedError", None), ("IncompleteReadError", None)
        assert last in refused or (name in ODD and last["TableNames"] == ["table"])
    assert ours == theirs


@pytest.mark.parametrize("before", [0, 1])
@pytest.mark.parametrize(
    # Not "an error": a HEAD that is answered 400 makes botocore ask for the bucket's region, on a connection that ends.
    "name",
    ["fine", "no body", "closes", "chunks", "fields twice", "no content", "nothing"],
)
def test_http_heads_of_every_odd_form(name, before):
    head = WIRE[name].partition(b"\r\n\r\n")[0] + b"\r\n\r\n" if WIRE[name] else b""
    fine = [FINE[: -len(BODY)]] * before
    with scripted(*fine, head) as url:
        ours, theirs = (results(make, url, *[HEAD] * (before + 1)) for make in (light, plain))
    assert ours == theirs


def test_an_answer_that_trickles_is_read_whole():
    """Send an answer byte by byte: no boundary of packets means anything."""
    with scripted(FINE) as url:
        expected = results(plain, url, LIST)
    listener = socket.create_server(("127.0.0.1", 0))

    def serve():
        connection, _ = listener.accept()
        with connection:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for _ in range(2):
                take_request(connection)
                for at in range(len(FINE)):
                    connection.sendall(FINE[at : at + 1])

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    with listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        assert results(light, url, LIST, LIST) == expected * 2
        thread.join(5)


# -- logs --------------------------------------------------------------------------------------------------------------

SECRET = "canarySecretOfTheBody"
STS = (
    "<AssumeRoleResponse><AssumeRoleResult><Credentials><AccessKeyId>ASIA</AccessKeyId>"
    f"<SecretAccessKey>{SECRET}</SecretAccessKey><SessionToken>{SECRET}</SessionToken>"
    "<Expiration>2030-01-01T00:00:00Z</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>"
)


def test_no_logger_of_ours_tells_what_was_in_a_body(caplog):
    broken = json.dumps({SECRET: 1})[:-1]
    bodies = [STS, STS[:-30], STS.replace("2030", "soon"), STS.replace("<Credentials>", "<Credentials>&nbsp;"), broken]
    role = {"RoleArn": "arn:aws:iam::123456789012:role/r", "RoleSessionName": "name"}
    with caplog.at_level(logging.DEBUG):
        for body in bodies:
            for status in (b"200 OK", b"400 Bad"):
                answer = b"HTTP/1.1 %b\r\nContent-Length: %d\r\n\r\n%b" % (status, len(body), body.encode())
                with scripted(FINE.replace(BODY, b"<R/>" + b" " * 20), answer) as url:
                    config = Config(retries={"total_max_attempts": 1})
                    sts = light().client("sts", endpoint_url=url, config=config)
                    for _ in range(2):
                        with suppress(Exception):
                            sts.assume_role(**role)
    ours = [record for record in caplog.records if record.name.startswith("mangrove")]
    assert not [record for record in ours if SECRET in record.getMessage() or SECRET in str(record.exc_info)]
    assert [record for record in caplog.records if record.name.startswith("botocore")]  # it was at DEBUG indeed
