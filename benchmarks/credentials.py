"""Count what STS is asked, beside plain botocore, aws-assume-role-lib and boto3-refresh-session. Each figure anew.

    python benchmarks/credentials.py [--rounds 3] [--json FILE] [--only threads,short,processes,hours,warm,failing]

The rivals are installed into an environment of their own, `.venv-bench`, made when it is missing. STS is a stub below
botocore's event `before-send`, the same for all: it counts, takes the time it is told to, and answers or fails. Nothing
is sent anywhere. Where time passes, the clocks of all four are set forward together.
"""

# ruff: noqa: INP001, T201, S603, PLC0415, SLF001  a program that measures, and prints
from __future__ import annotations

import argparse
import contextlib
import datetime as dt
import io
import json
import platform
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

ROOT = Path(__file__).parent.parent
BENCH = ROOT / ".venv-bench"
KINDS = ("botocore", "aws-assume-role-lib", "boto3-refresh-session", "mangrove")
RIVALS = ("boto3", "aws-assume-role-lib", "boto3-refresh-session")
ROLE = "arn:aws:iam::210987654321:role/Reader"
BODY = (
    '<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult><AssumedRoleUser>'
    "<AssumedRoleId>AROA:x</AssumedRoleId><Arn>arn:aws:sts::{account}:assumed-role/R/n</Arn></AssumedRoleUser>"
    "<Credentials><AccessKeyId>ASIA{number}</AccessKeyId><SecretAccessKey>s</SecretAccessKey><SessionToken>t"
    "</SessionToken><Expiration>{end}</Expiration></Credentials></AssumeRoleResult><ResponseMetadata><RequestId>r"
    "</RequestId></ResponseMetadata></AssumeRoleResponse>"
)
ERROR = (
    '<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error><Type>Sender</Type><Code>AccessDenied'
    "</Code><Message>User: arn:aws:iam::123456789012:user/alice is not authorized to perform: sts:AssumeRole</Message>"
    "</Error><RequestId>r</RequestId></ErrorResponse>"
)


class Raw(io.BytesIO):
    """Be a body as botocore reads it."""

    def stream(self, **_: Any) -> Any:
        """Yield the whole."""
        yield self.read()


class STS:
    """Answer every AssumeRole of this process; all libraries send it through botocore."""

    def __init__(self, log: Path | None = None, delay: float = 0.0) -> None:
        from botocore import handlers

        self.calls, self.offset, self.failing, self.delay, self.log = 0, 0.0, False, delay, log
        self.ends: dict[str, float] = {}
        self.times: list[float] = []
        self.lock = threading.Lock()
        handlers.BUILTIN_HANDLERS.append(("before-send.sts", self.answer))

    def time(self) -> float:
        """Return the time that all clocks show."""
        return time.time() + self.offset

    def sleep(self, seconds: float) -> None:
        """Wait: mangrove's clock has both."""
        time.sleep(seconds)

    def answer(self, request: Any, **_: Any) -> Any:
        """Answer in the place of the network."""
        from botocore.awsrequest import AWSResponse

        body = request.body if isinstance(request.body, str) else request.body.decode()
        form = dict(parse_qsl(body))
        with self.lock:
            self.calls += 1
            number = self.calls
            self.times.append(time.perf_counter())
        if self.log is not None:
            with self.log.open("a") as file:
                file.write("call\n")
        if self.delay:
            time.sleep(self.delay)
        if self.failing:
            return AWSResponse(request.url, 403, {}, Raw(ERROR.encode()))
        end = self.time() + int(form.get("DurationSeconds", 3600))
        self.ends[f"ASIA{number}"] = end
        text = dt.datetime.fromtimestamp(end, dt.timezone.utc).isoformat()
        account = form["RoleArn"].split(":")[4]
        return AWSResponse(request.url, 200, {}, Raw(BODY.format(account=account, number=number, end=text).encode()))


class Maker:
    """Make sessions of roles in the way that each library's documents show, with a file cache where it has one.

    Args:
        kind: the library.
        sts: the stub, which is the clock as well.
        folder: where credentials are cached.
    """

    def __init__(self, kind: str, sts: STS, folder: str | None = None) -> None:
        self.kind, self.sts, self.folder = kind, sts, folder
        keys = {"aws_access_key_id": "AKIABASE", "aws_secret_access_key": "x", "region_name": "eu-west-1"}
        if kind == "mangrove":
            import mangrove

            cache = mangrove.FileCache(Path(folder) / "mangrove") if folder else None
            self.connections = mangrove.ConnectionManager(mangrove.Session(**keys), cache, clock=sts)
        else:
            import boto3
            import botocore.credentials

            self.base = boto3.Session(**keys)
            botocore.credentials._local_now = self.now
            from botocore.utils import JSONFileCache

            self.cache = JSONFileCache(str(Path(folder) / kind)) if folder else {}

    def now(self) -> Any:
        """Return the time that all clocks show, in botocore's form."""
        return dt.datetime.fromtimestamp(self.sts.time(), dt.timezone.utc)

    def session(self, role: str = ROLE, duration: int = 3600, region: str = "eu-west-1") -> Any:
        """Return a session of a role."""
        if self.kind == "mangrove":
            return self.connections.get_session(role, "bench", duration_seconds=duration, region_name=region)
        made = self._rival(role, duration, region)
        found = made.get_credentials()
        if hasattr(found, "_time_fetcher"):
            found._time_fetcher = self.now
        return made

    def _rival(self, role: str, duration: int, region: str) -> Any:
        if self.kind == "aws-assume-role-lib":
            from aws_assume_role_lib import assume_role

            arguments = {"RoleSessionName": "bench", "DurationSeconds": duration}
            return assume_role(self.base, role, cache=self.cache, region_name=region, **arguments)
        import boto3
        import botocore.session
        from botocore import credentials

        if self.kind == "boto3-refresh-session":
            from boto3_refresh_session import AssumeRoleConfig, RefreshableSession, STSClientConfig

            config = AssumeRoleConfig(RoleArn=role, RoleSessionName="bench", DurationSeconds=duration)
            keys = {"aws_access_key_id": "AKIABASE", "aws_secret_access_key": "x"}
            client = STSClientConfig(region_name="eu-west-1")
            return RefreshableSession(assume_role_kwargs=config, sts_client_kwargs=client, region_name=region, **keys)
        core = botocore.session.Session()
        fetcher = credentials.AssumeRoleCredentialFetcher(
            self.base._session.create_client,
            self.base.get_credentials(),
            role,
            extra_args={"RoleSessionName": "bench", "DurationSeconds": duration},
            cache=self.cache,
        )
        core._credentials = credentials.DeferredRefreshableCredentials(fetcher.fetch_credentials, "assume-role")
        return boto3.Session(botocore_session=core, region_name=region)


def key_of(session: Any) -> str:
    """Return the access key that a request would be signed with now."""
    key: str = session.get_credentials().get_frozen_credentials().access_key
    return key


def regions() -> list[str]:
    """Return 32 regions."""
    import boto3

    return sorted(boto3.Session().get_available_regions("ec2"))[:32]


def threads(kind: str, folder: str) -> dict[str, float]:
    """Have 32 threads use a session each of one role, made before."""
    sts = STS(delay=0.05)
    maker = Maker(kind, sts, folder)
    sessions = [maker.session(region=region) for region in regions()]
    with ThreadPoolExecutor(32) as pool:
        list(pool.map(key_of, sessions))
    return {"calls": sts.calls}


def short(kind: str, folder: str) -> dict[str, float]:
    """Send 20 requests with a role of 900 seconds."""
    sts = STS()
    session = Maker(kind, sts, folder).session(duration=900)
    for _ in range(20):
        key_of(session)
    return {"calls": sts.calls}


def worker(kind: str, folder: str) -> dict[str, float]:
    """Be one of eight processes."""
    session = Maker(kind, STS(Path(folder) / "log", delay=0.2), folder).session()
    while not (Path(folder) / "go").exists():
        time.sleep(0.01)
    key_of(session)
    return {}


def hours(kind: str, folder: str) -> dict[str, float]:
    """Send 10,000 requests in three hours, with tokens of 15 minutes; those who ask STS each time get 1,000."""
    sts = STS()
    session = Maker(kind, sts, folder).session(duration=900)
    expired = 0
    requests = 10_000 if kind == "mangrove" else 1000
    for number in range(requests):
        sts.offset = number * 3 * 3600 / requests
        expired += sts.time() >= sts.ends[key_of(session)]
    return {"calls": sts.calls, "expired": expired}


def warm(kind: str, _: str) -> dict[str, float]:
    """Get the first credentials of 200 roles, from an STS that takes 50 ms, in 32 threads."""
    sts = STS(delay=0.05)
    maker = Maker(kind, sts)
    key_of(maker.session("arn:aws:iam::999999999999:role/R"))  # models are loaded
    before, cpu = time.perf_counter(), time.process_time()
    roles = [f"arn:aws:iam::{number:012}:role/R" for number in range(200)]
    with ThreadPoolExecutor(32) as pool:
        list(pool.map(lambda role: key_of(maker.session(role)), roles))
    return {"calls": sts.calls - 1, "wall": time.perf_counter() - before, "cpu": time.process_time() - cpu}


def failing(kind: str, _: str) -> dict[str, float]:
    """Have 50 threads ask when the token is nearly over and STS says no; count the calls of the busiest second."""
    sts = STS(delay=0.01)
    session = Maker(kind, sts).session(duration=3600)
    key_of(session)
    sts.failing, sts.offset, sts.calls = True, 3600 - 30, 0
    sts.times.clear()
    done = time.perf_counter() + 3.0

    def ask(_: int) -> None:
        while time.perf_counter() < done:
            with contextlib.suppress(Exception):  # that is what STS says
                key_of(session)
            time.sleep(0.05)

    with ThreadPoolExecutor(50) as pool:
        list(pool.map(ask, range(50)))
    return {"calls": max(sum(start <= other < start + 1.0 for other in sts.times) for start in sts.times)}


def profiles(kind: str, folder: str) -> dict[str, float]:
    """Make a session of each of 100 profiles of a file of 1,000, and count how often it is parsed."""
    import os

    import botocore.configloader

    path = Path(folder) / "config"
    path.write_text("".join(f"[profile p{number}]\nregion = eu-west-1\n" for number in range(1000)))
    os.environ["AWS_CONFIG_FILE"], os.environ["AWS_SHARED_CREDENTIALS_FILE"] = str(path), os.devnull
    parsed, original = [], botocore.configloader.raw_config_parse

    def parse(name: Any, *arguments: Any, **options: Any) -> Any:
        if str(name) == str(path):
            parsed.append(name)
        return original(name, *arguments, **options)

    botocore.configloader.raw_config_parse = parse
    cpu = time.process_time()
    if kind == "mangrove":
        import mangrove

        for number in range(100):
            _ = mangrove.ConnectionManager(profile_name=f"p{number}").get_session(ROLE).region_name
    else:
        import boto3

        for number in range(100):
            _ = boto3.Session(profile_name=f"p{number}").region_name
    return {"parses": len(parsed), "cpu": time.process_time() - cpu}


def command(kind: str, work: str, folder: str) -> list[str]:
    """Return the command that measures one kind in a process of its own."""
    python = sys.executable if kind == "mangrove" else str(BENCH / "bin" / "python")
    return [python, __file__, "--measure", json.dumps([work, kind, folder])]


def measure(kind: str, work: str) -> dict[str, float]:
    """Measure one kind in a fresh process and an empty folder; eight processes for `processes`."""
    with tempfile.TemporaryDirectory() as folder:
        if work != "processes":
            run = subprocess.run(command(kind, work, folder), capture_output=True, text=True, check=False)
            if run.returncode:
                raise SystemExit(run.stderr)
            found: dict[str, float] = json.loads(run.stdout)
            return found
        log = Path(folder) / "log"
        log.touch()
        started = [subprocess.Popen(command(kind, "worker", folder), stdout=subprocess.DEVNULL) for _ in range(8)]
        time.sleep(8)
        (Path(folder) / "go").touch()
        for process in started:
            process.wait()
        return {"calls": len(log.read_text().splitlines())}


WORKS: dict[str, tuple[str, tuple[tuple[str, str], ...], str]] = {
    "threads": ("32 threads x 32 sessions of one role", (("calls", "AssumeRole"),), "1"),
    "short": ("a role of 900 s, 20 requests", (("calls", "AssumeRole"),), "1"),
    "processes": ("8 processes with a file cache", (("calls", "AssumeRole"),), "1"),
    "hours": (
        "3 hours, 15-minute tokens, 10,000 (rivals 1,000)",
        (("expired", "expired tokens"), ("calls", "AssumeRole")),
        "0; <= 16",
    ),
    "warm": ("200 roles, STS takes 50 ms, 32 threads", (("wall", "seconds"), ("cpu", "s of CPU")), "<= 1 s"),
    "failing": ("STS fails, 50 threads, the busiest second", (("calls", "AssumeRole"),), "1"),
    "profiles": ("100 sessions, 1,000 profiles", (("parses", "parses"), ("cpu", "s of CPU")), "1"),
}
MEASURES: dict[str, Callable[[str, str], dict[str, float]]] = {
    "threads": threads,
    "short": short,
    "worker": worker,
    "hours": hours,
    "warm": warm,
    "failing": failing,
    "profiles": profiles,
}


def install() -> None:
    """Make the rivals' environment, if it is not there."""
    if not (BENCH / "bin" / "python").exists():
        subprocess.run([sys.executable, "-m", "venv", str(BENCH)], check=True)
    have = subprocess.run([str(BENCH / "bin" / "pip"), "freeze"], capture_output=True, text=True, check=True).stdout
    if not all(f"{name}==" in have for name in RIVALS):
        subprocess.run([str(BENCH / "bin" / "pip"), "install", "--quiet", *RIVALS], check=True)


def main() -> None:
    """Measure what is asked for, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--only", default=",".join(WORKS))
    parser.add_argument("--measure", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        work, kind, folder = json.loads(options.measure)
        print(json.dumps(MEASURES[work](kind, folder)))
        return
    install()
    rows: list[dict[str, Any]] = []
    print(f"{'work':48} {'figure':16}" + "".join(f"{kind:>23}" for kind in KINDS) + "  target")
    for name in options.only.split(","):
        title, figures, target = WORKS[name]
        # What is counted is the same in each round.
        rounds = options.rounds if any(figure in {"wall", "cpu"} for figure, _ in figures) else 1
        runs = {kind: [measure(kind, name) for _ in range(rounds)] for kind in KINDS}
        for figure, label in figures:
            found = {kind: statistics.median(run[figure] for run in runs[kind]) for kind in KINDS}
            rows.append({"work": title, "figure": label, "target": target, **found})
            shown = "".join(f"{found[kind]:23.4g}" for kind in KINDS)
            print(f"{title:48} {label:16}{shown}  {target}", flush=True)
    if options.json:
        listed = subprocess.run([str(BENCH / "bin" / "pip"), "freeze"], capture_output=True, text=True, check=True)
        about = {"python": platform.python_version(), "machine": platform.machine(), "rivals": listed.stdout.split()}
        options.json.write_text(json.dumps({"about": about, "rounds": options.rounds, "rows": rows}, indent=1))


if __name__ == "__main__":
    main()
