"""The commands `validate-resources` and `stubs`, run as people run them."""

from __future__ import annotations

import ast
import dataclasses
import json
import os

import botocore
import pytest

from mangrove.cli import main
from mangrove.resources import checking
from mangrove.resources.checking import service_of_path
from mangrove.resources.derive import ArnSpec, TagSpec, Variable

RIGHT = {
    "service": {
        "hasMany": {
            "Queues": {
                "request": {"operation": "ListQueues"},
                "resource": {
                    "type": "Queue",
                    "identifiers": [{"target": "Url", "source": "response", "path": "QueueUrls[]"}],
                },
            }
        }
    },
    "resources": {"Queue": {"identifiers": [{"name": "Url"}]}},
}


@pytest.fixture
def run(capfd):
    def run(*arguments):
        code = main(list(arguments))
        out, err = capfd.readouterr()
        assert "Traceback" not in err
        return code, out, err

    return run


@pytest.fixture
def lay(tmp_path):
    def lay(content, service="sqs", name="resources-1.json"):
        folder = tmp_path / service / "2012-11-05"
        folder.mkdir(parents=True, exist_ok=True)
        file = folder / name
        file.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
        return str(file)

    return lay


def changed(*keys, value):
    """Change the right definition in one place."""
    tree = json.loads(json.dumps(RIGHT))
    at = tree
    for key in keys[:-1]:
        at = at[key]
    at[keys[-1]] = value
    return tree


# -- validate-resources -----------------------------------------------------------------------------------------------


def test_nothing_that_is_derived_is_wrong_in_any_service(run):
    """The gate: it holds with every botocore that the tests run with."""
    code, out, err = run("validate-resources", "--output", "json")
    wrong = [row for row in json.loads(out) if row["source"] != "boto3"]
    assert (code, wrong) == (0, [])
    assert err.splitlines()[-1].endswith("types checked: nothing is wrong")
    assert int(err.splitlines()[-1].split()[1]) >= 2_500


def test_boto3s_own_mistakes_are_shown_and_count_for_nothing(run):
    code, out, _ = run("validate-resources", "iam", "--output", "jsonl")
    (row,) = map(json.loads, out.splitlines())
    assert (code, row["source"], row["where"]) == (0, "boto3", "service.actions.CreateSigningCertificate")


def test_what_derivation_would_get_wrong_is_found(run, monkeypatch):
    def derive(facts, model):
        derived = checking.derive_again(facts, model)
        arns = {
            "Queue": ArnSpec(path="Nowhere", template="arn:${Partition}:sqs:::${QueueName}", load=True),
            "Subscription": ArnSpec(identifier="Id"),
            "Topic": ArnSpec(identifier="Name", variables={"A": Variable(path="No.Where")}),
        }
        tags = {"Topic": TagSpec("Tags", operation="ListNothing"), "Subscription": TagSpec("Nowhere")}
        return dataclasses.replace(derived, arns=arns, tags=tags)

    monkeypatch.setattr(checking, "derive_again", checking.derive, raising=False)
    monkeypatch.setattr(checking, "derive", derive)
    code, out, err = run("validate-resources", "sns", "--output", "jsonl")
    found = {(row["where"], row["problem"], row["source"]) for row in map(json.loads, out.splitlines())}
    assert code == 1
    assert found == {
        ("arns.Queue", "there is no such type", "derived"),
        ("arns.Subscription", "it has no identifier 'Id'", "derived"),
        ("arns.Topic", "it has no identifier 'Name'", "derived"),
        ("arns.Topic", "'No' leads nowhere in 'No.Where'", "derived"),
        ("tags.Topic", "the service has no operation 'ListNothing'", "derived"),
        ("tags.Subscription", "'Nowhere' leads nowhere in 'Nowhere'", "derived"),
    }
    assert "6 things are wrong" in err


def test_a_right_file_is_right(run, lay):
    code, out, err = run("validate-resources", lay(RIGHT))
    assert (code, out, err) == (0, "", "mangrove: 1 types checked: nothing is wrong\n")


WRONG = [
    (("service", "hasMany", "Queues", "request", "operation"), "ListQueuesV2", "no operation 'ListQueuesV2'"),
    (("service", "hasMany", "Queues", "resource", "identifiers", 0, "path"), "Urls[]", "leads nowhere"),
    (("service", "hasMany", "Queues", "request", "params"), [{"target": "Nam", "source": "string"}], "does not exist"),
    (("resources", "Queue", "shape"), "Line", "is no structure of the service"),
    (("resources", "Queue", "waiters"), {"Full": {"waiterName": "QueueFull"}}, "no waiter 'QueueFull'"),
    (("resources", "Queue", "load"), {"request": {"operation": "GetQueueAttributes"}}, "needs QueueUrl"),
    (("resources",), [], "it is no table"),
]


@pytest.mark.parametrize(("keys", "value", "why"), WRONG)
def test_what_is_wrong_is_a_row_and_exit_code_1(run, lay, keys, value, why):
    file = lay(changed(*keys, value=value))
    code, out, err = run("validate-resources", file, "--output", "json")
    rows = json.loads(out)
    assert (code, {row["service"] for row in rows}, {row["source"] for row in rows}) == (1, {"sqs"}, {file})
    assert any(why in row["problem"] for row in rows)
    assert "wrong" in err


HOSTILE = {
    "nothing": (b"", "it is no JSON (line 1, column 1)"),
    "text": (b"resources: {}", "it is no JSON"),
    "bytes": (b"\xff\xfe\x00\x80", "it is no JSON"),
    "half": (b'{"service": {', "it is no JSON"),
    "list": (b"[]", "it holds a list, and a definition is a table"),
    "number": (b"7", "it holds a int"),
    "other": (b'{"paginators": {}}', "it is no definition of resources"),
    "deep": (b'{"service":' + b"[" * 200_000 + b"]" * 200_000 + b"}", "nested too deeply"),
    "deep table": (b'{"service":' + b'{"a":' * 200_000 + b"1" + b"}" * 200_001, "nested too deeply"),
    "huge": (b" " * (16 * 2**20 + 1), "larger than 16 MiB"),
    "merge": (b'{"merge": []}', "its 'merge' is no table"),
    "service": (b'{"service": 7, "resources": {}}', "it is no table"),
    "types": (b'{"service": {}, "resources": {"A": 7}}', "it is no table"),
    "actions": (b'{"service": {"actions": {"A": {"request": 7}}}, "resources": {}}', "not written as boto3 writes it"),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_a_damaged_file_is_one_clear_line(run, lay, case):
    content, why = HOSTILE[case]
    code, out, err = run("validate-resources", lay(content), "--output", "jsonl")
    (row,) = map(json.loads, out.splitlines())
    assert code == 1
    assert why in row["problem"]
    assert err.count("\n") == 1


def test_what_is_no_file_is_one_clear_line(run, tmp_path, lay):
    folder = tmp_path / "sqs" / "2012-11-05"
    lay(RIGHT)
    (folder / "loop.json").symlink_to(folder / "loop.json")
    (folder / "gone.json").symlink_to(folder / "nowhere")
    (folder / "zero.json").symlink_to("/dev/zero")
    (folder / "folder.json").mkdir()
    os.mkfifo(folder / "pipe.json")
    names = ("loop", "gone", "zero", "folder", "pipe", "missing")
    code, out, _ = run(
        "validate-resources", "--output", "jsonl", "--no-progress", *(f"{folder}/{name}.json" for name in names)
    )
    rows = [json.loads(line) for line in out.splitlines()]
    assert code == 1
    assert len(rows) == len(names)
    assert all("regular file" in row["problem"] or "can't be read" in row["problem"] for row in rows)


def test_a_link_to_a_file_is_as_good_as_the_file(run, tmp_path, lay):
    link = tmp_path / "link.json"
    link.symlink_to(lay(RIGHT))
    assert run("validate-resources", str(link), "--service", "sqs")[0] == 0


def test_an_unknown_service_is_told(run, lay):
    code, out, _ = run("validate-resources", lay(RIGHT, "sqz"), "--output", "jsonl")
    assert (code, json.loads(out)["problem"]) == (
        1,
        "no service 'sqz' in this botocore; did you mean 'sqs'?; say --service NAME",
    )
    assert run("validate-resources", lay(RIGHT, "sqz"), "--service", "sqs")[0] == 0


@pytest.mark.parametrize(
    "arguments", [("nope",), ("--service", "nope", "x.json"), ("--service", "sqs"), ("--service", "sqs", "rds")]
)
def test_wrong_usage_is_exit_code_2(run, arguments):
    code, out, err = run("validate-resources", *arguments)
    assert (code, out) == (2, "")
    assert err


def test_an_extras_file_answers_for_what_it_adds_alone(run, lay):
    more = {"version": 1.0, "merge": {"resources": {"Queue": {"waiters": {"Full": {"waiterName": "QueueFull"}}}}}}
    code, out, _ = run("validate-resources", lay(more, name="resources-1.mine-extras.json"), "--output", "jsonl")
    (row,) = map(json.loads, out.splitlines())
    assert (code, row["where"]) == (1, "resources.Queue.waiters.Full")
    # iam's own mistake is boto3's.
    code, out, _ = run(
        "validate-resources", lay({"version": 1.0, "merge": {}}, "iam", "resources-1.a-extras.json"), "--output", "json"
    )
    assert (code, json.loads(out)) == (0, [])


def test_a_problem_does_not_speak_to_the_terminal(run, lay):
    sly = changed("service", "hasMany", "Queues", "request", "operation", value="\x1b[31mred\x1b[0m\n")
    code, out, _ = run("validate-resources", lay(sly))
    assert code == 1
    assert "\x1b" not in out
    assert len(out.splitlines()) == 2


def test_the_service_is_told_by_the_folders():
    assert service_of_path("/models/rds/2014-10-31/resources-1.json") == "rds"
    assert service_of_path("/a.json") is None


# -- stubs ------------------------------------------------------------------------------------------------------------


def test_stubs_are_a_package_as_type_checkers_want_it(run, tmp_path):
    code, out, _ = run("stubs", "--to", str(tmp_path), "sqs", "lambda", "sqs")
    package = tmp_path / "mangrove-stubs"
    assert (code, out.strip()) == (0, str(package))
    assert (package / "py.typed").read_text() == "partial\n"
    files = sorted(path.name for path in (package / "resources" / "types").iterdir())
    assert files == ["__init__.pyi", "lambda_.pyi", "sqs.pyi"]
    index = (package / "resources" / "types" / "__init__.pyi").read_text()
    assert botocore.__version__ in index
    assert index.count("@overload") == 3  # and one for any other name
    ast.parse(index)


def test_stubs_of_before_are_replaced_and_nothing_else_is(run, tmp_path):
    place = tmp_path / "mangrove-stubs" / "resources" / "types"
    assert run("stubs", "--to", str(tmp_path), "sqs", "rds")[0] == 0
    assert run("stubs", "--to", str(tmp_path), "sqs")[0] == 0
    assert sorted(path.name for path in place.iterdir()) == ["__init__.pyi", "sqs.pyi"]
    (place / "__init__.pyi").write_text("class Mine: ...\n")
    code, _, err = run("stubs", "--no-progress", "--to", str(tmp_path), "sqs")
    assert (code, err.count("\n")) == (1, 1)
    assert "not by this command" in err
    assert (place / "__init__.pyi").read_text() == "class Mine: ...\n"


def test_a_folder_that_cannot_be_written_is_one_line(run, tmp_path):
    (tmp_path / "file").write_text("")
    code, _, err = run("stubs", "--no-progress", "--to", str(tmp_path / "file" / "in"), "sqs")
    assert (code, err.count("\n")) == (1, 1)
    assert run("stubs", "--to", str(tmp_path / "file"), "sqs")[0] == 2
    assert run("stubs", "--to", str(tmp_path), "nope")[0] == 2
    assert "has no resources" in run("stubs", "--to", str(tmp_path), "sts")[2]
    assert not (tmp_path / "mangrove-stubs").exists()
    assert run("stubs")[0] == 2


def test_plain_stubs_need_nothing(run, tmp_path):
    assert run("stubs", "--plain", "--to", str(tmp_path), "sqs")[0] == 0
    text = (tmp_path / "mangrove-stubs" / "resources" / "types" / "sqs.pyi").read_text()
    assert "types_boto3" not in text
    assert "class Queue(_Resource[_Any]):" in text
