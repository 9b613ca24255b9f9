"""What users hang on clients and sessions, plugins and models; and what many of them leave behind: nothing."""

from __future__ import annotations

import copy
import json
import os
import subprocess
import sys
import textwrap

import boto3
import botocore.session
import pytest
from botocore.exceptions import UnknownServiceError
from botocore.loaders import Loader

import mangrove
from mangrove.aws import emitter as emitters
from mangrove.aws.emitter import session_emitter
from mangrove.aws.loader import SessionLoader, session_loader, settled, shared_loader

VARIABLE = "BOTOCORE_EXPERIMENTAL__PLUGINS"


def plain():
    core = botocore.session.get_session()
    return boto3.Session("AKIA", "secret", region_name="us-east-1", botocore_session=core)


def light():
    return mangrove.Session("AKIA", "secret", region_name="us-east-1")


# -- client plugins ----------------------------------------------------------------------------------------------------


@pytest.fixture
def plugin(tmp_path, monkeypatch):
    """Put a module of a plugin on the path; return what it has seen."""
    if not hasattr(botocore.session.Session, "_register_client_plugins"):
        pytest.skip("this botocore has no client plugins")
    (tmp_path / "a_plugin_of_mine.py").write_text(
        "seen = []\n"
        "def initialize_client_plugin(client):\n"
        "    seen.append(client)\n"
        "    client.meta.events.register('before-call', lambda params, **_: params['headers'].update(Mine='1'))\n"
    )
    (tmp_path / "a_broken_plugin.py").write_text(
        "def initialize_client_plugin(client):\n    raise RuntimeError('broken')\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setenv(VARIABLE, "mine=a_plugin_of_mine,broken=a_broken_plugin,gone=no_such_module")
    import a_plugin_of_mine

    yield a_plugin_of_mine.seen
    for name in ("a_plugin_of_mine", "a_broken_plugin"):
        sys.modules.pop(name, None)


def headers_of(client):
    """Return the header that the plugin adds, as the client would send it."""
    sent = []
    client.meta.events.register("before-send", lambda request, **_: sent.append(request.headers.get("Mine")) or 1 / 0)
    with pytest.raises(ZeroDivisionError):
        client.list_queues()
    return sent


def test_a_plugin_is_given_each_client_once(plugin):
    for make in (plain, light):
        plugin.clear()
        clients = [make().client("sqs") for _ in range(3)]
        assert [id(client) for client in plugin] == [id(client) for client in clients]
        assert [headers_of(client)[0] in ("1", b"1") for client in clients] == [True] * 3


def test_a_plugin_stays_out_of_what_is_shared(plugin, monkeypatch):
    light().client("sqs")
    assert len(plugin) == 1
    monkeypatch.setenv(VARIABLE, "DISABLED")
    client = light().client("sqs")
    assert headers_of(client) == [None]
    monkeypatch.delenv(VARIABLE)
    assert headers_of(light().client("sqs")) == [None]
    assert len(plugin) == 1


# -- models of one's own -----------------------------------------------------------------------------------------------


def write_service(folder, name="orchard"):
    """Write the model of a service that botocore does not know."""
    place = folder / name / "2026-01-01"
    place.mkdir(parents=True)
    metadata = {"apiVersion": "2026-01-01", "protocol": "json", "protocols": ["json"], "jsonVersion": "1.1"}
    metadata.update(endpointPrefix=name, serviceId=name.title(), signatureVersion="v4", targetPrefix=name)
    operations = {"Pick": {"name": "Pick", "http": {"method": "POST", "requestUri": "/"}}}
    model = {"version": "2.0", "metadata": metadata, "operations": operations, "shapes": {}}
    (place / "service-2.json").write_text(json.dumps(model))


def test_loaders_of_sessions_share_what_they_find():
    one, two = session_loader(None), session_loader(None)
    assert one is not two
    for load in (
        lambda loader: loader.load_data("partitions"),
        lambda loader: loader.load_service_model("sqs", "service-2"),
        lambda loader: loader.load_service_model("sqs", "paginators-1", "2012-11-05"),
        lambda loader: loader.load_data_with_path("endpoints")[0],
    ):
        assert load(one) is load(two) is load(shared_loader(None))
    assert settled(one) is settled(two) is shared_loader(None)
    mine = Loader()
    assert settled(mine) is mine


def test_a_loader_answers_as_botocores():
    ours, theirs = session_loader(None), Loader()
    theirs.search_paths.append(os.path.join(os.path.dirname(boto3.__file__), "data"))  # noqa: PTH118, PTH120  boto3's own
    for kind in ("service-2", "paginators-1", "waiters-2", "nothing"):
        assert ours.list_available_services(kind) == theirs.list_available_services(type_name=kind)
    assert ours.determine_latest_version("ec2", "service-2") == theirs.determine_latest_version("ec2", "service-2")
    assert ours.list_api_versions("cloudfront", "service-2") == theirs.list_api_versions("cloudfront", "service-2")
    for service, kind in (("sqs", "service-2"), ("ec2", "service-2"), ("s3", "waiters-2"), ("s3", "paginators-1")):
        found = [loader.load_service_model(service_name=service, type_name=kind) for loader in (ours, theirs)]
        assert json.dumps(found[0]) == json.dumps(found[1])
    for fail in (
        lambda loader: loader.load_service_model("nothing", "service-2"),
        lambda loader: loader.load_data("nothing"),
        lambda loader: loader.determine_latest_version("nothing", "service-2"),
    ):
        errors = []
        for loader in (ours, theirs):
            with pytest.raises(Exception) as caught:  # noqa: PT011  any, but the same
                fail(loader)
            errors.append((type(caught.value), str(caught.value)))
        assert errors[0] == errors[1]


def test_a_list_of_services_belongs_to_its_caller():
    one, two = session_loader(None), session_loader(None)
    one.list_available_services("service-2").clear()
    one.list_api_versions("sqs", "service-2").clear()
    assert "sqs" in two.list_available_services("service-2")
    assert two.list_api_versions("sqs", "service-2")


def test_a_place_given_to_one_loader_is_that_ones_alone(tmp_path):
    write_service(tmp_path)
    one, two, three = (session_loader(None) for _ in range(3))
    before = one.load_data("partitions")
    one.search_paths.append(str(tmp_path))
    one.search_paths.append(str(tmp_path))
    assert one.search_paths.count(str(tmp_path)) == 1
    assert "orchard" in one.list_available_services("service-2")
    assert one.load_service_model("orchard", "service-2")["metadata"]["serviceId"] == "Orchard"
    for other in (two, session_loader(None), shared_loader(None)):
        assert str(tmp_path) not in other.search_paths
        with pytest.raises(UnknownServiceError):
            other.load_service_model("orchard", "service-2")
    three.search_paths.append(str(tmp_path))
    assert settled(three) is settled(one)
    one.search_paths.remove(str(tmp_path))
    assert one.load_data("partitions") is before
    three.extras_types.append("mine")
    assert settled(three) is not settled(one)
    assert "mine" not in two.extras_types


def test_what_one_loader_found_in_its_own_place_goes_with_it(tmp_path):
    import gc
    import weakref

    loader = session_loader(None)
    loader.search_paths.append(str(tmp_path))
    kept = weakref.ref(settled(loader))
    assert kept() is not None
    del loader
    gc.collect()
    assert kept() is None


@pytest.mark.parametrize("safe_mode", [False, True])
def test_a_place_of_models_given_to_one_session_is_that_sessions_alone(tmp_path, safe_mode):
    write_service(tmp_path)

    def session():
        return mangrove.Session("key", "secret", region_name="us-east-1", safe_mode=safe_mode)

    def loader(made):
        return made._session.get_component("data_loader")

    one, two, three = session(), session(), session()
    if not isinstance(loader(one), SessionLoader):
        pytest.skip("sessions have one loader for all")
    before = one.client("sqs")
    for made in (one, three):
        loader(made).search_paths.append(str(tmp_path))
        assert "orchard" in made.get_available_services()
        client = made.client("orchard", endpoint_url="http://127.0.0.1:1")
        assert client.meta.service_model.service_id == "Orchard"
    for made in (two, session()):
        assert "orchard" not in made.get_available_services()
        with pytest.raises(UnknownServiceError):
            made.client("orchard")
        assert str(tmp_path) not in made.client("sqs")._loader.search_paths
        assert str(tmp_path) not in made.client("sns")._loader.search_paths
    assert str(tmp_path) in one.client("sqs")._loader.search_paths
    assert before.get_paginator("list_queues")
    assert settled(loader(one)) is settled(loader(three))
    assert settled(loader(two)) is settled(loader(session()))


# -- what is remembered has an end -------------------------------------------------------------------------------------


def test_names_of_events_are_remembered_up_to_a_number(monkeypatch):
    monkeypatch.setattr(emitters, "_aliases", emitters._Learnt())
    monkeypatch.setattr(emitters, "_MOST_NAMES", 100)
    one = session_emitter()
    two, plainly, seen = copy.copy(one), botocore.session.get_session().get_component("event_emitter"), []
    names = [f"before-call.{service}.Op{n}" for n in range(200) for service in ("cloudwatch-logs", "elbv2", "ec2")]
    names.append("creating-client-class.elasticloadbalancingv2")
    for _ in range(2):
        for name in names:
            assert one._alias_event_name(name) == two._alias_event_name(name) == plainly._alias_event_name(name)
    assert len(emitters._aliases) == 100
    one.register("mine.elbv2.Late", lambda **_: seen.append(1))
    one.emit("mine.elbv2.Late")
    one.emit("mine.elastic-load-balancing-v2.Late")
    assert seen == [1, 1]
    one.unregister("mine.nothing.Late")


ROUNDS = """
    import collections, gc, json, sys
    import mangrove

    regions = mangrove.Session().get_available_regions("sqs")
    assert len(regions) > 30
    services = ["sqs", "sns", "sts", "kinesis"]

    def work(service):
        for number in range(10):
            session = mangrove.Session(f"AKIA{number}", "secret", aws_account_id=f"{number:012}")
            clients = [session.client(service, region_name=region) for region in regions]
            assert clients[-1].meta.region_name == regions[-1]

    def count():
        for _ in range(3):
            gc.collect()
        with open("/proc/self/statm") as file:
            resident = int(file.read().split()[1]) * 4 / 1024
        return resident, collections.Counter(type(each).__name__ for each in gc.get_objects())

    work("ec2")
    for round in range(8):
        work(services[round % 4])
    count()  # counting makes objects too
    first, before = count()
    for round in range(int(sys.argv[1])):
        work(services[round % 4])
    last, after = count()
    grown = {name: number - before[name] for name, number in after.items() if number - before[name] > 20}
    print(json.dumps([last - first, grown, len(after)]))
"""


def test_what_a_hundred_rounds_of_clients_leave_behind_is_nothing(monkeypatch):
    """Count the objects of every type before and after: memory that is flat may hide a leak that is small."""
    if not os.path.exists("/proc/self/statm"):  # noqa: PTH110
        pytest.skip("no /proc/self/statm on this system")
    monkeypatch.delenv("MANGROVE_SAFE_MODE", raising=False)
    command = [sys.executable, "-c", textwrap.dedent(ROUNDS), "100"]
    run = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert run.returncode == 0, run.stderr
    resident, grown, kinds = json.loads(run.stdout)
    assert grown == {}
    assert resident < 4
    assert kinds > 50
