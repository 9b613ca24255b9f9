"""Light clients are botocore's in all that can be seen: compared with botocore's own, for every service."""

from __future__ import annotations

import copy
import datetime as dt
import gc
import os
import pickle
import re
import subprocess
import sys
import threading
import uuid
import warnings
import weakref
from concurrent.futures import ThreadPoolExecutor

import boto3
import botocore.args
import botocore.client
import botocore.session
import pytest
from botocore.args import ClientArgsCreator
from botocore.awsrequest import AWSResponse
from botocore.config import Config
from botocore.endpoint import EndpointCreator
from botocore.httpsession import URLLib3Session

import mangrove
from mangrove.aws import clients, compat, sharing
from mangrove.aws.services import service_names
from mangrove.aws.session import botocore_session

SERVICES = service_names(mangrove.Session())
KEYS = {"aws_access_key_id": "AKIATEST", "aws_secret_access_key": "secret", "aws_account_id": "123456789012"}


class Caught(Exception):  # noqa: N818  it ends a call, it is no error
    def __init__(self, request):
        self.request = request


def catch(request, **_):
    raise Caught(request)


@pytest.fixture
def _light_mode(monkeypatch):
    """Make light clients, also where the whole suite runs in safe mode."""
    monkeypatch.delenv("MANGROVE_SAFE_MODE", raising=False)


@pytest.fixture
def _still(monkeypatch):
    """Stop the clock and the dice, so that two signatures can be equal."""

    class Clock(dt.datetime):
        @classmethod
        def utcnow(cls):
            return cls(2026, 1, 2, 3, 4, 5)

        @classmethod
        def now(cls, tz=None):
            return cls(2026, 1, 2, 3, 4, 5, tzinfo=tz)

    import botocore.auth
    import botocore.compat

    for module in (botocore.auth, botocore.compat):
        if hasattr(module, "get_current_datetime"):
            monkeypatch.setattr(module, "get_current_datetime", lambda **_: Clock(2026, 1, 2, 3, 4, 5))
    monkeypatch.setattr(botocore.auth, "datetime", type("Module", (), {"datetime": Clock}), raising=False)
    monkeypatch.setattr(uuid, "uuid4", lambda: uuid.UUID(int=7))


def plain(**arguments):
    """Return a boto3 session as boto3 makes it, with our name in the user agent."""
    core = botocore.session.get_session()
    core.user_agent_extra = f"mangrove/{mangrove.__version__}"
    return boto3.Session(**KEYS, botocore_session=core, **arguments)


def light(**arguments):
    return mangrove.Session(**KEYS, **arguments)


def minimal(shape, depth=0):
    """Return the smallest value that a shape takes."""
    kind = shape.type_name
    if kind == "structure":
        return {name: minimal(shape.members[name], depth + 1) for name in shape.required_members}
    if kind == "list":
        return [minimal(shape.member, depth + 1)] * shape.metadata.get("min", 1) if depth < 6 else []
    if kind == "map":
        return {"k" * max(1, shape.key.metadata.get("min", 1)): minimal(shape.value, depth + 1)} if depth < 6 else {}
    if kind == "string":
        return shape.enum[0] if shape.enum else "a" * min(max(1, shape.metadata.get("min", 1)), 100)
    if kind in {"integer", "long"}:
        return max(1, shape.metadata.get("min", 1))
    values = {"boolean": True, "blob": b"b", "timestamp": dt.datetime(2026, 1, 1), "float": 1.0, "double": 1.0}
    return values[kind]


def request_of(client, operation):
    """Return what a client would send: method, URL, headers, body; or the error that it raises before."""
    method = next(name for name, op in client.meta.method_to_api_mapping.items() if op == operation)
    model = client.meta.service_model.operation_model(operation)
    arguments = minimal(model.input_shape) if model.input_shape else {}
    client.meta.events.register("before-send", catch)
    try:
        getattr(client, method)(**arguments)
    except Caught as caught:
        request = caught.request
        body = request.body
        body = body.read() if hasattr(body, "read") else body
        headers = [(name, ordered(str(value))) for name, value in sorted(request.headers.items())]
        return request.method, request.url, headers, body
    except Exception as error:  # noqa: BLE001  both must fail alike
        return type(error).__name__, str(error)
    raise AssertionError("nothing was sent")


def ordered(text):
    """Return a user agent with its features in order: botocore keeps them in a set."""
    return re.sub(r"m/([A-Za-z0-9+,-]+)", lambda match: "m/" + ",".join(sorted(match[1].split(","))), text)


def seen(client):
    """Return what can be seen of a client."""
    config = {name: value for name, value in vars(client.meta.config).items() if name != "_user_provided_options"}
    signer = client._request_signer
    return {
        "class": (type(client).__name__, [base.__name__ for base in type(client).__mro__]),
        "meta": (
            client.meta.region_name,
            client.meta.endpoint_url,
            client.meta.partition,
            client.meta.service_model.service_name,
        ),
        "config": ordered(repr(sorted(config.items(), key=lambda item: item[0]))),
        "signer": (signer.region_name, signer.signing_name, signer.signature_version),
        "methods": sorted(name for name in dir(client) if not name.startswith("_")),
        "waiters": client.waiter_names,
        "agent": ordered(client._user_agent_creator.to_string()),
        "handlers": handlers(client),
    }


def handlers(client):
    """Return the names of the handlers of a client, by event, in order."""
    found = {}

    def walk(node, path):
        for handler in [h for part in (node["values"] or ()) for h in part]:
            function = getattr(handler, "__func__", handler)
            name = getattr(function, "__qualname__", type(function).__name__)
            found.setdefault(path, []).append(name)
        for part, child in node["children"].items():
            walk(child, f"{path}.{part}")

    walk(client.meta.events._emitter._handlers._root, "")
    return found


REGIONS = ("us-west-2", "eu-central-1")


@pytest.mark.parametrize("part", range(8))
@pytest.mark.usefixtures("_still")
def test_every_service_is_as_botocore_makes_it(part):
    ours, theirs = light(), plain()
    for service in SERVICES[part::8]:
        for region in REGIONS:
            mine, other = ours.client(service, region_name=region), theirs.client(service, region_name=region)
            assert seen(mine) == seen(other), (service, region)
            operations = mine.meta.service_model.operation_names
            for operation in (operations[0], operations[-1]):
                assert request_of(mine, operation) == request_of(other, operation), (service, region, operation)


CONFIGS = {
    "none": {},
    "retries": {"config": Config(retries={"mode": "legacy", "max_attempts": 7})},
    "adaptive": {"config": Config(retries={"mode": "adaptive"})},
    "fips": {"config": Config(use_fips_endpoint=True)},
    "dualstack": {"config": Config(use_dualstack_endpoint=True)},
    "virtual": {"config": Config(s3={"addressing_style": "virtual"})},
    "accelerate": {"config": Config(s3={"use_accelerate_endpoint": True})},
    "unsigned": {"config": Config(signature_version=botocore.UNSIGNED)},
    "s3v4": {"config": Config(signature_version="s3v4")},
    "agent": {"config": Config(user_agent_extra="mine", user_agent_appid="app")},
    "endpoint": {"endpoint_url": "http://127.0.0.1:9"},
    "no-ssl": {"use_ssl": False},
    "verify": {"verify": False},
    "keys": {"aws_access_key_id": "AKIAOTHER", "aws_secret_access_key": "x", "aws_session_token": "tok"},
    "account-endpoint": {"config": Config(account_id_endpoint_mode="disabled")},
}


@pytest.mark.parametrize("name", CONFIGS)
@pytest.mark.parametrize("service", ["s3", "sts", "dynamodb", "ec2", "iam", "s3control", "timestream-query", "events"])
@pytest.mark.usefixtures("_still")
def test_every_argument_does_what_it_does_in_botocore(service, name):
    def make(session):
        try:
            return session.client(service, region_name="us-west-2", **CONFIGS[name])
        except Exception as error:  # noqa: BLE001  both must fail alike
            return type(error), str(error)

    mine, other = make(light()), make(plain())
    if isinstance(other, tuple):
        assert mine == other
        return
    assert seen(mine) == seen(other)
    operation = {"s3": "ListObjectsV2", "dynamodb": "ListTables", "sts": "GetCallerIdentity"}.get(service)
    operation = operation or mine.meta.service_model.operation_names[0]
    assert request_of(mine, operation) == request_of(other, operation)


ENVIRONMENTS = [
    {"AWS_ENDPOINT_URL": "http://127.0.0.1:8"},
    {"AWS_ENDPOINT_URL_SQS": "http://127.0.0.1:7"},
    {"AWS_USE_FIPS_ENDPOINT": "true"},
    {"AWS_RETRY_MODE": "adaptive", "AWS_MAX_ATTEMPTS": "9"},
    {"AWS_DEFAULTS_MODE": "standard"},
    {"AWS_SDK_UA_APP_ID": "app"},
    {"AWS_DEFAULT_REGION": "eu-west-3"},
    {"HTTPS_PROXY": "http://127.0.0.1:6"},
    {"AWS_REQUEST_CHECKSUM_CALCULATION": "when_required"},
]


@pytest.mark.parametrize("environment", ENVIRONMENTS, ids="-".join)
@pytest.mark.usefixtures("_still")
def test_the_environment_counts_at_the_time_a_client_is_made(environment, monkeypatch):
    ours, theirs = light(), plain()
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    before = seen(ours.client("sqs"))
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    mine, other = ours.client("sqs"), theirs.client("sqs")
    assert seen(mine) == seen(other)
    assert request_of(mine, "ListQueues") == request_of(other, "ListQueues")
    for name in environment:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    assert seen(ours.client("sqs")) == before


def test_profiles_count(tmp_path, monkeypatch):
    path = tmp_path / "config"
    path.write_text(
        "[profile a]\nregion=eu-west-1\nretry_mode=adaptive\n[profile b]\nregion=eu-west-2\nuse_fips_endpoint=true\n"
        "[profile c]\nregion=us-east-1\nservices=mine\n[services mine]\nsqs =\n  endpoint_url = http://127.0.0.1:5\n"
    )
    monkeypatch.setenv("AWS_CONFIG_FILE", str(path))
    for profile in "abc":
        mine, other = light(profile_name=profile).client("sqs"), plain(profile_name=profile).client("sqs")
        assert seen(mine) == seen(other)
    path.write_text("[profile a]\nregion=sa-east-1\n[profile d]\nregion=us-east-2\n")
    os.utime(path, (1, 1))
    assert light(profile_name="a").client("sqs").meta.region_name == "sa-east-1"
    assert light(profile_name="d").client("sqs").meta.region_name == "us-east-2"


def test_handlers_of_one_are_seen_by_no_other():
    calls = []
    session = light(region_name="us-east-1")
    one, two = session.client("sqs"), session.client("sqs")
    one.meta.events.register("before-send", lambda **_: calls.append(1) or AWSResponse("", 200, {}, None))
    two.meta.events.register("before-send", catch)
    with pytest.raises(Caught):
        two.list_queues()
    assert calls == []
    three = light(region_name="us-east-1").client("sqs")
    assert handlers(three) == handlers(plain(region_name="us-east-1").client("sqs"))


def test_handlers_of_a_session_are_its_clients_alone():
    def mine(class_attributes, **_):
        class_attributes["mine"] = lambda self: self.meta.region_name

    one, two = light(region_name="us-east-1"), light(region_name="us-east-1")
    one.client("sqs")
    one.events.register("creating-client-class.sqs", mine)
    assert one.client("sqs").mine() == "us-east-1"
    assert not hasattr(two.client("sqs"), "mine")
    one.events.unregister("creating-client-class.sqs", mine)
    assert not hasattr(one.client("sqs"), "mine")


def test_no_credentials_stay_in_what_is_shared():
    light(region_name="us-east-1").client("sqs")
    found = [template for template in sharing._TEMPLATES.kept.values() if template.client._request_signer._credentials]
    assert found == []
    assert all(
        template.client._ruleset_resolver._builtins["AWS::Auth::AccountId"] is None
        for template in sharing._TEMPLATES.kept.values()
        if template.client._ruleset_resolver is not None
    )


@pytest.mark.usefixtures("_light_mode")
def test_what_is_shared_holds_no_session_even_the_one_that_came_first():
    session = light(region_name="us-east-1")
    # A configuration that no other test has: this session's client is the first of its kind.
    client = session.client("sqs", config=Config(read_timeout=4321))
    watched = [weakref.ref(session), weakref.ref(botocore_session(session)), weakref.ref(client)]
    del session, client
    gc.collect()
    assert [ref() for ref in watched] == [None] * 3


def test_two_accounts_sign_with_their_own_keys():
    one = mangrove.Session("AKIAONE", "1", aws_account_id="111111111111", region_name="us-east-1")
    two = mangrove.Session("AKIATWO", "2", aws_account_id="222222222222", region_name="us-east-1")
    clients = [session.client("dynamodb") for session in (one, two, one)]
    urls, keys = [], []
    for client in clients:
        _, url, headers, _ = request_of(client, "ListTables")
        urls.append(url)
        keys.append(re.search(r"Credential=(\w+)/", str(dict(headers)["Authorization"]))[1])
    assert keys == ["AKIAONE", "AKIATWO", "AKIAONE"]
    assert [url.split(".")[0].removeprefix("https://") for url in urls] == [
        "111111111111",
        "222222222222",
        "111111111111",
    ]


@pytest.mark.usefixtures("_light_mode")
def test_clients_of_accounts_share_one_transport_and_closing_one_closes_no_other():
    one, two = light(region_name="us-east-1").client("sqs"), light(region_name="us-east-1").client("iam")
    assert one._endpoint.http_session is two._endpoint.http_session
    other = light(region_name="us-east-1").client("sqs", verify=False)
    assert other._endpoint.http_session is not one._endpoint.http_session
    one.close()
    assert two._endpoint.http_session._manager.pools is not None


@pytest.mark.usefixtures("_light_mode")
def test_canary_one_transport_is_made_for_all_regions(monkeypatch):
    made = []

    def counted(**settings):
        made.append(settings["timeout"])
        return URLLib3Session(**settings)

    monkeypatch.setattr(clients, "URLLib3Session", counted)
    config = Config(read_timeout=1234)  # no other test's
    light_ones = [light().client("sqs", region_name=region, config=config) for region in REGIONS]
    assert made == [(60, 1234)]
    assert len({client._endpoint.http_session for client in light_ones}) == 1
    assert botocore.args.EndpointCreator is EndpointCreator


@pytest.mark.usefixtures("_light_mode")
def test_what_others_put_into_botocores_modules_counts(monkeypatch):
    called = []

    class Watched:
        def __init__(self, *args, **kwargs):
            called.append(self.known.__name__)
            self.made = self.known(*args, **kwargs)

        def __getattr__(self, name):
            return getattr(self.made, name)

    class Args(Watched):
        known = ClientArgsCreator

    class Endpoints(Watched):
        known = EndpointCreator

    for timeout, (module, ours) in enumerate([(botocore.client, Args), (botocore.args, Endpoints)]):
        monkeypatch.setattr(module, ours.known.__name__, ours)
        client = light().client("sqs", region_name="us-east-1", config=Config(read_timeout=2345 + timeout))
        assert called[-1] == ours.known.__name__
        assert client._endpoint.http_session._timeout.read_timeout == 2345 + timeout
    assert compat.why_not() == ""


def test_dropping_a_session_frees_its_clients():
    session = light(region_name="us-east-1")
    client = session.client("sqs")
    watched = [weakref.ref(session), weakref.ref(client), weakref.ref(client.meta.events)]
    del session, client
    gc.collect()
    assert [ref() for ref in watched] == [None] * 3


@pytest.mark.usefixtures("_light_mode")
def test_memory_stays_flat_over_many_rounds():
    if not os.path.exists("/proc/self/statm"):  # noqa: PTH110
        pytest.skip("no /proc/self/statm on this system")
    regions = mangrove.Session().get_available_regions("sqs")

    def round_of_clients():
        for number in range(10):
            session = mangrove.Session(f"AKIA{number}", "secret", aws_account_id=f"{number:012}")
            for region in regions:
                session.client("sqs", region_name=region)

    def resident():
        gc.collect()
        with open("/proc/self/statm") as file:  # noqa: PTH123
            return int(file.read().split()[1]) * 4 / 1024

    for _ in range(5):
        round_of_clients()
    before = resident()
    for _ in range(100):
        round_of_clients()
    assert resident() - before < 4


@pytest.mark.usefixtures("_light_mode")
def test_configuration_files_are_parsed_once(tmp_path, monkeypatch):
    import botocore.configloader

    parsed = []
    real = botocore.configloader.raw_config_parse
    monkeypatch.setattr(botocore.configloader, "raw_config_parse", lambda *a, **k: parsed.append(a) or real(*a, **k))
    path = tmp_path / "config"
    path.write_text("".join(f"[profile p{number}]\nregion = eu-west-1\n" for number in range(1000)))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(path))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    for number in range(50):
        assert mangrove.Session(profile_name=f"p{number}").region_name == "eu-west-1"
    assert len([args for args in parsed if str(args[0]) == str(path)]) == 1


def test_errors_are_boto3s():
    for make in (
        lambda s: s.client("nothing"),
        lambda s: s.client("sqs", region_name="x@evil"),
        lambda s: s.client("sqs", nothing=1),
        lambda s: s.client("sqs", region_name="us-east-1", aws_access_key_id="x"),
        lambda s: s.client("sqs", region_name="us-east-1", endpoint_url="nope"),
        lambda s: s.client("sqs"),
        lambda s: pickle.dumps(s.client("sqs", region_name="us-east-1")),
        lambda s: s.client("sqs", region_name="us-east-1").list_queues(Nope=1),
        lambda s: s.client("sqs", region_name="us-east-1").list_queues("x"),
        lambda s: s.client("sqs", region_name="us-east-1").nothing,
        lambda s: s.client("sqs", region_name="us-east-1").get_paginator("send_message"),
    ):
        raised = []
        for session in (light(), plain()):
            with pytest.raises(Exception) as caught:  # noqa: PT011  any, but the same
                make(session)
            raised.append((type(caught.value).__name__, re.sub("0x[0-9a-f]+|SQS object.*", "", str(caught.value))))
        assert raised[0] == raised[1]
    assert compat._changed == []


@pytest.mark.usefixtures("_still")
def test_paginators_waiters_and_presigned_urls():
    mine, other = (make(region_name="us-east-1").client("s3") for make in (light, plain))
    assert (
        mine.get_paginator("list_objects_v2").__class__.__name__
        == other.get_paginator("list_objects_v2").__class__.__name__
    )
    assert mine.can_paginate("list_objects_v2")
    assert mine.get_waiter("bucket_exists").name == other.get_waiter("bucket_exists").name
    for signed in ("get_object", "put_object"):
        arguments = {"Params": {"Bucket": "b", "Key": "k"}, "ExpiresIn": 60}
        assert mine.generate_presigned_url(signed, **arguments) == other.generate_presigned_url(signed, **arguments)
    assert mine.generate_presigned_post("b", "k") == other.generate_presigned_post("b", "k")
    assert hasattr(mine, "upload_file")
    assert mine.exceptions.NoSuchBucket.__name__ == "NoSuchBucket"


def test_many_threads_make_clients_of_one_session_and_many():
    shared, gate = light(region_name="us-east-1"), threading.Barrier(16)

    def make(number):
        gate.wait()
        session = shared if number % 2 else light(region_name="us-east-1")
        return [type(session.client(service)).__name__ for service in ("sqs", "ec2", "s3")]

    with ThreadPoolExecutor(16) as executor:
        assert {tuple(names) for names in executor.map(make, range(16))} == {("SQS", "EC2", "S3")}


def test_safe_mode_makes_them_in_botocores_own_way(monkeypatch):
    assert type(botocore_session(mangrove.Session(safe_mode=True))) is botocore.session.Session
    assert type(botocore_session(mangrove.Session(safe_mode=False))) is sharing.SharingSession
    monkeypatch.setenv("MANGROVE_SAFE_MODE", "1")
    assert type(botocore_session(mangrove.Session())) is botocore.session.Session
    assert seen(light(region_name="us-east-1").client("s3")) == seen(plain(region_name="us-east-1").client("s3"))


@pytest.mark.usefixtures("_light_mode")
def test_a_botocore_that_has_changed_is_used_in_its_own_way_with_one_warning():
    script = """
        import warnings, botocore.client
        init = botocore.client.BaseClient.__init__
        def changed(self, *args, novelty=None, **kwargs): init(self, *args, **kwargs)
        botocore.client.BaseClient.__init__ = changed
        import mangrove
        with warnings.catch_warnings(record=True) as seen:
            warnings.simplefilter("always")
            for _ in range(3):
                client = mangrove.Session("a", "b", region_name="us-east-1").client("sqs")
        print(len(seen), seen[0].category.__name__, seen[0].message, type(client).__name__)
    """
    script = "\n".join(line[8:] for line in script.splitlines())
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert run.stdout.startswith("1 RuntimeWarning botocore ")
    assert "BaseClient.__init__ takes other arguments" in run.stdout or "changed takes other arguments" in run.stdout
    assert run.stdout.strip().endswith("SQS")


@pytest.mark.usefixtures("_light_mode")
def test_a_surprise_while_making_a_client_costs_only_speed(monkeypatch):
    monkeypatch.setattr(compat, "_changed", [])
    monkeypatch.setattr(sharing.Template, "stamp", lambda *_: (_ for _ in ()).throw(AttributeError("surprise")))
    with pytest.warns(RuntimeWarning, match=r"AttributeError: surprise.*the same answers"):
        client = light(region_name="us-east-1").client("sqs")
    assert seen(client) == seen(plain(region_name="us-east-1").client("sqs"))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        light(region_name="us-east-1").client("sqs")


def test_canary_nothing_has_changed():
    assert compat._what_has_changed() == ""
    assert compat.why_not() == ""


def test_moto_in_process_works_unchanged():
    moto = pytest.importorskip("moto")
    with moto.mock_aws():
        session = mangrove.Session(region_name="us-east-1")
        sqs = session.client("sqs")
        url = sqs.create_queue(QueueName="orders")["QueueUrl"]
        assert session.client("sqs").list_queues()["QueueUrls"] == [url]
        assert session.resource("s3").create_bucket(Bucket="mine").name == "mine"


def test_copies_of_an_emitter_share_nothing_that_changes():
    from mangrove.aws.emitter import session_emitter

    one = session_emitter()
    two = copy.copy(one)
    calls = []

    def first(**_):
        calls.append("first")

    def second(**_):
        calls.append("second")

    one.register("a.b", first)
    two.register("a.b", second)
    three = copy.copy(two)
    three.register_first("a.b", first)
    three.unregister("a.b", second)
    for emitter in (one, two, three):
        emitter.emit("a.b.c")
    assert calls == ["first", "second", "first"]
    one.unregister("a.b", first)
    one.emit("a.b.c")
    assert calls == ["first", "second", "first"]
