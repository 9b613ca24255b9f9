"""The embedded AWS: accounts apart, deaf to the user's settings, and gone without a trace when it stops."""

from __future__ import annotations

import http.client
import logging
import os
import pickle
import socket
import subprocess
import sys
import textwrap
import threading
import urllib.parse
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import boto3
import pytest
from botocore.config import Config

from mangrove.aws.session import Session
from mangrove.errors import ConfigError, DeclarationTypeError, MissingExtraError, NotRunningError
from mangrove.testing import EmbeddedAWS

MANAGEMENT, SECOND, THIRD = "123456789012", "210987654321", "345678901234"


@pytest.fixture(scope="module")
def server():
    with EmbeddedAWS() as aws:
        yield aws


@pytest.fixture
def aws(server):
    server.reset()
    return server


def run(program, **environment):
    code = textwrap.dedent(program)
    answer = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert answer.returncode == 0, answer.stderr
    return answer


def identity(session):
    return session.client("sts").get_caller_identity()["Account"]


def test_each_account_is_itself(aws):
    assert [identity(aws.session(account)) for account in aws.accounts] == [MANAGEMENT, SECOND, THIRD]
    assert identity(aws.session()) == MANAGEMENT


def test_the_role_is_assumed_as_in_real_life(aws):
    arn = aws.session(SECOND).client("sts").get_caller_identity()["Arn"]
    assert arn == f"arn:aws:sts::{SECOND}:assumed-role/OrganizationAccountAccessRole/mangrove"


def test_accounts_and_regions_are_apart(aws):
    aws.session(SECOND, "eu-west-1").client("sqs").create_queue(QueueName="orders")
    assert "QueueUrls" not in aws.session(THIRD, "eu-west-1").client("sqs").list_queues()
    assert "QueueUrls" not in aws.session(SECOND, "us-west-2").client("sqs").list_queues()
    assert len(aws.session(SECOND, "eu-west-1").client("sqs").list_queues()["QueueUrls"]) == 1


def test_the_session_is_a_boto3_session_that_knows_its_account(aws):
    session = aws.session(THIRD, "eu-west-1")
    assert isinstance(session, Session)
    assert isinstance(session, boto3.Session)
    assert session.account == session.get_credentials().account_id == THIRD
    assert session.get_credentials().get_frozen_credentials().account_id == THIRD
    assert session.region_name == "eu-west-1"
    assert aws.session().region_name == "us-east-1"


def test_resources_go_to_the_server(aws):
    bucket = aws.session().resource("s3").create_bucket(Bucket="logs")
    assert bucket.meta.client.meta.endpoint_url == aws.endpoint_url
    assert [one.name for one in aws.session().resource("s3").buckets.all()] == ["logs"]


def test_a_given_endpoint_and_configuration_win(aws):
    session = aws.session()
    given = session.client("sqs", endpoint_url="http://127.0.0.1:9", config=Config(user_agent_extra="mine"))
    assert given.meta.endpoint_url == "http://127.0.0.1:9"
    assert given.meta.config.user_agent_extra == "mine"
    assert given.meta.config.proxies == {}
    positional = session.client("sqs", "eu-west-1", None, False, None, "http://127.0.0.1:9")
    assert (positional.meta.endpoint_url, positional.meta.region_name) == ("http://127.0.0.1:9", "eu-west-1")


def test_one_role_is_assumed_an_account_however_many_threads_ask():
    with EmbeddedAWS() as aws, ThreadPoolExecutor(8) as threads:
        sessions = list(threads.map(lambda _: aws.session(SECOND), range(16)))
        keys = set(threads.map(lambda session: session.get_credentials().access_key, sessions))
    assert len(keys) == 1


def test_sessions_survive_a_reset(aws):
    session = aws.session(SECOND)
    sqs = session.client("sqs")
    sqs.create_queue(QueueName="orders")
    aws.reset()
    assert "QueueUrls" not in sqs.list_queues()
    assert identity(session) == SECOND
    assert SECOND in sqs.create_queue(QueueName="orders")["QueueUrl"]


def test_a_reset_by_another_instance_gives_no_wrong_account(aws):
    session = aws.session(SECOND)
    assert identity(session) == SECOND
    with EmbeddedAWS() as other:
        other.reset()
        assert identity(session) == SECOND
    assert identity(session) == SECOND


def test_an_unknown_account_is_named_with_those_there_are(aws):
    with pytest.raises(ConfigError, match=f"'999999999999'.*{MANAGEMENT}, {SECOND}"):
        aws.session("999999999999")
    with pytest.raises(ConfigError, match="999999999999"):
        aws.environment("999999999999")


@pytest.mark.parametrize("use", [EmbeddedAWS.session, EmbeddedAWS.environment, EmbeddedAWS.reset, EmbeddedAWS.seed])
def test_not_started_says_what_to_do(use):
    with pytest.raises(NotRunningError, match=r"start\(\).*`with`"):
        use(EmbeddedAWS())
    with pytest.raises(NotRunningError):
        _ = EmbeddedAWS().endpoint_url


def test_own_accounts_need_not_start_with_motos():
    with EmbeddedAWS(accounts=["111122223333", "444455556666"], regions=["eu-central-1"]) as aws:
        assert aws.accounts == ("111122223333", "444455556666")
        assert identity(aws.session()) == "111122223333"
        assert aws.session().region_name == "eu-central-1"


def test_a_number_of_accounts_is_distinct_and_the_same_each_time():
    accounts = EmbeddedAWS(accounts=100).accounts
    assert accounts == EmbeddedAWS(accounts=100).accounts
    assert accounts[:3] == (MANAGEMENT, SECOND, THIRD)
    assert len(set(accounts)) == 100
    assert all(len(account) == 12 and account.isdigit() for account in accounts)


@pytest.mark.parametrize(
    ("accounts", "text"),
    [
        (0, "from 1"),
        (-1, "from 1"),
        (True, "from 1"),
        ([], "at least one account id"),
        (["12345"], "'12345' is no account id"),
        ([123456789012], "is no account id"),
        ([MANAGEMENT, MANAGEMENT], "each once"),
        (MANAGEMENT, "not the string"),
    ],
)
def test_wrong_accounts(accounts, text):
    with pytest.raises(ConfigError, match=text):
        EmbeddedAWS(accounts=accounts)


def test_wrong_regions():
    with pytest.raises(DeclarationTypeError, match=r"write \['eu-west-1'\]"):
        EmbeddedAWS(regions="eu-west-1")
    with pytest.raises(ConfigError, match="'mars' is not the name of a region"):
        EmbeddedAWS(regions=["mars"])
    with pytest.raises(ConfigError, match="no region 'us-east-11'.*did you mean 'us-east-1'"):
        EmbeddedAWS(regions=["us-east-11"])
    with pytest.raises(ConfigError, match="at least one region is needed, each once"):
        EmbeddedAWS(regions=["us-east-1", "us_east_1"])
    assert EmbeddedAWS(regions=["eu_west_1"]).regions == ("eu-west-1",)
    with EmbeddedAWS() as aws, pytest.raises(ConfigError, match="'mars-1' is not the name of a region|no region"):
        aws.session(region_name="mars-1")


def test_start_and_stop_can_be_said_twice_and_again():
    aws = EmbeddedAWS(accounts=1)
    assert not aws.running
    aws.start()
    url = aws.endpoint_url
    assert aws.start() is aws
    assert aws.endpoint_url == url
    aws.stop()
    aws.stop()
    assert not aws.running
    with aws:
        assert identity(aws.session()) == MANAGEMENT


def test_two_instances_have_two_ports(server):
    with EmbeddedAWS() as other:
        assert other.endpoint_url != server.endpoint_url


def test_the_last_stop_empties_the_state_and_an_earlier_one_does_not():
    # In a process of its own: the module's server would be the last one here.
    run("""
        from mangrove.testing import EmbeddedAWS
        one, other = EmbeddedAWS().start(), EmbeddedAWS().start()
        one.session().client("s3").create_bucket(Bucket="logs")
        one.stop()
        assert len(other.session().client("s3").list_buckets()["Buckets"]) == 1
        other.stop()
        with one:
            assert one.session().client("s3").list_buckets()["Buckets"] == []
    """)


def test_nothing_is_left_after_a_stop(server):
    def descriptors():
        return len(os.listdir("/proc/self/fd")) if Path("/proc/self/fd").exists() else 0  # noqa: PTH208

    def one_round():
        aws = EmbeddedAWS(accounts=2).start()
        client = aws.session(SECOND).client("s3")
        client.create_bucket(Bucket="logs")
        port = urllib.parse.urlsplit(aws.endpoint_url).port
        aws.stop()
        client.close()
        return port

    one_round()
    threads, files = threading.active_count(), descriptors()
    port = one_round()
    assert (threading.active_count(), descriptors()) == (threads, files)
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port), timeout=5)


def test_a_stop_does_not_wait_for_a_silent_connection():
    aws = EmbeddedAWS(accounts=1).start()
    port = urllib.parse.urlsplit(aws.endpoint_url).port
    with socket.create_connection(("127.0.0.1", port), timeout=5) as silent:
        aws.session().client("sts").get_caller_identity()
        aws.stop()
        assert silent.recv(1) == b""
    assert not [one for one in threading.enumerate() if f"-{port}" in one.name]


def test_the_environment_is_left_as_it_was(monkeypatch):
    monkeypatch.setenv("AWS_PROFILE", "nope")
    before = dict(os.environ)
    with EmbeddedAWS() as aws:
        aws.session().client("sts").get_caller_identity()
        aws.environment()
        assert dict(os.environ) == before
    assert dict(os.environ) == before


def test_environment_leads_a_subprocess_to_the_account(aws):
    plain = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    program = (
        "import boto3; s = boto3.Session(); print(s.client('sts').get_caller_identity()['Account'], s.region_name)"
    )
    environment = aws.environment(THIRD, "eu-west-1")
    answer = subprocess.check_output([sys.executable, "-c", program], env={**plain, **environment}, text=True)
    assert answer.split() == [THIRD, "eu-west-1"]


HOSTILE = {
    "AWS_PROFILE": "nope",
    "AWS_DEFAULT_REGION": "mars-north-1",
    "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
    "AWS_ENDPOINT_URL_S3": "http://127.0.0.1:9",
    "AWS_CA_BUNDLE": "/nowhere/ca.pem",
    "AWS_ACCESS_KEY_ID": "AKIAWRONG",
    "AWS_SECRET_ACCESS_KEY": "wrong",
    "AWS_DATA_PATH": "/nowhere",
    "AWS_MAX_ATTEMPTS": "many",
    "AWS_BEARER_TOKEN_BEDROCK": "token",
    **{
        name: "http://127.0.0.1:9"
        for proxy in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")
        for name in (proxy, proxy.lower())
    },
}


def test_a_hostile_environment_matters_not(tmp_path):
    broken = tmp_path / "config"
    broken.write_text("this is [no configuration\n")
    files = {"AWS_CONFIG_FILE": str(broken), "AWS_SHARED_CREDENTIALS_FILE": str(broken)}
    answer = run(
        """
        import os
        before = dict(os.environ)
        from botocore.exceptions import ClientError
        from mangrove.testing import EmbeddedAWS
        with EmbeddedAWS(accounts=2, regions=["eu-west-1"]) as aws:
            assert os.environ == before
            assert aws.seed().resources["ec2"]
            session = aws.session("210987654321")
            assert len(session.client("ec2").describe_instances()["Reservations"]) == 2
            assert session.client("bedrock").list_guardrails is not None
            session.resource("s3").create_bucket(
                Bucket="logs", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
            try:
                session.client("dynamodb").describe_table(TableName="none")
            except ClientError as error:
                assert error.response["Error"]["Code"] == "ResourceNotFoundException", error
        assert os.environ == before
        """,
        **HOSTILE,
        **files,
    )
    assert answer.stdout == answer.stderr == ""


def test_it_is_silent_and_leaves_the_loggers_alone():
    answer = run("""
        import logging
        from mangrove.testing import EmbeddedAWS
        with EmbeddedAWS() as aws:
            aws.session().client("sts").get_caller_identity()
        for name in (None, "werkzeug", "moto", "mangrove.testing"):
            logger = logging.getLogger(name)
            assert not logger.handlers, name
            assert name is None or logger.level == logging.NOTSET, name
    """)
    assert answer.stdout == answer.stderr == ""


def test_requests_are_in_our_own_log_for_who_wants_them(aws, caplog):
    caplog.set_level(logging.DEBUG, "mangrove.testing")
    connection = http.client.HTTPConnection(urllib.parse.urlsplit(aws.endpoint_url).netloc)
    connection.request("GET", "/moto-api/data.json")
    connection.getresponse().read()
    connection.close()
    assert any("/moto-api/data.json" in record.getMessage() for record in caplog.records)


def test_importing_the_room_and_its_plugin_imports_no_moto():
    run("""
        import sys
        import pytest
        before = set(sys.modules)
        import mangrove.testing.pytest_plugin
        new = set(sys.modules) - before
        assert {name.partition(".")[0] for name in new} <= {"mangrove"}, sorted(new)
        import mangrove.testing
        assert not {"moto", "flask", "boto3"} & set(sys.modules)
        mangrove.testing.EmbeddedAWS()
        assert not {"moto", "flask"} & set(sys.modules)
    """)


def test_without_moto_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "moto.server", None)
    with pytest.raises(MissingExtraError, match=r"pymangrove\[testing\]"):
        EmbeddedAWS().start()


def test_motos_own_account_switch_is_refused(monkeypatch):
    monkeypatch.setenv("MOTO_ACCOUNT_ID", SECOND)
    with pytest.raises(ConfigError, match="MOTO_ACCOUNT_ID"):
        EmbeddedAWS().start()


def test_repr_shows_the_state_and_no_secret(aws):
    keys = aws.environment()
    assert repr(aws) == f"<EmbeddedAWS running at {aws.endpoint_url}, 3 accounts>"
    assert repr(EmbeddedAWS(accounts=2)) == "<EmbeddedAWS stopped, 2 accounts>"
    assert keys["AWS_SECRET_ACCESS_KEY"] not in repr(aws) + repr(aws.session())


def test_it_does_not_pickle(aws):
    for value in (aws, aws.session()):
        with pytest.raises(TypeError, match=r"environment\(\)"):
            pickle.dumps(value)


def test_the_plugin_gives_an_empty_server_to_each_test(tmp_path):
    (tmp_path / "test_user.py").write_text(
        textwrap.dedent("""
            import os
            import boto3
            import pytest

            @pytest.fixture(autouse=True)
            def broken_profile(monkeypatch):
                monkeypatch.setenv("AWS_PROFILE", "nope")

            @pytest.mark.parametrize("round", [1, 2])
            def test_empty(embedded_aws, round):
                s3 = embedded_aws.session().client("s3")
                assert s3.list_buckets()["Buckets"] == []
                s3.create_bucket(Bucket="logs")
                assert os.environ["AWS_PROFILE"] == "nope"

            @pytest.mark.parametrize("round", [1, 2])
            def test_env(embedded_aws_env, round):
                key = boto3.client("sts")._request_signer._credentials.access_key
                assert key == embedded_aws_env.environment()["AWS_ACCESS_KEY_ID"]
                account = boto3.client("sts").get_caller_identity()["Account"]
                assert account == embedded_aws_env.accounts[0]
                assert boto3.client("s3").list_buckets()["Buckets"] == []

            def test_env_is_gone():
                assert "AWS_ENDPOINT_URL" not in os.environ
                assert boto3.DEFAULT_SESSION is None
        """)
    )
    plugin = "mangrove.testing.pytest_plugin"
    answer = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-W", "error", "-p", plugin, "-p", "no:cacheprovider", str(tmp_path)],
        # Without the entry points: where the project is installed, its plugin is among them and must not load twice.
        env={
            **{name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "PYTEST_"))},
            "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
        },
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert answer.returncode == 0, answer.stdout + answer.stderr
    assert "5 passed" in answer.stdout


def test_threads_that_ask_for_keys_at_once_all_get_them(embedded_aws):
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        for _ in range(10):
            embedded_aws.reset()
            ask = embedded_aws.session(embedded_aws.accounts[-1]).get_credentials().get_frozen_credentials
            with ThreadPoolExecutor(8) as threads:
                found = [each.result() for each in [threads.submit(ask) for _ in range(16)]]
            assert len({each.access_key for each in found}) == 1
    finally:
        sys.setswitchinterval(before)
