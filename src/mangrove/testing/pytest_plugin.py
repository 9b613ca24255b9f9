"""Gives a user's tests the embedded AWS as fixtures; pytest loads it in every run, so it imports nothing but pytest."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mangrove.testing.embedded import EmbeddedAWS

__all__ = ["embedded_aws", "embedded_aws_env"]


@pytest.fixture(scope="session")
def _embedded_aws_server() -> Iterator[EmbeddedAWS]:
    from mangrove.testing.embedded import EmbeddedAWS  # noqa: PLC0415  a run that uses no fixture pays for none

    with EmbeddedAWS() as aws:
        yield aws


@pytest.fixture
def embedded_aws(_embedded_aws_server: EmbeddedAWS) -> EmbeddedAWS:
    """Return a running, empty `EmbeddedAWS` of three accounts and four regions; the server is one for the test run.

    Example:
        >>> def test_queue(embedded_aws):
        ...     sqs = embedded_aws.session(region_name="eu-west-1").client("sqs")
        ...     assert "QueueUrls" not in sqs.list_queues()
    """
    _embedded_aws_server.reset()
    return _embedded_aws_server


@pytest.fixture
def embedded_aws_env(embedded_aws: EmbeddedAWS, monkeypatch: pytest.MonkeyPatch) -> EmbeddedAWS:
    """Point the environment at the embedded AWS, for code that makes its own clients; return the `EmbeddedAWS`.

    All AWS_ variables there are go away for the test, with the profile and the endpoints that they name.

    Example:
        >>> def test_own_client(embedded_aws_env):
        ...     assert boto3.client("sts").get_caller_identity()["Account"] == embedded_aws_env.accounts[0]
    """
    import os  # noqa: PLC0415  as above

    import boto3  # noqa: PLC0415  as above

    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    for name, value in embedded_aws.environment().items():
        monkeypatch.setenv(name, value)
    # boto3.client() keeps the session, and with it the keys, of the environment in which it was first called.
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)
    return embedded_aws
