"""Make the fleet of a command line, and find out what is wrong with it before its first call."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from mangrove.errors import ConfigError, CredentialError, MangroveError, NoAccountsError

if TYPE_CHECKING:
    from collections.abc import Iterator

    import boto3

    from mangrove.fleet import Fleet, Limits

__all__ = ["make_fleet", "narrowed"]

_LEFT = ("SUSPENDED", "CLOSED", "PENDING_CLOSURE", "PENDING_ACTIVATION")


@contextmanager
def _naming_the_login(session: boto3.Session) -> Iterator[None]:
    """Say which command begins a new login, where one has ended."""
    from mangrove.credentials.explain import login_needed  # noqa: PLC0415

    try:
        yield
    except Exception as error:
        told = login_needed(error, session)
        if told is None:
            raise
        raise told from error


def make_fleet(given: Mapping[str, Any], session: boto3.Session) -> Fleet:
    """Return the fleet that the options of the command describe; accounts of an organization are not yet asked for.

    Args:
        given: the parameters of the command.
        session: the caller's.

    Raises:
        ConfigError: an option is wrong.
        NoAccountsError: the list of accounts is empty.
    """
    from mangrove.fleet import Fleet  # noqa: PLC0415  `--help` needs no botocore

    if given["role"] is not None and given["accounts"] is None:
        text = "--role is for the accounts of --accounts; without it the calls are the caller's own"
        raise ConfigError(text)
    names = ("role", "external_id", "endpoint_url", "polite", "concurrency", "deadline", "target_deadline")
    settings = {name: given[name] for name in names if given[name] is not None}
    return Fleet(
        given["accounts"],
        _split(given["regions"]) or "*",
        session=session,
        limits=_limits(given["limits"], given["max_rate"], session),
        **settings,
    )


def _split(texts: Iterable[str]) -> list[str]:
    return [part.strip() for text in texts for part in text.split(",") if part.strip()]


def _limits(file: str | None, rate: float | None, session: boto3.Session) -> Limits:
    from mangrove.fleet import Limit, Limits  # noqa: PLC0415

    found = Limits.read(file, session=session)
    if rate is None:
        return found
    # A second's worth at once would be twice the rate in the first one.
    return Limits((*found.limits, Limit("--max-rate", rate=rate, burst=max(1.0, rate / 10))))


def narrowed(fleet: Fleet, given: Mapping[str, Any], session: boto3.Session) -> Fleet:
    """Return the part of a fleet that was asked for, its accounts known and entered with credentials that there are.

    Args:
        fleet: the fleet.
        given: the parameters of the command.
        session: the caller's.

    Raises:
        NoAccountsError: no account is left, or one has an id that none has.
        CredentialError: there are no credentials.
        OrganizationError: the organization can't be read.
    """
    ids, units = _split(given["account_ids"]), _split(given["units"])
    source = given["accounts"] or ""
    with _naming_the_login(session):
        if not source or source.partition(":")[0] == "org":
            _check_credentials(session)
        try:
            tags = _tags(given["account_tags"])
            part = fleet.where(ids=ids or None, account_tags=tags or None, ou=units or None)
            accounts = part.accounts
        except NoAccountsError as error:
            raise _of_their_state(error, ids, source, session) from error
        if any(account.profile is None for account in accounts):
            _check_credentials(session)
    return part


def _check_credentials(session: boto3.Session) -> None:
    """Refuse to ask in a hundred accounts without credentials."""
    from mangrove.aws.identity import load_credentials  # noqa: PLC0415

    found = load_credentials(session)
    if found is None:
        text = (
            "no credentials found: give --profile, or set one of boto3's sources (environment, ~/.aws, SSO, a role of "
            "the machine)"
        )
        raise CredentialError(text)
    found.get_frozen_credentials()


def _tags(pairs: Sequence[str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not (key and equals):
            text = f"--account-tag takes KEY=GLOB; got {pair!r}"
            raise ConfigError(text)
        found.setdefault(key, []).append(value)
    return found


def _of_their_state(error: NoAccountsError, ids: list[str], source: str, session: boto3.Session) -> NoAccountsError:
    """Return the error, saying of accounts that are suspended or closed that they are there."""
    from mangrove.accounts import from_organization  # noqa: PLC0415

    if not ids or source.partition(":")[0] != "org":
        return error
    with suppress(MangroveError):  # none is, or nobody may know
        for state in _LEFT:
            found = [each.id for each in from_organization(session, status=state) if each.id in ids]
            if found:
                return NoAccountsError(f"account {found[0]} is {state} in the organization, and can't be called in")
    return error
