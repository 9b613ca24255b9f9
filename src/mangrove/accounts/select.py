"""Narrow accounts by what is known of them: pure, without a call, and never silently to nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mangrove.accounts._globs import Globs, is_glob, patterns
from mangrove.accounts._units import check_unit, path_matches
from mangrove.accounts.account import Account
from mangrove.aws.services import one_of
from mangrove.errors import ConfigError, DeclarationTypeError, NoAccountsError

__all__ = ["TagFilter", "TagPatterns", "where"]

TagPatterns = Mapping[str, str | Sequence[str]]


@dataclass(frozen=True, slots=True)
class TagFilter:
    """Match tags against what each must be.

    Attributes:
        globs: what a tag's value must be, by its key.

    Example:
        >>> wanted = TagFilter.of({"env": ["prod", "stage"], "team": "!web"})
        >>> wanted.match({"env": "prod"}), wanted.match({"env": "prod", "team": "web"}), wanted.match({})
        (True, False, False)
    """

    globs: Mapping[str, Globs]

    @classmethod
    def of(cls, given: TagPatterns) -> TagFilter:
        """Read the argument `tags`.

        Raises:
            ConfigError: it is empty, or a value has no pattern.
            DeclarationTypeError: it is no mapping of strings to patterns.
        """
        if not isinstance(given, Mapping):
            text = f"tags take a mapping, {{'env': 'prod'}} or {{'env': ['prod', 'stage']}}; got {type(given).__name__}"
            raise DeclarationTypeError(text)
        if not given:
            text = "tags is an empty mapping; leave it out to take all"
            raise ConfigError(text)
        return cls({key: Globs.of(value, f"tags[{key!r}]") for key, value in given.items()})

    def match(self, tags: Mapping[str, str]) -> bool:
        """Say whether tags are as wanted; a key that only must not be something may be missing."""
        return all(globs.match(tags.get(key)) for key, globs in self.globs.items())


def where(
    accounts: Iterable[Account],
    *,
    ids: str | Iterable[str] | None = None,
    names: str | Iterable[str] | None = None,
    tags: TagPatterns | None = None,
    ou: str | Iterable[str] | None = None,
) -> tuple[Account, ...]:
    """Return the accounts that match everything that is given, in their order.

    Args:
        accounts: what to narrow.
        ids: ids, or globs of them; `!` before what is left out, here as everywhere.
        names: names, or globs of them.
        tags: what the tags must be, each a glob or several.
        ou: paths of units, with all that is below them, such as `/prod`, `/prod/*`, `/**/web`.

    Returns:
        At least one account.

    Raises:
        NoAccountsError: nothing is left, or there is no account of a name or an id that was asked for.
        ConfigError: a pattern is wrong, or what it asks for is not known of an account.
        DeclarationTypeError: a pattern has the wrong type.

    Example:
        >>> Account = mangrove.accounts.Account
        >>> every = [Account("111111111111", "prod-web"), Account("222222222222", "dev", tags={"env": "dev"})]
        >>> [account.id for account in mangrove.accounts.where(every, names=["*", "!prod-*"])]
        ['222222222222']
    """
    return _narrowed(tuple(accounts), {"ids": ids, "names": names, "ou": ou, "tags": tags})


def _narrowed(accounts: tuple[Account, ...], asked: Mapping[str, Any]) -> tuple[Account, ...]:
    for account in accounts:
        if not isinstance(account, Account):
            text = f"where takes accounts; got {type(account).__name__}: see mangrove.accounts.load"
            raise DeclarationTypeError(text)
    steps: Mapping[str, Callable[[tuple[Account, ...], Any], tuple[Account, ...]]] = {
        "ids": lambda left, given: _by_text(left, "ids", given, lambda account: account.id),
        "names": lambda left, given: _by_text(left, "names", given, lambda account: account.name),
        "ou": _by_unit,
        "tags": _by_tags,
    }
    given = {name: value for name, value in asked.items() if value is not None}
    left = accounts
    for name, value in given.items():
        left = steps[name](left, value)
    if not left:
        told = ", ".join(f"{name}={value!r}" for name, value in given.items())
        text = f"no account is left of {len(accounts)} with {told or 'nothing asked'}"
        raise NoAccountsError(text)
    return left


def _by_text(
    accounts: Sequence[Account], what: str, given: str | Iterable[str], text_of: Callable[[Account], str | None]
) -> tuple[Account, ...]:
    wanted = patterns(given, what)
    globs = Globs.of(wanted, what)
    texts = [text_of(account) for account in accounts]
    for pattern in wanted:
        exact = pattern.removeprefix("!")
        if not is_glob(exact) and exact not in texts:
            known = [text for text in texts if text is not None]
            error = f"no account {exact!r} among the {len(texts)} there are{one_of(exact, known)}"
            raise NoAccountsError(error)
    return tuple(account for account, text in zip(accounts, texts, strict=True) if globs.match(text))


def _by_unit(accounts: Sequence[Account], given: str | Iterable[str]) -> tuple[Account, ...]:
    wanted = patterns(given, "ou")
    for pattern in wanted:
        if not check_unit(pattern.removeprefix("!")).startswith("/"):
            text = f"ou takes paths here, as accounts know no unit's id; got {pattern!r}"
            raise ConfigError(text)
    include = [each for each in wanted if not each.startswith("!")]
    exclude = [each[1:] for each in wanted if each.startswith("!")]

    def fits(account: Account) -> bool:
        if account.ou_path is None:
            text = f"ou was asked for, and the unit of account {account.id} is not known; take include_ou_paths=True"
            raise ConfigError(text)
        path = account.ou_path
        included = not include or any(path_matches(each, path) for each in include)
        return included and not any(path_matches(each, path) for each in exclude)

    return tuple(filter(fits, accounts))


def _by_tags(accounts: Sequence[Account], given: TagPatterns) -> tuple[Account, ...]:
    wanted = TagFilter.of(given)

    def fits(account: Account) -> bool:
        if account.tags is None:
            text = f"tags were asked for, and those of account {account.id} are not known; take include_tags=True"
            raise ConfigError(text)
        return wanted.match(account.tags)

    return tuple(filter(fits, accounts))
