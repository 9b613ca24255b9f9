"""Operations on a cluster of two processes, against a real server: outcomes come back, lost workers lose none."""

from __future__ import annotations

import os
import signal
import sys
import uuid
from pathlib import Path

import pytest

TESTS = str(Path(__file__).resolve().parents[1])
if TESTS not in sys.path:
    sys.path.append(TESTS)

from mangrove import s3  # noqa: E402
from mangrove.errors import BatchError, ConfigError, NotFoundError, TransferError  # noqa: E402
from mangrove.s3.cluster import Cluster, batch_on  # noqa: E402
from mangrove.s3.dask import Operation, spread  # noqa: E402
from mangrove.s3.listing import list_objects  # noqa: E402
from mangrove.s3.recipe import Recipe  # noqa: E402

pytest_plugins = ["servers.weed"]
distributed = pytest.importorskip("distributed")
# Dask's own: sockets and loops that end with its processes.
pytestmark = pytest.mark.filterwarnings("default")


class World:
    def __init__(self, weed, client):
        self.client = client
        self.recipe = Recipe(region_name="us-east-1", endpoint_url=weed.endpoint_url)
        self.connection = s3.Connection(weed.session(), endpoint_url=weed.endpoint_url)
        self.bucket = f"dask-{uuid.uuid4().hex[:12]}"
        self.connection.create_bucket(self.bucket)

    def spread(self, operations, **options):
        return spread(self.client, operations, self.recipe, **options)

    @property
    def keys(self):
        return list(list_objects(self.connection.backend.performer, self.bucket))


@pytest.fixture
def world(weed, monkeypatch, tmp_path):
    # What the workers find themselves.
    for name, value in (("AWS_ACCESS_KEY_ID", weed.access_key), ("AWS_SECRET_ACCESS_KEY", weed.secret_key)):
        monkeypatch.setenv(name, value)
    with (
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=2, dashboard_address=None, local_directory=str(tmp_path), silence_logs=50
        ) as cluster,
        distributed.Client(cluster) as client,
    ):
        made = World(weed, client)
        yield made
        made.connection.close()


def test_all_there_is(world, tmp_path):
    bucket = world.bucket
    ups = (Operation("upload", (bucket, f"k/{number:04}", b"x" * number)) for number in range(600))
    outcomes = dict(world.spread(ups, chunk=50))
    assert sorted(outcomes) == list(range(600))
    assert all(outcomes.values())
    assert [(outcomes[number].key, outcomes[number].verified) for number in (0, 599)] == [
        ("k/0000", "CRC32"),
        ("k/0599", "CRC32"),
    ]
    assert world.keys == [f"k/{number:04}" for number in range(600)]

    mixed = [
        Operation("download", (bucket, "k/0003")),
        Operation("download", (bucket, "k/0004", tmp_path / "four")),
        Operation("copy", (bucket, "k/0005", bucket, "copy")),
        Operation("move", (bucket, "k/0006", bucket, "moved"), {"storage_class": "STANDARD"}),
        Operation("delete", (bucket, "k/0007")),
        Operation("exists", (bucket, "k/0007x")),
        Operation("head", (bucket, "k/0008")),
        Operation("download", (bucket, "none")),
        Operation("upload", (bucket, "", b"")),
        Operation("upload", (bucket, "stream", iter([b""]))),
        Operation("list", (bucket,)),
    ]
    outcomes = dict(world.spread(mixed, bodies=True))
    assert [outcomes[number].ok for number in range(11)] == [True] * 7 + [False] * 4
    assert outcomes[0].value == b"xxx"
    assert (tmp_path / "four").read_bytes() == b"xxxx"
    assert outcomes[5].value is False
    assert outcomes[6].value["ContentLength"] == 8
    assert isinstance(outcomes[7].error, NotFoundError)
    assert isinstance(outcomes[8].error, ConfigError)
    # Without being asked for, no body comes back.
    (light,) = dict(world.spread([Operation("head", (bucket, "k/0008"))])).values()
    assert (light.ok, light.value) == (True, None)


def test_a_worker_that_dies_has_only_its_unfinished_keys_made_again(world, monkeypatch):
    first, second = sorted(world.client.nthreads())
    victim = world.client.run(os.getpid, workers=[first])[first]
    seen, given = {}, []
    real = world.client.submit

    def submit(function, order, left, **options):
        assert not left.keys() & seen.keys()
        given.extend(left)
        return real(function, order, left, **options)

    monkeypatch.setattr(world.client, "submit", submit)
    ups = (Operation("upload", (world.bucket, f"{number:05}", b"x")) for number in range(6000))
    for number, outcome in world.spread(ups, chunk=1000, concurrency=4):
        assert number not in seen
        seen[number] = outcome
        if len(seen) == 500:
            os.kill(victim, signal.SIGKILL)
    assert sorted(seen) == list(range(6000))
    assert all(seen.values())
    assert world.keys == [f"{number:05}" for number in range(6000)]
    # Two chunks were the victim's; some of their keys had been told of.
    assert 0 < len(given) - 6000 < 2000
    assert second in world.client.nthreads()


def test_what_is_taken_with_it_each_time_fails_in_the_end(world):
    def die():
        os.kill(os.getpid(), signal.SIGKILL)

    outcomes = dict(spread(world.client, [Operation("delete", (world.bucket, "a"))], die))
    assert isinstance(outcomes[0].error, TransferError)
    assert "3 workers were lost with it" in str(outcomes[0].error)


def test_a_function_may_make_the_connection_and_its_error_is_each_operations(world):
    endpoint = world.recipe.endpoint_url

    def connect():
        from mangrove import s3

        return s3.Connection(region_name="us-east-1", endpoint_url=endpoint)

    operations = [Operation("upload", (world.bucket, "a", "1"))]
    assert dict(spread(world.client, operations, connect))[0].ok

    def fail():
        raise PermissionError("no such role")

    assert str(dict(spread(world.client, operations, fail))[0].error) == "no such role"


def test_a_recipe_has_no_secrets(world):
    assert world.connection._session.get_credentials().secret_key not in repr(world.recipe)
    with pytest.raises(ConfigError, match="concurrency is a whole number"):
        world.spread([], concurrency=0)


def test_a_batch_of_a_cluster(world):
    cluster = Cluster(world.client, world.recipe, bodies=True)
    called = []
    with batch_on(cluster, 8) as batch:
        for number in range(20):
            batch.upload(world.bucket, f"k{number}", b"x" * number, metadata={"n": str(number)}, callback=called.append)
    assert (batch.success(), called, batch.results()) == (True, [True] * 20, [True] * 20)
    assert world.connection.head(world.bucket, "k7")["Metadata"] == {"n": "7"}

    batch = s3.Connection(endpoint_url="http://127.0.0.1:9").batch(executor=cluster)
    good, bad = batch.download(world.bucket, "k3"), batch.download(world.bucket, "none")
    with pytest.raises(BatchError) as caught, batch:
        pass
    assert [outcome.key for outcome in caught.value.failures] == ["none"]
    assert good.result() == b"xxx"
    with pytest.raises(NotFoundError):
        bad.result()
    assert batch.results() == [b"xxx", None]

    with cluster.batch(raise_errors=False) as batch, pytest.raises(ConfigError, match="data for a cluster"):
        batch.upload(world.bucket, "a", iter([b""]))

    with pytest.raises(TypeError, match="which says how a worker makes its connection; got Client"):
        batch_on(world.client, 8)
