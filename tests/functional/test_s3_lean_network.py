"""The lean engine over real sockets: TLS, proxies, servers that close, refuse, stall or lie; both ways of waiting."""

from __future__ import annotations

import contextlib
import datetime as dt
import ipaddress
import socket
import ssl
import struct
import threading
import time
from collections import deque

import pytest
from botocore.config import Config
from botocore.credentials import RefreshableCredentials
from botocore.exceptions import (
    ClientError,
    ConnectionClosedError,
    EndpointConnectionError,
    HTTPClientError,
    ProxyConnectionError,
    ReadTimeoutError,
    SSLError,
)
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

import mangrove
from mangrove.aws.session import botocore_session
from mangrove.s3.backend import engine_for
from mangrove.s3.engines.auto import AutoEngine
from mangrove.s3.engines.base import Call
from mangrove.s3.engines.boto import BotoEngine
from mangrove.s3.engines.lean.endpoints import UnusualError
from mangrove.s3.engines.lean.lines import Lines
from mangrove.s3.engines.lean.loop import Exchange, Loop
from mangrove.s3.engines.lean.poller import Poller
from mangrove.s3.engines.lean.reading import Reading
from mangrove.s3.engines.lean.requests import OPERATIONS
from mangrove.s3.engines.lean.writing import Written
from mangrove.s3.rules.faults import kind_of

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
REFUSED = b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n"
GET = {"Bucket": "bucket", "Key": "key"}
MODES = ["loop", "thread"]
SCHEMES = ["http", "https"]


# -- servers ----------------------------------------------------------------------------------------------------------


class Server:
    """Give each connection, its TLS established, to a function; keep what it says it has seen."""

    def __init__(self, handle, context=None, host="127.0.0.1"):
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self.listener = socket.create_server((host, 0), family=family, backlog=512)
        self.handle, self.context = handle, context
        self.port = self.listener.getsockname()[1]
        shown = f"[{host}]" if ":" in host else host
        self.url = f"{'https' if context else 'http'}://{shown}:{self.port}"
        self.connections, self.seen, self.open = 0, [], []
        self.done = threading.Event()
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                sock, _ = self.listener.accept()
                self.connections += 1
                self.open.append(sock)
                threading.Thread(target=self._serve, args=(sock,), daemon=True).start()

    def _serve(self, sock):
        with contextlib.suppress(OSError, EOFError):
            if self.context is not None:
                sock = self.context.wrap_socket(sock, server_side=True)
            with sock:
                self.handle(self, sock)

    def close(self):
        self.done.set()
        self.listener.close()
        for sock in self.open:
            with contextlib.suppress(OSError):
                sock.close()


def read_request(server, sock, *, body=True):
    """Read one request; raise EOFError at the end."""
    data = b""
    while b"\r\n\r\n" not in data:
        more = sock.recv(1 << 16)
        if not more:
            raise EOFError
        data += more
    head, _, rest = data.partition(b"\r\n\r\n")
    server.seen.append(head)
    lines = head.lower().split(b"\r\n")
    left = next((int(line[15:]) for line in lines if line.startswith(b"content-length:")), 0) if body else 0
    received = bytearray(rest)
    while len(received) < left:
        more = sock.recv(1 << 16)
        if not more:
            raise EOFError
        received += more
    return head, bytes(received)


def answering(*answers):
    """Answer the requests of a connection, the last one for ever."""

    def handle(server, sock):
        waiting = deque(answers)
        while True:
            read_request(server, sock)
            sock.sendall(waiting.popleft() if len(waiting) > 1 else waiting[0])

    return handle


class Authority:
    """Make certificates; the first use in a run makes the keys, which are small."""

    def __init__(self, folder):
        self.folder = folder
        self.key, self.name = ec.generate_private_key(ec.SECP256R1()), self._name("Test CA")
        self.path = self._write("ca", self._sign(self.name, self.key, ca=True), None)

    @staticmethod
    def _name(text):
        return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])

    def _sign(self, subject, key, *, ca=False, names=()):
        now = dt.datetime.now(dt.timezone.utc)
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self.name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - dt.timedelta(days=1))
            .not_valid_after(now + dt.timedelta(days=1))
            .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key()), critical=False)
        )
        if ca:
            usage = dict.fromkeys(
                (
                    "content_commitment key_encipherment data_encipherment key_agreement encipher_only decipher_only"
                ).split(),
                False,
            )
            builder = builder.add_extension(
                x509.KeyUsage(digital_signature=True, key_cert_sign=True, crl_sign=True, **usage), critical=True
            )
        if names:
            builder = builder.add_extension(x509.SubjectAlternativeName(list(names)), critical=False)
        return builder.sign(self.key, hashes.SHA256())

    def _write(self, name, certificate, key):
        path = self.folder / f"{name}.pem"
        path.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        if key is not None:
            kind, plain = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            (self.folder / f"{name}.key").write_bytes(key.private_bytes(serialization.Encoding.PEM, kind, plain))
        return str(path)

    def certificate(self, name, *names):
        """Return the paths of a certificate and of its key."""
        key = ec.generate_private_key(ec.SECP256R1())
        path = self._write(name, self._sign(self._name(name), key, names=names), key)
        return path, str(self.folder / f"{name}.key")

    def context(self, *names):
        """Return a server's context."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*self.certificate("server", *names))
        return context


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("ca"))


@pytest.fixture(scope="module")
def secure(authority):
    return authority.context(x509.IPAddress(ipaddress.ip_address("127.0.0.1")), x509.DNSName("localhost"))


@pytest.fixture
def world(authority, secure, monkeypatch):
    """Make servers, and engines that talk to them."""
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy", "AWS_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
    made = []

    class World:
        def server(self, handle, scheme="http", **arguments):
            server = Server(handle, secure if scheme == "https" else None, **arguments)
            made.append(server)
            return server

        def add(self, server):
            made.append(server)
            return server

        def engine(self, url, *, credentials=None, session=None, capacity=8, **arguments):
            if session is None:
                keys = {} if credentials else {"aws_access_key_id": "AKIDEXAMPLE", "aws_secret_access_key": "s"}
                session = mangrove.Session(region_name="us-east-1", **keys)
            if credentials is not None:
                botocore_session(session)._credentials = credentials
            arguments.setdefault("verify", authority.path)
            arguments = {name: value for name, value in arguments.items() if value is not None}
            engine = engine_for(session, {"endpoint_url": url, **arguments}, "auto", capacity=capacity)
            made.append(engine)
            return engine

    yield World()
    for each in reversed(made):
        each.close()


def carry(engine, call, mode="loop"):
    """Make a call in one of two ways; return it, ended."""
    return carry_all(engine, [call], mode)[0]


def carry_all(engine, calls, mode="loop"):
    if mode == "thread":
        for call in calls:
            try:
                engine.perform(call)
            except Exception as error:  # noqa: BLE001  it is what is asked for
                call.error = error
        return calls
    for call in calls:
        engine.submit(call)
    ended, limit = [], time.monotonic() + 20
    while len(ended) < len(calls) and time.monotonic() < limit:
        ended += engine.poll(0.2)
    assert sorted(map(id, ended)) == sorted(map(id, calls)), "each call ends once"
    return calls


def get(**more):
    return Call("GetObject", {**GET, **more})


def put(size):
    return Call("PutObject", dict(GET), body=bytes(size))


# -- TLS --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", MODES)
def test_a_certificate_of_an_unknown_authority_is_refused_for_good(world, mode):
    server = world.server(answering(OK), "https")
    error = carry(world.engine(server.url, verify=None), get(), mode).error
    assert isinstance(error, SSLError)
    assert kind_of(error) == "fatal"
    assert not server.seen


def test_a_certificate_of_another_host_is_refused(world, authority):
    server = world.add(Server(answering(OK), authority.context(x509.DNSName("elsewhere.example"))))
    assert isinstance(carry(world.engine(server.url), get()).error, SSLError)


@pytest.mark.parametrize("mode", MODES)
def test_a_bundle_of_authorities_is_believed(world, mode):
    server = world.server(answering(OK), "https")
    assert carry(world.engine(server.url), get(), mode).reply.body == b"ok"


def test_the_bundle_of_the_environment_is_believed(world, authority, monkeypatch):
    monkeypatch.setenv("AWS_CA_BUNDLE", authority.path)
    server = world.server(answering(OK), "https")
    assert carry(world.engine(server.url, verify=None), get()).reply.body == b"ok"


def test_verification_can_be_switched_off(world):
    server = world.server(answering(OK), "https")
    assert carry(world.engine(server.url, verify=False), get()).reply.body == b"ok"


def test_a_clients_certificate_is_shown(world, authority):
    context = authority.context(x509.IPAddress(ipaddress.ip_address("127.0.0.1")))
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(authority.path)
    server = world.add(Server(answering(OK), context))
    config = Config(client_cert=authority.certificate("client"))
    assert carry(world.engine(server.url, config=config), get()).reply.body == b"ok"
    assert carry(world.engine(server.url), get()).error is not None


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("scheme", SCHEMES)
def test_bodies_larger_than_any_buffer_go_and_come(world, mode, scheme):
    size = 3_000_001
    big = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size + b"x" * size

    def handle(server, sock):
        while True:
            _, body = read_request(server, sock)
            server.seen.append(len(body))
            sock.sendall(big)

    server = world.server(handle, scheme)
    engine = world.engine(server.url)
    assert carry(engine, put(size), mode).error is None
    assert server.seen[-1] == size
    assert len(carry(engine, get(), mode).reply.body) == size
    assert server.connections == 1


@pytest.mark.parametrize("mode", MODES)
def test_an_end_without_the_goodbye_of_tls_is_no_end_of_a_body(world, mode):
    def handle(server, sock):
        read_request(server, sock)
        sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")
        socket.socket(fileno=sock.detach()).close()

    server = world.server(handle, "https")
    call = carry(world.engine(server.url), get(), mode)
    assert isinstance(call.error, (ConnectionClosedError, HTTPClientError))
    assert kind_of(call.error) == "transient"


def test_tickets_that_come_to_an_idle_connection_do_not_end_it(secure, authority):
    go = threading.Event()
    both = threading.Barrier(2, timeout=10)

    def handle(server, sock):
        while True:
            head, _ = read_request(server, sock)
            if b"both" in head:
                both.wait()
            sock.sendall(OK)

    server = Server(handle, secure)
    trust = ssl.create_default_context(cafile=authority.path)
    opened = []

    def connect(_):
        sock = socket.create_connection(("127.0.0.1", server.port))
        opened.append(sock)
        if len(opened) == 2:
            go.wait(10)
        return trust.wrap_socket(sock, server_hostname="localhost")

    loop = Loop(connect, capacity=2, timeout=10.0)
    with contextlib.closing(loop), contextlib.closing(server):
        run(loop, [exchange(), exchange()])
        go.set()
        for _ in range(4):
            loop.poll(0.05)
        assert all(each.error is None for each in run(loop, [exchange("/both"), exchange("/both")]))
        assert server.connections == 2


# -- proxies ----------------------------------------------------------------------------------------------------------


def tunnel(server, sock):
    """Be an HTTP proxy that asks for a password."""
    head, _ = read_request(server, sock)
    if b"Basic dXNlcjpoaWRkZW4=" not in head:  # user:hidden
        sock.sendall(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")
        return
    host, _, port = head.split(b" ")[1].decode().rpartition(":")
    with socket.create_connection((host, int(port))) as far:
        sock.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
        threading.Thread(target=pump, args=(far, sock), daemon=True).start()
        pump(sock, far)


def pump(source, target):
    with contextlib.suppress(OSError):
        while data := source.recv(1 << 16):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)


@pytest.mark.parametrize("mode", MODES)
def test_https_goes_through_a_tunnel_of_a_proxy_with_a_password(world, mode):
    server, proxy = world.server(answering(OK), "https"), world.server(tunnel)
    engine = world.engine(server.url, config=Config(proxies={"https": f"http://user:hidden@127.0.0.1:{proxy.port}"}))
    assert isinstance(engine, AutoEngine)
    assert carry(engine, get(), mode).reply.body == b"ok"
    assert proxy.seen[0].startswith(f"CONNECT 127.0.0.1:{server.port} ".encode())
    assert b"roxy-" not in server.seen[0], "the proxy's password is not the server's"


@pytest.mark.parametrize("mode", MODES)
def test_a_proxy_that_refuses_is_an_error_without_the_password(world, mode):
    server, proxy = world.server(answering(OK), "https"), world.server(tunnel)
    engine = world.engine(server.url, config=Config(proxies={"https": f"http://user:wrong1@127.0.0.1:{proxy.port}"}))
    call = carry(engine, get(), mode)
    assert isinstance(call.error, ProxyConnectionError)
    assert kind_of(call.error) == "unreachable"
    assert not call.sent
    assert "wrong1" not in f"{call.error} {call.error!r} {call.error.__cause__!r}"


@pytest.mark.parametrize(
    ("scheme", "proxy"), [("http", "http://127.0.0.1:9"), ("https", "https://127.0.0.1:9"), ("http", "https://u@h:9")]
)
def test_proxies_that_are_asked_themselves_or_speak_tls_are_botocores(world, scheme, proxy):
    engine = world.engine(f"{scheme}://127.0.0.1:1", config=Config(proxies={scheme: proxy}))
    assert isinstance(engine, BotoEngine)


# -- names and connections --------------------------------------------------------------------------------------------


def test_a_name_with_several_addresses_is_tried_in_turn(world):
    server = world.server(answering(OK))
    assert carry(world.engine(f"http://localhost:{server.port}"), get()).reply.body == b"ok"


@pytest.mark.skipif(not socket.has_ipv6, reason="no IPv6 here")
def test_an_address_of_ipv6_with_a_path(world):
    try:
        server = world.server(answering(OK), host="::1")
    except OSError:
        pytest.skip("no IPv6 here")
    assert carry(world.engine(f"{server.url}/store"), get()).reply.body == b"ok"
    assert server.seen[0].startswith(b"GET /store/bucket/key HTTP/1.1\r\n")
    assert f"\r\nhost: [::1]:{server.port}\r\n".encode() in server.seen[0]


@pytest.mark.parametrize("mode", MODES)
def test_a_port_that_refuses(world, mode):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    call = carry(world.engine(f"http://127.0.0.1:{port}"), get(), mode)
    assert isinstance(call.error, EndpointConnectionError)
    assert kind_of(call.error) == "unreachable"
    assert not call.sent


def test_a_connection_is_kept_alive_where_the_configuration_says_so(world):
    server = world.server(answering(OK))
    engine = world.engine(server.url, config=Config(tcp_keepalive=True))
    with contextlib.closing(engine._lean._sockets.open(server.url)) as sock:
        assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)


# -- answers ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_refusal_is_heard_while_the_body_is_sent(world, mode, scheme):
    def handle(server, sock):
        read_request(server, sock, body=False)
        sock.sendall(REFUSED)
        server.done.wait(20)  # and reads no more

    server = world.server(handle, scheme)
    call = carry(world.engine(server.url, config=Config(read_timeout=15)), put(32 << 20), mode)
    assert isinstance(call.error, ClientError)
    assert call.error.response["ResponseMetadata"]["HTTPStatusCode"] == 403


@pytest.mark.parametrize("mode", MODES)
def test_after_an_early_refusal_the_connection_is_not_used_again(world, mode):
    def handle(server, sock):
        head, _ = read_request(server, sock, body=False)
        if head.startswith(b"GET"):
            sock.sendall(OK)
        else:
            sock.sendall(REFUSED)
        server.done.wait(20)

    server = world.server(handle)
    engine = world.engine(server.url)
    assert carry(engine, put(32 << 20), mode).error is not None
    assert carry(engine, get(), mode).reply.body == b"ok"
    assert server.connections == 2


@pytest.mark.parametrize("mode", MODES)
def test_interim_answers_are_passed_over(world, mode):
    server = world.server(answering(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\n" + OK))
    assert carry(world.engine(server.url), put(10), mode).error is None


@pytest.mark.parametrize("mode", MODES)
def test_what_is_left_over_is_not_the_next_answer(world, mode):
    server = world.server(answering(OK + b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil"))
    engine = world.engine(server.url)
    assert [carry(engine, get(), mode).reply.body for _ in range(3)] == [b"ok"] * 3
    assert server.connections == 3


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("status", [b"502 Bad Gateway", b"400 Bad Request", b"503 Service Unavailable"])
@pytest.mark.parametrize("body", [b"<html><p>no", b"\xff\xfe\0", b"<Error><Code></Code></Error>", b"<a/>", b"{}", b""])
def test_an_error_of_something_between_is_the_calls_and_the_engine_goes_on(world, mode, status, body):
    broken = b"HTTP/1.1 %s\r\nContent-Type: text/html\r\nContent-Length: %d\r\n\r\n%s" % (status, len(body), body)
    server = world.server(answering(broken, OK))
    engine = world.engine(server.url)
    assert carry(engine, get(), mode).error is not None
    assert carry(engine, get(), mode).reply.body == b"ok"


@pytest.mark.parametrize(
    ("operation", "params", "body"),
    [
        ("ListObjectsV2", {"Bucket": "bucket"}, b"<?xml version='1.0'?>\n<Error><Code>InternalError</Code></Error>"),
        ("ListObjectsV2", {"Bucket": "bucket"}, b'<Error xmlns="a"><Code>InternalError</Code></Error>'),
        ("CopyObject", {**GET, "CopySource": {"Bucket": "b", "Key": "k"}}, b"<CopyObjectResult><ETag>a</ET"),
        ("CopyObject", {**GET, "CopySource": {"Bucket": "b", "Key": "k"}}, b"<html>hello"),
    ],
)
def test_a_success_whose_document_is_an_error_or_cut_short_is_none(world, operation, params, body):
    server = world.server(answering(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)))
    error = carry(world.engine(server.url), Call(operation, params)).error
    assert kind_of(error) == "transient"


@pytest.mark.parametrize("mode", MODES)
def test_a_body_of_unknown_length_is_given_up_when_it_is_too_long(world, mode):
    def handle(server, sock):
        read_request(server, sock)
        sock.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        with contextlib.suppress(OSError):
            while not server.done.is_set():
                sock.sendall(b"1000\r\n" + b"x" * 4096 + b"\r\n")

    call = carry(world.engine(world.server(handle).url), Call("GetObject", dict(GET), most=10_000), mode)
    assert call.too_long
    assert call.reply.body == b""


def test_a_redirect_that_does_not_say_where_to_is_followed_by_botocore(world):
    def handle(server, sock):
        while True:
            head, _ = read_request(server, sock)
            if b"/eu-west-1/s3/" in head:
                sock.sendall(OK.replace(b"\r\n\r\n", b"\r\nx-amz-bucket-region: eu-west-1\r\n\r\n"))
            elif head.startswith(b"HEAD"):
                sock.sendall(b"HTTP/1.1 301 Moved\r\nx-amz-bucket-region: eu-west-1\r\nContent-Length: 0\r\n\r\n")
            else:
                body = b"<Error><Code>PermanentRedirect</Code></Error>"
                sock.sendall(b"HTTP/1.1 301 Moved\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))

    assert carry(world.engine(world.server(handle).url), get(), "thread").reply.body == b"ok"
    assert carry(world.engine(world.server(handle).url), get(), "loop").reply.body == b"ok"


# -- time-outs and ends -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", MODES)
def test_a_silent_server_on_a_used_connection_is_a_time_out_and_not_a_closed_connection(world, mode):
    def handle(server, sock):
        read_request(server, sock)
        sock.sendall(OK)
        read_request(server, sock)
        server.done.wait(20)

    engine = world.engine(world.server(handle).url, config=Config(read_timeout=0.3))
    assert carry(engine, get(), mode).error is None
    call = carry(engine, get(), mode)
    assert isinstance(call.error, ReadTimeoutError)
    assert not call.stale
    assert call.sent


def test_a_slow_upload_that_goes_on_is_no_time_out():
    total = 2 << 20

    def handle(server, sock):
        read_request(server, sock, body=False)
        taken = 0
        while taken < total - (1 << 16):
            taken += len(sock.recv(1 << 16))
            time.sleep(0.02)
        sock.sendall(OK)
        server.done.wait(5)

    server = Server(handle)

    def connect(_):
        sock = socket.create_connection(("127.0.0.1", server.port))
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 16)
        return sock

    lines = Lines(connect, 0.4)
    with contextlib.closing(server), contextlib.closing(lines):
        one = exchange(body=bytes(total))
        lines.carry(one)
        assert one.error is None
        assert one.reading.body == b"ok"


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("cut", [0, 9, 30, 50])
def test_a_server_that_closes_at_any_time_is_an_error_and_not_an_answer(world, mode, scheme, cut):
    def handle(server, sock):
        read_request(server, sock)
        sock.sendall((b"HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n" + b"x" * 20)[:cut])

    call = carry(world.engine(world.server(handle, scheme).url), get(), mode)
    assert isinstance(call.error, ConnectionClosedError)
    assert call.sent
    assert not call.stale


@pytest.mark.parametrize("mode", MODES)
def test_a_connection_whose_server_has_gone_is_stale_once(world, mode):
    def handle(server, sock):
        read_request(server, sock)
        sock.sendall(OK)
        read_request(server, sock)  # and closes

    server = world.server(handle)
    engine = world.engine(server.url)
    carry(engine, get(), mode)
    assert carry(engine, get(), mode).stale
    assert carry(engine, get(), mode).reply.body == b"ok"


# -- the loop ---------------------------------------------------------------------------------------------------------


def exchange(path="/", body=None, write=None):
    length = b"" if body is None else b"content-length: %d\r\n" % len(body)
    head = f"GET {path} HTTP/1.1\r\nhost: a\r\n".encode() + length + b"\r\n"
    return Exchange(object(), "http://a", write or (lambda _: Written("", head, body)), Reading())


def run(loop, exchanges):
    for each in exchanges:
        loop.submit(each)
    ended, limit = [], time.monotonic() + 20
    while len(ended) < len(exchanges) and time.monotonic() < limit:
        ended += loop.poll(0.2)
    assert sorted(map(id, ended)) == sorted(map(id, exchanges)), "each ends once, and all end"
    return exchanges


@pytest.fixture
def simple():
    server = Server(answering(OK))
    loops = []

    def make(connect=None, **arguments):
        plain = connect or (lambda _: socket.create_connection(("127.0.0.1", server.port)))
        loop = Loop(plain, **{"capacity": 4, "timeout": 10.0, **arguments})
        loops.append(loop)
        return server, loop

    yield make
    for loop in loops:
        loop.close()
    server.close()


def test_a_dead_connection_takes_one_exchange_with_it_and_not_all(simple):
    server, loop = simple(capacity=1)
    run(loop, [exchange()])
    reset_all(server)
    ended = run(loop, [exchange() for _ in range(200)])
    assert sum(each.error is not None for each in ended) <= 1


def test_all_idle_connections_die_at_once(simple):
    both = threading.Barrier(60, timeout=10)

    def handle(server, sock):
        while True:
            head, _ = read_request(server, sock)
            if b"together" in head:
                both.wait()
            sock.sendall(OK)

    server, loop = simple(capacity=60)
    server.handle = handle
    run(loop, [exchange("/together") for _ in range(60)])
    assert server.connections == 60
    reset_all(server)
    loop.poll(0.05)
    ended = run(loop, [exchange() for _ in range(300)])
    assert sum(each.error is not None for each in ended) <= 60, "a connection fails one at most"
    assert all(each.error is None for each in run(loop, [exchange() for _ in range(300)]))


def reset_all(server):
    for sock in server.open:
        with contextlib.suppress(OSError):
            # A reset, and at once although a thread reads from it.
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            sock.shutdown(socket.SHUT_RD)
    time.sleep(0.05)


def test_thousands_of_requests_that_can_not_be_written_each_fail(simple):
    def fail(_):
        raise ValueError

    _, loop = simple()
    ended = run(loop, [exchange(write=fail) for _ in range(5000)])
    assert all(isinstance(each.error, ValueError) for each in ended)
    assert run(loop, [exchange()])[0].error is None


def test_no_more_files_fail_what_has_no_connection_and_the_rest_goes_on(simple):
    allowed = [3]

    def connect(_):
        if not allowed[0]:
            raise OSError(24, "Too many open files")
        allowed[0] -= 1
        return socket.create_connection(("127.0.0.1", server.port))

    server, loop = simple(connect, capacity=50)
    ended = run(loop, [exchange() for _ in range(500)])
    assert any(each.error is None for each in ended)
    assert all(each.error is None or each.error.errno == 24 for each in ended)
    assert all(each.error is None for each in run(loop, [exchange() for _ in range(3)]))


def test_no_more_threads_is_an_error_of_each_exchange_once(simple, monkeypatch):
    _, loop = simple()
    monkeypatch.setattr(threading.Thread, "start", no_thread)
    assert all(isinstance(each.error, RuntimeError) for each in run(loop, [exchange() for _ in range(10)]))


def no_thread(_):
    text = "can't start new thread"
    raise RuntimeError(text)


def test_ten_thousand_wait_for_a_few_connections(simple):
    server, loop = simple(capacity=2)
    assert all(each.error is None for each in run(loop, [exchange() for _ in range(10_000)]))
    assert server.connections <= 2


def test_closing_does_not_wait_for_hosts_that_do_not_answer(simple):
    go, closed = threading.Event(), threading.Event()

    class Late:
        def setblocking(self, _):
            pass

        def fileno(self):
            return -1

        def close(self):
            closed.set()

    def connect(_):
        go.wait(10)
        return Late()

    _, loop = simple(connect, capacity=500)
    for _ in range(400):
        loop.submit(exchange())
    loop.close()  # would hang
    assert not go.is_set()
    go.set()
    assert closed.wait(10), "what was opened too late is closed"


def test_a_connection_that_was_idle_for_minutes_is_not_trusted(simple):
    now = [0.0]
    server, loop = simple(clock=lambda: now[0])
    run(loop, [exchange()])
    now[0] += 100
    run(loop, [exchange()])
    assert server.connections == 1
    now[0] += 200
    assert run(loop, [exchange()])[0].error is None
    assert server.connections == 2


def test_a_thread_does_not_trust_it_either():
    now, server = [0.0], Server(answering(OK))
    lines = Lines(lambda _: socket.create_connection(("127.0.0.1", server.port)), 10.0, clock=lambda: now[0])
    with contextlib.closing(server), contextlib.closing(lines):
        for wait, connections in ((0, 1), (100, 1), (200, 2)):
            now[0] += wait
            one = exchange()
            lines.carry(one)
            assert one.error is None
            assert server.connections == connections


def test_no_wake_up_is_lost():
    poller, inbox, total = Poller(), deque(), 4 * 3000

    def put_some(number):
        for each in range(3000):
            inbox.append((number, each))
            poller.wake()

    threads = [threading.Thread(target=put_some, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    taken = 0
    while taken < total:
        assert poller.poll(5.0), f"it slept although something was there: {total - taken} are left"
        poller.hush()
        while inbox:
            inbox.popleft()
            taken += 1
    for thread in threads:
        thread.join()
    poller.close()


# -- credentials ------------------------------------------------------------------------------------------------------


def refreshable(refresh, seconds, key="OLDKEY"):
    expiry = dt.datetime.now(dt.timezone.utc) + dt.timedelta(seconds=seconds)
    return RefreshableCredentials(key, "s", "t", expiry, refresh, "test")


def fresh(key):
    expiry = dt.datetime.now(dt.timezone.utc) + dt.timedelta(hours=6)
    return {"access_key": key, "secret_key": "s", "token": "t", "expiry_time": expiry.isoformat()}


@pytest.mark.parametrize("mode", MODES)
def test_a_refresh_that_hangs_stops_nothing_while_the_old_credentials_are_valid(world, mode):
    go, asked = threading.Event(), threading.Event()

    def refresh():
        asked.set()
        go.wait(20)
        return fresh("NEWKEY")

    credentials = refreshable(refresh, 3600)
    server = world.server(answering(OK))
    engine = world.engine(server.url, credentials=credentials)
    assert carry(engine, get(), mode).error is None
    credentials._expiry_time -= dt.timedelta(seconds=3300)
    engine._lean._writer._checked = 0.0
    assert carry(engine, get(), mode).error is None
    assert asked.wait(10)
    assert carry(engine, get(), mode).error is None
    assert b"Credential=OLDKEY" in server.seen[-1]
    go.set()
    engine._lean._writer._asking.join(10)
    assert carry(engine, get(), mode).error is None
    assert b"Credential=NEWKEY" in server.seen[-1]


def test_a_refresh_that_fails_fails_nothing_while_the_old_credentials_are_valid(world):
    def refresh():
        text = "no"
        raise ValueError(text)

    credentials = refreshable(refresh, 3600)
    engine = world.engine(world.server(answering(OK)).url, credentials=credentials)
    assert carry(engine, get()).error is None
    credentials._expiry_time -= dt.timedelta(seconds=3300)
    for _ in range(3):
        engine._lean._writer._checked = 0.0
        assert carry(engine, get()).error is None


# -- what is botocore's -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("operation", sorted(OPERATIONS))
@pytest.mark.parametrize("event", ["before-call", "before-send", "before-parameter-build", "needs-retry"])
def test_handlers_of_any_operation_are_asked(world, operation, event):
    session = mangrove.Session("AKIDEXAMPLE", "s", region_name="us-east-1")
    session.events.register(f"{event}.s3.{operation}", lambda **_: None)
    assert isinstance(world.engine("http://127.0.0.1:1", session=session), BotoEngine)


def test_handlers_of_other_operations_cost_nothing(world):
    session = mangrove.Session("AKIDEXAMPLE", "s", region_name="us-east-1")
    session.events.register("before-call.s3.CreateBucket", lambda **_: None)
    session.events.register("before-call.ec2", lambda **_: None)
    assert isinstance(world.engine("http://127.0.0.1:1", session=session), AutoEngine)


@pytest.mark.parametrize(
    "bucket", ["b--use1-az4--x-s3", "arn:aws:s3express:us-east-1:1:accesspoint/a--use1-az4--xa-s3"]
)
def test_s3_express_is_recognized_without_a_call(world, bucket, monkeypatch):
    engine = world.engine(None)
    monkeypatch.setattr(socket, "getaddrinfo", None)
    with pytest.raises(UnusualError):
        engine._lean._writer.endpoint(bucket)
