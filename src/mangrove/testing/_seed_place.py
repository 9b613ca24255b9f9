"""Says where a step of the seed works, and what it names and tags things by."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from mangrove.testing._seed_data import Profile

__all__ = ["Place", "Step"]


@dataclass(frozen=True, slots=True)
class Place:
    """Say where a step works: in which account and region, with which clients, on which network."""

    account: str
    region: str
    profile: Profile
    # An index of its own gives each region of each account a network that overlaps no other.
    index: int
    client: Callable[[str], Any]
    # What later steps build on: the VPC and its subnets.
    made: dict[str, Any] = field(default_factory=dict)

    def named(self, name: str) -> str:
        """Return the name with the environment before it."""
        return f"{self.profile.environment}-{name}"

    def tags(self, name: str) -> list[dict[str, str]]:
        """Return the tags in the form that most services take."""
        return [{"Key": key, "Value": value} for key, value in self.profile.tags(name).items()]

    def small_tags(self, name: str) -> list[dict[str, str]]:
        """Return the tags in the form of the services whose members begin with small letters."""
        return [{"key": key, "value": value} for key, value in self.profile.tags(name).items()]

    def bucket(self, name: str) -> str:
        """Return the whole name of a bucket of this region: all accounts of the world share one space of names."""
        return f"{self.named(name)}-{self.account}-{self.region}"

    def role(self, name: str) -> str:
        """Return the ARN of a role of this account."""
        return f"arn:aws:iam::{self.account}:role/{name}"


Step: TypeAlias = Callable[[Place], int]
