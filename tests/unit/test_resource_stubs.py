"""The stubs of resources: what they say is what boto3 makes, and type checkers find nothing wrong in them."""

from __future__ import annotations

import ast
import importlib.util
import keyword
import os
import subprocess
import sys
from pathlib import Path

import botocore
import pytest

import mangrove
from mangrove.aws.loader import shared_loader
from mangrove.resources.catalog import catalog_of
from mangrove.resources.objects import ResourceObject
from mangrove.resources.stub_package import index_stub, known_of_stub
from mangrove.resources.stub_types import Known, find_known
from mangrove.resources.stubs import service_stub, stub_name

LOADER = shared_loader(None)
CHECKED = "dynamodb ec2 iam lambda rds s3 sqs sns".split()
# boto3's own nine, those with odd names, and some of every protocol.
KNOWN = [
    *CHECKED,
    *"apigateway apigatewayv2 cloudformation cloudfront cloudtrail cloudwatch ecs elasticache elbv2 events".split(),
    *"glacier kinesis kms logs organizations quicksight rekognition route53 secretsmanager ssm wafv2".split(),
]
ANY = set(dir(ResourceObject)) | {"meta", "get_available_subresources"}


def stub_of(service, known=None):
    found = catalog_of(LOADER).find(service)
    model = LOADER.load_service_model(service, "service-2", found.version)
    return service_stub(found, model, known or Known(), botocore.__version__)


def classes_of(text):
    """Read the classes of a stub: each name with its members and their texts."""
    found = {}
    for node in ast.parse(text).body:
        if isinstance(node, ast.ClassDef):
            found[node.name] = {
                each.name if isinstance(each, ast.FunctionDef) else each.target.id: ast.unparse(each)
                for each in node.body
                if isinstance(each, (ast.FunctionDef, ast.AnnAssign))
            }
    return found


@pytest.fixture(scope="module")
def session():
    return mangrove.Session("AKIA", "secret", region_name="eu-west-1", aws_account_id="123456789012")


@pytest.mark.parametrize("service", KNOWN)
def test_a_stub_says_what_there_is(service, session):
    stub = classes_of(stub_of(service))
    resource = session.resource(service)
    makers = resource.get_available_subresources()
    assert set(stub["ServiceResource"]) | ANY == public(type(resource)) | ANY
    for maker in makers:
        names = [each for each in _inputs(stub["ServiceResource"][maker]) if each != "self"]
        made = getattr(resource, maker)(*(["arn:aws:x:::y"] * len(names)))
        kind = type(made).__name__.partition(".")[2]
        there = {name for name in public(type(made)) if not keyword.iskeyword(name)}
        assert set(stub[kind]) | ANY == there | ANY, f"{service} {kind}"


def public(kind):
    return {name for name in dir(kind) if not name.startswith("_")}


def _inputs(signature):
    return [each.arg for each in ast.parse(signature).body[0].args.args]


@pytest.mark.parametrize("service", ["rds", "lambda", "ec2"])
def test_every_collection_is_one_of_the_type_that_it_gives(service, session):
    stub = classes_of(stub_of(service))
    resource = session.resource(service)
    for name, text in stub["ServiceResource"].items():
        if "_Manager" in text:
            kind = getattr(resource, name)._model.resource.type
            assert f"_{kind}_Manager" in text or f"_Manager[_{kind}, " in text


def test_types_are_those_of_the_api():
    stub = classes_of(stub_of("rds"))
    database = stub["DBInstance"]
    assert database["allocated_storage"] == "allocated_storage: _Final[int]"
    assert database["instance_create_time"] == "instance_create_time: _Final[_datetime]"
    assert database["multi_az"] == "multi_az: _Final[bool]"
    assert database["endpoint"] == "endpoint: _Final[dict[str, _Any]]"
    assert database["status_infos"] == "status_infos: _Final[list[dict[str, _Any]]]"
    assert "wait_until_available" not in database or "-> None" in database["wait_until_available"]
    typed = classes_of(stub_of("rds", Known("RDSClient", frozenset({"EndpointTypeDef"}))))
    assert typed["DBInstance"]["endpoint"] == "endpoint: _Final[EndpointTypeDef]"
    assert typed["DBInstance"]["status_infos"] == "status_infos: _Final[list[dict[str, _Any]]]"


def test_an_action_takes_what_its_resource_does_not_know():
    queue = classes_of(stub_of("sqs"))["Queue"]
    assert "QueueUrl" not in queue["send_message"]
    assert "MessageBody: str, DelaySeconds: int=..." in queue["send_message"]
    assert "list[_Message]" in queue["receive_messages"]


def test_dynamodbs_values_are_pythons():
    assert "TypeDef" not in classes_of(stub_of("dynamodb"))["Table"]["get_item"]


def test_pages_are_acted_upon_as_a_whole():
    stub = classes_of(stub_of("ec2"))
    for name in ("_Instance_Manager", "_Instance_Collection"):
        assert {"start", "stop", "terminate"} <= set(stub[name])


@pytest.mark.parametrize(
    ("service", "name"), [("lambda", "lambda_"), ("bedrock-runtime", "bedrock_runtime"), ("rds", "rds")]
)
def test_a_module_has_a_name_that_python_takes(service, name):
    assert stub_name(service) == name


def test_an_index_has_every_service():
    text = index_stub(["rds", "lambda"])
    ast.parse(text)
    assert 'Literal["lambda"]' in text
    assert "-> lambda_.ServiceResource" in text


@pytest.mark.parametrize("service", CHECKED)
def test_a_stub_can_be_written_anew_from_itself(service):
    known = find_known(service, sys.path)
    text = stub_of(service, known)
    assert stub_of(service, known_of_stub(text)) == text


def test_types_boto3_is_read_and_not_imported(tmp_path):
    package = tmp_path / "types_boto3_sqs"
    package.mkdir()
    (package / "type_defs.pyi").write_text("class ATypeDef(TypedDict):\n    x: int\nBTypeDef = TypedDict(\n")
    (package / "client.pyi").write_text("class SQSClient(BaseClient):\n")
    found = find_known("sqs", ["", str(tmp_path)])
    assert (found.client, found.typed_dicts, found.resources) == ("SQSClient", {"ATypeDef", "BTypeDef"}, frozenset())
    assert find_known("no-such-service", [str(tmp_path)]) == Known()


# -- type checkers ----------------------------------------------------------------------------------------------------

SOURCE = str(Path(mangrove.__file__).parents[1])


def lay(folder, *, typed):
    place = folder / "stubs"
    place.mkdir()
    for service in CHECKED:
        known = find_known(service, sys.path) if typed else Known()
        (place / f"{stub_name(service)}.pyi").write_text(stub_of(service, known))
    return place


@pytest.mark.skipif(importlib.util.find_spec("mypy") is None, reason="mypy is not installed")
@pytest.mark.parametrize(("typed", "installed"), [(True, True), (True, False), (False, True)])
def test_mypy_finds_nothing(tmp_path, typed, installed):
    place = lay(tmp_path, typed=typed)
    command = [sys.executable, "-m", "mypy", "--strict", "--follow-imports=silent", "--cache-dir", str(tmp_path / "c")]
    # Without site-packages types-boto3 is not there, nor is boto3, which always is where mangrove is.
    (tmp_path / "mypy.ini").write_text("[mypy]\n[mypy-boto3.*,botocore.*]\nignore_missing_imports = true\n")
    command += ["--config-file", str(tmp_path / "mypy.ini"), *([] if installed else ["--no-site-packages"]), str(place)]
    run = subprocess.run(command, capture_output=True, text=True, check=False, env={**os.environ, "MYPYPATH": SOURCE})
    assert run.stdout == f"Success: no issues found in {len(CHECKED)} source files\n"


@pytest.mark.skipif(importlib.util.find_spec("pyright") is None, reason="pyright is not installed")
@pytest.mark.parametrize("typed", [True, False])
def test_pyright_finds_nothing(tmp_path, typed):
    lay(tmp_path, typed=typed)
    (tmp_path / "pyrightconfig.json").write_text(f'{{"include": ["stubs"], "extraPaths": ["{SOURCE}"]}}')
    command = [sys.executable, "-m", "pyright", "-p", str(tmp_path), "--pythonpath", sys.executable]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout
    assert "0 errors, 0 warnings" in run.stdout
