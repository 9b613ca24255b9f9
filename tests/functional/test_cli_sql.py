"""The command `sql`, run as people run it: over files, over the embedded AWS, and as a shell."""

# ruff: noqa: S608  statements read best on one line, and are the tests' own
from __future__ import annotations

import io
import json
import os
import signal
import stat
from datetime import datetime, timezone
from types import SimpleNamespace

import botocore.client
import pytest
from botocore.exceptions import ClientError

pytest.importorskip("duckdb")
pytest.importorskip("pyarrow")

from mangrove.cli import main, sql_shell
from mangrove.cli.sql_shell import Completer, split
from mangrove.fleet import Outcome, Target
from mangrove.inventory.duck import DuckSink
from mangrove.inventory.facts import Facts
from mangrove.inventory.parquet import ParquetSink
from mangrove.inventory.rows import Row

A, B = "123456789012", "210987654321"
NOW = datetime(2026, 11, 20, 3, 4, 5, tzinfo=timezone.utc)
HOSTILE = "=1+1 \x1b[31mred\x1b[0m\u202e"
TWO = ("--accounts", f"{A},{B}", "--regions", "us-east-1,eu-west-1", "--no-progress")


def vpc(number, region="eu-west-1", **data):
    name = f"vpc-{number}"
    arn = f"arn:aws:ec2:{region}:{A}:vpc/{name}"
    return Row(A, region, "ec2", "ec2.vpcs", name, arn, {"env": f"e{number}"}, "aws", {"VpcId": name, **data})


ROWS = [vpc(1, IsDefault=True), vpc(2, "us-east-1", CidrBlock=HOSTILE), vpc(3, IsDefault=False)]


@pytest.fixture
def stored(tmp_path):
    for sink in (DuckSink(tmp_path / "all.duckdb"), ParquetSink(tmp_path / "all.parquet")):
        sink.add(ROWS)
        sink.finish(Facts(NOW, ("ec2.vpcs", "ec2.subnets"), {A: "dev"}))
    return tmp_path


@pytest.fixture
def run(capfd):
    def run(*arguments):
        code = main(["sql", *map(str, arguments)])
        out, err = capfd.readouterr()
        assert "Traceback" not in err
        assert "\x1b" not in err
        return SimpleNamespace(code=code, out=out, err=err)

    return run


STATEMENT = "select name, region, is_default, cidr_block, tags, data->'VpcId' as id from ec2_vpcs order by name limit 2"

GOLDEN = {
    "table": """\
NAME   REGION     IS_DEFAULT  CIDR_BLOCK  TAGS          ID
vpc-1  eu-west-1  true        -           {"env":"e1"}  vpc-1
vpc-2  us-east-1  -           =1+1 red    {"env":"e2"}  vpc-2
""",
    "csv": f"""\
name,region,is_default,cidr_block,tags,id
vpc-1,eu-west-1,true,,"{{""env"":""e1""}}",vpc-1
vpc-2,us-east-1,,'{HOSTILE},"{{""env"":""e2""}}",vpc-2
""",
    "jsonl": """\
{"name": "vpc-1", "region": "eu-west-1", "is_default": true, "cidr_block": null, "tags": {"env": "e1"}, "id": "vpc-1"}
{"name": "vpc-2", "region": "us-east-1", "is_default": null, "cidr_block": "=1+1 \\u001b[31mred\\u001b[0m\\u202e", \
"tags": {"env": "e2"}, "id": "vpc-2"}
""",
    "text": """\
vpc-1\teu-west-1\tTrue\tNone\t{"env":"e1"}\tvpc-1
vpc-2\tus-east-1\tNone\t=1+1 red\t{"env":"e2"}\tvpc-2
""",
}


@pytest.mark.parametrize("file", ["all.duckdb", "all.parquet"])
@pytest.mark.parametrize("form", GOLDEN)
def test_forms(run, stored, form, file):
    done = run(STATEMENT, "--from", stored / file, "--output", form)
    assert (done.code, done.err) == (0, "")
    assert done.out == GOLDEN[form]


def test_json(run, stored):
    done = run(
        "select name, sum(1) n, 1.5 d, max(is_default) from ec2_vpcs group by 1 order by 1",
        "--from",
        stored / "all.parquet",
        "--output",
        "json",
    )
    assert json.loads(done.out)[0] == {"name": "vpc-1", "n": 1, "d": 1.5, "max(is_default)": True}


def test_columns_of_one_name_are_all_there(run, stored):
    done = run("select 1 as a, 2 as a, 3 as a", "--from", stored / "all.parquet", "--output", "jsonl")
    assert json.loads(done.out) == {"a": 1, "a_1": 2, "a_2": 3}


def test_no_rows_are_said(run, stored):
    done = run("select * from ec2_subnets", "--from", stored / "all.duckdb")
    assert (done.code, done.out, done.err) == (0, "", "mangrove: no rows\n")
    assert run("select name from ec2_subnets", "--from", stored / "all.duckdb", "--output", "csv").out == "name\n"
    assert run("select name from ec2_subnets", "--from", stored / "all.duckdb", "--output", "json").out == "[]\n"


@pytest.mark.parametrize(
    ("statement", "told"),
    [
        ("selec 1", 'error: the statement can\'t be run (line 1, column 1): syntax error at or near "selec"'),
        ("select * from ec2_vpc", "error: all.duckdb has no table 'ec2_vpc'; did you mean 'ec2_vpcs'"),
        ("delete from ec2_vpcs", "error: DELETE statements are not run: an inventory is only read"),
        ("copy ec2_vpcs to 'x.csv'", "error: COPY statements are not run: an inventory is only read"),
    ],
)
def test_a_broken_statement_is_wrong_usage(run, stored, statement, told):
    done = run(statement, "--from", stored / "all.duckdb")
    assert done.code == 2
    assert told in done.err
    assert done.out == ""


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--from", "missing.duckdb"), "missing.duckdb can't be read: No such file"),
        (("--from", "all.duckdb", "--accounts", "org"), "leave out --accounts"),
        (("--type", "ec2.vpc"), "did you mean 'vpcs'"),
        (("--role", "audit"), "--role is for the accounts of --accounts"),
    ],
)
def test_wrong_usage(run, stored, monkeypatch, arguments, told):
    monkeypatch.chdir(stored)
    done = run("select 1", *arguments)
    assert done.code == 2
    assert told in done.err


def test_what_had_failed_is_told(run, tmp_path):
    sink = ParquetSink(tmp_path / "all.parquet")
    denied = Outcome(Target(B, "eu-west-1", "ec2", type="ec2.vpcs"), "denied", error=PermissionError("no\x1b[31m"))
    sink.finish(Facts(NOW, ("ec2.vpcs",), outcomes=[denied]))
    done = run("select count(*) from ec2_vpcs", "--from", tmp_path / "all.parquet", "--output", "text")
    assert (done.code, done.out) == (1, "0\n")
    assert done.err == (
        f"mangrove: error: {B} eu-west-1: denied: no\nmangrove: the answer may lack what 1 failed target would tell\n"
    )


# -- AWS --------------------------------------------------------------------------------------------------------------


class Calls:
    """See every call of every client, and refuse some."""

    def __init__(self, monkeypatch):
        self.made = []
        self.refuses = lambda _operation, _region: None
        real = botocore.client.BaseClient._make_api_call

        def call(client, operation, arguments):
            self.made.append((operation, client.meta.region_name))
            code = self.refuses(operation, client.meta.region_name)
            if code:
                raise ClientError({"Error": {"Code": code, "Message": "not for you"}}, operation)
            return real(client, operation, arguments)

        monkeypatch.setattr(botocore.client.BaseClient, "_make_api_call", call)

    def regions(self, wanted):
        return sorted(region for operation, region in self.made if operation == wanted)


@pytest.fixture
def calls(embedded_aws_env, monkeypatch):
    return Calls(monkeypatch)


def test_aws_is_asked_for_the_tables_that_are_named(run, calls):
    done = run("select region, count(*) n from ec2_vpcs group by 1 order by 1", *TWO, "--output", "csv")
    assert (done.code, done.err) == (0, "")
    assert done.out == "region,n\neu-west-1,2\nus-east-1,2\n"
    assert calls.regions("DescribeVpcs") == ["eu-west-1", "eu-west-1", "us-east-1", "us-east-1"]
    assert calls.regions("DescribeSubnets") == []


def test_aws_is_asked_where_the_statement_looks(run, calls):
    done = run(
        f"select account, cidr_block, is_default from ec2_vpcs where region = 'eu-west-1' and account = '{B}'", *TWO
    )
    assert done.code == 0
    assert done.out.splitlines()[1].split() == [B, "172.31.0.0/16", "true"]
    assert calls.regions("DescribeVpcs") == ["eu-west-1"]


def test_global_services_are_whole(run, calls):
    done = run("select region, count(*) > 0 from iam_roles group by 1", *TWO, "--output", "text")
    assert (done.code, done.out.split("\t")[0]) in ((0, "aws-global"), (0, ""))
    assert run("select count(*) from iam_roles where region = 'eu-west-1'", *TWO, "--output", "text").out == "0\n"


def test_a_target_that_fails_is_told_and_is_the_exit_code(run, calls):
    calls.refuses = lambda operation, region: (
        "AccessDenied" if (operation, region) == ("DescribeVpcs", "us-east-1") else None
    )
    done = run("select count(*) from ec2_vpcs", *TWO, "--output", "text")
    assert (done.code, done.out) == (1, "2\n")
    assert f"error: {A} us-east-1 ec2.vpcs: denied" in done.err
    assert "the answer may lack what 2 failed targets would tell" in done.err


@pytest.mark.parametrize("statement", ["selec", "select * from ec2_vpc", "select nothing from ec2_vpcs"])
def test_a_broken_statement_is_said_before_the_first_call(run, calls, statement):
    assert run(statement, *TWO).code == 2
    assert calls.made == []


def test_without_credentials(run):
    done = run("select count(*) from ec2_vpcs", "--no-progress")
    assert done.code == 253
    assert "no credentials" in done.err


def interrupt_once(calls):
    heard = []

    def refuses(operation, _region):
        if operation == "DescribeVpcs" and not heard:
            heard.append(True)
            os.kill(os.getpid(), signal.SIGINT)

    calls.refuses = refuses


def test_ctrl_c_ends_the_command(run, calls):
    interrupt_once(calls)
    done = run("select count(*) from ec2_vpcs", *TWO)
    assert (done.code, done.out) == (130, "")


# -- the shell --------------------------------------------------------------------------------------------------------


@pytest.fixture
def shell(run, monkeypatch):
    def shell(text, *arguments):
        monkeypatch.setattr("sys.stdin", io.StringIO(text))
        return run(*arguments)

    return shell


def test_statements_from_a_pipe(shell, stored):
    text = "select 1 as one;\nselect\n  2 as two\n;; select ';' as three"
    done = shell(text, "--from", stored / "all.duckdb", "--output", "jsonl")
    assert (done.code, done.out) == (0, '{"one": 1}\n{"two": 2}\n{"three": ";"}\n')


def test_commands(shell, stored):
    text = ".tables\n.schema ec2_vpcs\n.output csv\nselect 1 as one;\n.quit\nselect 2;"
    done = shell(text, "--from", stored / "all.parquet")
    assert done.code == 0
    assert done.out.startswith("ec2_subnets\nec2_vpcs\nresources\naccount ")
    assert "\nis_default                       BOOLEAN\n" in done.out
    assert done.out.endswith("\none\n1\n")
    assert ".refresh" in shell(".help\n", "--from", stored / "all.parquet").out


def test_an_error_shows_the_place_and_the_shell_goes_on(shell, stored):
    done = shell(
        "select name,\n  nothing from ec2_vpcs;\nselect 1 as one;", "--from", stored / "all.duckdb", "--output", "csv"
    )
    assert (done.code, done.out) == (2, "one\n1\n")
    lines = done.err.splitlines()
    assert "(line 2, column 3)" in lines[0]
    assert lines[1:] == ["  nothing from ec2_vpcs", "  ^"]


@pytest.mark.parametrize("command", [".nonsense", ".schema", ".schema ec2_vpc", ".output xml"])
def test_a_wrong_command(shell, stored, command):
    done = shell(f"{command}\nselect 1;", "--from", stored / "all.duckdb", "--output", "text")
    assert (done.code, done.out) == (2, "1\n")
    assert done.err.startswith("mangrove: error: ")


def test_what_was_collected_is_kept_until_it_is_refreshed(shell, calls):
    text = "select count(*) from ec2_vpcs; select count(*) from ec2_vpcs;\n"
    assert shell(text, *TWO, "--output", "text").out == "4\n4\n"
    assert len(calls.regions("DescribeVpcs")) == 4
    calls.made.clear()
    assert shell(f"{text}.refresh\n{text}", *TWO, "--output", "text").out == "4\n" * 4
    assert len(calls.regions("DescribeVpcs")) == 8


def test_ctrl_c_cancels_a_statement_and_the_shell_goes_on(shell, calls):
    interrupt_once(calls)
    done = shell("select count(*) from ec2_vpcs;\nselect count(*) from ec2_vpcs;", *TWO, "--output", "text")
    assert (done.code, done.out) == (130, "4\n")
    assert "cancelled" in done.err


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("select 1; select 2;", (["select 1", " select 2"], "")),
        ("select ';", ([], "select ';")),
        ("select 'it''s;' ; x", (["select 'it''s;' "], " x")),
        ('select ";";', (['select ";"'], "")),
        ("select 1 -- ;\n;", (["select 1 -- ;\n"], "")),
        ("select /* ; */ 1;", (["select /* ; */ 1"], "")),
        ("select /* ;", ([], "select /* ;")),
        ("", ([], "")),
    ],
)
def test_statements_end_at_semicolons(text, found):
    assert split(text) == found


class Book:
    def names(self):
        return ["ec2_instances", "ec2_vpcs", "resources"]

    def columns(self, table):
        return [("account", "VARCHAR"), (f"{table}_id", "VARCHAR")]


@pytest.mark.parametrize(
    ("start", "line", "found"),
    [
        ("ec2_", "select * from ec2_", ["ec2_instances", "ec2_vpcs"]),
        ("ec2_vpcs_", "select ec2_vpcs_ from ec2_vpcs", ["ec2_vpcs_id"]),
        ("acc", "from ec2_vpcs select acc", ["account"]),
        ("acc", "select acc", []),
        ("SEL", "SEL", ["select"]),
        (".sc", ".sc", [".schema"]),
        ("ec2_v", ".schema ec2_v", ["ec2_vpcs"]),
        ("js", ".output js", ["json", "jsonl"]),
    ],
)
def test_words_are_completed(start, line, found):
    assert Completer(SimpleNamespace(book=Book())).words(start, line) == found


def test_the_terminal_has_a_history_of_its_own(stored, monkeypatch, capfd):
    readline = pytest.importorskip("readline")
    readline.clear_history()
    typed = iter(["select 1", "as one;", KeyboardInterrupt, "sel", KeyboardInterrupt, "select 2 as two;"])
    prompts = []

    def answer(prompt):
        prompts.append(prompt)
        found = next(typed, EOFError)
        if not isinstance(found, str):
            raise found
        readline.add_history(found)
        return found

    monkeypatch.setattr("builtins.input", answer)
    monkeypatch.setattr("sys.stdin", SimpleNamespace(isatty=lambda: True))
    assert main(["sql", "--from", str(stored / "all.duckdb"), "--output", "jsonl"]) == 0
    assert capfd.readouterr().out == '{"one": 1}\n{"two": 2}\n'
    assert prompts[:3] == ["mangrove> ", "      ...> ", "mangrove> "]
    path = sql_shell._history_path()
    assert path.read_text().splitlines() == ["select 1", "as one;", "sel", "select 2 as two;"]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    readline.clear_history()
    assert path.parent == sql_shell.Path(os.environ["XDG_CACHE_HOME"]) / "mangrove"


def test_what_ls_has_stored_is_asked_and_compared(run, calls, tmp_path, capfd):
    path = str(tmp_path / "all.duckdb")
    for _ in range(2):
        assert main(["ls", "ec2.vpcs", "s3.buckets", *TWO, "--to", path]) == 0
    capfd.readouterr()
    calls.made.clear()
    done = run("select region, count(*) from ec2_vpcs group by 1 order by 1", "--from", path, "--output", "text")
    assert (done.code, done.out) == (0, "eu-west-1\t2\nus-east-1\t2\n")
    assert run("select count(*) from s3_buckets", "--from", path, "--output", "text").out == "0\n"
    assert main(["diff", path]) == 0
    assert "nothing has changed" in capfd.readouterr().err
    assert calls.made == []
