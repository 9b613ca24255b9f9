"""Measure resources beside plain boto3: their start, listing with ARNs, and the way back; in fresh processes.

    python benchmarks/resources.py [--rounds 5] [--json FILE] [--only start,list,back]

Both libraries run in turn; a figure is the median of the rounds. Time is the CPU time of the process. What AWS answers
is made here: no call leaves the process, and all of botocore's own work for an answer is in the figures.
"""

# ruff: noqa: INP001, T201, S603, PLC0415  a program that measures, and prints
from __future__ import annotations

import argparse
import gc
import io
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

ACCOUNT, REGION = "123456789012", "eu-west-1"
COUNT, PAGE = 1_000, 100
ARNS = (
    "arn:aws:rds:eu-west-1:123456789012:db:orders",
    "arn:aws:ec2:us-east-1:123456789012:instance/i-0123456789abcdef0",
    "arn:aws:s3:::a-bucket",
    "arn:aws:lambda:eu-west-1:123456789012:function:resize",
    "arn:aws:dynamodb:eu-west-1:123456789012:table/orders",
    "arn:aws:sqs:eu-west-1:123456789012:orders",
    "arn:aws:iam::123456789012:role/team/reader",
    "arn:aws:ecs:eu-west-1:123456789012:cluster/web",
    "arn:aws:kms:eu-west-1:123456789012:key/01234567-89ab-cdef-0123-456789abcdef",
    "arn:aws:sns:eu-west-1:123456789012:alerts",
)


def session(kind: str) -> Any:
    """Return a session of the library that is measured."""
    if kind == "boto3":
        import boto3 as library
    else:
        import mangrove as library
    return library.Session("AKIA", "secret", region_name=REGION, aws_account_id=ACCOUNT)


# -- what is measured, in a process of its own ------------------------------------------------------------------------


def names(kind: str) -> dict[str, float]:
    """List the services that have resources; what is kept on disk is there from then on."""
    return dict.fromkeys(session(kind).get_available_resources(), 0.0)


def start(kind: str, cached: str, services: list[str]) -> dict[str, float]:
    """Make a resource of each service after its client, and time the resource alone, in milliseconds."""
    os.environ["MANGROVE_CACHE"] = cached
    made = session(kind)
    made.resource("glacier")  # imports what resources need
    found = {}
    for name in services:
        made.client(name)
        # What other services have left behind is not to be walked over in this one's time.
        gc.freeze()
        began = time.process_time()
        made.resource(name)
        found[name] = (time.process_time() - began) * 1e3
    return found


class _Body(io.BytesIO):
    """Be what urllib3 gives."""

    def stream(self, *_: Any, **__: Any) -> Iterator[bytes]:
        yield self.getvalue()


def _volume(number: int) -> str:
    return f"""<item><volumeId>vol-{number:017x}</volumeId><size>8</size><snapshotId/>
<availabilityZone>eu-west-1a</availabilityZone><status>in-use</status>
<createTime>2026-01-0{number % 9 + 1}T00:00:00.000Z</createTime><attachmentSet>
<item><volumeId>vol-{number:017x}</volumeId><instanceId>i-{number:017x}</instanceId><device>/dev/sda1</device>
<status>attached</status><deleteOnTermination>true</deleteOnTermination></item></attachmentSet><tagSet><item><key>team</key>
<value>red</value></item></tagSet><volumeType>gp3</volumeType><iops>3000</iops><encrypted>true</encrypted></item>"""


def _volumes(first: int) -> bytes:
    more = f"<nextToken>{first + PAGE}</nextToken>" if first + PAGE < COUNT else ""
    items = "".join(map(_volume, range(first, first + PAGE)))
    head = '<DescribeVolumesResponse xmlns="http://ec2.amazonaws.com/doc/2016-11-15/">'
    return f"{head}<volumeSet>{items}</volumeSet>{more}</DescribeVolumesResponse>".encode()


def _database(number: int) -> str:
    return f"""<DBInstance><DBInstanceIdentifier>db-{number}</DBInstanceIdentifier><DBInstanceClass>db.t3.micro
</DBInstanceClass><Engine>postgres</Engine><DBInstanceStatus>available</DBInstanceStatus><MasterUsername>u</MasterUsername>
<AllocatedStorage>20</AllocatedStorage><InstanceCreateTime>2026-01-0{number % 9 + 1}T00:00:00.000Z</InstanceCreateTime>
<DBInstanceArn>arn:aws:rds:{REGION}:{ACCOUNT}:db:db-{number}</DBInstanceArn><MultiAZ>false</MultiAZ>
<EngineVersion>16.1</EngineVersion><TagList><Tag><Key>team</Key><Value>red</Value></Tag></TagList></DBInstance>"""


def _databases(first: int) -> bytes:
    more = f"<Marker>{first + PAGE}</Marker>" if first + PAGE < COUNT else ""
    items = "".join(map(_database, range(first, first + PAGE)))
    result = f"<DescribeDBInstancesResult>{more}<DBInstances>{items}</DBInstances></DescribeDBInstancesResult>"
    space = "http://rds.amazonaws.com/doc/2014-10-31/"
    return f'<DescribeDBInstancesResponse xmlns="{space}">{result}</DescribeDBInstancesResponse>'.encode()


# service -> operation, paginator's result key, collection, the answer from an item on, the ARN by hand
LISTED: dict[str, tuple[str, str, str, Callable[[int], bytes], Callable[[Any], str]]] = {
    "ec2": (
        "DescribeVolumes",
        "Volumes",
        "volumes",
        _volumes,
        lambda item: f"arn:aws:ec2:{REGION}:{ACCOUNT}:volume/{item['VolumeId']}",
    ),
    "rds": ("DescribeDBInstances", "DBInstances", "db_instances", _databases, lambda item: item["DBInstanceArn"]),
}


def _answering(client: Any, operation: str, answer: Callable[[int], bytes]) -> None:
    from botocore.awsrequest import AWSResponse

    pages = {first: answer(first) for first in range(0, COUNT, PAGE)}

    def send(request: Any, **_: Any) -> Any:
        from urllib.parse import parse_qs

        asked = parse_qs(request.body if isinstance(request.body, str) else request.body.decode())
        first = int((asked.get("NextToken") or asked.get("Marker") or ["0"])[0])
        return AWSResponse(request.url, 200, {"content-type": "text/xml"}, _Body(pages[first]))

    service = client.meta.service_model.service_name
    client.meta.events.register(f"before-send.{client.meta.service_model.service_id.hyphenize()}.{operation}", send)
    client.meta.events.register(f"before-send.{service}.{operation}", send)


def listing(kind: str, service: str, how: str) -> dict[str, float]:
    """List 1,000 resources and their ARNs; objects a second."""
    operation, key, collection, answer, by_hand = LISTED[service]
    made = session(kind)
    if how == "client":
        client = made.client(service)
        from botocore import xform_name

        pages = client.get_paginator(xform_name(operation))

        def once() -> list[Any]:
            return [by_hand(item) for page in pages.paginate() for item in page[key]]

    else:
        resource = made.resource(service)
        client = resource.meta.client
        found = getattr(resource, collection)

        def once() -> list[Any]:
            if kind == "boto3":  # it has no ARN of these: the id stands in for it
                return [each.id for each in found.all()]
            return [each.arn for each in found.all()]

    _answering(client, operation, answer)
    if len(set(once())) != COUNT:
        sys.exit(f"{kind} {service} {how}: not {COUNT} resources")
    began = time.process_time()
    for _ in range(3):
        once()
    return {"a second": 3 * COUNT / (time.process_time() - began)}


def back(kind: str, number: int) -> dict[str, float]:
    """Make resources from ARNs; objects a second."""
    made = session(kind)
    for arn in ARNS:
        if made.resource_from_arn(arn).arn != arn:
            sys.exit(f"{arn} does not come back")
    began = time.process_time()
    for _ in range(number):
        for arn in ARNS:
            made.resource_from_arn(arn)
    return {"a second": number * len(ARNS) / (time.process_time() - began)}


# -- the table --------------------------------------------------------------------------------------------------------

MEASURED: dict[str, Callable[..., dict[str, float]]] = {
    "names": names,
    "start": start,
    "listing": listing,
    "back": back,
}


def measure(kind: str, work: str, *arguments: Any) -> dict[str, float]:
    """Run one measurement in a process of its own."""
    command = [sys.executable, __file__, "--measure", json.dumps([work, kind, *arguments])]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(done.stderr)
    found: dict[str, float] = json.loads(done.stdout)
    return found


def medians(runs: list[dict[str, float]]) -> dict[str, float]:
    """Return the median of each figure."""
    return {name: statistics.median(run[name] for run in runs) for name in runs[0]}


def row(name: str, figure: str, boto3: float | None, ours: float, unit: str, target: str) -> dict[str, Any]:
    """Return one row of the table."""
    return {"work": name, "figure": figure, "boto3": boto3, "mangrove": ours, "unit": unit, "target": target}


def bench_start(rounds: int) -> list[dict[str, Any]]:
    """Compare `resource(s)` after `client(s)`."""
    kinds = {"boto3": ("boto3", "on"), "kept": ("mangrove", "on"), "derived": ("mangrove", "off")}
    services = {kind: sorted(set(measure(kind, "names")) - {"glacier"}) for kind in ("boto3", "mangrove")}
    runs: dict[str, list[dict[str, float]]] = {name: [] for name in kinds}
    for _ in range(rounds):
        for name, (kind, cached) in kinds.items():
            runs[name].append(measure(kind, "start", cached, services[kind]))
    boto3, kept, derived = (medians(runs[name]) for name in kinds)
    return [
        *_starts("resource(s) after client(s), boto3's own services", boto3, {name: kept[name] for name in boto3}),
        *_starts("resource(s) after client(s), all services", None, kept, "<= 25 / - / 60"),
        *_starts("the same, derived and not read from the disk", None, derived),
    ]


def _starts(
    name: str, boto3: dict[str, float] | None, ours: dict[str, float], target: str = ""
) -> Iterator[dict[str, Any]]:
    def of(values: dict[str, float]) -> dict[str, float]:
        ordered = sorted(values.values())
        figures = {"median": statistics.median(ordered), "p95": ordered[int(len(ordered) * 0.95)], "worst": ordered[-1]}
        return {**figures, **{each: values[each] for each in ("ec2", "ssm") if each in values}}

    theirs = of(boto3) if boto3 else {}
    for figure, value in of(ours).items():
        yield row(f"{name} ({len(ours)})", figure, theirs.get(figure), value, "ms", target)


def bench_list(rounds: int) -> list[dict[str, Any]]:
    """Compare listing resources with their ARNs."""
    rows = []
    for service in LISTED:
        ways = [("boto3", "client"), ("mangrove", "client"), ("mangrove", "resource")]
        ways += [("boto3", "resource")] if service == "ec2" else []
        runs: dict[tuple[str, str], list[dict[str, float]]] = {way: [] for way in ways}
        for _ in range(rounds):
            for way, found in runs.items():
                found.append(measure(way[0], "listing", service, way[1]))
        got = {way: medians(found)["a second"] for way, found in runs.items()}
        name = f"list 1,000 {LISTED[service][2]} in 10 pages, with ARNs"
        rows += [
            row(name, f"by {how}", got.get(("boto3", how)), got["mangrove", how], "/s", "")
            for how in ("client", "resource")
        ]
    return rows


def bench_back(rounds: int) -> list[dict[str, Any]]:
    """Measure the way from an ARN to a resource."""
    ours = medians([measure("mangrove", "back", 200) for _ in range(rounds)])["a second"]
    return [row(f"resource_from_arn, {len(ARNS)} services", "objects", None, ours, "/s", "")]


BENCHES: dict[str, Callable[[int], list[dict[str, Any]]]] = {
    "start": bench_start,
    "list": bench_list,
    "back": bench_back,
}


def main() -> None:
    """Measure what is asked for, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--only", default=",".join(BENCHES))
    parser.add_argument("--measure", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        work, kind, *arguments = json.loads(options.measure)
        print(json.dumps(MEASURED[work](kind, *arguments)))
        return
    rows: list[dict[str, Any]] = []
    print(f"{'work':62} {'figure':12} {'boto3':>9} {'mangrove':>9}")
    with tempfile.TemporaryDirectory() as folder:
        os.environ["XDG_CACHE_HOME"] = folder
        for name in options.only.split(","):
            for each in BENCHES[name](options.rounds):
                rows.append(each)
                theirs = "-" if each["boto3"] is None else f"{each['boto3']:.4g}"
                print(
                    f"{each['work']:62} {each['figure']:12} {theirs:>9} {each['mangrove']:9.4g} {each['unit']:3} "
                    f"{each['target']}",
                    flush=True,
                )
    if options.json:
        import boto3

        about = {"python": platform.python_version(), "boto3": boto3.__version__, "machine": platform.machine()}
        options.json.write_text(json.dumps({"about": about, "rounds": options.rounds, "rows": rows}, indent=1))


if __name__ == "__main__":
    main()
