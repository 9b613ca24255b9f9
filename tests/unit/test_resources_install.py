"""What is installed is taken back, in whichever order."""

from __future__ import annotations

from itertools import permutations

import boto3
import pytest

import mangrove


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_the_last_uninstall_gives_back_what_was_there(monkeypatch, order):
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)
    installed = [mangrove.install(region_name=region) for region in ("eu-west-1", "us-east-1", "eu-central-1")]
    for place in order:
        installed[place].uninstall()
        installed[place].uninstall()
        left = [each.session for number, each in enumerate(installed) if number not in order[: order.index(place) + 1]]
        assert boto3.DEFAULT_SESSION is (left[-1] if left else None)


def test_somebody_elses_default_session_stays(monkeypatch):
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)
    first = mangrove.install(region_name="eu-west-1")
    boto3.DEFAULT_SESSION = theirs = boto3.Session(region_name="eu-west-1")
    second = mangrove.install(region_name="us-east-1")
    first.uninstall()
    second.uninstall()
    assert boto3.DEFAULT_SESSION is theirs
