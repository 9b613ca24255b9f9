"""Data files that are read in part say what they say when they are read whole."""

from __future__ import annotations

import copy
import gzip
import json
import pickle
from pathlib import Path

import pytest
from botocore.exceptions import DataNotFoundError, UnknownServiceError
from botocore.loaders import Loader
from hypothesis import given
from hypothesis import strategies as st

from mangrove.aws.loader import SharedLoader
from mangrove.aws.unread import Unread, read_endpoints, read_in_part, read_model

DATA = Path(Loader.BUILTIN_DATA_PATH)
MODELS = sorted(DATA.glob("*/*/service-2.json*"))
NAMES = st.text("ABCabc019_", min_size=1, max_size=6)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
SHAPES = st.dictionaries(NAMES, st.dictionaries(NAMES, JSON, min_size=1, max_size=3), max_size=5)


def text_of(path):
    return gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()


def unread(shapes):
    return Unread({name: json.dumps(shape).encode() for name, shape in shapes.items()})


def is_unread(found):
    return all(type(dict.__getitem__(found, name)) is bytes for name in found)


@pytest.mark.parametrize("part", range(8))
def test_every_model_of_botocore_is_read_in_part_and_says_the_same(part):
    for path in MODELS[part::8]:
        found, whole = read_in_part(str(path)), json.loads(text_of(path))
        if whole["shapes"]:
            assert type(found["shapes"]) is Unread, path
            assert is_unread(found["shapes"]), path
        assert list(found) == list(whole), path
        assert list(found["shapes"]) == list(whole["shapes"]), path
        assert found == whole, path


def test_botocores_endpoints_are_read_in_part_and_say_the_same():
    found, whole = (
        read(str(DATA / "endpoints.json")) for read in (read_in_part, lambda p: json.loads(text_of(Path(p))))
    )
    for mine, other in zip(found["partitions"], whole["partitions"], strict=True):
        assert type(mine["services"]) is (Unread if other["services"] else dict)
        assert is_unread(mine["services"]) or not other["services"]
        assert list(mine) == list(other)
    assert found == whole


@given(SHAPES, st.dictionaries(NAMES, JSON, max_size=3), st.booleans(), st.sampled_from([None, 0, 1, 2, 3, 4, "\t"]))
def test_a_model_says_the_same_whatever_its_layout(shapes, others, last, indent):
    model = {**others, "shapes": shapes} if last else {"shapes": shapes, **others}
    text = json.dumps(model, indent=indent).encode()
    assert read_model(text) == json.loads(text)


@given(st.lists(SHAPES, max_size=3), st.sampled_from([None, 1, 2, 4]))
def test_a_list_of_endpoints_says_the_same_whatever_its_layout(partitions, indent):
    data = {"partitions": [{"partition": "aws", "services": services} for services in partitions]}
    text = json.dumps(data, indent=indent).encode()
    assert read_endpoints(text) == data


@pytest.mark.parametrize(
    "text",
    [
        b'{\n  "shapes":{\n    "A":"text",\n    "B":{\n    }\n  }\n}',
        b'{\n  "shapes":{\n    "A":{\n    "B":{},\n    "C":{}\n    }\n  }\n}',
        b'{\n  "shapes":{\n    "A":{}}}',
        b'{\n  "operations":{\n    "O":{\n  "shapes":{\n    "A":{}\n  }}},\n  "shapes":{\n    "B":{}\n  }\n}',
        b'{"shapes": {}}',
        b"{}",
    ],
)
def test_a_model_of_another_layout_is_read_whole(text):
    assert read_model(text) == json.loads(text)
    assert type(read_model(text).get("shapes", {})) is dict


@pytest.mark.parametrize("text", [b"", b"{", b'{\n  "shapes":{\n    "A":{}\n  }'])
def test_a_broken_model_is_an_error_as_it_is_when_read_whole(text):
    with pytest.raises(json.JSONDecodeError):
        read_model(text)


def test_a_value_is_read_once_and_can_be_changed():
    shapes = unread({"A": {"type": "string"}, "B": {}})
    assert shapes["A"] is shapes["A"]
    shapes["A"]["type"] = "blob"
    shapes["C"] = {}
    assert shapes.get("A") == {"type": "blob"}
    assert type(dict.__getitem__(shapes, "B")) is bytes
    assert (shapes.get("D"), shapes.get("D", 1), "B" in shapes, len(shapes)) == (None, 1, True, 3)
    with pytest.raises(KeyError, match="D"):
        shapes["D"]


WAYS = {
    "items": lambda d: list(d.items()),
    "values": lambda d: list(d.values()),
    "keys": lambda d: [*d, *d.keys(), *reversed(d)],
    "copy": lambda d: d.copy(),
    "copy.copy": copy.copy,
    "deepcopy": copy.deepcopy,
    "dict": dict,
    "update": lambda d: (other := {}, other.update(d), other)[2],
    "unpacked": lambda d: {**d},
    "keywords": lambda d: dict(**d),
    "or": lambda d: d | {"Z": 1},
    "ror": lambda d: {"Z": 1, "A": 0} | d,
    "or unread": lambda d: d | unread({"Y": {"y": 1}}),
    "pop": lambda d: d.pop("A"),
    "pop default": lambda d: d.pop("Z", 1),
    "popitem": lambda d: d.popitem(),
    "setdefault": lambda d: d.setdefault("A", 1),
    "repr": repr,
    "str": str,
    "json": json.dumps,
    "pretty json": lambda d: json.dumps(d, indent=1, sort_keys=True),
    "pickle": lambda d: pickle.loads(pickle.dumps(d)),
    "sorted": lambda d: sorted(d.items()),
    "match": lambda d: [value for value in [d] if value == {"A": {"a": [1]}, "B": {"b": {}}}],
    "ne": lambda d: (d != {"A": {"a": [1]}, "B": {"b": {}}}, d != {}),
}


@pytest.mark.parametrize("way", WAYS)
def test_it_is_a_dict_to_everybody(way):
    plain = {"A": {"a": [1]}, "B": {"b": {}}}
    found, expected = WAYS[way](unread(plain)), WAYS[way](plain)
    assert found == expected
    assert isinstance(unread(plain), dict)
    if isinstance(found, dict):
        assert not any(type(value) is bytes for value in dict.values(found))


def test_a_loader_finds_what_botocores_finds():
    mine, other = SharedLoader(), Loader()
    for service in ("s3", "sqs", "iam"):
        for kind in ("service-2", "paginators-1", "endpoint-rule-set-1"):
            found, expected = (json.dumps(loader.load_service_model(service, kind)) for loader in (mine, other))
            assert found == expected
    version = mine.list_api_versions("ec2", "service-2")[0]
    assert mine.load_service_model("ec2", "waiters-2", version) == other.load_service_model("ec2", "waiters-2", version)
    for arguments in (
        ("nope", "service-2"),
        ("S3", "service-2"),
        ("../data/s3", "service-2"),
        ("s3", "nope-1"),
        ("", "x"),
    ):
        for loader in (mine, other):
            with pytest.raises(UnknownServiceError) as caught:
                loader.load_service_model(*arguments)
            assert f"'{arguments[0]}'" in str(caught.value)
    for loader in (mine, other):
        with pytest.raises(DataNotFoundError):
            loader.load_service_model("s3", "service-2", "1999-01-01")


def test_a_loader_does_not_look_into_every_service_for_one(monkeypatch):
    loader, looked = SharedLoader(), []
    monkeypatch.setattr(loader, "list_available_services", looked.append)
    loader.load_service_model("sqs", "service-2")
    assert looked == []


def test_a_users_model_is_read_whole_and_with_its_extras(tmp_path):
    place = tmp_path / "mine" / "2020-01-01"
    place.mkdir(parents=True)
    text = '{\n  "metadata":{},\n  "shapes":{\n    "A":{"type":"string"}\n  }\n}'
    (place / "service-2.json").write_text(text)
    (place / "service-2.sdk-extras.json").write_text('{"merge": {"shapes": {"A": {"max": 1}, "B": {}}}}')
    loader = SharedLoader([str(tmp_path)])
    found = loader.load_service_model("mine", "service-2")
    assert type(found["shapes"]) is dict
    assert found["shapes"] == {"A": {"type": "string", "max": 1}, "B": {}}
    assert loader.load_service_model("mine", "service-2") is found


def test_two_that_are_equal_are_equal_unread():
    def make():
        return Unread(a=b'{"b": 1}', c=b"[1]")

    assert make() == make()
    assert (make() != make()) is False
    assert make() != Unread(a=b'{"b": 2}', c=b"[1]")
    assert make() != {"a": 1}
