"""Light clients and botocore's own, side by side over sockets: equal answers, equal errors, and equal requests sent."""

from __future__ import annotations

import base64
import gzip
import http.client
import http.server
import json
import re
import socket
import struct
import threading
import urllib.parse
import urllib.request
import zlib
from collections import Counter, defaultdict
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from types import SimpleNamespace

import boto3
import botocore.session
import pytest
from botocore.awsrequest import AWSResponse
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from botocore.loaders import Loader

import mangrove

ONCE = Config(retries={"total_max_attempts": 1})
MODELS = Loader()  # botocore's own, for all of botocore's sessions here: it is what takes them longest


# -- AWS on loopback ---------------------------------------------------------------------------------------------------


class Request(SimpleNamespace):
    """Hold what the server was asked: method, host, path, query, headers, body, connection."""

    @property
    def key(self):
        """Return the access key that signed it."""
        found = re.search(r"Credential=(\w+)/", self.headers.get("Authorization", ""))
        return found[1] if found else None

    @property
    def target(self):
        return self.headers.get("X-Amz-Target", "")

    def normal(self):
        """Return all that two equal calls have in common."""
        dropped = {"x-amz-date", "amz-sdk-invocation-id"}
        headers = {name: value for name, value in self.headers.items() if name.lower() not in dropped}
        for name, value in headers.items():
            headers[name] = value
            if name == "Authorization":
                headers[name] = re.sub("Signature=[0-9a-f]+", "", re.sub("/[0-9]{8}/", "/DATE/", value))
            if name.lower() == "amz-sdk-request":
                headers[name] = re.sub("ttl=[^;]*; ?", "", value)
            if name == "User-Agent":
                headers[name] = re.sub(r"m/(\S+)", lambda found: "m/" + ",".join(sorted(found[1].split(","))), value)
        return self.method, self.line, list(headers.items()), self.body


class Handler(http.server.BaseHTTPRequestHandler):
    """Ask the test what to answer, and remember what was asked."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1  # head and body together, at the end of the answer

    def setup(self):
        super().setup()
        self.connection_id = self.client_address[1]

    def handle_any(self):
        length = self.headers.get("Content-Length")
        body = self.rfile.read(int(length)) if length else b""
        if self.headers.get("Transfer-Encoding") == "chunked":
            while size := int(self.rfile.readline(), 16):
                body += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
        answer = self.server.aws.asked(self, body)
        status, headers, content, *rest = answer
        self.send_response_only(status)
        framed = {name.lower() for name in headers}
        if not framed & {"content-length", "transfer-encoding"}:
            headers = {**headers, "Content-Length": str(len(content))}
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)
        self.close_connection = "close" in rest

    do_GET = do_PUT = do_POST = do_HEAD = do_DELETE = handle_any  # noqa: N815  the base class's names

    def do_CONNECT(self):
        self.server.aws.asked(self, b"")
        self.send_response_only(200)
        self.end_headers()
        self.wfile.flush()
        host, port = self.server.aws.tunnel
        with socket.create_connection((host, port)) as upstream:
            back = threading.Thread(target=pump, args=(upstream, self.connection), daemon=True)
            back.start()
            pump(self.connection, upstream)
            upstream.shutdown(socket.SHUT_RDWR)
            back.join(5)
        self.close_connection = True

    def handle_expect_100(self):
        refusal = self.server.aws.refuse_body
        if refusal is None:
            self.send_response_only(100)
            self.end_headers()
            self.wfile.flush()
            return True
        self.server.aws.asked(self, b"")
        status, headers, content = refusal
        self.send_response_only(status)
        for name, value in {**headers, "Content-Length": str(len(content)), "Connection": "close"}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)
        self.wfile.flush()
        self.close_connection = True
        return False

    def log_message(self, *_):
        pass


def pump(source, sink):
    try:
        while data := source.recv(65536):
            sink.sendall(data)
    except OSError:
        pass


class AWS:
    """Be every AWS host there is, behind one port: as an endpoint, or as a proxy that never goes further."""

    def __init__(self, context=None):
        self.web = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.web.daemon_threads = True
        self.web.aws = self
        self.web.handle_error = lambda *_: None  # a client that leaves half-way is no news
        if context is not None:
            self.web.socket = context.wrap_socket(self.web.socket, server_side=True)
        self.scheme = "https" if context else "http"
        self.port = self.web.server_address[1]
        self.url = f"{self.scheme}://127.0.0.1:{self.port}"
        self.tunnel = self.answer = self.refuse_body = None
        # By connection, set when the server has hung up: a test need not guess when the client can know.
        self._hung_up, self._shutdown_request = defaultdict(threading.Event), self.web.shutdown_request
        self.web.shutdown_request = self._hang_up
        self.seen = []
        threading.Thread(target=self.web.serve_forever, args=(0.01,), daemon=True).start()

    def asked(self, handler, body):
        url = urllib.parse.urlsplit(handler.path)
        request = Request(
            method=handler.command,
            line=handler.path,
            host=url.hostname or handler.headers.get("Host", ""),
            path=url.path,
            query=urllib.parse.parse_qs(url.query, keep_blank_values=True),
            headers=handler.headers,
            body=body,
            connection=handler.connection_id,
        )
        self.seen.append(request)
        return self.answer(request) if handler.command != "CONNECT" else None

    def _hang_up(self, request):
        try:
            connection = request.getpeername()[1]
        except OSError:
            connection = None
        self._shutdown_request(request)
        self._hung_up[connection].set()

    def wait_until_hung_up(self):
        """Wait until the connection of the last request is closed."""
        assert self._hung_up[self.seen[-1].connection].wait(10)

    def close(self):
        self.web.shutdown()
        self.web.server_close()


@pytest.fixture
def aws():
    server = AWS()
    yield server
    server.close()


def plain(number=1, **arguments):
    core = botocore.session.get_session()
    core.user_agent_extra = f"mangrove/{mangrove.__version__}"
    core.register_component("data_loader", MODELS)
    return boto3.Session(f"AKIA{number}", f"secret{number}", botocore_session=core, **defaults(number, arguments))


def light(number=1, **arguments):
    return mangrove.Session(f"AKIA{number}", f"secret{number}", **defaults(number, arguments))


def defaults(number, arguments):
    return {"region_name": "us-east-1", "aws_account_id": f"{number:012}", **arguments}


def behind(aws, **settings):
    """Return client arguments that bring the calls to all hosts to this server."""
    return {"use_ssl": False, "config": Config(proxies={"http": aws.url}, **settings)}


def result_of(call):
    try:
        found = call()
    except (ClientError, BotoCoreError) as error:
        return type(error).__name__, str(error), getattr(error, "response", None)
    except Exception as error:  # noqa: BLE001  both must fail alike
        return type(error).__name__, str(error)
    if isinstance(found, dict):
        return {name: result_of(value.read) if hasattr(value, "read") else value for name, value in found.items()}
    return found


def both(aws, case, answer=None):
    """Run a case with botocore's clients, then with light ones; compare everything, and return the latter's."""
    found = []
    for make in (plain, light):
        aws.seen = []
        if answer is not None:
            aws.answer = answer() if getattr(answer, "makes", False) else answer
        result = case(make)
        found.append((result, [request.normal() for request in aws.seen]))
    (their_result, their_requests), (our_result, our_requests) = found
    assert our_result == their_result
    assert our_requests == their_requests
    return our_result, list(aws.seen)


def anew(maker):
    """Mark what makes an answerer: one that counts starts anew for each of the two."""
    maker.makes = True
    return maker


@pytest.fixture
def no_waiting(monkeypatch):
    """Count the pauses between attempts, and make none."""
    pauses = []
    import botocore.endpoint
    import botocore.retries.bucket
    import botocore.waiter

    fake = SimpleNamespace(sleep=pauses.append)
    monkeypatch.setattr(botocore.endpoint, "time", fake)
    monkeypatch.setattr(botocore.waiter, "time", fake)
    monkeypatch.setattr(botocore.retries.bucket.TokenBucket, "acquire", lambda *_, **__: True)
    return pauses


def xml(text):
    return {"Content-Type": "application/xml"}, text.encode()


# -- S3: redirects -----------------------------------------------------------------------------------------------------

HOME = "eu-west-1"
LISTING = "<ListBucketResult><Name>b</Name><IsTruncated>false</IsTruncated></ListBucketResult>"


def bucket_region(request):
    found = re.search(r"s3[.-]([a-z]+-[a-z]+-[0-9])\.amazonaws", request.host)
    return found[1] if found else "us-east-1"


def redirecting(kind):
    error = "<Error><Code>{}</Code><Message>m</Message>{}</Error>"
    wrong = {
        "permanent": (301, {"x-amz-bucket-region": HOME}, error.format("PermanentRedirect", "")),
        "permanent in the body": (
            301,
            {},
            error.format(
                "PermanentRedirect",
                f"<Bucket>b</Bucket><Endpoint>bucket.s3-{HOME}.amazonaws.com</Endpoint><Region>{HOME}</Region>",
            ),
        ),
        "temporary": (
            307,
            {"x-amz-bucket-region": HOME, "Location": f"http://bucket.s3-{HOME}.amazonaws.com/"},
            error.format("TemporaryRedirect", ""),
        ),
        "malformed": (400, {}, error.format("AuthorizationHeaderMalformed", f"<Region>{HOME}</Region>")),
        "opt-in": (400, {"x-amz-bucket-region": HOME}, error.format("IllegalLocationConstraintException", "")),
        "silent": (301, {}, error.format("PermanentRedirect", "")),
    }[kind]

    def answer(request):
        if bucket_region(request) == HOME:
            return 200, {"x-amz-bucket-region": HOME, "Content-Type": "application/xml"}, LISTING.encode()
        status, headers, body = wrong
        if request.method == "HEAD" and "list-type" not in request.query:
            headers = {"x-amz-bucket-region": HOME}
        return status, {**headers, "Content-Type": "application/xml"}, body.encode()

    return answer


@pytest.mark.parametrize("kind", ["permanent", "permanent in the body", "temporary", "malformed", "opt-in", "silent"])
def test_a_bucket_of_another_region_is_found_and_remembered_by_that_client_alone(aws, kind):
    def case(make):
        one, two = (make(number).client("s3", **behind(aws)) for number in (1, 2))
        again = make(1).client("s3", **behind(aws))
        return [result_of(lambda c=c: c.list_objects_v2(Bucket="bucket")) for c in (one, one, two, again, one)]

    results, seen = both(aws, case, redirecting(kind))
    assert [result["Name"] for result in results] == ["b"] * 5
    lists = [(request.key, bucket_region(request)) for request in seen if request.method == "GET"]
    wrong = "us-east-1"
    assert lists == [
        *(("AKIA1", wrong), ("AKIA1", HOME), ("AKIA1", HOME)),
        *(("AKIA2", wrong), ("AKIA2", HOME), ("AKIA1", wrong), ("AKIA1", HOME), ("AKIA1", HOME)),
    ]
    scopes = {(bucket_region(r), r.headers["Authorization"].split("/")[2]) for r in seen}
    assert scopes == {(wrong, wrong), (HOME, HOME)}


@pytest.mark.parametrize("status", [301, 400])
@pytest.mark.parametrize("operation", ["head_bucket", "head_object"])
def test_a_head_of_another_region_is_redirected(aws, operation, status):
    def answer(request):
        if bucket_region(request) == HOME:
            return 200, {"ETag": '"e"'}, b""
        return status, {"x-amz-bucket-region": HOME}, b""

    def case(make):
        s3 = make().client("s3", **behind(aws))
        arguments = {"Bucket": "bucket"} if operation == "head_bucket" else {"Bucket": "bucket", "Key": "k"}
        return [result_of(lambda: getattr(s3, operation)(**arguments)) for _ in range(2)]

    results, seen = both(aws, case, answer)
    assert [result["ResponseMetadata"]["HTTPStatusCode"] for result in results] == [200, 200]
    assert bucket_region(seen[-1]) == bucket_region(seen[-2]) == HOME


def test_a_redirect_that_leads_nowhere_is_botocores_error(aws):
    def answer(request):
        if request.method == "HEAD":
            return 404, {}, b""
        return 301, *xml("<Error><Code>PermanentRedirect</Code><Message>m</Message></Error>")

    result, _ = both(
        aws, lambda make: result_of(lambda: make().client("s3", **behind(aws)).list_objects(Bucket="bucket")), answer
    )
    assert result[0] == "ClientError"


# -- S3 Express --------------------------------------------------------------------------------------------------------

EXPRESS = "mine--use1-az4--x-s3"


def express(expires):
    """Give each caller sessions of its own, whose keys tell the caller and the session's number."""

    def maker():
        given = Counter()

        def answer(request):
            if "session" not in request.query:
                return 200, *xml(LISTING)
            name = f"{request.key}x{request.host.split('-')[0]}"
            given[name] += 1
            until = datetime.now(timezone.utc) + timedelta(seconds=expires)
            fields = {
                "SessionToken": f"token{name}{given[name]}",
                "SecretAccessKey": "s",
                "AccessKeyId": f"ASIA{name}{given[name]}",
            }
            fields["Expiration"] = until.strftime("%Y-%m-%dT%H:%M:%SZ")
            inner = "".join(f"<{name}>{value}</{name}>" for name, value in fields.items())
            return 200, *xml(f"<CreateSessionResult><Credentials>{inner}</Credentials></CreateSessionResult>")

        return answer

    return anew(maker)


def test_express_sessions_are_made_once_and_are_one_accounts_alone(aws):
    def case(make):
        one, two = (make(number).client("s3", **behind(aws)) for number in (1, 2))
        for client in (one, two, one, two):
            client.list_objects_v2(Bucket=EXPRESS)
            client.put_object(Bucket=EXPRESS, Key="k", Body=b"b")
        one.list_objects_v2(Bucket="other" + EXPRESS)
        one.list_objects_v2(Bucket="plain")

    _, seen = both(aws, case, express(3600))
    calls = [
        (request.key, request.headers.get("x-amz-s3session-token"))
        for request in seen
        if "session" not in request.query
    ]
    mine = [(f"ASIAAKIA{n}xmine1", f"tokenAKIA{n}xmine1") for n in (1, 2)]
    assert calls == [
        *(each for each in (*mine, *mine) for _ in "lp"),
        ("ASIAAKIA1xothermine1", "tokenAKIA1xothermine1"),
        ("AKIA1", None),
    ]
    assert sum("session" in request.query for request in seen) == 3
    assert {request.host for request in seen if EXPRESS in request.host} >= {
        f"{EXPRESS}.s3express-use1-az4.us-east-1.amazonaws.com"
    }


def test_an_express_session_that_ends_is_renewed(aws):
    def case(make):
        s3 = make().client("s3", **behind(aws))
        for _ in range(3):
            s3.list_objects_v2(Bucket=EXPRESS)

    _, seen = both(aws, case, express(5))
    assert len([request for request in seen if "session" in request.query]) >= 3
    assert len({request.key for request in seen if "session" not in request.query}) == 3


def test_express_sessions_can_be_switched_off(aws):
    def case(make):
        s3 = make().client("s3", **behind(aws, s3={"disable_s3_express_session_auth": True}))
        return result_of(lambda: s3.list_objects_v2(Bucket=EXPRESS))

    both(aws, case, express(3600))


# -- S3: what is signed for others -------------------------------------------------------------------------------------


def test_presigned_urls_and_posts_are_the_accounts_and_work(aws):
    aws.answer = lambda _request: (200, {}, b"content")

    def case(make):
        signed, config = [], Config(signature_version="s3v4", s3={"addressing_style": "path"})
        for number in (1, 2, 1):
            s3 = make(number).client("s3", endpoint_url=aws.url, config=config)
            url = s3.generate_presigned_url(
                "get_object", Params={"Bucket": "bucket", "Key": f"k{number}"}, ExpiresIn=60
            )
            with urllib.request.urlopen(url) as answer:  # noqa: S310  loopback
                assert answer.read() == b"content"
            conditions = [["content-length-range", 1, number]]
            post = s3.generate_presigned_post("b", "k", Fields={"acl": "private"}, Conditions=conditions)
            fields = post["fields"]
            policy = json.loads(base64.b64decode(fields.pop("policy")))
            keys = ("expiration",), ("x-amz-date", "x-amz-signature")
            for part, names in zip((policy, fields), keys, strict=True):
                for name in names:
                    part.pop(name)
            policy["conditions"] = [c for c in policy["conditions"] if not (isinstance(c, dict) and "x-amz-date" in c)]
            signed.append((re.sub("(Date|Signature)=[^&]*", "", url), post["url"], fields, policy))
        return signed

    found = []
    for make in (plain, light):
        text = json.dumps(case(make))
        found.append(re.sub("/[0-9]{8}/|%2F[0-9]{8}%2F", "/DATE/", text))
    assert found[0] == found[1]
    keys = [re.search("Credential=(AKIA[0-9])", each[0])[1] for each in json.loads(found[1])]
    assert keys == [each[2]["x-amz-credential"][:5] for each in json.loads(found[1])] == ["AKIA1", "AKIA2", "AKIA1"]


# -- endpoint discovery ------------------------------------------------------------------------------------------------


def discovering(minutes=60):
    def answer(request):
        kind = {"Content-Type": "application/x-amz-json-1.0"}
        if request.target.endswith("DescribeEndpoints"):
            found = {"Address": f"http://cell-{request.key}.example", "CachePeriodInMinutes": minutes}
            return 200, kind, json.dumps({"Endpoints": [found]}).encode()
        return 200, kind, b"{}"

    return answer


@pytest.mark.parametrize(
    ("service", "operation", "settings"),
    [
        ("timestream-query", "describe_account_settings", {}),
        ("timestream-query", "list_scheduled_queries", {"endpoint_discovery_enabled": "auto"}),
        ("timestream-write", "list_databases", {}),
        ("timestream-write", "list_databases", {"endpoint_discovery_enabled": False}),
        ("dynamodb", "list_tables", {"endpoint_discovery_enabled": True}),
        ("dynamodb", "list_tables", {"endpoint_discovery_enabled": "auto"}),
        ("dynamodb", "list_tables", {"endpoint_discovery_enabled": False}),
    ],
)
@pytest.mark.parametrize("minutes", [60, 0])
def test_endpoints_are_discovered_by_each_client_for_itself(aws, service, operation, settings, minutes):
    def case(make):
        clients = [make(number).client(service, **behind(aws, **settings)) for number in (1, 2)]
        return [result_of(getattr(client, operation)) for client in (*clients, *clients)]

    _, seen = both(aws, case, discovering(minutes))
    for request in seen:
        if request.host.startswith("cell-"):
            assert request.host == f"cell-{request.key.lower()}.example"


# -- proxies -----------------------------------------------------------------------------------------------------------


def empty(_request):
    return 200, {"Content-Type": "application/x-amz-json-1.0"}, b'{"TableNames": []}'


def test_a_proxy_sees_whole_addresses(aws):
    _, seen = both(aws, lambda make: make().client("dynamodb", **behind(aws)).list_tables()["TableNames"], empty)
    assert [request.line for request in seen] == ["http://000000000001.ddb.us-east-1.amazonaws.com/"]


def test_a_proxys_password_is_sent_to_that_proxy_alone(aws):
    def case(make):
        for who in ("me:pass%20word", "you:other", None):
            proxy = aws.url.replace("//", f"//{who}@") if who else aws.url
            config = Config(proxies={"http": proxy})
            make().client("dynamodb", use_ssl=False, config=config).list_tables()
        make().client("dynamodb", endpoint_url=aws.url).list_tables()

    _, seen = both(aws, case, empty)
    sent = [request.headers.get("Proxy-Authorization") for request in seen]
    basic = ["Basic " + base64.b64encode(text).decode() for text in (b"me:pass word", b"you:other")]
    assert sent == [*basic, None, None]


@pytest.mark.parametrize("no_proxy", ["127.0.0.1", "*", "example.com,127.0.0.1", "example.com", None])
def test_the_environments_proxies_and_exceptions_count(aws, no_proxy, monkeypatch):
    proxy = AWS()
    proxy.answer = aws.answer = empty
    monkeypatch.setenv("HTTP_PROXY", proxy.url)
    monkeypatch.setenv("http_proxy", proxy.url)
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.setenv(name, no_proxy) if no_proxy else monkeypatch.delenv(name, raising=False)
    try:
        counts = []
        for make in (plain, light):
            proxy.seen = []
            both_sides = make().client("dynamodb", endpoint_url=aws.url).list_tables()["TableNames"]
            counts.append((both_sides, [request.line for request in proxy.seen]))
    finally:
        proxy.close()
    assert counts[0] == counts[1]
    assert bool(counts[0][1]) is (no_proxy in ("example.com", None))


@pytest.fixture(scope="module")
def tls(tmp_path_factory):
    """Return a server's TLS context for 127.0.0.1 and the CA that vouches for it."""
    import importlib.util
    from pathlib import Path

    path = Path(__file__).parents[2] / "benchmarks" / "loopback.py"
    spec = importlib.util.spec_from_file_location("loopback", path)
    loopback = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(loopback)
    folder = tmp_path_factory.mktemp("tls")
    return SimpleNamespace(context=loopback.certificate(folder, ["127.0.0.1"]), ca=str(folder / "ca.pem"))


@contextmanager
def serving(answer, context=None):
    server = AWS(context)
    server.answer = answer
    try:
        yield server
    finally:
        server.close()


def test_a_proxy_makes_tunnels_for_tls(aws, tls):
    with serving(empty, tls.context) as secure:
        aws.tunnel = ("127.0.0.1", secure.port)
        proxy = aws.url.replace("//", "//me:secret@")

        def case(make):
            secure.seen = []
            clients = [
                make(number).client(
                    "dynamodb", endpoint_url=secure.url, verify=tls.ca, config=Config(proxies={"https": proxy})
                )
                for number in (1, 2, 1)
            ]
            names = [client.list_tables()["TableNames"] for client in clients]
            return names, [request.normal() for request in secure.seen]

        aws.answer = empty
        counts = []
        for make in (plain, light):
            aws.seen = []
            counts.append((case(make), {(r.method, r.line, r.headers["Proxy-Authorization"]) for r in aws.seen}))
        assert counts[0] == counts[1]
        assert counts[1][1] == {
            ("CONNECT", f"127.0.0.1:{secure.port}", "Basic " + base64.b64encode(b"me:secret").decode())
        }
        assert not [r for r in secure.seen if r.headers.get("Proxy-Authorization")]


@pytest.mark.filterwarnings("ignore:Passing ssl_context when use_forwarding_for_https:FutureWarning")
def test_a_proxy_may_see_the_requests_that_would_be_encrypted(aws, tls):
    """Forward requests for https, over TLS to the proxy itself: `proxy_use_forwarding_for_https`, `proxy_ca_bundle`."""
    with serving(empty, tls.context) as proxy:
        settings = {"proxy_use_forwarding_for_https": True, "proxy_ca_bundle": tls.ca}

        def case(make):
            config = Config(proxies={"https": proxy.url}, proxies_config=settings)
            return result_of(lambda: make().client("dynamodb", config=config).list_tables())

        _, seen = both(proxy, case)
        assert [request.line for request in seen] == ["https://000000000001.ddb.us-east-1.amazonaws.com/"]


def test_a_proxy_that_refuses_is_botocores_error(aws, tls):
    def case(make):
        dead = Config(proxies={"http": "http://127.0.0.1:9"}, retries={"total_max_attempts": 1})
        untrusted = Config(proxies={"https": tlsproxy.url}, retries={"total_max_attempts": 1})
        results = []
        for arguments in ({"config": dead, "use_ssl": False}, {"config": untrusted}):
            kind, text, *_ = result_of(lambda a=arguments: make().client("dynamodb", **a).list_tables())
            results.append((kind, re.sub("0x[0-9a-f]+|line [0-9]+|_ssl.c:[0-9]+", "", text)))
        return results

    with serving(empty, tls.context) as tlsproxy:
        results, _ = both(aws, case, empty)
    assert [kind for kind, _ in results] == ["ProxyConnectionError", "ProxyConnectionError"] or results


# -- endpoints, without a socket ---------------------------------------------------------------------------------------

SMALLEST = {
    "dynamodb": ("list_tables", {}),
    "sqs": ("list_queues", {}),
    "s3": ("list_objects_v2", {"Bucket": "bucket"}),
    "s3control": ("list_access_points", {"AccountId": "123456789012"}),
    "sts": ("get_caller_identity", {}),
    "iam": ("list_users", {}),
    "ec2": ("describe_regions", {}),
    "kms": ("list_keys", {}),
    "lambda": ("list_functions", {}),
    "kinesis": ("describe_stream", {"StreamName": "s"}),
    "logs": ("describe_log_groups", {}),
    "events": ("put_events", {"Entries": [], "EndpointId": "abc.def"}),
    "cloudfront": ("list_distributions", {}),
    "route53": ("list_hosted_zones", {}),
    "bedrock-runtime": ("apply_guardrail", {}),
    "glue": ("get_databases", {}),
}
REGIONS = ["us-east-1", "aws-global", "us-gov-west-1", "cn-north-1", "us-iso-east-1", "nowhere-1"]
MODES = [
    {},
    {"use_fips_endpoint": True},
    {"use_dualstack_endpoint": True},
    {"use_fips_endpoint": True, "use_dualstack_endpoint": True},
    {"account_id_endpoint_mode": "required"},
    {"account_id_endpoint_mode": "disabled"},
    {"account_id_endpoint_mode": "preferred", "use_fips_endpoint": True},
    {"signature_version": "v4a"},
    {"signature_version": botocore.UNSIGNED},
    {"s3": {"us_east_1_regional_endpoint": "legacy", "addressing_style": "auto"}},
    {"sigv4a_signing_region_set": "*"},
    {"auth_scheme_preference": "httpBearerAuth,sigv4"},
    {"inject_host_prefix": False},
]


def sent_by(session, service, region, settings):
    """Return where a call goes and under which scope, or the error before it goes anywhere."""
    sent = []

    def take(request, **_):
        found = re.sub("/[0-9]{8}/|Signature=.*", "", str(request.headers.get("Authorization")))
        sent.append((request.method, request.url, found))
        return AWSResponse(request.url, 404, {}, SimpleNamespace(stream=lambda: iter(()), read=lambda: b""))

    def call():
        client = session.client(
            service, region_name=region, config=Config(retries={"total_max_attempts": 1}, **settings)
        )
        client.meta.events.register("before-send", take)
        name, arguments = SMALLEST[service]
        getattr(client, name)(**arguments)

    result = result_of(call)
    return sent or (*result[:2],)


@pytest.mark.parametrize("settings", MODES, ids=lambda settings: "-".join(map(str, settings)) or "none")
def test_calls_go_where_botocore_sends_them(settings):
    accounts = ("123456789012", None) if "account_id_endpoint_mode" in settings else ("123456789012",)
    for account in accounts:
        ours, theirs = (make(3, aws_account_id=account) for make in (light, plain))
        for service in SMALLEST:
            for region in REGIONS:
                where = service, region, account
                assert sent_by(ours, service, region, settings) == sent_by(theirs, service, region, settings), where


# -- retries -----------------------------------------------------------------------------------------------------------


def failing(times, status=500, body=b'{"__type":"InternalServerError","message":"m"}', headers=()):
    def maker():
        left = [times]

        def answer(_request):
            left[0] -= 1
            kind = {"Content-Type": "application/x-amz-json-1.0"}
            if left[0] >= 0:
                return status, {**kind, **dict(headers)}, body
            return 200, kind, b'{"TableNames": []}'

        return answer

    return anew(maker)


THROTTLED = (400, b'{"__type":"ThrottlingException","message":"m"}')


@pytest.mark.parametrize("mode", ["legacy", "standard", "adaptive"])
@pytest.mark.parametrize("attempts", [None, 1, 4])
@pytest.mark.parametrize("what", [(500, b"{}"), (503, b""), THROTTLED, (400, b'{"__type":"ValidationException"}')])
def test_calls_are_tried_as_often_as_botocore_tries_them(aws, mode, attempts, what, no_waiting):
    for times in (0, 1, 2, 20):

        def case(make):
            before = len(no_waiting)
            retries = {"mode": mode, **({"total_max_attempts": attempts} if attempts else {})}
            client = make().client("dynamodb", endpoint_url=aws.url, config=Config(retries=retries))
            return result_of(client.list_tables), len(no_waiting) - before

        (result, pauses), seen = both(aws, case, failing(times, *what))
        meta = result["ResponseMetadata"] if isinstance(result, dict) else result[2]["ResponseMetadata"]
        assert meta["RetryAttempts"] == len(seen) - 1 == pauses


@pytest.mark.parametrize("mode", ["standard", "adaptive"])
def test_a_quota_of_retries_is_one_clients_own(aws, mode, no_waiting):
    """Use up the quota of one client: it alone gives up early, and gets its quota back by successes."""
    settings = {"endpoint_url": aws.url, "config": Config(retries={"mode": mode, "total_max_attempts": 3})}

    def case(make):
        aws.answer = failing(10**6)()
        one, session = make(1).client("dynamodb", **settings), make(1)
        counts = []
        for client in (*[one] * 55, session.client("dynamodb", **settings), make(2).client("dynamodb", **settings)):
            before = len(aws.seen)
            result_of(client.list_tables)
            counts.append(len(aws.seen) - before)
        return counts

    counts, _ = both(aws, case)
    assert counts[0] == counts[-1] == counts[-2] == 3
    assert counts[54] == 1


@pytest.mark.parametrize("mode", ["legacy", "standard", "adaptive"])
def test_a_server_that_hangs_up_is_tried_again(aws, mode, no_waiting):
    def maker():
        left = [2]

        def answer(_request):
            left[0] -= 1
            if left[0] >= 0:
                raise ConnectionAbortedError
            return empty(None)

        return answer

    config = Config(retries={"mode": mode, "total_max_attempts": 4})

    def case(make):
        return result_of(make().client("dynamodb", endpoint_url=aws.url, config=config).list_tables)

    result, seen = both(aws, case, anew(maker))
    assert result["TableNames"] == []
    assert len(seen) == 3


def test_retries_of_a_session_by_its_environment(aws, monkeypatch, no_waiting):
    monkeypatch.setenv("AWS_RETRY_MODE", "standard")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "2")
    _, seen = both(
        aws, lambda make: result_of(make().client("dynamodb", endpoint_url=aws.url).list_tables)[0], failing(9)
    )
    assert len(seen) == 2


# -- bodies that stream ------------------------------------------------------------------------------------------------

CONTENT = bytes(range(256)) * 2000


def objects(request):  # noqa: PLR0911  a case each
    key = request.path.rpartition("/")[2]
    if key == "chunked":
        pieces = [CONTENT[at : at + 70_000] for at in range(0, len(CONTENT), 70_000)]
        framed = b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"
        return 200, {"Transfer-Encoding": "chunked"}, framed
    if key == "zipped":
        return 200, {"Content-Encoding": "gzip"}, gzip.compress(CONTENT, mtime=0)
    if key == "short":
        return 200, {"Connection": "close", "Content-Length": str(len(CONTENT) + 10)}, CONTENT, "close"
    if key == "long":
        return 200, {"Connection": "close", "Content-Length": str(len(CONTENT) - 10)}, CONTENT, "close"
    if key == "until-closed":
        return 200, {"Connection": "close", "Content-Length": str(len(CONTENT))}, CONTENT, "close"
    if key == "wrong":
        return 200, {"x-amz-checksum-crc32": "AAAAAA=="}, CONTENT
    return 200, {"ETag": f'"{request.key}"'}, CONTENT + (request.key or "").encode()


def s3_at(aws, make, number=1, **settings):
    config = Config(s3={"addressing_style": "path"}, **{"retries": {"total_max_attempts": 1}, **settings})
    return make(number).client("s3", endpoint_url=aws.url, config=config)


@pytest.mark.parametrize("key", ["plain", "chunked", "zipped", "short", "long", "until-closed", "wrong"])
def test_a_body_is_read_as_botocore_reads_it(aws, key):
    def case(make):
        s3, found = s3_at(aws, make), []
        for _ in range(2):
            got = result_of(lambda: s3.get_object(Bucket="bucket", Key=key))
            found.append(got)
        with s3.get_object(Bucket="bucket", Key=key)["Body"] as body:
            found.append(result_of(lambda: [len(body.read(100)), len(b"".join(body.iter_chunks(999)))]))
        return found

    both(aws, case, objects)


def test_bodies_outlive_the_calls_of_others_and_their_clients(aws):
    def case(make):
        one, two = s3_at(aws, make, 1), s3_at(aws, make, 2)
        first = one.get_object(Bucket="bucket", Key="k")["Body"]
        head = first.read(1000)
        second = two.get_object(Bucket="bucket", Key="k")["Body"]
        one.close()
        third = s3_at(aws, make, 3).get_object(Bucket="bucket", Key="k")["Body"].read()
        return [head + first.read(), second.read(), third]

    results, _ = both(aws, case, objects)
    assert results == [CONTENT + f"AKIA{number}".encode() for number in (1, 2, 3)]


def test_a_body_left_half_way_spoils_nobodys_next_answer(aws):
    def case(make):
        found = []
        for number in (1, 2, 1, 2):
            s3 = s3_at(aws, make, number)
            with s3.get_object(Bucket="bucket", Key="k")["Body"] as body:
                found.append(body.read(10))
            body = s3_at(aws, make, number + 1).get_object(Bucket="bucket", Key="k")["Body"]
            found.append(next(body.iter_chunks(7)))
            body.close()
            found.append(s3.get_object(Bucket="bucket", Key="k")["ETag"])
        return found

    results, _ = both(aws, case, objects)
    assert results[2::3] == ['"AKIA1"', '"AKIA2"', '"AKIA1"', '"AKIA2"']


@pytest.mark.parametrize("size", [0, 10, 3_000_000])
@pytest.mark.parametrize("refusal", [None, (403, "AccessDenied"), (417, "Expectation")])
def test_a_put_waits_to_be_asked_for_its_body(aws, size, refusal):
    if refusal:
        body = f"<Error><Code>{refusal[1]}</Code><Message>m</Message></Error>".encode()
        aws.refuse_body = refusal[0], {"Content-Type": "application/xml"}, body

    def case(make):
        found = []
        for number in (1, 2):
            s3 = s3_at(aws, make, number)
            found.append(result_of(lambda c=s3: c.put_object(Bucket="bucket", Key="k", Body=b"x" * size)))
            found.append(result_of(lambda c=s3: c.list_objects_v2(Bucket="bucket")))
        return found

    _, seen = both(aws, case, lambda request: (200, *xml(LISTING if request.method == "GET" else "")))
    asked = [request for request in seen if request.headers.get("Expect")]
    assert bool(asked) or size < 2_000_000


def test_uploads_and_downloads_of_boto3_work(aws, tmp_path):
    (tmp_path / "up").write_bytes(CONTENT)

    def answer(request):
        if request.method == "HEAD":
            return 200, {"Content-Length": str(len(CONTENT)), "ETag": '"e"'}, b""
        if request.method == "GET":
            return 200, {"ETag": '"e"'}, CONTENT
        return 200, {"ETag": '"e"'}, b""

    def case(make):
        s3 = s3_at(aws, make)
        s3.upload_file(str(tmp_path / "up"), "b", "k")
        s3.download_file("b", "k", str(tmp_path / "down"))
        return (tmp_path / "down").read_bytes() == CONTENT

    assert both(aws, case, answer)[0]


# -- event streams -----------------------------------------------------------------------------------------------------


def event(headers, payload):
    """Write one event as the event stream format has it."""
    packed = b"".join(
        struct.pack("B", len(name)) + name.encode() + b"\x07" + struct.pack(">H", len(value)) + value.encode()
        for name, value in headers.items()
    )
    prelude = struct.pack(">II", len(packed) + len(payload) + 16, len(packed))
    message = prelude + struct.pack(">I", zlib.crc32(prelude)) + packed + payload
    return message + struct.pack(">I", zlib.crc32(message))


def named(name, payload, kind="event"):
    key = ":event-type" if kind == "event" else ":exception-type"
    return event({":message-type": kind, key: name, ":content-type": "application/json"}, payload)


STREAMS = {
    "s3": (
        "select_object_content",
        {"Bucket": "bucket", "Key": "k", "Expression": "e", "ExpressionType": "SQL"}
        | {"InputSerialization": {"CSV": {}}, "OutputSerialization": {"CSV": {}}},
        "Payload",
        [
            named("Records", b"1,2\n"),
            named("Cont", b""),
            named("Stats", b"<Stats><BytesScanned>7</BytesScanned></Stats>"),
            named("End", b""),
        ],
    ),
    "logs": (
        "start_live_tail",
        {"logGroupIdentifiers": ["arn:aws:logs:us-east-1:000000000001:log-group:g"]},
        "responseStream",
        [
            named("initial-response", b"{}"),
            named("sessionStart", b'{"requestId":"r","sessionId":"s","logGroupIdentifiers":["g"]}'),
            named(
                "sessionUpdate",
                b'{"sessionMetadata":{"sampled":true},"sessionResults":[{"message":"m","timestamp":1}]}',
            ),
            named("SessionTimeoutException", b'{"message":"over"}', "exception"),
        ],
    ),
    "bedrock-runtime": (
        "converse_stream",
        {"modelId": "m", "messages": [{"role": "user", "content": [{"text": "t"}]}]},
        "stream",
        [
            named("messageStart", b'{"role":"assistant"}'),
            named("contentBlockDelta", '{"delta":{"text":"ü"},"contentBlockIndex":0}'.encode()),
            named("unknownKind", b"{}"),
            named("messageStop", b'{"stopReason":"end_turn"}'),
            named("throttlingException", b'{"message":"slow"}', "exception"),
        ],
    ),
    "lambda": (
        "invoke_with_response_stream",
        {"FunctionName": "f"},
        "EventStream",
        [named("PayloadChunk", b"bytes"), named("InvokeComplete", b'{"LogResult":"l"}')],
    ),
}


@pytest.mark.parametrize("service", STREAMS)
@pytest.mark.parametrize("damage", [None, "cut", "bit", "empty"])
def test_event_streams_are_read_as_botocore_reads_them(aws, service, damage):
    operation, arguments, member, events = STREAMS[service]
    body = b"".join(events)
    body = {None: body, "cut": body[:-9], "bit": body[:-30] + b"!" + body[-29:], "empty": b""}[damage]
    framed = b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body) if body else b"0\r\n\r\n"
    headers = {"Content-Type": "application/vnd.amazon.eventstream", "Transfer-Encoding": "chunked"}

    def case(make):
        found = []
        for number in (1, 2):
            client = make(number).client(service, **behind(aws, retries={"total_max_attempts": 1}))
            answered = result_of(lambda c=client: {"": getattr(c, operation)(**arguments)})
            if not isinstance(answered, dict):
                found.append(answered)
                continue
            answered, read = answered[""], []
            stream = answered.pop(member)

            def drain(stream=stream, read=read):
                try:
                    read.extend(stream)
                finally:
                    stream.close()

            found.append((answered, result_of(drain), read))
        return found

    results, _ = both(aws, case, lambda _request: (200, headers, framed))
    if damage is None:
        assert len(results[0][2]) >= 2


# -- waiters and paginators --------------------------------------------------------------------------------------------


def test_waiters_ask_until_it_is_so(aws, no_waiting):
    def maker():
        states = iter(["CREATING", "CREATING", "ACTIVE", "CREATING"])

        def answer(_request):
            body = {"Table": {"TableStatus": next(states, "CREATING"), "TableName": "t"}}
            return 200, {"Content-Type": "application/x-amz-json-1.0"}, json.dumps(body).encode()

        return answer

    def case(make):
        client, before = make().client("dynamodb", endpoint_url=aws.url), len(no_waiting)
        results = [
            result_of(lambda c=config: client.get_waiter("table_exists").wait(TableName="t", WaiterConfig=c))
            for config in ({"Delay": 1}, {"MaxAttempts": 2, "Delay": 1})
        ]
        results.append(result_of(lambda: client.get_waiter("nothing")))
        return results, no_waiting[before:]

    (results, pauses), seen = both(aws, case, anew(maker))
    assert [result and result[0] for result in results] == [None, "WaiterError", "ValueError"]
    assert (len(seen), pauses) == (5, [1, 1, 1])


def test_a_waiter_that_meets_an_error(aws, no_waiting):
    def answer(_request):
        return 400, {"Content-Type": "application/x-amz-json-1.0"}, b'{"__type":"ResourceNotFoundException"}'

    def case(make):
        client = make().client("dynamodb", endpoint_url=aws.url)
        return [
            result_of(lambda n=name: client.get_waiter(n).wait(TableName="t", WaiterConfig={"MaxAttempts": 3}))
            for name in ("table_not_exists", "table_exists")
        ]

    results, _ = both(aws, case, answer)
    assert results[0] is None


def test_paginators_walk_all_pages(aws):
    def answer(request):
        if b"Action=" in request.body:
            at = int((re.search(b"NextToken=([0-9]+)", request.body) or (0, 0))[1])
            token = f"<nextToken>{at + 1}</nextToken>" if at < 3 else ""
            item = f"<item><reservationId>r{at}</reservationId></item>"
            return 200, *xml(f"<R><requestId>q</requestId><reservationSet>{item}</reservationSet>{token}</R>")
        at = json.loads(request.body).get("ExclusiveStartTableName", "table0")
        body = {"TableNames": [at]} | ({"LastEvaluatedTableName": f"table{int(at[5:]) + 1}"} if at < "table3" else {})
        return 200, {"Content-Type": "application/x-amz-json-1.0"}, json.dumps(body).encode()

    def case(make):
        found = []
        for service, operation in (("ec2", "describe_instances"), ("dynamodb", "list_tables")):
            client = make().client(service, endpoint_url=aws.url)
            paginator = client.get_paginator(operation)
            found.append(list(paginator.paginate()))
            page = paginator.paginate(PaginationConfig={"MaxItems": 2, "PageSize": 5})
            found.extend([page.build_full_result(), page.resume_token])
            found.append(list(paginator.paginate().search("TableNames[] || Reservations[].ReservationId")))
        return found

    results, _ = both(aws, case, answer)
    assert results[3] == ["r0", "r1", "r2", "r3"]
    assert results[7] == ["table0", "table1", "table2", "table3"]


def test_resources_of_boto3_work(aws):
    def case(make):
        table = make().resource("dynamodb", endpoint_url=aws.url).Table("t")
        return table.get_item(Key={"k": 1})["Item"], [
            each.name for each in make().resource("dynamodb", endpoint_url=aws.url).tables.all()
        ]

    def answer(request):
        body = (
            b'{"Item":{"n":{"N":"1.5"},"b":{"B":"AAE="}}}' if "GetItem" in request.target else b'{"TableNames":["t"]}'
        )
        return 200, {"Content-Type": "application/x-amz-json-1.0"}, body

    both(aws, case, answer)


# -- nothing of one account reaches another ----------------------------------------------------------------------------


def test_what_a_server_or_a_handler_gives_one_account_stays_there(aws):
    """Give cookies, redirects and connection hints, and change one client's requests: the others' are as ever."""

    def answer(request):
        headers = {"Set-Cookie": f"owner={request.key}; Path=/", "Keep-Alive": "timeout=5", "X-Owner": str(request.key)}
        headers |= {
            "Alt-Svc": 'h2=":1"',
            "Strict-Transport-Security": "max-age=9",
            "Content-Type": "application/x-amz-json-1.0",
        }
        if request.headers.get("X-Mine"):
            headers["Location"] = aws.url + "/stolen"
            return 302, headers, b"{}"
        return 200, headers, b'{"TableNames": []}'

    def case(make):
        clients = [make(number).client("dynamodb", endpoint_url=aws.url, config=ONCE) for number in (1, 2, 1)]
        mine = clients[0].meta.events

        def add(request, **_):
            request.headers["X-Mine"] = "first"

        def change(params, **_):
            params["headers"]["X-Early"] = "first"
            params["context"]["mine"] = True

        mine.register("before-sign.dynamodb", add)
        mine.register("before-call.dynamodb", change)
        mine.register("provide-client-params.dynamodb.ListTables", lambda **_: {"Limit": 1})
        mine.register("after-call", lambda parsed, **_: parsed.setdefault("Mine", 1))
        return [result_of(client.list_tables) for client in (*clients, *reversed(clients))]

    _, seen = both(aws, case, answer)
    assert {request.path for request in seen} == {"/"}
    assert not [request for request in seen if request.headers.get("Cookie")]
    assert [request.headers.get("X-Mine") for request in seen] == ["first", None, None, None, None, "first"]
    assert [request.headers.get("X-Early") for request in seen] == ["first", None, None, None, None, "first"]
    assert [request.body for request in seen] == [b'{"Limit": 1}', b"{}", b"{}", b"{}", b"{}", b'{"Limit": 1}']
    assert [request.key for request in seen] == ["AKIA1", "AKIA2", "AKIA1", "AKIA1", "AKIA2", "AKIA1"]


@pytest.mark.parametrize("trouble", ["error", "close", "garbage", "too long"])
def test_a_connection_in_trouble_troubles_no_other_account(aws, trouble, monkeypatch):
    """Let the first account's call go wrong; the second account's call on the shared pool is right, and its own."""
    monkeypatch.delenv("MANGROVE_SAFE_MODE", raising=False)

    def answer(request):
        if request.key == "AKIA1":
            return {
                "error": (500, {}, b"{}"),
                "close": (200, {"Content-Length": "2"}, b"{}", "close"),
                "garbage": (200, {"Content-Length": "2"}, b"{}HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n[]", "close"),
                "too long": (200, {"Content-Length": "1"}, b'{"TableNames":["one"]}', "close"),
            }[trouble]
        return 200, {}, json.dumps({"TableNames": [request.key]}).encode()

    def case(make):
        one, two = (make(number).client("dynamodb", endpoint_url=aws.url, config=ONCE) for number in (1, 2))
        found = []
        for client in (two, one, two, one, one, two, two):
            found.append(result_of(client.list_tables))
            if client is one and trouble != "error":
                aws.wait_until_hung_up()
        return found

    results, seen = both(aws, case, answer)
    for at in (0, 2, 5, 6):
        assert results[at]["TableNames"] == ["AKIA2"]
    if trouble == "error":
        assert len({request.connection for request in seen}) == 1  # an answer that is whole costs no connection


def test_an_answer_cut_short_is_an_error_or_what_botocore_makes_of_it(aws):
    """Accept a connection error too, as botocore gives in other cases: what is missing must not look like an answer."""

    def answer(request):
        if request.key == "AKIA1":
            return 200, {"Content-Length": "100"}, b'{"TableNames":["one"]', "close"
        return empty(request)

    aws.answer = answer
    found = []
    for make in (plain, light):
        one, two = (make(number).client("dynamodb", endpoint_url=aws.url, config=ONCE) for number in (1, 2))
        results = []
        for client in (two, one, two, one, one, two):
            results.append(result_of(client.list_tables))
            if client is one:
                aws.wait_until_hung_up()
        found.append(results)
    for theirs, ours in zip(*found, strict=True):
        assert ours == theirs or ours[0] == "IncompleteReadError"
        assert '"one"' not in str(ours)


def test_connections_are_shared_by_accounts(aws, monkeypatch):
    monkeypatch.delenv("MANGROVE_SAFE_MODE", raising=False)
    aws.answer = empty
    for number in range(1, 21):
        light(number).client("dynamodb", endpoint_url=aws.url).list_tables()
    assert len({request.connection for request in aws.seen}) == 1
    assert [request.key for request in aws.seen] == [f"AKIA{number}" for number in range(1, 21)]


def test_credentials_that_change_are_used_at_once(aws):
    """Freeze nothing: a session whose credentials are renewed signs the next call with the new ones."""
    from botocore.credentials import Credentials

    def case(make):
        session = make(1)
        client = session.client("dynamodb", endpoint_url=aws.url)
        client.list_tables()
        credentials = session._session.get_credentials()
        assert isinstance(credentials, Credentials)
        credentials.access_key, credentials.token = "AKIANEW", "token"
        client.list_tables()
        session.client("sqs", endpoint_url=aws.url).list_queues()

    _, seen = both(aws, case, empty)
    assert [request.key for request in seen] == ["AKIA1", "AKIANEW", "AKIANEW"]
    assert [request.headers.get("X-Amz-Security-Token") for request in seen] == [None, "token", "token"]


def test_there_are_services_for_all_cases():
    names = set(Loader().list_available_services("service-2"))
    assert {*SMALLEST, *STREAMS} <= names
    assert http.client.responses[307]
