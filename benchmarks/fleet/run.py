"""Measure runs over many accounts and regions side by side: CPU, wall, memory, and whether every row is in its place.

    python benchmarks/fleet/run.py [--rounds 5] [--only ideal,peers,...] [--clients mangrove,botocove,...] [--json FILE]

The rivals are installed into `.venv-bench-fleet`, with the boto3 that mangrove is tested with; nullaws is compiled into
a temporary folder. The server runs on one core, the client on another; the clients take turns in each round, each in a
process of its own and with a server of its own; a figure is the median of the rounds. CPU and wall begin after the
imports, memory is the whole process's. Clients that take minutes have fewer rounds, which the table says.
"""

# ruff: noqa: INP001, T201, S603  a program that measures, and prints
from __future__ import annotations

import argparse
import dataclasses
import itertools
import json
import os
import platform
import signal
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import servers

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
BENCH = ROOT / ".venv-bench-fleet"
# An environment of their own: that of the other benchmarks has an older boto3, as one of their rivals wants it, and
# awscrt, with which botocore signs by other code.
RIVALS = ("boto3", "botocove==1.7.4", "runacross==0.7.0")
KEPT = ("LANG", "LC_ALL", "PATH", "HOME", "TMPDIR", "MANGROVE_SAFE_MODE")

REGIONS = (
    "us-east-1 us-east-2 us-west-1 us-west-2 eu-west-1 eu-west-2 eu-west-3 eu-central-1 eu-north-1 "
    "ap-northeast-1 ap-northeast-2 ap-northeast-3 ap-south-1 ap-southeast-1 ap-southeast-2 ca-central-1 "
    "sa-east-1 af-south-1 ap-east-1 ap-east-2 ap-south-2 ap-southeast-3 ap-southeast-4 ap-southeast-5 "
    "ap-southeast-6 ap-southeast-7 ca-west-1 eu-central-2 eu-south-1 eu-south-2 il-central-1 me-central-1 "
    "me-south-1 mx-central-1"
).split()
LONGEST = 600  # seconds of one measurement
UNRESOLVED = "eu-west-3"
# Longer than a name of the DNS may be, so that the resolver refuses it by itself, at once and each time.
NO_HOST = f"ec2.{UNRESOLVED}.{'x' * 60}{('.' + 'x' * 59) * 3}"


def accounts(number: int) -> list[str]:
    """Return ids of accounts of the server's organization."""
    return [str(100_000_000_001 + each) for each in range(number)]


@dataclasses.dataclass(frozen=True)
class Peer:
    """Be a client: its program, its flavour, and the most rounds it has."""

    program: str
    flavour: str = ""
    rounds: int = 99


PEERS = {
    "mangrove": Peer("mangrove", "said"),
    "mangrove-calls": Peer("mangrove", "calls"),
    "mangrove-map": Peer("mangrove", "map"),
    "mangrove-learned": Peer("mangrove", "learned", 3),
    "mangrove-runs": Peer("mangrove", "runs", 1),
    "botocove": Peer("botocove", rounds=5),
    "runacross": Peer("runacross", rounds=5),
    "boto3-threads": Peer("boto3", rounds=3),
    "standard": Peer("boto3", "standard", 3),
    "adaptive": Peer("boto3", "adaptive", 3),
}


@dataclasses.dataclass(frozen=True)
class Row:
    """Be a work.

    Args:
        title: what the table calls it.
        work: the method of the clients.
        clients: who can do it.
        places: how many accounts and regions.
        target: what mangrove is to reach.
        workers: how many requests at once.
        options: of the server.
        spec: what else the clients are told.
        figures: the columns beside CPU, wall and memory.
    """

    title: str
    work: str
    clients: tuple[str, ...]
    places: tuple[int, int]
    target: str
    workers: int = 64
    options: tuple[object, ...] = ("--delay-ms", 50)
    spec: dict[str, Any] = dataclasses.field(default_factory=dict)
    figures: tuple[str, ...] = ("first", "outcomes", "rows", "wrong", "mixed", "connections")


ROWS = {
    "ideal": Row(
        "100 accounts x 34 regions, describe_instances, 50 ms, 64 at once",
        "instances",
        ("mangrove", "mangrove-calls", "mangrove-map", "boto3-threads"),
        (100, 34),
        "wall <= 1.25 x ideal; first row < 1 s after the first answer",
        figures=("of_ideal", "first", "outcomes", "rows", "wrong", "mixed", "connections"),
    ),
    "discovered": Row(
        "the same, all regions that the accounts have enabled",
        "instances",
        ("mangrove",),
        (100, 34),
        "as above",
        spec={"terms": "*"},
        figures=("of_ideal", "first", "outcomes", "rows", "wrong", "mixed", "connections"),
    ),
    "peers": Row(
        "10 accounts x 17 regions, describe_instances, 50 ms, 20 at once",
        "instances",
        ("mangrove", "botocove", "runacross", "boto3-threads"),
        (10, 17),
        "1/20 of their CPU, 1/10 of their RSS",
        workers=20,
        figures=("imports", "first", "outcomes", "rows", "wrong"),
    ),
    "million": Row(
        "1,000,000 rows streamed: 20 accounts x 5 regions, 10 pages of 1,000",
        "queues",
        ("mangrove",),
        (20, 5),
        "growth <= 10 MiB",
        options=("--instances", 1000, "--pages", 10),
        figures=("growth", "outcomes", "rows", "wrong", "mixed"),
    ),
    "quota": Row(
        "300 pages from an account that allows 5 requests/s, 20 clients",
        "quota",
        ("mangrove", "mangrove-learned", "mangrove-runs", "standard", "adaptive"),
        (1, 20),
        "throttled < 2 %, wall <= 1.15 x the best possible",
        options=("--delay-ms", 50, "--quota", "5:5", "--quota-scope", "account", "--instances", 1, "--pages", 15),
        figures=("of_best", "throttled", "raised", "rows", "wrong"),
    ),
    "faults": Row(
        "500 targets, 10 % fail: deny, 500, throttle, hang, no such host",
        "faults",
        ("mangrove",),
        (20, 25),
        "every healthy row, each fault classed right, no wait beyond the deadline",
        spec={"target_deadline": 10.0, "read_timeout": 3.0},
        figures=("first", "outcomes", "rows", "healthy", "misjudged", "wrong"),
    ),
    "organization": Row(
        "200 accounts x 17 regions",
        "instances",
        ("mangrove",),
        (200, 17),
        "3,400 outcomes, 0 rows under a wrong account or region",
        figures=("of_ideal", "first", "outcomes", "rows", "wrong", "mixed"),
    ),
}
UNITS = {
    "of_ideal": "x ideal",
    "of_best": "x best",
    "first": "first s",
    "throttled": "throttled %",
    "growth": "grown MiB",
    "imports": "import CPU",
}


# -- faults ------------------------------------------------------------------------------------------------------------


def faults(ids: list[str], regions: list[str]) -> tuple[list[object], dict[str, list[str]]]:
    """Return the options of a server of which a tenth of the targets fail, and the kinds that are right for them."""
    kinds: tuple[tuple[str, int, list[str]], ...] = (
        ("--deny", 8, ["denied"]),
        ("--error500", 7, ["failed"]),
        ("--throttle", 8, ["throttled"]),
        ("--hang", 7, ["timeout"]),
    )
    healthy = [f"{account}/{region}" for account, region in itertools.product(ids, regions) if region != UNRESOLVED]
    targets = itertools.islice(healthy, 3, None, len(healthy) // 30)
    options: list[object] = []
    expected = {f"{account}/{UNRESOLVED}": ["failed", "unsupported"] for account in ids}
    for option, number, right in kinds:
        chosen = list(itertools.islice(targets, number))
        options += [option, ",".join(chosen)]
        expected |= dict.fromkeys(chosen, right)
    return options, expected


def unresolved(folder: Path, endpoint_url: str) -> Path:
    """Write data for botocore by which EC2 is at an address, but for one region: its host is not there."""
    path = folder / "models" / "ec2" / "2016-11-15"
    path.mkdir(parents=True, exist_ok=True)

    def endpoint(conditions: list[Any], url: str) -> dict[str, Any]:
        return {"type": "endpoint", "conditions": conditions, "endpoint": {"url": url, "properties": {}, "headers": {}}}

    is_unresolved = {"fn": "stringEquals", "argv": [{"ref": "Region"}, UNRESOLVED]}
    names = {"Region": ("String", "AWS::Region"), "UseDualStack": ("Boolean", "AWS::UseDualStack")}
    names |= {"UseFIPS": ("Boolean", "AWS::UseFIPS"), "Endpoint": ("String", "SDK::Endpoint")}
    ruleset = {
        "version": "1.0",
        "parameters": {
            name: {"type": kind, "builtIn": built_in, "required": False, "documentation": ""}
            for name, (kind, built_in) in names.items()
        },
        "rules": [
            endpoint(
                [{"fn": "isSet", "argv": [{"ref": "Region"}]}, is_unresolved],
                f"http://{NO_HOST}",
            ),
            endpoint([], endpoint_url),
        ],
    }
    (path / "endpoint-rule-set-1.json").write_text(json.dumps(ruleset))
    return folder / "models"


# -- one measurement ---------------------------------------------------------------------------------------------------


def environment(row: Row, endpoint_url: str, folder: Path) -> dict[str, str]:
    """Return an environment in which all clients find the same server and keys, and no configuration."""
    kept = {name: value for name, value in os.environ.items() if name in KEPT}
    kept |= {"AWS_ACCESS_KEY_ID": "AKIABENCH", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_DEFAULT_REGION": "us-east-1"}
    kept |= {"AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull}
    kept |= {"AWS_EC2_METADATA_DISABLED": "true", "XDG_CACHE_HOME": str(folder / "cache")}
    if row.work != "faults":
        return kept | {"AWS_ENDPOINT_URL": endpoint_url}
    return kept | {"AWS_ENDPOINT_URL_STS": endpoint_url, "AWS_DATA_PATH": str(unresolved(folder, endpoint_url))}


def measure(name: str, row: Row, program: Path) -> dict[str, Any]:
    """Measure a client once, with a server of its own."""
    peer = PEERS[name]
    ids, regions = accounts(row.places[0]), REGIONS[: row.places[1]]
    options, spec = list(row.options), dict(row.spec)
    if row.work == "faults":
        more, spec["expected"] = faults(ids, regions)
        options += more
    work = peer.flavour if peer.flavour in {"calls", "map", "runs"} else row.work
    spec |= {"work": work, "accounts": ids, "regions": regions, "workers": row.workers, "flavour": peer.flavour}
    python = sys.executable if peer.program == "mangrove" else str(BENCH / "bin" / "python")
    command = [python, str(HERE / "clients" / f"{peer.program}_client.py"), json.dumps(spec)]
    with (
        tempfile.TemporaryDirectory() as folder,
        servers.nullaws(program, *options, core=servers.SERVER_CORE) as place,
    ):
        try:
            done = subprocess.run(
                command,
                capture_output=True,
                text=True,
                check=False,
                timeout=LONGEST,
                env=environment(row, place.endpoint_url, Path(folder)),
                **servers.pinned(servers.CLIENT_CORE),
            )
        except subprocess.TimeoutExpired as error:
            text = f"not done after {LONGEST} s"
            raise RuntimeError(text) from error
        if done.returncode:
            raise RuntimeError((done.stderr.strip() or done.stdout.strip() or "no output").splitlines()[-1][:300])
        found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
        return found | figures(row, found, place.stats(), spec)


def figures(row: Row, found: dict[str, Any], stats: dict[str, Any], spec: dict[str, Any]) -> dict[str, Any]:
    """Return what follows from what the client and the server have counted."""
    operations = {name: counts for name, counts in stats["operations"].items() if not name.startswith("sts:")}
    asked = [operations[name] for name in ("ec2:DescribeInstances", "sqs:ListQueues") if name in operations]
    calls = sum(counts["calls"] for counts in asked)
    made: dict[str, Any] = {
        "server_cpu": stats["cpu"],
        "calls": stats["requests"],
        "mixed": stats["mixed"],
        "connections": stats["connections"],
        "operations": stats["operations"],
    }
    options = dict(itertools.pairwise(map(str, row.options)))
    delay = int(options.get("--delay-ms", 0)) / 1000
    if delay:
        made["of_ideal"] = found["wall"] / (row.places[0] * row.places[1] * delay / row.workers)
    if asked and found["first_row"]:
        made["first"] = found["first_row"] - min(counts["first"] for counts in asked)
    if "--quota" in options:
        rate, burst = map(float, options["--quota"].split(":"))
        pages = row.places[0] * row.places[1] * int(options["--pages"])
        made["of_best"] = found["wall"] / ((pages - burst) / rate + delay)
        made["throttled"] = 100 * sum(counts["throttled"] for counts in asked) / calls
    if "expected" in spec:
        made["healthy"] = (row.places[0] * row.places[1] - len(spec["expected"])) * int(options.get("--instances", 2))
    return made


# -- the rows ----------------------------------------------------------------------------------------------------------


def median(runs: list[dict[str, Any]]) -> dict[str, float]:
    """Return the median of each figure."""
    numbers = [name for name, value in runs[0].items() if isinstance(value, (int, float))]
    return {name: statistics.median(run[name] for run in runs) for name in numbers}


def show(row: Row, runs: dict[str, list[dict[str, Any]]]) -> dict[str, Any]:
    """Print a row's table; return it for the file."""
    middle = {name: median(found) for name, found in runs.items() if found}
    print(f"\n{row.title}   (target: {row.target})")
    heads = ["CPU s", "wall s", "RSS MiB", *(UNITS.get(figure, figure) for figure in row.figures)]
    print(f"  {'':18}{'rounds':>7}" + "".join(f"{head:>12}" for head in heads) + f"{'CPU x':>9}{'RSS x':>8}")
    ours = middle.get("mangrove")
    for name, found in middle.items():
        shown = "".join(f"{found.get(figure, 0):12.4g}" for figure in ("cpu", "wall", "rss", *row.figures))
        ratio = f"{found['cpu'] / ours['cpu']:9.1f}{found['rss'] / ours['rss']:8.1f}" if ours else ""
        print(f"  {name:18}{len(runs[name]):7}{shown}{ratio}")
        if row.work == "faults":
            print(f"    {runs[name][-1].get('summary', '')}; misjudged: {runs[name][-1].get('misjudged_as') or 'none'}")
    sys.stdout.flush()
    return {"work": row.title, "target": row.target, "median": middle, "runs": runs}


def do(row: Row, clients: list[str], rounds: int, program: Path) -> dict[str, Any]:
    """Measure a row: all its clients in turn, round by round."""
    runs: dict[str, list[dict[str, Any]]] = {name: [] for name in clients}
    failed: set[str] = set()
    for turn in range(rounds):
        for name in clients:
            if name in failed or turn >= PEERS[name].rounds:
                continue
            try:
                runs[name].append(measure(name, row, program))
            except RuntimeError as error:
                failed.add(name)
                print(f"{row.title}: {name} is left out: {error}", file=sys.stderr)
    return show(row, runs)


def install() -> None:
    """Make the rivals' environment, if it is not there."""
    pip = str(BENCH / "bin" / "pip")
    if not Path(pip).exists():
        subprocess.run([sys.executable, "-m", "venv", str(BENCH)], check=True)
    have = subprocess.run([pip, "freeze"], capture_output=True, text=True, check=True).stdout
    if not all(f"\n{name}" in f"\n{have}" for name in RIVALS):
        constraints = ROOT / "constraints" / "newest.txt"
        subprocess.run([pip, "install", "--quiet", *RIVALS, "-c", str(constraints)], check=True)


def about() -> dict[str, Any]:
    """Return what was measured with, and where."""
    listed = subprocess.run([str(BENCH / "bin" / "pip"), "freeze"], capture_output=True, text=True, check=True)
    return {"python": platform.python_version(), "machine": platform.machine(), "rivals": listed.stdout.split()}


def main() -> None:
    """Measure what is asked for, and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", default=",".join(ROWS), help=f"of {', '.join(ROWS)}")
    parser.add_argument("--clients", default=",".join(PEERS), help=f"of {', '.join(PEERS)}")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    wanted, chosen = options.only.split(","), options.clients.split(",")
    if unknown := [name for name in wanted if name not in ROWS] + [name for name in chosen if name not in PEERS]:
        parser.error(f"not known: {', '.join(unknown)}")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that servers and folders do not outlive it
    install()
    rows: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as folder:
        try:
            program = servers.build(Path(folder))
        except RuntimeError as error:
            sys.exit(str(error))
        for name in wanted:
            clients = [client for client in ROWS[name].clients if client in chosen]
            if clients:
                rows.append(do(ROWS[name], clients, options.rounds, program))
            if options.json:
                text = json.dumps({"about": about(), "rounds": options.rounds, "rows": rows}, indent=1)
                options.json.write_text(text)


if __name__ == "__main__":
    main()
