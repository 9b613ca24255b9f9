"""What S3 says of a bucket's region, of the credentials and of the clock is heard: the next try is right."""

from __future__ import annotations

import datetime as dt
import http.server
import threading
import time

import pytest
from botocore.credentials import RefreshableCredentials
from botocore.exceptions import ClientError

import mangrove
from mangrove.aws.renewing import renew
from mangrove.aws.session import botocore_session
from mangrove.s3.backend import engine_for
from mangrove.s3.engines.base import Call

GET = {"Bucket": "bucket", "Key": "key"}


class Server(http.server.ThreadingHTTPServer):
    """Answer by a function of the request's headers: a status, headers and a body."""

    def __init__(self, answer):
        self.requests = []

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                self.server.requests.append(dict(self.headers))
                status, headers, body = answer({name.lower(): value for name, value in self.headers.items()})
                self.send_response_only(status)
                for name, value in {"Date": self.date_time_string(), **headers, "Content-Length": len(body)}.items():
                    self.send_header(name, str(value))
                self.end_headers()
                self.wfile.write(body)

            do_HEAD = do_GET  # noqa: N815  the library's name

            def log_message(self, *_):
                pass

        super().__init__(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}"


def refusal(code, **more):
    inside = "".join(f"<{name}>{value}</{name}>" for name, value in {"Code": code, "Message": "m", **more}.items())
    return f"<?xml version='1.0'?><Error>{inside}</Error>".encode()


@pytest.fixture
def engine():
    made, servers = [], []

    def make(answer, credentials=None):
        server = Server(answer)
        servers.append(server)
        keys = {"aws_access_key_id": "AKIDEXAMPLE", "aws_secret_access_key": "s"} if credentials is None else {}
        session = mangrove.Session(region_name="us-east-1", **keys)
        if credentials is not None:
            botocore_session(session)._credentials = credentials
        engine = engine_for(session, {"endpoint_url": server.url}, "auto")
        made.append(engine)
        return engine, server

    yield make
    for each in made:
        each.close()
    for server in servers:
        server.shutdown()
        server.server_close()


def region_of(headers):
    return headers["authorization"].split("/")[2]


@pytest.mark.parametrize(
    ("status", "headers", "body"),
    [
        (400, {}, refusal("AuthorizationHeaderMalformed", Region="eu-west-3")),
        (301, {"x-amz-bucket-region": "eu-west-3"}, refusal("PermanentRedirect", Endpoint="bucket.s3.amazonaws.com")),
        (307, {"x-amz-bucket-region": "eu-west-3"}, refusal("TemporaryRedirect")),
    ],
)
def test_a_bucket_that_is_elsewhere_is_signed_for_there_from_then_on(engine, status, headers, body):
    made, server = engine(
        lambda given: (200, {}, b"ok") if region_of(given) == "eu-west-3" else (status, headers, body)
    )
    with pytest.raises(ClientError):
        made.perform(Call("GetObject", GET))
    for _ in range(2):
        assert made.perform(Call("GetObject", GET)).body == b"ok"
    assert len(server.requests) == 3


def test_a_head_learns_it_from_the_field_alone(engine):
    made, _ = engine(
        lambda given: (
            (200, {}, b"") if region_of(given) == "eu-west-3" else (400, {"x-amz-bucket-region": "eu-west-3"}, b"")
        )
    )
    with pytest.raises(ClientError):
        made.perform(Call("HeadObject", GET))
    assert made.perform(Call("HeadObject", GET)).status == 200


def test_expired_credentials_are_renewed_once_for_many_requests(engine):
    count = [0]

    def fetch():
        count[0] += 1
        later = dt.datetime.now(dt.timezone.utc) + dt.timedelta(hours=1)
        return {"access_key": f"AKID{count[0]}", "secret_key": "s", "token": "t", "expiry_time": later.isoformat()}

    credentials = RefreshableCredentials.create_from_metadata(fetch(), fetch, "test")
    made, _ = engine(
        lambda given: (400, {}, refusal("ExpiredToken")) if "AKID1/" in given["authorization"] else (200, {}, b"ok"),
        credentials,
    )
    calls = [Call("GetObject", GET) for _ in range(20)]
    for call in calls:
        made.submit(call)
    ended = []
    while len(ended) < len(calls):
        ended += made.poll(5)
    assert {call.error.response["Error"]["Code"] for call in ended if call.error} == {"ExpiredToken"}
    assert made.perform(Call("GetObject", GET)).body == b"ok"
    assert count[0] == 2


def test_keys_that_were_given_stay_what_they_are():
    session = mangrove.Session(aws_access_key_id="AKIDEXAMPLE", aws_secret_access_key="s", region_name="us-east-1")
    assert renew(session.get_credentials()) is False
    assert session.get_credentials().access_key == "AKIDEXAMPLE"


def test_a_wrong_clock_is_set_by_the_servers(engine):
    ahead = 3600

    def answer(given):
        told = dt.datetime.strptime(given["x-amz-date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=dt.timezone.utc)
        now = time.time() + ahead
        date = {"Date": dt.datetime.fromtimestamp(now, dt.timezone.utc).strftime("%a, %d %b %Y %H:%M:%S GMT")}
        skewed = abs(told.timestamp() - now) > 900
        return (403, date, refusal("RequestTimeTooSkewed")) if skewed else (200, date, b"ok")

    made, _ = engine(answer)
    with pytest.raises(ClientError, match="RequestTimeTooSkewed"):
        made.perform(Call("GetObject", GET))
    assert made.perform(Call("GetObject", GET)).body == b"ok"


def test_an_error_in_the_body_of_a_success_is_an_error(engine):
    made, _ = engine(lambda _: (200, {}, refusal("InternalError")))
    # A GET's body is the object, whatever it says.
    assert made.perform(Call("GetObject", GET)).body.startswith(b"<?xml")
