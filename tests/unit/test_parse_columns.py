"""The walks of columns: botocore's answers to pages of any rows, a long page in as many calls as a short one."""

from __future__ import annotations

import copy
import math
import sys

import pytest
from botocore.model import ServiceModel
from botocore.parsers import ResponseParserFactory
from hypothesis import given, settings
from hypothesis import strategies as st

from mangrove.aws._parse_columns import MANY
from mangrove.aws.parsers import CompiledParserFactory

PROTOCOLS = ["json", "rest-json", "smithy-rpc-v2-cbor"]
SCALARS = {"S": "string", "N": "string", "I": "long", "F": "double", "E": "boolean", "B": "blob", "T": "timestamp"}
SHAPES = {
    **{kind: {"type": kind} for kind in SCALARS.values()},
    "Page": {
        "type": "structure",
        "members": {
            "Items": {"shape": "Items"},
            "Rows": {"shape": "Records"},
            "Choices": {"shape": "Choices"},
            "Next": {"shape": "Item"},
        },
    },
    "Items": {"type": "list", "member": {"shape": "Item"}},
    "Records": {"type": "list", "member": {"shape": "Values"}},
    "Choices": {"type": "list", "member": {"shape": "Choice"}},
    "Item": {"type": "map", "key": {"shape": "string"}, "value": {"shape": "Value"}},
    "Values": {"type": "list", "member": {"shape": "Value"}},
    "Texts": {"type": "list", "member": {"shape": "string"}},
    "TextMap": {"type": "map", "key": {"shape": "string"}, "value": {"shape": "string"}},
    "Blobs": {"type": "list", "member": {"shape": "blob"}},
    "Pair": {"type": "structure", "members": {"Key": {"shape": "string"}, "Value": {"shape": "Value"}}},
    "Choice": {
        "type": "structure",
        "union": True,
        "members": {"S": {"shape": "string"}, "B": {"shape": "blob"}, "L": {"shape": "Choices"}},
    },
    "Value": {
        "type": "structure",
        "members": {
            **{name: {"shape": kind} for name, kind in SCALARS.items()},
            "Renamed": {"shape": "string", "locationName": "renamed"},
            "RenamedBlob": {"shape": "blob", "locationName": "blob"},
            "SS": {"shape": "Texts"},
            "SM": {"shape": "TextMap"},
            "BS": {"shape": "Blobs"},
            "M": {"shape": "Item"},
            "L": {"shape": "Values"},
            "P": {"shape": "Pair"},
            "C": {"shape": "Choice"},
        },
    },
}


def page_shape():
    metadata = {"protocol": "json", "apiVersion": "2026-01-01", "endpointPrefix": "x", "serviceId": "X"}
    return ServiceModel({"metadata": metadata, "operations": {}, "shapes": SHAPES}, "x").shape_for("Page")


PAGE = page_shape()
OURS, PLAIN = CompiledParserFactory(), ResponseParserFactory()


def exact(value):
    """Return what is equal for values that are equal to the last key, type and order."""
    if isinstance(value, dict):
        return dict, [(exact(key), exact(each)) for key, each in value.items()]
    if isinstance(value, list):
        return list, [exact(each) for each in value]
    if isinstance(value, float) and math.isnan(value):
        return float, "nan"
    return type(value), value


def outcome(factory, protocol, node):
    try:
        return exact(factory.create_parser(protocol)._parse_shape(PAGE, node))
    except Exception as error:  # noqa: BLE001  the error is the result
        return type(error), str(error)


def assert_botocores(protocol, node):
    given_node = copy.deepcopy(node)
    assert outcome(OURS, protocol, given_node) == outcome(PLAIN, protocol, copy.deepcopy(node))
    assert exact(given_node) == exact(node)  # what was given stays: botocore may have to begin again with it


ODD = st.sampled_from(
    [None, "text", "S", 1, 2.5, True, [], {}, [None], ["S"], {"S": None}, {"__type": "x"}, "QUI=", "!"]
)
SINGLES = st.one_of(
    st.builds(lambda text: {"S": text}, st.sampled_from(["", "a", "S"])),
    st.sampled_from(
        [
            *({"N": "1"}, {"I": 1}, {"I": True}, {"I": "7"}, {"F": 1.5}, {"F": 2}, {"E": True}, {"E": "false"}),
            *({"B": "QUI="}, {"T": 1422172800}, {"T": "2026-01-02T03:04:05Z"}, {"renamed": "a"}, {"Renamed": "a"}),
            *({"blob": "QUI="}, {"RenamedBlob": "QUI="}),
            *({"SS": ["a", None]}, {"SS": []}, {"SM": {"a": "b"}}, {"BS": ["QUI=", "QkI="]}, {"unknown": 1}),
            *({"P": {"Value": {"S": "b"}, "Key": "a"}}, {"P": {"Key": None}}, {"C": {"S": "a"}}, {"C": {"B": "QUI="}}),
        ]
    ),
)
WRONG = st.one_of(
    ODD,
    st.builds(lambda key, value: {key: value}, st.sampled_from(sorted(SHAPES["Value"]["members"])), ODD),
    st.builds(lambda one, other: {**one, **other}, SINGLES, SINGLES),
)
LENGTHS = st.sampled_from([0, 1, 2, MANY - 1, MANY, MANY + 1, 2 * MANY])


def pages(rows):
    """Make lists of any length whose rows are of few forms, as the rows of a table are, and perhaps one that is not."""

    def page(forms, length, turns, strange, place):
        made = [copy.deepcopy(forms[turns[index % len(turns)] % len(forms)]) for index in range(length)]
        if strange is not None and made:
            made[place % length] = strange[0]
        return made

    strange = st.none() | st.none() | st.tuples(WRONG)
    turns = st.lists(st.integers(0, 3), min_size=1, max_size=5)
    return st.builds(page, st.lists(rows, min_size=1, max_size=3), LENGTHS, turns, strange, st.integers(0, 99))


def deeper(values):
    nested = st.dictionaries(st.sampled_from("abc"), values, max_size=3)
    return st.one_of(
        values,
        st.builds(lambda inner: {"M": inner}, nested),
        st.builds(lambda inner: {"L": inner}, st.lists(values, max_size=3) | pages(values)),
    )


VALUES = deeper(deeper(SINGLES))
ITEMS = st.dictionaries(st.sampled_from(["a", "b", "c", "S", "B"]), VALUES, max_size=4)
CHOICES = st.sampled_from([{"S": "a"}, {"B": "QUI="}, {"L": [{"S": "a"}, {"B": "QkI="}]}, {"__type": "x", "S": "a"}])
PAGES = st.fixed_dictionaries(
    {},
    optional={
        "Items": pages(ITEMS) | pages(WRONG),
        "Rows": pages(st.lists(VALUES, max_size=4)),
        "Choices": pages(CHOICES),
        "Next": ITEMS | WRONG,
    },
)


@pytest.mark.parametrize("protocol", PROTOCOLS)
@settings(max_examples=100, deadline=None)
@given(node=PAGES)
def test_a_page_of_any_rows_is_botocores(protocol, node):
    assert_botocores(protocol, node)


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("place", [0, 7, 2 * MANY - 1])
@pytest.mark.parametrize(
    "strange",
    [
        *(None, "S", 1, True, [], {}, ["S"], [["S"]], {"S": None}, {"S": 1}, {"S": {}}, {"B": "!"}, {"B": "QUI"}),
        *(
            {"B": 1},
            {"B": None},
            {"unknown": 1},
            {"N": "1", "S": "x"},
            {"S": "x", "N": "1"},
            {"renamed": "x"},
            {"blob": "QUI="},
        ),
        *({"SS": "ab"}, {"SS": {"a": 1}}, {"SS": None}, {"SM": []}, {"M": []}, {"M": None}, {"M": {"a": None}}),
        *({"L": {}}, {"L": {"a": 1}}, {"L": "ab"}, {"L": [None]}, {"L": [[]]}, {"I": "x"}, {"__type": "S"}),
        {0: "x"},
    ],
    ids=repr,
)
def test_one_strange_value_in_a_long_page_is_botocores(protocol, place, strange):
    for usual in ({"S": "a"}, {"B": "QUI="}, {"M": {"a": {"S": "b"}}}, {"L": [{"S": "a"}]}, {"SS": ["a"]}):
        values = [copy.deepcopy(usual) for _ in range(2 * MANY)]
        values[place] = strange
        assert_botocores(protocol, {"Rows": [values]})
        assert_botocores(protocol, {"Items": [{"a": value, "b": {"B": "QUI="}} for value in values]})
        assert_botocores(protocol, {"Items": [{"a": {"L": [value]}} for value in values]})
        assert_botocores(protocol, {"Items": [{"a": {"M": {"b": value}}} for value in values]})
        assert_botocores(protocol, {"Choices": values})


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_rows_whose_lengths_only_look_alike_are_botocores(protocol):
    for rows in ([{}, {"S": "a", "N": "1"}], [{"S": "a"}, {}, {"N": "1", "S": "a"}, {"S": "a"}], [{}, {}]):
        assert_botocores(protocol, {"Rows": [rows * MANY]})
        assert_botocores(protocol, {"Items": [{key: {"B": "QUI="} for key in row} for row in rows] * MANY})


def test_keys_in_another_order_stay_in_it():
    items = [{"a": {"S": "1"}, "b": {"B": "QUI="}}, {"b": {"B": "QkI="}, "a": {"S": "2"}}] * MANY
    assert_botocores("json", {"Items": items})
    assert list(OURS.create_parser("json")._parse_shape(PAGE, {"Items": items})["Items"][1]) == ["b", "a"]


def test_what_fails_after_a_column_leaves_the_answer_to_botocore():
    """A page whose blobs were read, and then a key that can't be: nothing may be read twice."""
    assert_botocores("json", {"Items": [{"a": {"B": "QUJDRA=="}}] * MANY, "Next": {"a": {"B": "!"}}})
    assert_botocores("json", {"Items": [{"a": {"B": "QUJDRA=="}}] * MANY, "Choices": [{"S": "a", "B": "QUI="}]})


def item(number):
    return {
        "pk": {"S": f"user#{number}"},
        "total": {"I": number},
        "tags": {"SS": ["gift", "express"]},
        "digest": {"B": "AAECAwQFBgc="},
        "address": {"M": {"street": {"S": "Main St 1"}, "zip": {"S": "12345"}}},
        "lines": {"L": [{"S": "sku-1"}, {"M": {"sku": {"S": "sku-2"}}}]},
    }


def calls_of(call):
    """Count the calls of the parsers' own functions."""
    count = 0

    def note(frame, event, _argument):
        nonlocal count
        count += event == "call" and frame.f_globals.get("__name__", "").startswith("mangrove.")

    before = sys.getprofile()
    sys.setprofile(note)
    try:
        call()
    finally:
        sys.setprofile(before)
    return count


def test_a_longer_page_takes_no_more_calls():
    parser = OURS.create_parser("json")

    def calls(length):
        node = {"Items": [item(number) for number in range(length)], "Rows": [[{"S": "a"}, {"I": 1}]] * length}
        return calls_of(lambda: parser._parse_shape(PAGE, node))

    calls(MANY)  # the walks are made here
    assert calls(10 * MANY) == calls(MANY)


def test_what_is_its_own_answer_is_handed_on():
    items = [{"pk": {"S": "a"}, "inner": {"M": {"n": {"N": "1"}, "l": {"L": [{"S": "b"}]}}}} for _ in range(MANY)]
    OURS.create_parser("json")._parse_shape(PAGE, {"Items": copy.deepcopy(items)})
    found = OURS.create_parser("json")._parse_shape(PAGE, {"Items": items})["Items"]
    assert [one is other for one, other in zip(found, items, strict=True)] == [True] * MANY
