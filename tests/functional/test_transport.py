"""One transport for all accounts: few handshakes, verified, and nothing of one account reaches another."""

from __future__ import annotations

import gc
import http.server
import json
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import BotoCoreError, SSLError

import mangrove
from mangrove.aws.transport import SharedTransport, freeze, transports

ROOT = Path(__file__).parents[2]
HOSTS, ACCOUNTS, THREADS = 4, 6, 3


@pytest.fixture(autouse=True)
def _light_mode(monkeypatch):
    monkeypatch.delenv("MANGROVE_SAFE_MODE", raising=False)


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """Start AWS over TLS on four loopback addresses, with a CA of its own."""
    folder = tmp_path_factory.mktemp("tls")
    process = subprocess.Popen([sys.executable, str(ROOT / "benchmarks" / "loopback.py"), str(folder), str(HOSTS)])
    deadline = time.monotonic() + 30
    while not (folder / "server.json").exists():
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.02)
    place = json.loads((folder / "server.json").read_text())
    yield {**place, "handshakes": lambda: int((folder / "handshakes").read_text())}
    process.terminate()
    process.wait()


def account(number):
    return mangrove.Session(f"AKIA{number}", "secret", aws_account_id=f"{number:012}", region_name="us-east-1")


def test_handshakes_are_of_hosts_and_threads_not_of_accounts(server):
    before = server["handshakes"]()

    def call(number):
        session = account(number)
        for url in server["urls"]:
            ec2 = session.client("ec2", endpoint_url=url, verify=server["ca"])
            assert ec2.describe_instances()["Reservations"] == []

    with ThreadPoolExecutor(THREADS) as executor:
        list(executor.map(call, range(ACCOUNTS)))
    assert HOSTS <= server["handshakes"]() - before <= HOSTS * THREADS < HOSTS * ACCOUNTS


@pytest.mark.filterwarnings("ignore:Unverified HTTPS request")
def test_certificates_are_verified(server):
    trusting = account(1).client("ec2", endpoint_url=server["urls"][0], verify=server["ca"])
    assert trusting.describe_instances()["Reservations"] == []
    quick = Config(retries={"total_max_attempts": 1})
    doubting = account(1).client("ec2", endpoint_url=server["urls"][0], config=quick)
    with pytest.raises(SSLError, match="CERTIFICATE_VERIFY_FAILED"):
        doubting.describe_instances()
    careless = account(1).client("ec2", endpoint_url=server["urls"][0], verify=False)
    assert careless.describe_instances()["Reservations"] == []
    # The careless one has not made the doubting one trust the connection.
    with pytest.raises(SSLError):
        doubting.describe_instances()


def test_the_ca_is_loaded_once_not_at_each_connection(server, monkeypatch):
    import ssl

    loads = []
    real = ssl.SSLContext.load_verify_locations

    def load(self, *args, **kwargs):
        loads.append(1)
        return real(self, *args, **kwargs)

    monkeypatch.setattr(ssl.SSLContext, "load_verify_locations", load)
    config = Config(connect_timeout=11)  # settings of this test alone: a transport of its own
    for number in range(3):
        for url in server["urls"]:
            ec2 = account(number).client("ec2", endpoint_url=url, verify=server["ca"], config=config)
            ec2.describe_instances()
    assert len(loads) == 1


def test_a_ca_bundle_that_is_none_is_botocores_error(server, tmp_path):
    (tmp_path / "empty").write_text("")
    quick = Config(retries={"total_max_attempts": 1})
    for bundle in ("/no/such/bundle", str(tmp_path / "empty")):
        raised = []
        for make in (mangrove.Session, boto3.Session):
            session = make("AKIA", "secret", region_name="us-east-1")
            ec2 = session.client("ec2", endpoint_url=server["urls"][0], verify=bundle, config=quick)
            with pytest.raises(BotoCoreError) as caught:
                ec2.describe_instances()
            raised.append((type(caught.value), str(caught.value)))
        assert raised[0] == raised[1]


def test_closing_one_client_leaves_the_others_their_connections(server):
    one, two = (account(n).client("ec2", endpoint_url=server["urls"][0], verify=server["ca"]) for n in (1, 2))
    two.describe_instances()
    before = server["handshakes"]()
    one.close()
    two.describe_instances()
    assert server["handshakes"]() == before
    two._endpoint.http_session.close_for_all()
    two.describe_instances()
    assert server["handshakes"]() == before + 1


def test_settings_that_differ_share_nothing():
    def transport(**arguments):
        client = account(1).client("ec2", **arguments)
        return client._endpoint.http_session

    same = transport()
    others = [
        transport(verify=False),
        transport(config=Config(read_timeout=7)),
        transport(config=Config(connect_timeout=7)),
        transport(config=Config(proxies={"https": "http://127.0.0.1:1"})),
        transport(config=Config(max_pool_connections=300)),
        transport(config=Config(client_cert="/x")),
    ]
    assert transport() is transport(endpoint_url="https://127.0.0.1:1") is same
    assert len({id(each) for each in [same, *others]}) == len(others) + 1
    assert all(isinstance(each, SharedTransport) for each in others)


def test_a_transport_goes_with_its_last_client():
    client = account(1).client("ec2", config=Config(read_timeout=1234))
    assert client._endpoint.http_session in transports()
    from mangrove.aws import sharing

    sharing._TEMPLATES.kept.clear()
    kept = len(transports())
    del client
    gc.collect()
    assert len(transports()) < kept


class Recording(http.server.BaseHTTPRequestHandler):
    """Give cookies and redirects to whoever asks, and remember what was said."""

    protocol_version = "HTTP/1.1"
    seen: list[tuple[str, dict[str, str]]] = []  # noqa: RUF012

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        Recording.seen.append((self.path, dict(self.headers)))
        body = b"{}"
        self.send_response(307 if "moved" in self.headers["X-Amz-Target"].lower() else 200)
        self.send_header("Set-Cookie", "owner=first; Path=/")
        self.send_header("Location", "http://127.0.0.1:1/elsewhere")
        self.send_header("Content-Type", "application/x-amz-json-1.0")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def test_nothing_of_one_account_reaches_another():
    Recording.seen.clear()
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Recording) as web:
        web.daemon_threads = True
        threading.Thread(target=web.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{web.server_address[1]}"
        clients = [account(number).client("dynamodb", endpoint_url=url) for number in (1, 2, 1)]
        clients[0].meta.events.register(
            "before-sign", lambda request, **_: request.headers.add_header("X-Mine", "first")
        )
        for client in clients:
            client.list_tables()
        web.shutdown()
    heads = [head for _, head in Recording.seen]
    assert [head["Authorization"].split("Credential=")[1].split("/")[0] for head in heads] == [
        "AKIA1",
        "AKIA2",
        "AKIA1",
    ]
    assert [head.get("X-Mine") for head in heads] == ["first", None, None]
    assert not [head for head in heads if "Cookie" in head]
    assert {path for path, _ in Recording.seen} == {"/"}


def test_keys_are_of_values():
    assert freeze({"a": [1, {"b": 2}]}) == freeze({"a": [1, {"b": 2}]}) != freeze({"a": (1, {"b": 2})})
    assert freeze({"a": 1}) != freeze({"a": 2})
    with pytest.raises(TypeError):
        hash(freeze({"a": bytearray(b"x")}))
