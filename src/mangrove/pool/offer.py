"""Where a pool's regions come from: the account and the SDK, or the subclass's own list; one shape for both."""

from __future__ import annotations

import fnmatch
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any, Protocol

from mangrove.aws.options import ClientOptions
from mangrove.aws.partitions import check_region_name, region_key
from mangrove.aws.regions import (
    Asked,
    Region,
    RegionsAnswer,
    answer,
    ask,
    find_regions,
    is_glob,
    parse_terms,
)
from mangrove.aws.services import one_of
from mangrove.aws.session import sdk_regions
from mangrove.errors import ConfigError, DeclarationTypeError, InvalidRegionError, NoRegionsError, UnknownRegionError
from mangrove.pool.declaration import Declaration
from mangrove.pool.identity import Identity

__all__ = ["Offer", "looks_like_region", "make_offer"]


class Offer(Protocol):
    """Be a checked question for regions, with its answer still to come."""

    @property
    def service(self) -> str:
        """Return botocore's name of the service."""
        ...

    @property
    def default_region(self) -> str | None:
        """Return the name of the default region, or None."""
        ...

    @property
    def added(self) -> tuple[str, ...]:
        """Return the names that were added to what the pool asked for at first."""
        ...

    def answers_to(self, name: str) -> bool:
        """Say whether one endpoint serves the region of that name, and every other."""
        ...

    def answer(self) -> RegionsAnswer:
        """Return the regions; this may call AWS, or the subclass."""
        ...

    def one(self, name: object) -> Region:
        """Return one more region, checked as the others are."""
        ...

    def everywhere(self) -> list[str]:
        """Return the names of all regions where the account can use the service."""
        ...


def looks_like_region(name: str) -> bool:
    """Say whether an attribute's name is of a region's form, such as `us_west_1`."""
    try:
        check_region_name(name)
    except InvalidRegionError:
        return False
    return True


def make_offer(
    identity: Identity,
    service: str,
    declaration: Declaration,
    options: ClientOptions,
    *,
    added: tuple[str, ...] = (),
    own_regions: Callable[[], Iterable[Any]] | None = None,
) -> Offer:
    """Check what a pool asks for, without a call.

    Args:
        identity: whose account is asked.
        service: botocore's name of the service.
        declaration: the regions and the default region.
        options: client arguments for questions to the account.
        added: regions that were added to the pool before.
        own_regions: the subclass's `_get_module_regions`, or None.

    Raises:
        ConfigError: what is asked for is wrong.
        NoRegionsError: the service is in none of the regions.
    """
    if own_regions is not None:
        terms = parse_terms(declaration.regions, check=region_key)
        default = _own_default(declaration.default_region, terms)
        return _OwnOffer(identity, service, options, (*terms, *added), default, added, own_regions)
    asked = _ask(identity, service, options, declaration.regions, declaration.default_region)
    for name in added:
        _check_partition(asked, name, identity)
    asked = replace(asked, terms=tuple(dict.fromkeys((*asked.terms, *added))))
    default = declaration.default_region
    return _AccountOffer(
        identity, service, options, asked, None if default is None else check_region_name(default), added
    )


def _own_default(default: object, terms: tuple[str, ...]) -> str | None:
    """Check a default region as far as the subclass's list need not be asked for it."""
    if default is None:
        return None
    (name,) = parse_terms([default], check=region_key)
    if not any(fnmatch.fnmatchcase(name, term) for term in terms):
        text = f"default_region {name!r} is not among the regions of this pool: {', '.join(terms)}"
        raise ConfigError(text)
    return name


def _check_partition(asked: Asked, name: str, identity: Identity) -> None:
    theirs, ours = sdk_regions(identity.facts).partition_of(name).name, asked.partition.name
    if theirs != ours:
        text = f"{name!r} is in partition {theirs!r}, this pool's regions are in {ours!r}; "
        text += "one pool has one partition, as credentials do"
        raise ConfigError(text)


def _ask(
    identity: Identity, service: str, options: ClientOptions, regions: Any, default_region: str | None = None
) -> Asked:
    return ask(identity.facts, service, regions, default_region, anywhere=options.endpoint_url is not None)


@dataclass(frozen=True, slots=True)
class _AccountOffer:
    """Ask the account, as far as what was asked for needs it."""

    identity: Identity
    service: str
    options: ClientOptions
    asked: Asked
    default_region: str | None
    added: tuple[str, ...]

    def answers_to(self, name: str) -> bool:
        partition = self.asked.partition
        return self.asked.coverage.is_global and name in (*partition.regions, partition.global_name)

    def answer(self) -> RegionsAnswer:
        return self._answer(self.asked)

    def _answer(self, asked: Asked) -> RegionsAnswer:
        # Without a question to the account no credentials are needed, nor asked for.
        session = self.identity.session if asked.needs_account else self.identity.facts
        return answer(session, asked, self.options)

    def one(self, name: object) -> Region:
        asked = _ask(self.identity, self.service, self.options, [check_region_name(name)])
        _check_partition(self.asked, asked.terms[0], self.identity)
        return self._answer(asked).regions[0]

    def everywhere(self) -> list[str]:
        return list(self._answer(replace(self.asked, terms=("*",))).names)


@dataclass(frozen=True, slots=True)
class _OwnOffer:
    """Take the regions from a subclass that knows better."""

    identity: Identity
    service: str
    options: ClientOptions
    terms: tuple[str, ...]
    default_region: str | None
    added: tuple[str, ...]
    own_regions: Callable[[], Iterable[Any]]

    def answers_to(self, name: str) -> bool:  # noqa: ARG002  the protocol's signature
        return False

    def answer(self) -> RegionsAnswer:
        offered = self._offered()
        names: dict[str, None] = {}
        for term in self.terms:
            names.update(
                dict.fromkeys(fnmatch.filter(offered, term) if is_glob(term) else [self._known(term, offered)])
            )
        if not names:
            text = f"_get_module_regions of the {self.service!r} pool offers nothing of {', '.join(self.terms)}"
            raise NoRegionsError(text)
        default = self.default_region
        if default is not None and default not in names:
            text = f"default_region {default!r} is not among the regions of this {self.service!r} pool: {list(names)}"
            raise ConfigError(text)
        return RegionsAnswer(self.service, "", tuple(self._region(name) for name in names), source="pool")

    def one(self, name: object) -> Region:
        (term,) = parse_terms([name], check=region_key)
        return self._region(self._known(term, self._offered()))

    def everywhere(self) -> list[str]:
        # Reached when the override asks its parent: what the account and the SDK say.
        return list(find_regions(self.identity.session, self.service, options=self.options).names)

    def _offered(self) -> list[str]:
        found = self.own_regions()
        if isinstance(found, str) or not isinstance(found, Iterable):
            text = f"_get_module_regions of the {self.service!r} pool returns a list of names; got {found!r}"
            raise DeclarationTypeError(text)
        # boto2's region objects carry their name; ours do too.
        return [region_key(str(getattr(region, "name", region))) for region in found]

    def _known(self, name: str, offered: list[str]) -> str:
        if name not in offered:
            text = f"_get_module_regions of the {self.service!r} pool does not offer {name!r}{one_of(name, offered)}"
            raise UnknownRegionError(text)
        return name

    def _region(self, name: str) -> Region:
        sdk = sdk_regions(self.identity.facts)
        partition = next((p for p in sdk.partitions.values() if p.has(name)), None)
        opt_in = partition is not None and partition.is_opt_in(name)
        return Region(name, partition.name if partition else "", "unknown", "pool", "assumed", name, opt_in)
