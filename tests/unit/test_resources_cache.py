"""Derived resources on disk: private, safe against other writers, and never the reason that something fails."""

from __future__ import annotations

import copy
import json
import os
import pickle
import stat
import threading
from pathlib import Path

import boto3
import pytest
from botocore.loaders import Loader

from mangrove.aws.loader import SessionLoader, SharedLoader
from mangrove.resources import cache as cache_module
from mangrove.resources.cache import DiskCache, is_off, stamp
from mangrove.resources.catalog import Catalog, catalog_of, describe, known_to_have_resources
from mangrove.resources.derive.facts import ServiceFacts
from mangrove.resources.record import read, written

STAMP = "0" * 32


@pytest.fixture
def root(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path / "mangrove" / "resources"


@pytest.fixture
def loader():
    return SessionLoader().settled


def derived(catalog):
    found = catalog.find("sqs")
    return found, written(found)


def test_it_is_kept_for_its_owner_alone(root, loader):
    _, document = derived(Catalog(loader))
    [folder] = root.iterdir()
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    [file] = folder.iterdir()
    assert (file.name, stat.S_IMODE(file.stat().st_mode)) == ("sqs.json", 0o600)
    assert json.loads(file.read_text()) == json.loads(json.dumps(document))


def test_another_process_reads_what_one_has_derived(root, loader, monkeypatch):
    first, _ = derived(Catalog(loader))
    monkeypatch.setattr("mangrove.resources.catalog.derive", lambda *_: pytest.fail("derived again"))
    again, _ = derived(Catalog(loader))
    assert again == first
    assert again.definition["resources"].known is again


@pytest.mark.parametrize(
    "damage",
    [
        "",
        "{",
        "[]",
        "null",
        '{"definition": {}}',
        '{"definition": {"resources": 1, "service": {}}}',
        '{"service": 1, "version": 2, "definition": {"resources": {}, "service": {}}}',
        "[" * 100_000,
        "\x00\xff",
    ],
)
def test_a_damaged_file_is_a_miss(root, loader, damage):
    first, _ = derived(Catalog(loader))
    [file] = next(root.iterdir()).iterdir()
    file.write_text(damage)
    assert derived(Catalog(loader))[0] == first


@pytest.mark.skipif(not hasattr(os, "getuid"), reason="files have owners on POSIX")
def test_a_link_or_a_file_that_others_can_write_is_a_miss(root, loader, tmp_path):
    first, document = derived(Catalog(loader))
    [file] = next(root.iterdir()).iterdir()
    document["arns"] = {}
    forged = tmp_path / "forged.json"
    forged.write_text(json.dumps(document))
    file.unlink()
    file.symlink_to(forged)
    assert derived(Catalog(loader))[0] == first
    file.unlink()
    file.write_text(json.dumps(document))
    file.chmod(0o666)
    assert derived(Catalog(loader))[0] == first


def test_a_folder_that_cannot_be_written_is_no_error(tmp_path, monkeypatch, loader):
    (tmp_path / "mangrove").write_text("a file stands where the folder would")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert derived(Catalog(loader))[0].service == "sqs"


def test_no_home_is_no_error(monkeypatch, loader):
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)

    def homeless():
        raise RuntimeError("no home")

    monkeypatch.setattr(cache_module.Path, "home", staticmethod(homeless))
    assert derived(Catalog(loader))[0].service == "sqs"


@pytest.mark.parametrize("word", ["off", "OFF", "0", "no"])
def test_it_can_be_turned_off(root, loader, monkeypatch, word):
    monkeypatch.setenv("MANGROVE_CACHE", word)
    assert is_off()
    assert derived(Catalog(loader))[0].service == "sqs"
    assert not root.exists()


def test_two_writers_do_no_harm(root):
    caches = [DiskCache(STAMP) for _ in range(2)]
    documents = [{"n": number, "text": "x" * 10_000} for number in range(2)]

    def write(which):
        for _ in range(50):
            caches[which].put("sqs", documents[which])
            assert caches[which].get("sqs") in documents

    threads = [threading.Thread(target=write, args=(which,)) for which in range(2)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert [each.name for each in (root / STAMP).iterdir()] == ["sqs.json"]


@pytest.mark.parametrize("name", ["../x", "a/b", "", ".hidden", "a\n"])
def test_no_name_leads_out_of_the_folder(root, name):
    DiskCache(STAMP).put(name, {})
    assert not root.exists()
    assert DiskCache(STAMP).get(name) is None


def test_only_the_last_few_versions_are_kept(root):
    for number in range(8):
        DiskCache(f"{number:032x}").put("sqs", {})
        os.utime(root / f"{number:032x}", (number, number))
    (root / "not-ours").mkdir()
    assert len(list(root.iterdir())) <= 6
    assert (root / f"{7:032x}").is_dir()


def test_the_stamp_changes_with_what_matters(tmp_path, monkeypatch):
    paths = [str(tmp_path)]
    seen = {stamp(paths, ["sdk"]), stamp([], ["sdk"]), stamp(paths, ["sdk", "more"])}
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "service-2.json").write_text("{}")
    seen.add(stamp(paths, ["sdk"]))
    (tmp_path / "mine" / "service-2.json").write_text('{"a": 1}')
    seen.add(stamp(paths, ["sdk"]))
    for name in ("boto3", "botocore"):
        monkeypatch.setattr(getattr(cache_module, name), "__version__", "0")
        seen.add(stamp(paths, ["sdk"]))
    monkeypatch.setattr(cache_module, "__version__", "0")
    seen.add(stamp(paths, ["sdk"]))
    assert len(seen) == 8
    assert stamp(paths, ["sdk"]) == stamp(paths, ["sdk"])


def test_what_is_written_is_what_is_read(loader):
    for service in ("sqs", "rds", "s3", "route53", "quicksight"):
        found = Catalog(loader).find(service)
        assert read(json.loads(json.dumps(written(found)))) == found


def test_to_list_the_services_derives_few_of_them(loader, monkeypatch):
    derived = []
    find = Catalog.find
    monkeypatch.setattr(Catalog, "find", lambda self, name: derived.append(name) or find(self, name))
    found = Catalog(loader).services()
    assert len(found) > 350
    assert len(derived) < 90
    assert "sts" in derived
    assert "sts" not in found


def test_what_is_known_to_have_resources_has_them(loader):
    catalog = Catalog(loader)
    there = known_to_have_resources() & set(loader.list_available_services("service-2"))
    own = set(loader.list_available_services("resources-1"))
    assert [name for name in sorted(there - own) if catalog.find(name) is None] == []


def test_a_users_model_of_a_known_name_is_looked_at(tmp_path):
    model = {"metadata": {"apiVersion": "2099-01-01", "serviceId": "SQS"}, "operations": {}, "shapes": {}}
    for service in ("rds", "sqs"):
        folder = tmp_path / service / "2099-01-01"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "service-2.json").write_text(json.dumps(model))
    loader = SharedLoader([str(tmp_path)])
    found = Catalog(loader).services()
    assert "rds" not in found
    assert "ec2" in found


def test_of_an_older_version_is_known_what_is_the_same(loader):
    catalog, theirs = Catalog(loader), loader.load_service_model("ec2", "resources-1", "2014-10-01")
    definition = catalog.older("ec2", "2014-10-01", theirs)
    known = definition["resources"].known
    assert (definition["service"], dict(definition["resources"])) == (theirs["service"], theirs["resources"])
    assert (known.version, known.own) == ("2014-10-01", frozenset(theirs["resources"]))
    assert known.arns["Vpc"] == catalog.find("ec2").arns["Vpc"]
    assert known.arns.keys() <= known.own
    assert catalog.older("ec2", "2014-10-01", theirs) is definition
    assert catalog.older("no-such-service", "1", theirs) is theirs


@pytest.mark.parametrize("service", ["iam", "route53", "rds"])
def test_what_is_known_can_be_copied_and_pickled(loader, service):
    found = Catalog(loader).find(service)
    assert copy.deepcopy(found) == found
    assert pickle.loads(pickle.dumps(found.definition))["resources"].known == found


def test_a_loader_has_one_catalog(loader):
    assert catalog_of(loader) is catalog_of(loader)


def test_what_has_no_resources_has_none(loader):
    assert Catalog(loader).find("no-such-service") is None


class TestPruning:
    MODEL = {  # noqa: RUF012
        "metadata": {"apiVersion": "2026-01-01"},
        "operations": {
            "ListThings": {"name": "ListThings", "input": {"shape": "In"}, "output": {"shape": "Out"}},
            "DeleteThing": {"name": "DeleteThing", "input": {"shape": "One"}},
        },
        "shapes": {
            "In": {"type": "structure", "members": {}},
            "Out": {"type": "structure", "members": {"Things": {"shape": "Things"}}},
            "Things": {"type": "list", "member": {"shape": "Thing"}},
            "Thing": {"type": "structure", "members": {"ThingId": {"shape": "Id"}}},
            "One": {"type": "structure", "required": ["ThingId"], "members": {"ThingId": {"shape": "Id"}}},
            "Id": {"type": "string"},
        },
    }

    def test_a_part_that_does_not_fit_the_model_goes_and_the_service_stays(self):
        broken = {"resources": {"Thing": {"hasMany": {"Ghosts": {"request": {"operation": "ListGhosts"}}}}}}
        found = describe(ServiceFacts("things", self.MODEL, overlay={"merge": broken}), "2026-01-01")
        assert "Things" in found.definition["service"]["hasMany"]
        assert "Ghosts" not in found.definition["resources"]["Thing"].get("hasMany", {})
        assert any("ListGhosts" in why for _, why in found.dropped)

    def test_boto3s_own_part_stays_whatever_is_laid_over_it(self, loader):
        from mangrove.resources.derive.gather import gather

        facts = gather(loader, "sqs")
        broken = {"merge": {"resources": {"Ghost": {"shape": "NoSuchShape"}}}}
        found = describe(ServiceFacts("sqs", facts.model, overlay={"merge": broken}, existing=facts.existing), "1")
        assert set(facts.existing["resources"]) <= set(found.definition["resources"])
        assert "Ghost" not in found.definition["resources"]

    def test_old_names_are_kept(self):
        aliases = {"types": {"OldThing": "Thing"}, "identifiers": {"Thing": {"Code": "Id"}}}
        found = describe(ServiceFacts("things", self.MODEL, overlay={"aliases": aliases}), "2026-01-01")
        assert found.definition["service"]["has"]["OldThing"]["resource"]["type"] == "Thing"
        assert found.definition["resources"]["Thing"]["identifiers"][0]["aliases"] == ["Code"]


def test_what_another_loader_has_changed_is_kept_for_nobody(root):
    class Trimmed(Loader):
        def load_service_model(self, service_name, type_name, api_version=None):
            model = super().load_service_model(service_name, type_name, api_version)
            if type_name != "service-2":
                return model
            operations = {name: each for name, each in model["operations"].items() if "DBInstance" not in name}
            return {**model, "operations": operations}

    trimmed = Trimmed(extra_search_paths=[str(Path(boto3.__file__).parent / "data")])
    assert "DBInstance" not in catalog_of(trimmed).find("rds").definition["resources"]
    assert not list(root.rglob("*.json"))
    plain = SessionLoader().settled
    assert "DBInstance" in Catalog(plain).find("rds").definition["resources"]
    assert list(root.rglob("rds.json"))
