"""The report's file: made in one step or not at all, in flat memory, with nothing in it that could break out."""

from __future__ import annotations

import base64
import errno
import json
import os
import re
import stat
import sys
import tracemalloc
import zlib
from datetime import datetime, timezone
from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from mangrove.errors import OutputError
from mangrove.fleet import Outcome, Target
from mangrove.inventory.facts import Facts
from mangrove.inventory.report import ReportSink
from mangrove.inventory.rows import Row

FACTS = Facts(datetime(2026, 1, 2, tzinfo=timezone.utc), ("s3.buckets",))
HOSTILE = "</script><script>alert(1)</script><!-- \u2028 &amp; \ud800"


def row(name="logs", **members):
    values = {"tags": {"env": "prod"}, "data": {"Name": name}, "arn": f"arn:aws:s3:::{name}"}
    return Row("111111111111", "us-east-1", "s3", "s3.buckets", name, partition="aws", **{**values, **members})


def blocks(path, kind):
    found = re.findall(rf'<script type="text/plain" data-part="{kind}">([^<]*)</script>', path.read_text("utf-8"))
    return [json.loads(zlib.decompress(base64.b64decode(block))) for block in found if block]


def rows_in(path):
    for part in blocks(path, "rows"):
        words = [*part["words"], None]
        for *members, tags in part["rows"]:
            yield *(words[number] for number in members), tags and [words[number] for number in tags]


def write(path, rows, facts=FACTS, **options):
    sink = ReportSink(path, **options)
    sink.add(rows)
    sink.finish(facts)
    return path


def left_in(folder):
    return sorted(path.name for path in folder.iterdir())


# -- one step or none -------------------------------------------------------------------------------------------------


def test_all_rows_are_in_it_in_their_order(tmp_path):
    every = [
        row(f"b-{number}", arn=None if number % 3 else "arn", tags=None if number % 5 else {"k": str(number)})
        for number in range(2_500)
    ]
    path = tmp_path / "report.html"
    sink = ReportSink(path)
    for start in range(0, len(every), 77):
        sink.add(every[start : start + 77])
    sink.finish(FACTS)
    assert list(rows_in(path)) == [
        (
            each.account,
            each.region,
            each.service,
            each.type,
            each.partition,
            each.name,
            each.arn,
            None if each.tags is None else [text for pair in each.tags.items() for text in pair],
        )
        for each in every
    ]
    assert [json.loads(text) for part in blocks(path, "details") for text in part] == [
        dict(each.data) for each in every
    ]
    assert left_in(tmp_path) == ["report.html"]


def test_the_old_file_stays_until_the_end(tmp_path):
    path = tmp_path / "report.html"
    path.write_text("old")
    sink = ReportSink(path)
    sink.add([row()] * 3_000)
    assert path.read_text() == "old"
    sink.finish(FACTS)
    assert path.read_text().startswith("<!doctype html>")


def test_what_is_abandoned_leaves_nothing(tmp_path):
    path = tmp_path / "report.html"
    path.write_text("old")
    sink = ReportSink(path)
    sink.add([row()] * 3_000)
    sink.abandon()
    sink.abandon()
    assert (left_in(tmp_path), path.read_text()) == (["report.html"], "old")
    with pytest.raises(ValueError, match="finished or abandoned"):
        sink.finish(FACTS)


def test_to_abandon_what_is_finished_changes_nothing(tmp_path):
    sink = ReportSink(tmp_path / "report.html")
    sink.finish(FACTS)
    sink.abandon()
    assert left_in(tmp_path) == ["report.html"]


@pytest.mark.parametrize("when", ["add", "finish"])
def test_a_full_disk_leaves_the_old_file(tmp_path, monkeypatch, when):
    path = tmp_path / "report.html"
    path.write_text("old")
    sink = ReportSink(path)

    def full(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    if when == "add":
        monkeypatch.setattr(sink, "_write_parts", full)
    else:
        monkeypatch.setattr("mangrove.inventory.report.sink.os.fsync", full)
    with pytest.raises(
        OutputError, match=r"report\.html' can't be written: No space left on device; what was there is as it was"
    ):
        sink.add([row()] * 3_000)
        sink.finish(FACTS)
    assert (left_in(tmp_path), path.read_text()) == (["report.html"], "old")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full on this system")
def test_a_disk_that_is_full_indeed(tmp_path, monkeypatch):
    sink = ReportSink(tmp_path / "report.html")
    _, file = sink._draft
    os.dup2(os.open("/dev/full", os.O_WRONLY), file.fileno())
    with pytest.raises(OutputError, match="No space left"):
        sink.add([row(data={"Text": "x" * 3_000 + str(number)}) for number in range(3_000)])
        sink.finish(FACTS)
    assert left_in(tmp_path) == []


def test_two_that_write_one_file_do_not_mix(tmp_path):
    path = tmp_path / "report.html"
    one, other = ReportSink(path), ReportSink(path)
    one.add([row("one")])
    other.add([row("other")])
    one.finish(FACTS)
    other.finish(FACTS)
    assert [members[5] for members in rows_in(path)] == ["other"]
    assert left_in(tmp_path) == ["report.html"]


# -- where it can't be written, before the first call -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("place", "reason"),
    [
        ("", "it is a folder; give the name of a file"),
        ("missing/report.html", "there is no folder '.*missing'; make it first"),
        ("file/report.html", "file"),
        ("report\0.html", "null"),
    ],
)
def test_a_place_that_takes_no_file_is_refused(tmp_path, place, reason):
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match=reason):
        ReportSink(f"{tmp_path}/{place}")
    assert left_in(tmp_path) == ["file"]


@pytest.mark.skipif(not Path("/dev/null").is_char_device(), reason="no devices on this system")
def test_a_device_is_no_place_for_a_report():
    with pytest.raises(OutputError, match="no regular file"):
        ReportSink("/dev/null")


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_is_not_ours_is_refused(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(OutputError, match="Permission denied"):
        ReportSink(tmp_path / "report.html")


def test_a_link_is_followed(tmp_path):
    (tmp_path / "there").mkdir()
    link = tmp_path / "link.html"
    link.symlink_to(tmp_path / "there" / "report.html")
    write(link, [row()])
    assert link.is_symlink()
    assert left_in(tmp_path / "there") == ["report.html"]


def test_the_place_stays_when_the_folder_changes(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    sink = ReportSink("report.html")
    monkeypatch.chdir("/")
    sink.finish(FACTS)
    assert left_in(tmp_path) == ["report.html"]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such modes")
def test_it_is_its_owners_alone_unless_the_old_one_was_not(tmp_path):
    path = write(tmp_path / "report.html", [])
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    path.chmod(0o644)
    assert stat.S_IMODE(write(path, []).stat().st_mode) == 0o644


# -- what is in it ----------------------------------------------------------------------------------------------------


def test_nothing_breaks_out_of_its_block(tmp_path):
    hostile = Row(
        HOSTILE, HOSTILE, HOSTILE, HOSTILE, HOSTILE, HOSTILE, {HOSTILE: HOSTILE}, HOSTILE, {HOSTILE: [HOSTILE]}
    )
    target = Target(HOSTILE, HOSTILE, HOSTILE, type=HOSTILE, name=HOSTILE)
    failed = Outcome(target, "failed", error=ValueError(HOSTILE))
    path = write(tmp_path / "report.html", [hostile], Facts(FACTS.taken, (HOSTILE,), {HOSTILE: HOSTILE}, (failed,)))
    empty = write(tmp_path / "empty.html", [])
    text = path.read_text("utf-8")
    assert "alert(" not in text
    assert text.count("<script") == empty.read_text("utf-8").count("<script") + 2  # the rows and the details
    assert list(rows_in(path)) == [(HOSTILE,) * 7 + ([HOSTILE, HOSTILE],)]
    assert json.loads(blocks(path, "details")[0][0]) == {HOSTILE: [HOSTILE]}


def test_the_policy_names_what_is_in_the_file_and_nothing_else(tmp_path):
    text = write(tmp_path / "report.html", []).read_text("utf-8")
    policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]*)"', text)[1]
    import hashlib

    def hashes(tag):
        return [
            f"'sha256-{base64.b64encode(hashlib.sha256(each.encode()).digest()).decode()}'"
            for each in re.findall(rf"<{tag}>(.*?)</{tag}>", text, re.DOTALL)
        ]

    assert policy == "; ".join(
        [
            "default-src 'none'",
            f"script-src {' '.join(hashes('script'))}",
            f"style-src {' '.join(hashes('style'))}",
            "img-src data:",
            "connect-src 'none'",
            "base-uri 'none'",
            "form-action 'none'",
            "require-trusted-types-for 'script'",
            "trusted-types 'none'",
        ]
    )
    assert len(hashes("script")) == 2
    assert text.index("Content-Security-Policy") < text.index("<style>") < text.index("<script>")


def test_the_page_names_no_address_but_the_consoles(tmp_path):
    text = write(tmp_path / "report.html", []).read_text("utf-8")
    assert re.findall(r"(?:https?:)?//[a-z0-9.]+\.[a-z]+", text) == []
    assert set(re.findall(r"https?://[^/`]+", text)) == {"https://${host}"}
    assert (
        re.findall(
            r"innerHTML|outerHTML|insertAdjacent|document\.write|\beval\(|new Function|\bon[a-z]+=\"|style=\"", text
        )
        == []
    )


def test_secrets_stay_out(tmp_path):
    secret = "wJalrXUtnFEMI"
    data = {
        "Environment": {"Variables": {"KEY": secret}, "Error": {"Message": "shown"}},
        "UserData": secret,
        "AuthToken": secret.encode(),
        "containerDefinitions": [{"environment": [{"name": "KEY", "value": secret}], "image": "shown"}],
        "MasterUserPassword": secret,
        "SecretString": secret,
        "SessionToken": secret,
        "Tags": [{"Key": "shown", "Value": "shown"}],
    }
    path = write(tmp_path / "report.html", [row(data=data)])
    found = blocks(path, "details")[0][0]
    assert secret not in found
    assert base64.b64encode(secret.encode()).decode() not in found
    assert json.loads(found)["Environment"] == {"Variables": {"KEY": "***"}, "Error": {"Message": "shown"}}
    assert json.loads(found)["containerDefinitions"][0] == {
        "environment": [{"name": "KEY", "value": "***"}],
        "image": "shown",
    }
    assert found.count("shown") == 4


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (datetime(2026, 1, 2, tzinfo=timezone.utc), "2026-01-02T00:00:00+00:00"),
        (b"\x00\xff", "AP8="),
        (float("nan"), "NaN"),
        (float("-inf"), "-Infinity"),
        ({"b"}, ["b"]),
        (2**80, 2**80),
        (1.5, 1.5),
        (True, True),
        (None, None),
        ({1: 2}, {"1": 2}),
    ],
)
def test_every_value_of_botocore_can_be_said(tmp_path, value, said):
    path = write(tmp_path / "report.html", [row(data={"Value": value})])
    assert json.loads(blocks(path, "details")[0][0]) == {"Value": said}


def test_details_can_be_left_out(tmp_path):
    path = write(tmp_path / "report.html", [row()], data=False)
    assert blocks(path, "details") == []
    assert len(list(rows_in(path))) == 1


def test_memory_does_not_grow_with_the_rows(tmp_path):
    def peak(count):
        sink = ReportSink(tmp_path / "report.html")
        tracemalloc.start()
        for start in range(0, count, 100):
            sink.add(
                [row(f"bucket-{number}", data={"Text": f"{number}" * 200}) for number in range(start, start + 100)]
            )
        sink.finish(FACTS)
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return most

    peak(100)
    assert peak(12_000) < 1.5 * peak(3_000)


# -- the overview -----------------------------------------------------------------------------------------------------


def denied(account, region="eu-west-1", action="kms:ListKeys"):
    message = (
        f"User: arn:aws:sts::{account}:assumed-role/r/s-{account} is not authorized to perform: {action} in {region}"
    )
    error = ClientError({"Error": {"Code": "AccessDenied", "Message": message}}, "ListKeys")
    return Outcome(Target(account, region, "kms", type="kms.keys"), "denied", error=error, rows=2)


def overview(tmp_path, *outcomes):
    (found,) = blocks(write(tmp_path / "report.html", [], Facts(FACTS.taken, (), {}, outcomes)), "overview")
    return found


def test_failures_of_one_cause_are_one(tmp_path):
    one = [denied("111111111111"), denied("222222222222"), denied("111111111111", "us-east-1")]
    other = denied("111111111111", action="kms:DescribeKey")
    disabled = Outcome(Target("111111111111", "af-south-1"), "disabled", error=PermissionError("111111111111 has not"))
    found = overview(tmp_path, other, *one, disabled, Outcome(Target("111111111111", "eu-west-1"), "ok"))
    assert [len(cause["targets"]) for cause in found["causes"]] == [3, 1]
    first, last = found["causes"]
    assert first["message"].endswith(
        "User: arn:aws:sts::…:assumed-role/r/… is not authorized to perform: kms:ListKeys in …"
    )
    # The message of a single target is whole.
    assert "222222222222" not in last["message"]
    assert "s-111111111111" in last["message"]
    assert first["rows"] == 6
    assert (found["failed"], found["complete"], len(found["skipped"]), found["targets"]) == (4, False, 1, 6)
    assert sorted(found["gaps"]) == [["eu-west-1", "kms", 3], ["us-east-1", "kms", 1]]


def test_an_answer_cut_short_is_never_quoted(tmp_path):
    from botocore.parsers import ResponseParserError

    outcome = Outcome(
        Target("111111111111", "eu-west-1"), "failed", error=ResponseParserError("<SecretAccessKey>wJalr")
    )
    assert "wJalr" not in json.dumps(overview(tmp_path, outcome))
