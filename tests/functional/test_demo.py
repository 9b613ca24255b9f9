"""The command `mangrove demo` as people run it: a process of its own against the real embedded AWS, in a small size."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from mangrove import Arn
from mangrove.inventory import DEFAULT_TYPES

SMALL = ["demo", "--accounts", "1", "--region", "eu-west-1"]
LARGER = ["demo", "--accounts", "2", "--region", "us-east-1", "--region", "eu-west-1", "--output", "json"]
OUTPUTS = ["json", "jsonl", "csv", "table"]
BY_SERVICE = """
acm 1, apigateway 2, autoscaling 2, cloudformation 4, cloudfront 1, cloudtrail 2, cloudwatch 6, dynamodb 4, ec2 82,
ecr 4, ecs 6, efs 2, elasticache 2, elbv2 4, events 8, iam 10, kinesis 2, kms 4, lambda 4, logs 6, opensearch 1,
rds 4, redshift 1, route53 2, s3 8, secretsmanager 4, sns 4, sqs 6, ssm 10, stepfunctions 4, wafv2 2
"""
IN_ALL = "202 resources, 31 services, 2 accounts, 2 regions, 259 calls: listed in # s, # s in all"
ONCE = ("cloudfront.", "cloudtrail.", "iam.", "route53.", "s3.")
FOUND = set(DEFAULT_TYPES) - {"eks.clusters"}
COLUMNS = ["account", "region", "type", "name", "arn", "tags"]
CSV = ["account", "region", "partition", "service", "type", "name", "arn", "tags"]
JSON = [*CSV, "data"]

# Several runs in one process, to load moto once; each writes to files of its own. The last has a resource with a
# hostile name and a type whose API the embedded AWS lacks; all else is the command itself.
DRIVER = r"""
import dataclasses, os, pathlib, sys
from mangrove import inventory, resources
import mangrove.resources.kinds
from mangrove.cli import main
from mangrove.testing import EmbeddedAWS

folder = pathlib.Path(sys.argv[1])
seed = EmbeddedAWS.seed

def run(name, *arguments):
    for number, stream in ((1, "out"), (2, "err")):
        handle = os.open(folder / f"{name}.{stream}", os.O_WRONLY | os.O_CREAT)
        os.dup2(handle, number)
        os.close(handle)
    code = main(["demo", "--accounts", "1", "--region", "eu-west-1", *arguments])
    (folder / f"{name}.code").write_text(str(code))

def hostile(aws, progress=None):
    seed(aws, progress)
    tags = {"note": "\x1b]0;owned\x07\x1b[31mred\x1b[0m\u202e[bold]"}
    aws.session().client("sqs").create_queue(QueueName="hostile", tags=tags)

run("jsonl", "--output", "jsonl", "--no-progress")
run("csv", "--output", "csv")
run("table")
EmbeddedAWS.seed = hostile
inventory.DEFAULT_TYPES = (*inventory.DEFAULT_TYPES, "sns.topics.subscriptions", "wafv2.regional_rule_groups")
wafv2 = resources.kinds.kind_of("wafv2.regional_rule_groups")
wrong = (("Limit", "\x1b[31mmany"),)
resources.kinds._KNOWN = {**resources.kinds._KNOWN, wafv2.name: dataclasses.replace(wafv2, arguments=wrong)}
run("hostile")
"""


def start(*arguments):
    # The user's own settings must not matter: these would break any session that hears them.
    environment = {**os.environ, "AWS_PROFILE": "absent", "AWS_DEFAULT_REGION": "nowhere", "PYTHONUTF8": "1"}
    environment.pop("MOTO_ACCOUNT_ID", None)
    return subprocess.Popen(
        [sys.executable, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        stdin=subprocess.DEVNULL,
        encoding="utf-8",
        env=environment,
        # A shell that starts the tests in the background has its children ignore Ctrl-C.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),  # noqa: PLW1509
    )


def finish(process):
    out, err = process.communicate(timeout=300)
    return process.returncode, out, err


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs")
    larger, driver = start("-m", "mangrove", *LARGER), start("-c", DRIVER, str(folder))
    found = {"json": finish(larger)}
    code, out, err = finish(driver)
    assert code == 0, out + err
    for name in ("jsonl", "csv", "table", "hostile"):
        texts = [(folder / f"{name}.{part}").read_text("utf-8") for part in ("code", "out", "err")]
        found[name] = (int(texts[0]), *texts[1:])
    return found


@pytest.fixture(scope="module")
def rows(runs):
    return json.loads(runs["json"][1])


def number_of(what, err):
    return int(re.search(rf"(\d+) {what}s?\b", err)[1])


@pytest.mark.parametrize("output", OUTPUTS)
def test_it_ends_well(runs, output):
    code, _, err = runs[output]
    assert code == 0, err
    assert "error" not in err
    assert "Traceback" not in err
    assert "\x1b" not in err


def test_json_is_one_array_of_whole_rows(runs, rows):
    assert all(list(row) == JSON for row in rows)
    assert len(rows) == number_of("resource", runs["json"][2]) > 60


def test_jsonl_has_one_object_a_line(runs):
    _, out, err = runs["jsonl"]
    found = [json.loads(line) for line in out.splitlines()]
    assert all(list(row) == JSON for row in found)
    assert len(found) == number_of("resource", err)


def test_csv_has_a_header_and_tags_as_json(runs):
    _, out, err = runs["csv"]
    header, *lines = csv.reader(io.StringIO(out))
    assert header == CSV
    assert len(lines) == number_of("resource", err)
    assert all(isinstance(json.loads(line[-1]), dict) for line in lines)


def test_a_piped_table_has_one_row_a_line_with_its_arn_whole(runs):
    _, out, err = runs["table"]
    header, *lines = out.splitlines()
    assert header.split() == [name.upper() for name in COLUMNS]
    assert len(lines) == number_of("resource", err)
    assert {line.split()[4] for line in lines} >= {
        "arn:aws:iam::123456789012:role/OrganizationAccountAccessRole",
        "arn:aws:s3:::" + next(line.split()[3] for line in lines if " s3.buckets " in line),
    }
    assert all(Arn.parse(line.split()[4]) for line in lines)


def test_the_same_fleet_gives_the_same_rows_in_every_form(runs):
    forms = [runs[name][1] for name in ("jsonl", "csv", "table")]
    assert len({len(out.splitlines()) for out in (forms[0], *(form.split("\n", 1)[1] for form in forms[1:]))}) == 1


def test_the_summary_counts_what_was_printed(runs, rows):
    err = runs["json"][2]
    services = Counter(row["service"] for row in rows)
    assert ", ".join(f"{name} {count}" for name, count in sorted(services.items())) in err
    assert number_of("service", err) == len(services) == 31
    assert (number_of("account", err), number_of("region", err)) == (2, 2)
    # One call for each list and place at the least: once an account where one answers for all regions.
    once = [
        name for name in DEFAULT_TYPES if name.startswith(("cloudfront.", "cloudtrail.", "iam.", "route53.", "s3."))
    ]
    assert len(once) == 6
    assert number_of("call", err) >= (len(DEFAULT_TYPES) - 6) * 4 + 6 * 2


def test_the_summary_is_as_recorded(runs):
    lines = [line for line in runs["json"][2].splitlines() if not line.startswith("mangrove: ")]
    assert [re.sub(r"\d+\.\d s", "# s", line) for line in lines] == [" ".join(BY_SERVICE.split()), IN_ALL]


def test_every_default_type_is_found(rows):
    # moto's EKS reads the user's own configuration files: the seed has none of it.
    assert {row["type"] for row in rows} == FOUND
    assert len({row["service"] for row in rows}) >= 25
    assert all(row["type"].startswith(f"{row['service']}.") for row in rows)


# What a service is called in its ARNs, where that is not boto3's name of it.
PREFIXES = {
    "efs": "elasticfilesystem",
    "elbv2": "elasticloadbalancing",
    "opensearch": "es",
    "stepfunctions": "states",
}


def test_every_arn_is_well_formed_and_names_its_row(rows):
    for row in rows:
        arn = Arn.parse(row["arn"])
        assert (arn.partition, arn.service) == ("aws", PREFIXES.get(row["service"], row["service"])), row
        assert arn.region in ("", row["region"]), row
        assert arn.account in ("", row["account"]), row
    assert len({row["arn"] for row in rows}) == len(rows)


def test_rows_are_sorted(rows):
    keys = [[row[name] for name in ("account", "region", "service", "type", "name")] for row in rows]
    assert keys == sorted(keys)


def test_each_bucket_is_there_once_in_its_own_region(rows):
    buckets = [row for row in rows if row["service"] == "s3"]
    assert max(Counter(row["name"] for row in buckets).values()) == 1
    assert {row["region"] for row in buckets} == {"us-east-1", "eu-west-1"}
    assert all(row["name"].endswith(row["region"]) for row in buckets if row["region"] in row["name"])


@pytest.mark.parametrize("service", ["cloudfront", "iam", "route53"])
def test_a_global_service_is_listed_once_an_account(rows, service):
    found = [row for row in rows if row["service"] == service]
    assert {row["region"] for row in found} == {"aws-global"}
    has = {"210987654321"} if service == "cloudfront" else {"123456789012", "210987654321"}
    assert {row["account"] for row in found} == has
    assert max(Counter((row["account"], row["name"]) for row in found).values()) == 1


def test_most_rows_have_tags(rows):
    tagged = {row["type"] for row in rows if row["tags"]}
    assert tagged == FOUND - {"events.event_buses"}
    assert all(row["tags"] is not None for row in rows)


def test_progress_goes_to_standard_error_and_can_be_off(runs):
    assert "mangrove: listing" in runs["json"][2]
    assert "mangrove: listing" not in runs["jsonl"][2]


def test_a_failing_cell_is_named_and_the_rest_arrives(runs):
    code, out, err = runs["hostile"]
    assert code == 1
    (line,) = [line for line in err.splitlines() if "mangrove: error" in line]
    assert line.startswith("mangrove: error: 123456789012 eu-west-1 wafv2.regional_rule_groups: ")
    assert "incomplete: 1 list failed" in err
    assert "Traceback" not in err
    # One queue more than the same fleet without it.
    assert len(out.splitlines()) == len(runs["table"][1].splitlines()) + 1


def test_hostile_names_do_not_reach_the_terminal(runs):
    _, out, err = runs["hostile"]
    (line,) = [line for line in out.splitlines() if "hostile" in line]
    assert line.endswith("note=red[bold]")
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]", out + err)


def test_an_interrupt_ends_quietly():
    process = start("-m", "mangrove", "demo")
    assert "starting" in process.stderr.readline()
    process.send_signal(signal.SIGINT)
    code, out, err = finish(process)
    assert (code, out) == (130, "")
    assert "Traceback" not in err


def test_a_reader_that_leaves_is_no_error():
    text = "from mangrove.cli.output import emit; emit(f'{n}\\n' for n in range(10**6))"
    process = start("-c", text)
    assert process.stdout.readline() == "0\n"
    process.stdout.close()
    assert (process.stderr.read(), process.wait(60)) == ("", 0)
    process.stderr.close()


@pytest.mark.parametrize(
    "arguments",
    [
        ["--accounts", "0"],
        ["--region", "mars"],
        ["--region", "xx-mars-1"],
        ["--region", "me-central-1"],
        ["--region", "cn-north-1"],
        ["--output", "xml"],
    ],
)
def test_wrong_usage_is_said_before_anything_is_made(arguments, capfd):
    from mangrove.cli import main

    assert main(["demo", *arguments]) == 2
    out, err = capfd.readouterr()
    assert out == ""
    assert "Error: " in err
    assert "Traceback" not in err


def test_version_and_help(capfd):
    from mangrove import __version__
    from mangrove.cli import main

    assert (main(["--version"]), main(["-h"]), main(["demo", "--help"])) == (0, 0, 0)
    out, _ = capfd.readouterr()
    assert out.startswith(f"mangrove {__version__}\n")
    assert "--region NAME" in out


@pytest.mark.parametrize("missing", ["click", "rich"])
def test_a_missing_extra_is_one_line(missing):
    text = f"import sys; sys.modules[{missing!r}] = None; from mangrove.cli import main; sys.exit(main(['demo']))"
    code, out, err = finish(start("-c", text))
    assert (code, out) == (2, "")
    assert err.startswith("mangrove: error: ")
    assert "pymangrove[cli]" in err
    assert err.count("\n") == 1


def test_our_errors_are_one_line(monkeypatch, capfd):
    from mangrove.cli import main
    from mangrove.errors import NotRunningError
    from mangrove.testing import EmbeddedAWS

    def refuse(self):
        raise NotRunningError("no \x1b[31mport\n is free")

    monkeypatch.setattr(EmbeddedAWS, "start", refuse)
    assert main(["demo", "--no-progress"]) == 1
    assert capfd.readouterr() == ("", "mangrove: error: no port is free\n")


def test_the_table_is_followed_by_sql_and_a_report(runs):
    _, _, err = runs["table"]
    assert re.findall(r'^mangrove sql "select .*"$', err, re.MULTILINE) != []
    assert re.search(r"^payments +\d+ +\d+$|^platform +\d+ +\d+$", err, re.MULTILINE)
    (path,) = re.findall(r"^report: (.*)$", err, re.MULTILINE)
    assert Path(path).read_text("utf-8").startswith("<!doctype html>")
    assert "report: " not in runs["csv"][2]


def test_a_closed_or_full_output_is_one_line():
    closed = subprocess.run(
        ["sh", "-c", f"{sys.executable} -m mangrove demo --accounts 1 --region us-east-1 --output csv >&-"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (closed.returncode, closed.stderr.count("Traceback")) == (1, 0)
    assert "mangrove: error: standard output can't be written" in closed.stderr


@pytest.mark.parametrize(
    ("region", "says"),
    [
        ("us-east-9", "did you mean 'us-east-2'"),
        ("EU-WEST-1", "did you mean 'eu-west-1'"),
        ("ap-east-1", "is not enabled in the accounts of the demo; take of ap-northeast-1"),
        ("cn-north-1", "is not enabled in the accounts of the demo"),
    ],
)
def test_a_region_of_no_use_is_refused_before_anything_starts(region, says):
    code, out, err = finish(start("-m", "mangrove", "demo", "--region", region))
    assert (code, out) == (2, "")
    assert says in err
    assert "starting" not in err
