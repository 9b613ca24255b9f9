"""The zoo as pytest fixtures: made once a run, kept out of reach of the tests that empty moto."""

from __future__ import annotations

import pytest

from mangrove.testing import EmbeddedAWS
from zoo.making import ACCOUNT, REGIONS, Cage, make

__all__ = ["zoo", "zoo_made_once"]


@pytest.fixture(scope="session")
def zoo_made_once():
    """Make the zoo, and close its cage."""
    with EmbeddedAWS(accounts=[ACCOUNT], regions=REGIONS) as aws:
        aws.reset()
        made = make(aws)
        cage = Cage()
        cage.close()
        yield made, cage
        cage.open()  # the server's stop empties it, and closes the files that moto has open


@pytest.fixture
def zoo(zoo_made_once):
    """Return the Zoo, with all of it in moto for this test."""
    made, cage = zoo_made_once
    with cage.opened():
        yield made
