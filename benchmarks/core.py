"""Measure the core beside plain boto3: clients, memory, connections, a small call. Each figure in fresh processes.

    python benchmarks/core.py [--rounds 5] [--json FILE] [--only clients,many,services,first,tls,call]

Both libraries run in turn; a figure is the median of the rounds. CPU is the process's own (user and system), memory is
what the work has added to the resident set. The TLS server is another process, on loopback, with a CA of its own.
"""

# ruff: noqa: INP001, T201, S603, S101, PLC0415  a program that measures, and prints
from __future__ import annotations

import argparse
import json
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
EC2_BODY = (
    '<DescribeInstancesResponse xmlns="http://ec2.amazonaws.com/doc/2016-11-15/"><requestId>r</requestId>'
    "<reservationSet/></DescribeInstancesResponse>"
)


def resident() -> float:
    """Return this process's resident memory in MiB."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4 / 1024


def session_class(kind: str) -> Any:
    """Return the session that is measured."""
    if kind == "boto3":
        import boto3

        return boto3.Session
    import mangrove

    return mangrove.Session


def regions(count: int) -> list[str]:
    """Return the first regions of EC2, from the SDK's data."""
    # In a process of its own: the garbage of this session would be collected, and its memory used, in the measurement.
    script = "import boto3; print(*sorted(boto3.Session().get_available_regions('ec2')))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return done.stdout.split()[:count]


def clients(kind: str, accounts: int, count: int, services: tuple[str, ...]) -> dict[str, float]:
    """Make a client of every account, region and service, and keep them all."""
    make, names = session_class(kind), regions(count)
    make(region_name="us-east-1")
    before, started, kept = resident(), time.process_time(), []
    for account in range(accounts):
        session = make(f"AKIA{account}", "secret", aws_account_id=f"{account:012}")
        kept += [session.client(service, region_name=region) for region in names for service in services]
    return {"cpu": time.process_time() - started, "rss": resident() - before, "clients": len(kept)}


def first(kind: str) -> dict[str, float]:
    """Make the first client of a process, imports included."""
    started = time.process_time()
    session_class(kind)("AKIA", "secret").client("ec2", region_name="us-east-1")
    return {"cpu": time.process_time() - started}


def tls(kind: str, folder: str, accounts: int, threads: int) -> dict[str, float]:
    """Call DescribeInstances once per account and host, over TLS."""
    from concurrent.futures import ThreadPoolExecutor

    place = json.loads((Path(folder) / "server.json").read_text())
    make = session_class(kind)

    def one(account: int) -> None:
        session = make(f"AKIA{account}", "secret", aws_account_id=f"{account:012}")
        for url in place["urls"]:
            ec2 = session.client("ec2", region_name="us-east-1", endpoint_url=url, verify=place["ca"])
            assert ec2.describe_instances()["Reservations"] == []

    session_class(kind)("AKIA", "secret").client("ec2", region_name="us-east-1")
    before = _handshakes(folder)
    started = time.process_time()
    with ThreadPoolExecutor(threads) as executor:
        list(executor.map(one, range(accounts)))
    return {"cpu": time.process_time() - started, "handshakes": _handshakes(folder) - before}


def _handshakes(folder: str) -> int:
    time.sleep(0.3)
    return int((Path(folder) / "handshakes").read_text() or 0)


def call(kind: str, folder: str, service: str, operation: str, number: int) -> dict[str, float]:
    """Make small calls over plain HTTP on loopback."""
    place = json.loads((Path(folder) / "server.json").read_text())
    if kind == "raw":
        return raw_call(place["plain"], service, number)
    session = session_class(kind)("AKIA", "secret", region_name="us-east-1")
    client = session.client(service, endpoint_url=place["plain"])
    arguments = {"send_message": {"QueueUrl": place["plain"] + "/1/q", "MessageBody": "b"}}.get(operation, {})
    method = getattr(client, operation)
    for _ in range(20):
        method(**arguments)
    started = time.process_time()
    for _ in range(number):
        method(**arguments)
    return {"cpu": (time.process_time() - started) / number * 1e6}


def raw_call(url: str, service: str, number: int) -> dict[str, float]:
    """Send the same bytes again and again and read what comes: the limit of every client on this socket."""
    import socket
    from urllib.parse import urlsplit

    place = urlsplit(url)
    message = (
        f"POST / HTTP/1.1\r\nHost: h\r\nAuthorization: /{service}/{'a' * 400}\r\nContent-Length: 0\r\n\r\n".encode()
    )
    with socket.create_connection((place.hostname, place.port)) as sock:
        started = time.process_time()
        for _ in range(number):
            sock.sendall(message)
            sock.recv(65536)
        return {"cpu": (time.process_time() - started) / number * 1e6}


def measure(kind: str, work: str, *arguments: Any) -> dict[str, float]:
    """Run one measurement in a process of its own."""
    command = [sys.executable, __file__, "--measure", json.dumps([work, kind, *arguments])]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(done.stderr)
    found: dict[str, float] = json.loads(done.stdout)
    return found


def compare(rounds: int, work: str, *arguments: Any) -> dict[str, dict[str, float]]:
    """Return the medians of both libraries, measured in turn."""
    runs: dict[str, list[dict[str, float]]] = {"boto3": [], "mangrove": []}
    for _ in range(rounds):
        for kind, found in runs.items():
            found.append(measure(kind, work, *arguments))
    return {
        kind: {name: statistics.median(run[name] for run in found) for name in found[0]} for kind, found in runs.items()
    }


def row(name: str, figure: str, boto3: float, ours: float, unit: str, target: str) -> dict[str, Any]:
    """Return one row of the table."""
    return {
        "work": name,
        "figure": figure,
        "boto3": boto3,
        "mangrove": ours,
        "unit": unit,
        "ratio": boto3 / ours if ours else 0.0,
        "target": target,
    }


def bench_clients(rounds: int, _: str) -> list[dict[str, Any]]:
    """Compare 10 accounts by 34 regions."""
    found = compare(rounds, "clients", 10, 34, ["ec2"])
    b, m = found["boto3"], found["mangrove"]
    name = "10 accounts x 34 regions, EC2"
    return [row(name, "CPU", b["cpu"], m["cpu"], "s", "50x"), row(name, "RSS", b["rss"], m["rss"], "MiB", "30x")]


def bench_many(rounds: int, _: str) -> list[dict[str, Any]]:
    """Compare 100 accounts with 10."""
    few = [measure("mangrove", "clients", 10, 34, ["ec2"]) for _ in range(rounds)]
    many = [measure("mangrove", "clients", 100, 34, ["ec2"]) for _ in range(rounds)]
    cpu = [statistics.median(run["cpu"] for run in runs) for runs in (few, many)]
    rss = [statistics.median(run["rss"] for run in runs) for runs in (few, many)]
    each = (rss[1] - rss[0]) * 1024 / (many[0]["clients"] - few[0]["clients"])
    name = "100 accounts x 34 regions, EC2"
    return [
        {**row(name, "CPU / that of 10 accounts", 0, cpu[1] / cpu[0], "x", "<= 10.5x"), "seconds": cpu[1]},
        row(name, "memory of one client more", 0, each, "KiB", "<= 40 KiB"),
    ]


def bench_services(rounds: int, _: str) -> list[dict[str, Any]]:
    """Compare 50 accounts by 10 regions by four services."""
    found = compare(rounds, "clients", 50, 10, ["ec2", "s3", "iam", "lambda"])
    b, m = found["boto3"], found["mangrove"]
    name = "50 accounts x 10 regions x ec2, s3, iam, lambda"
    return [row(name, "CPU", b["cpu"], m["cpu"], "s", "30x"), row(name, "RSS", b["rss"], m["rss"], "MiB", "20x")]


def bench_first(rounds: int, _: str) -> list[dict[str, Any]]:
    """Compare the first client of a process."""
    found = compare(rounds, "first")
    return [row("first client, imports included", "CPU", found["boto3"]["cpu"], found["mangrove"]["cpu"], "s", "1x")]


def bench_tls(rounds: int, folder: str) -> list[dict[str, Any]]:
    """Compare calls over TLS."""
    found = compare(rounds, "tls", folder, 100, 16)
    b, m = found["boto3"], found["mangrove"]
    name = "34 hosts x 100 accounts over TLS, 16 threads"
    return [
        row(name, "CPU", b["cpu"], m["cpu"], "s", "8x"),
        row(name, "handshakes", b["handshakes"], m["handshakes"], "", "<= 544"),
    ]


def bench_call(rounds: int, folder: str) -> list[dict[str, Any]]:
    """Compare small calls."""
    rows = []
    for service, operation in (("sts", "get_caller_identity"), ("ec2", "describe_instances"), ("sqs", "send_message")):
        found = compare(rounds, "call", folder, service, operation, 300)
        rows.append(row(f"{service}:{operation}", "CPU", found["boto3"]["cpu"], found["mangrove"]["cpu"], "us", "2x"))
        limit = statistics.median(measure("raw", "call", folder, service, operation, 300)["cpu"] for _ in range(rounds))
        rows.append(
            row(f"{service}:{operation}", "the limit: a raw socket", found["boto3"]["cpu"], limit, "us", "limit")
        )
    return rows


BENCHES: dict[str, Callable[[int, str], list[dict[str, Any]]]] = {
    "clients": bench_clients,
    "many": bench_many,
    "services": bench_services,
    "first": bench_first,
    "tls": bench_tls,
    "call": bench_call,
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
        print(json.dumps({"clients": clients, "first": first, "tls": tls, "call": call}[work](kind, *arguments)))
        return
    rows: list[dict[str, Any]] = []
    print(f"{'work':48} {'figure':26} {'boto3':>10} {'mangrove':>10} {'':4} {'ratio':>7}  target")
    with tempfile.TemporaryDirectory() as folder:
        server = subprocess.Popen([sys.executable, str(HERE / "loopback.py"), folder])
        try:
            while not (Path(folder) / "server.json").exists():
                time.sleep(0.05)
            for name in options.only.split(","):
                for each in BENCHES[name](options.rounds, folder):
                    rows.append(each)
                    print(
                        f"{each['work']:48} {each['figure']:26} {each['boto3']:10.4g} {each['mangrove']:10.4g} "
                        f"{each['unit']:4} {each['ratio']:6.1f}x  {each['target']}",
                        flush=True,
                    )
        finally:
            server.terminate()
            server.wait()
    if options.json:
        import boto3

        about = {"python": platform.python_version(), "boto3": boto3.__version__, "machine": platform.machine()}
        options.json.write_text(json.dumps({"about": about, "rounds": options.rounds, "rows": rows}, indent=1))


if __name__ == "__main__":
    main()
