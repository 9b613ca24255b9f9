"""`mangrove ls` at work on a small fleet: its outputs, its files, its options, and what is wrong with them."""

from __future__ import annotations

import csv
import io
import json
import re
from collections import Counter
from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from mangrove.aws.session import make_session
from mangrove.cli import main
from mangrove.testing import EmbeddedAWS

GOLDEN = Path(__file__).parent / "golden" / "ls"
REGIONS = ["us-east-1", "eu-west-1"]
HOSTILE = '=HYPERLINK(\x1b[31m\r\n\t,"x")'
# Some of moto's ids and times are others each time.
GIVEN = re.compile(r"\d{4}-\d\d-\d\dT[\d:.+]*|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|\b[a-z0-9]{20}\b")
TYPES = ["sqs.queues", "kinesis.streams", "iam.groups"]


@pytest.fixture(scope="module")
def aws():
    with EmbeddedAWS(accounts=2, regions=REGIONS) as embedded:
        embedded.reset()
        for account in embedded.accounts:
            for region in REGIONS:
                session = embedded.session(account, region)
                sqs = session.client("sqs")
                sqs.create_queue(QueueName=f"jobs-{region}", tags={"team": "web", "note": HOSTILE})
                sqs.create_queue(QueueName=f"plain-{region}")
                session.client("kinesis").create_stream(StreamName="clicks", ShardCount=1)
        embedded.session().client("iam").create_group(GroupName="=1+1")
        yield embedded
        embedded.reset()


@pytest.fixture
def ls(aws, monkeypatch, capfd, tmp_path):
    for name, value in aws.environment().items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)

    whole = ("--accounts", ",".join(aws.accounts), "--regions", ",".join(REGIONS))

    def run(*arguments, where=whole):
        code = main(["ls", *arguments, *where])
        out, err = capfd.readouterr()
        assert "Traceback" not in err
        return code, out, err

    return run


def steady(text):
    return GIVEN.sub("#", text).replace("http://127.0.0.1", "#")


def is_golden(name, text):
    """Compare with a file; delete it to have it written anew."""
    file = GOLDEN / name
    if not file.exists():
        file.parent.mkdir(exist_ok=True)
        file.write_text(text, "utf-8", newline="")
    with file.open(encoding="utf-8", newline="") as expected:
        assert text == expected.read()


SORTED = ["--sort", "account", "--sort", "region", "--sort", "type", "--sort", "name"]


@pytest.mark.parametrize("form", ["table", "json", "jsonl", "csv"])
def test_the_outputs_are_as_recorded(ls, form):
    code, out, err = ls(*TYPES, "--output", form, *SORTED, "--no-progress")
    assert (code, err) == (0, "")
    is_golden(f"rows.{form}", re.sub(r"localhost:\d+|#:\d+|127\.0\.0\.1:\d+", "#", steady(out)))


@pytest.mark.parametrize("form", ["json", "jsonl", "csv"])
def test_the_files_are_as_recorded(ls, form):
    code, out, err = ls("iam.groups", "kinesis.streams", "--to", f"rows.{form}")
    assert (code, out) == (0, "")
    assert f"5 resources in rows.{form}" in err
    with Path(f"rows.{form}").open(encoding="utf-8", newline="") as file:
        text = file.read()
    lines = [json.dumps(row) for row in json.loads(text)] if form == "json" else text.split("\n")[:-1]
    is_golden(f"file.{form}", steady("\n".join(sorted(lines))))


def test_columns_conditions_and_tags(ls):
    code, out, _ = ls(
        "sqs.*", "--columns", "region,name,tags.team", "--output", "csv", "--sort", "name:desc", "--tag", "team=w*"
    )
    assert code == 0
    rows = list(csv.reader(io.StringIO(out)))
    assert rows == [
        ["region", "name", "tags.team"],
        *[["us-east-1", "jobs-us-east-1", "web"]] * 2,
        *[["eu-west-1", "jobs-eu-west-1", "web"]] * 2,
    ]
    code, out, _ = ls("sqs.queues", "--tag", "!team", "--where", "region=='eu-west-1'", "--output", "jsonl")
    assert [json.loads(line)["name"] for line in out.splitlines()] == ["plain-eu-west-1"] * 2


def test_what_is_hostile_reaches_no_terminal_and_no_spreadsheet(ls):
    _, out, _ = ls("sqs.queues", "iam.groups", "--no-progress")
    assert not re.search(r"[\x00-\x09\x0b-\x1f]", out)
    _, out, _ = ls("iam.groups", "sqs.queues", "--columns", "name,tags.note", "--output", "csv")
    cells = [cell for line in csv.reader(io.StringIO(out, newline="")) for cell in line]
    assert "'=1+1" in cells
    assert f"'{HOSTILE}" in cells
    assert not any(cell.startswith(("=", "+", "-", "@", "\t", "\r")) for cell in cells)


def test_a_pattern_of_arns(ls, aws):
    account = aws.accounts[1]
    code, out, _ = ls(f"arn:aws:sqs:eu-*:{account}:jobs-*", "--columns", "arn", "--output", "csv")
    assert (code, out.splitlines()[1:]) == (0, [f"arn:aws:sqs:eu-west-1:{account}:jobs-eu-west-1"])


def test_a_dry_run_says_what_would_be_asked(ls):
    code, out, err = ls("sqs.queues", "iam.groups", "--dry-run")
    assert (code, err) == (0, "")
    assert "sqs sqs.queues 4" in out
    assert "iam iam.groups 2" in out
    code, out, _ = ls("*", "--dry-run", "--output", "json")
    assert json.loads(out)["total"] > 1000


@pytest.mark.parametrize("suffix", ["parquet", "duckdb", "html"])
def test_the_right_sink_is_used(ls, suffix, monkeypatch):
    from mangrove.inventory import duck, parquet, report

    seen = []

    class Sink:
        def __init__(self, path):
            seen.append(("made", path))

        def add(self, rows):
            seen.append(("add", len(rows)))

        def finish(self, facts):
            seen.append(("finish", facts.complete, facts.types))

        def abandon(self):
            seen.append("abandon")

    place = {"parquet": (parquet, "ParquetSink"), "duckdb": (duck, "DuckSink"), "html": (report, "ReportSink")}[suffix]
    monkeypatch.setattr(*place, Sink)
    assert ls("kinesis.streams", "--to", f"all.{suffix}")[0] == 0
    assert seen == [("made", f"all.{suffix}"), ("add", 4), ("finish", True, ("kinesis.streams",)), "abandon"]


@pytest.mark.parametrize("suffix", ["parquet", "duckdb", "html"])
def test_every_file_is_written(ls, suffix):
    pytest.importorskip("duckdb")
    assert ls("kinesis.streams", "--to", f"all.{suffix}")[0] == 0
    assert Path(f"all.{suffix}").stat().st_size > 1000


WRONG = [
    (["ec2.instance"], "did you mean 'instances'"),
    (["ecc.*"], "no service 'ecc'"),
    (["arn:aws:ec2:*"], "has 4 of an ARN's six fields"),
    (["--where", "State."], "--where 'State.' can't be read"),
    (["--where", "nothing(name)"], "there is no function 'nothing'"),
    (["--columns", "name,,arn"], "a column is empty"),
    (["--columns", "name,name"], "is there twice"),
    (["--columns", "State.["], "--columns 'State.[' can't be read"),
    (["--sort", ":desc"], "a column is empty"),
    (["--tag", "=x"], "--tag takes KEY=GLOB"),
    (["--to", "all.docx"], "its name must end in"),
    (["--to", "missing/all.csv"], "there is no folder"),
    (["--to", "."], "its name must end in"),
    (["--to", "all.csv", "--columns", "name"], "--columns is for what is printed"),
    (["--role", "audit"], "--role is for the accounts of --accounts"),
]


@pytest.mark.parametrize(("arguments", "says"), WRONG)
def test_what_is_wrong_is_said_before_the_first_call(ls, aws, arguments, says, monkeypatch):
    monkeypatch.setattr("mangrove.fleet.Fleet.listing", None)
    monkeypatch.setattr("mangrove.cli.call_fleet.narrowed", None)
    code, out, err = ls(*arguments, where=())
    assert (code, out) == (2, "")
    assert says in err


def test_a_file_that_can_t_be_written_is_said_first(ls, tmp_path, monkeypatch):
    monkeypatch.setattr("mangrove.cli.call_fleet.narrowed", None)
    Path("all.csv").mkdir()
    code, _, err = ls("sqs.queues", "--to", "all.csv")
    assert (code, "is a folder" in err) == (2, True)


def test_a_full_disk_leaves_the_old_file(ls, monkeypatch):
    Path("all.csv").write_text("old")

    def full(self, row, *, first):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("mangrove.inventory.texts.CsvSink.line", full)
    code, _, err = ls("sqs.queues", "--to", "all.csv")
    assert (code, "all.csv can't be written: No space left on device" in err) == (1, True)
    assert (Path("all.csv").read_text(), [path.name for path in Path().iterdir()]) == ("old", ["all.csv"])


def test_what_fails_is_told_and_the_rest_arrives(ls, aws, monkeypatch):
    def denied(model, context, **_):
        if context["client_region"] == "eu-west-1":
            raise ClientError({"Error": {"Code": "AccessDenied", "Message": "not here"}}, model.name)

    def make(**given):
        session = make_session(**given)
        session.events.register("before-call.sqs.ListQueues", denied)
        return session

    with monkeypatch.context() as patched:
        patched.setattr("mangrove.aws.session.make_session", make)
        code, out, err = ls("sqs.queues", "--output", "jsonl")
    assert (code, len(out.splitlines())) == (1, 4)
    assert err.count("eu-west-1 sqs.queues: denied: ") == 2
    where = ("--accounts", aws.accounts[0], "--regions", "eu-west-1,ap-east-1")
    code, out, err = ls("kinesis.streams", "--output", "jsonl", where=where)
    assert (code, len(out.splitlines())) == (0, 1)
    assert "1 disabled" in err


def test_if_everything_fails_the_old_file_stays(ls, aws):
    Path("all.json").write_text("old")
    where = ("--accounts", aws.accounts[0], "--regions", "eu-west-1", "--endpoint-url", "http://127.0.0.1:9")
    code, out, err = ls("kinesis.streams", "--to", "all.json", where=where)
    assert (code, out, Path("all.json").read_text()) == (254, "", "old")
    assert "all.json is as it was" in err


def test_without_credentials_the_code_is_253(ls, monkeypatch):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    code, out, err = ls("sqs.queues", where=("--regions", "eu-west-1"))
    assert (code, out) == (253, "")
    assert "no credentials" in err


def test_an_interrupt_keeps_what_was_found(ls, monkeypatch):
    from mangrove.cli import ls_run

    taken = []

    def through(self, results, stop):
        self._stop = stop
        for number, result in enumerate(results):
            if number == 2:
                self.heard = True
                stop()
                return
            taken.append(result)
            yield result

    monkeypatch.setattr(ls_run.Interruption, "through", through)
    code, out, err = ls("sqs.queues", "--output", "jsonl")
    assert (code, len(out.splitlines())) == (130, 2)
    assert "interrupted: " in err
    assert ls("sqs.queues", "--to", "new.csv")[0] == 130
    assert len(Path("new.csv").read_text().splitlines()) == 3
    Path("old.csv").write_text("old")
    code, _, err = ls("sqs.queues", "--to", "old.csv")
    assert (code, Path("old.csv").read_text()) == (130, "old")
    assert "old.csv is as it was" in err


def test_progress_is_told_on_standard_error_alone(ls):
    _, out, err = ls("sqs.queues", "--output", "jsonl")
    assert "listing 1 type in 2 accounts" in err
    assert re.search(r"4 targets: 4 ok; 8 resources, \d+ calls", err)
    assert Counter(json.loads(line)["type"] for line in out.splitlines()) == {"sqs.queues": 8}
