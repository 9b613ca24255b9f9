"""Eight processes that need the same role ask STS once: one gets it, and the others take it from the file."""

from __future__ import annotations

import http.server
import json
import os
import subprocess
import sys
import threading
import time
from datetime import datetime, timedelta, timezone
from urllib.parse import parse_qsl

import pytest

WORKER = """
import json, sys
import mangrove
folder, url, cache = sys.argv[1:]
base = mangrove.Session("AKIABASE", "x", region_name="eu-west-1")
connections = mangrove.ConnectionManager(base, mangrove.FileCache(folder))
sys.stdout.write("ready\\n")
sys.stdout.flush()
sys.stdin.readline()
session = connections.get_session("arn:aws:iam::210987654321:role/Reader", external_id="abc")
print(session.get_credentials().get_frozen_credentials().access_key)
"""
BODY = """<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult><AssumedRoleUser>
<AssumedRoleId>AROA:x</AssumedRoleId><Arn>arn:aws:sts::210987654321:assumed-role/Reader/mangrove</Arn></AssumedRoleUser>
<Credentials><AccessKeyId>ASIA{number}</AccessKeyId><SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken>
<Expiration>{end}</Expiration></Credentials></AssumeRoleResult><ResponseMetadata><RequestId>r</RequestId>
</ResponseMetadata></AssumeRoleResponse>"""


class STS(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self):
        self.requests = []
        super().__init__(("127.0.0.1", 0), Handler)

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_address[1]}"


class Handler(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        form = dict(parse_qsl(self.rfile.read(int(self.headers["Content-Length"])).decode()))
        self.server.requests.append(form)
        time.sleep(0.1)  # the others arrive meanwhile
        end = (datetime.now(timezone.utc) + timedelta(hours=1)).isoformat()
        body = BODY.format(number=len(self.server.requests), end=end).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@pytest.fixture
def sts():
    with STS() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


def test_eight_processes_with_the_file_cache_are_one_call(sts, tmp_path):
    command = [sys.executable, "-c", WORKER, str(tmp_path / "cache"), sts.url, ""]
    environment = {**os.environ, "AWS_ENDPOINT_URL": sts.url}
    workers = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment)
        for _ in range(8)
    ]
    try:
        assert [worker.stdout.readline() for worker in workers] == ["ready\n"] * 8
        for worker in workers:
            worker.stdin.write("\n")
            worker.stdin.flush()
        assert [worker.communicate(timeout=60)[0] for worker in workers] == ["ASIA1\n"] * 8
    finally:
        for worker in workers:
            worker.kill()
            worker.wait()
            worker.stdin.close()
            worker.stdout.close()
    assert [form["Action"] for form in sts.requests] == ["AssumeRole"]
    (entry,) = (tmp_path / "cache").glob("*.json")
    assert json.loads(entry.read_text())["Credentials"]["AccessKeyId"] == "ASIA1"
    assert "abc" not in entry.read_text()
