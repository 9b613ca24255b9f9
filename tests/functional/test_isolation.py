"""What sessions share is seen by none of them: what a user changes in one is that one's alone."""

from __future__ import annotations

import json
import subprocess
import sys
import textwrap

import botocore.session
import pytest
from botocore.config import Config

import mangrove
from mangrove.aws import compat, sharing, surroundings
from mangrove.aws.session import botocore_session


@pytest.fixture(autouse=True)
def _light_mode(monkeypatch):
    monkeypatch.delenv("MANGROVE_SAFE_MODE", raising=False)
    monkeypatch.setattr(compat, "_changed", [])


def python(script):
    """Run a script in a fresh process."""
    command = [sys.executable, "-c", textwrap.dedent(script)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def account(number=1, **arguments):
    return mangrove.Session(f"AKIA{number}", "secret", region_name="us-east-1", **arguments)


def core(session):
    return botocore_session(session)


def test_a_forked_child_takes_no_answer_of_its_parent():
    script = """
        import http.server, json, os, re, threading
        import mangrove

        class Echo(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            def do_POST(self):
                self.rfile.read(int(self.headers["Content-Length"]))
                key = re.search("Credential=([A-Z]+)", self.headers["Authorization"])[1]
                body = json.dumps({"TableNames": [key]}).encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)
            def log_message(self, *_): pass

        web = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Echo)
        web.daemon_threads = True
        threading.Thread(target=web.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{web.server_address[1]}"
        def tables(key):
            session = mangrove.Session(key, "secret", region_name="us-east-1")
            return session.client("dynamodb", endpoint_url=url)
        mine = tables("PARENT")
        mine.list_tables()
        read, write = os.pipe()
        child = os.fork()
        client = mine if child else tables("CHILD")
        found = {name for _ in range(40) for name in client.list_tables()["TableNames"]}
        if not child:
            os.write(write, json.dumps(sorted(found)).encode())
            os._exit(0)
        os.waitpid(child, 0)
        print(json.dumps([sorted(found), json.loads(os.read(read, 1000))]))
    """
    run = python(script)
    assert json.loads(run.stdout) == [["PARENT"], ["CHILD"]], run.stderr


def test_a_client_made_while_the_process_forks_does_not_hang_the_child():
    script = """
        import os, signal, threading
        import mangrove
        mangrove.Session("a", "b").client("sqs", region_name="us-east-1")
        from mangrove.aws import sharing
        sharing._TEMPLATES.kept._lock.acquire()  # as another thread would hold it
        child = os.fork()
        if not child:
            signal.alarm(20)
            mangrove.Session("a", "b").client("sns", region_name="us-east-1")
            os._exit(0)
        print(os.waitpid(child, 0)[1])
    """
    run = python(script)
    assert run.stdout == "0\n", run.stderr


def test_a_changed_ca_bundle_is_another_trust(tmp_path):
    bundle = tmp_path / "ca.pem"
    bundle.write_text("one")
    first = account().client("sqs", verify=str(bundle))._endpoint.http_session
    assert account(2).client("sqs", verify=str(bundle))._endpoint.http_session is first
    bundle.write_text("another")
    assert account().client("sqs", verify=str(bundle))._endpoint.http_session is not first


def test_what_is_changed_in_one_clients_configuration_is_in_no_other():
    proxies = {"https": "http://127.0.0.1:1"}
    config = Config(retries={"mode": "standard"}, s3={"addressing_style": "path"}, proxies=proxies)
    one, two = (account(number).client("s3", config=config) for number in (1, 2))
    one.meta.config.s3["addressing_style"] = "virtual"
    one.meta.config.retries["mode"] = "legacy"
    one.meta.config.proxies["https"] = proxies["https"] = "http://127.0.0.1:2"
    for other in (two, account(3).client("s3", config=config.merge(Config(proxies={"https": "http://127.0.0.1:1"})))):
        assert other.meta.config.s3["addressing_style"] == "path"
        assert other.meta.config.retries["mode"] == "standard"
        assert other.meta.config.proxies["https"] == "http://127.0.0.1:1"
        assert other._endpoint.http_session._proxy_config._proxies == {"https": "http://127.0.0.1:1"}
    one.meta.config.user_agent_extra = "mine"
    assert "mine" in one._user_agent_creator.to_string()
    assert "mine" not in two._user_agent_creator.to_string()


def test_parser_defaults_of_one_session_are_in_no_other():
    one, two = account(1), account(2)
    core(one).get_component("response_parser_factory").set_parser_defaults(timestamp_parser=lambda _: "mine")
    factories = [session.client("sqs")._endpoint._response_parser_factory for session in (one, two)]
    assert [factory._own_defaults for factory in factories] == [True, False]


def test_a_session_wrapped_again_brings_its_handlers_to_nobody():
    def mine(class_attributes, **_):
        class_attributes["mine"] = True

    one = account(1)
    one.events.register("creating-client-class.kms", mine)
    again = mangrove.Session("AKIA9", "x", region_name="us-east-1", botocore_session=core(one))
    assert again.client("kms").mine
    assert not hasattr(account(2).client("kms"), "mine")


def test_the_configuration_of_one_session_is_in_no_other(tmp_path, monkeypatch):
    path = tmp_path / "config"
    path.write_text("[profile p]\nregion = eu-west-1\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(path))
    one = mangrove.Session("AKIA1", "x", profile_name="p")
    one.client("sqs")
    core(one).full_config["profiles"]["p"]["use_fips_endpoint"] = "true"
    assert "fips" in one.client("sqs").meta.endpoint_url
    two = mangrove.Session("AKIA2", "x", profile_name="p")
    assert "fips" not in two.client("sqs").meta.endpoint_url


def test_the_configuration_of_the_session_that_came_first_is_in_no_client_built_later(tmp_path, monkeypatch):
    path = tmp_path / "config"
    path.write_text("[profile first]\nregion = eu-west-1\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(path))
    one, two = (mangrove.Session(f"AKIA{number}", "x", profile_name="first") for number in (1, 2))
    one.client("sqs")
    core(one).full_config["profiles"]["first"]["use_fips_endpoint"] = "true"
    assert "fips" not in two.client("sns").meta.endpoint_url
    assert "fips" in one.client("sns").meta.endpoint_url


def test_settings_are_looked_up_again_when_the_environment_has_changed(monkeypatch):
    one = account(1)
    for number in range(2):
        for region in ("us-west-1", "us-west-2"):
            monkeypatch.setenv("AWS_MAX_ATTEMPTS", str(7 + number))
            retries = one.client("sqs", region_name=region).meta.config.retries
            assert retries["total_max_attempts"] == 7 + number
    one.client("sqs").meta.config.retries["total_max_attempts"] = 1
    assert account(2).client("sqs").meta.config.retries["total_max_attempts"] == 8


def test_settings_of_a_session_with_something_of_its_own_are_looked_up_for_each_client(tmp_path, monkeypatch):
    path = tmp_path / "config"
    path.write_text("[profile own]\nregion = eu-west-1\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(path))
    one = mangrove.Session("AKIA1", "x", profile_name="own")
    profile = core(one).full_config["profiles"]["own"]
    for value in ("true", "false", "true"):
        profile["use_fips_endpoint"] = value
        assert ("fips" in one.client("sqs").meta.endpoint_url) == (value == "true")


def test_settings_of_one_sessions_store_count_and_are_in_no_other():
    one, two = account(1), account(2)
    one.client("sqs")
    core(one).get_component("config_store").set_config_variable("use_fips_endpoint", True)
    assert "fips" in one.client("sqs").meta.endpoint_url
    assert "fips" not in two.client("sqs").meta.endpoint_url


def test_a_component_registered_later_counts():
    one = account(1)
    for _ in range(2):
        factory = botocore.parsers.ResponseParserFactory()
        core(one).register_component("response_parser_factory", factory)
        assert one.client("sqs")._endpoint._response_parser_factory is factory


def test_a_users_error_is_the_users_and_costs_nobody_speed():
    one = account(1)

    def fail(*_):
        raise KeyError("vault")

    core(one).get_credentials = fail
    with pytest.raises(KeyError, match="vault"):
        one.client("sqs")
    assert compat.why_not() == ""
    core(two := account(2)).set_config_variable("mine", {1})
    assert two.client("sqs").meta.region_name == "us-east-1"
    assert compat.why_not() == ""


def test_no_secret_is_in_what_is_kept(monkeypatch):
    monkeypatch.setenv("AWS_BEARER_TOKEN_BEDROCK", "canarytoken")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "canarysecret")
    config = Config(proxies={"https": "http://me:canarypass@127.0.0.1:1"})
    account(1).client("bedrock", config=config)
    before = len(sharing._TEMPLATES.kept.keys())
    monkeypatch.setenv("AWS_BEARER_TOKEN_BEDROCK", "canaryother")
    account(1).client("bedrock", config=config)
    assert len(sharing._TEMPLATES.kept.keys()) == before
    shown = repr(sharing._TEMPLATES.kept.keys()) + repr(sharing._TEMPLATES.nobodies.keys()) + repr(surroundings._seen)
    assert not [
        name for name in ("canarytoken", "canarysecret", "canarypass", "canaryother", "secret'") if name in shown
    ]


def test_a_handler_of_calls_is_the_sessions_own_and_shares_all_the_same():
    script = """
        import gc, weakref
        import mangrove
        from mangrove.aws import sharing

        class Seen(list):
            def __call__(self, **_):
                self.append(1)

        seen, session = Seen(), mangrove.Session("AKIA", "secret", region_name="us-east-1")
        session.events.register("provide-client-params.sts", seen)
        session.client("sts").generate_presigned_url("get_caller_identity")
        other = mangrove.Session("AKIB", "secret", region_name="us-east-1").client("sts")
        other.generate_presigned_url("get_caller_identity")
        shaped = mangrove.Session("AKIC", "secret", region_name="us-east-1")
        def own(class_attributes, **_):
            class_attributes["own"] = 1
        shaped.events.register("creating-client-class.sts", own)
        mine = shaped.client("sts")
        gone = weakref.ref(seen)
        print(len(seen), len(sharing._TEMPLATES.kept.keys()), mine.own, hasattr(other, "own"))
        del seen, session
        gc.collect()
        print(gone())
    """
    done = python(script)
    assert done.stdout == "1 1 1 False\nNone\n", done.stderr


def test_what_is_shared_holds_no_session_in_a_fresh_process():
    script = """
        import gc, weakref, mangrove
        from mangrove.aws.session import botocore_session
        session = mangrove.Session("AKIA", "canary", region_name="us-east-1")
        client = session.client("s3")
        seen = [weakref.ref(session), weakref.ref(botocore_session(session)), weakref.ref(client)]
        del session, client
        gc.collect()
        print([ref() for ref in seen])
    """
    run = python(script)
    assert run.stdout == "[None, None, None]\n", run.stderr
