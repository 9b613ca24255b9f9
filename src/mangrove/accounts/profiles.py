"""Find accounts by the profiles of the AWS configuration, mostly without a call."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from mangrove._redact import message_of
from mangrove.accounts._globs import Globs, is_glob, patterns
from mangrove.accounts._unique import unique
from mangrove.accounts.account import Account
from mangrove.aws.identity import account_of
from mangrove.aws.services import one_of
from mangrove.aws.session import make_session
from mangrove.aws.sharing import core_session
from mangrove.errors import ConfigError, CredentialError, NoAccountsError

__all__ = ["Profile", "find_profiles", "from_profiles"]

_ROLE_ACCOUNT = re.compile(r"\Aarn:aws[a-z-]*:iam::([0-9]{12}):role/")
_ACCOUNT = re.compile(r"\A[0-9]{12}\Z")
_THREADS = 8


@dataclass(frozen=True, slots=True)
class Profile:
    """Be a profile of the AWS configuration.

    Attributes:
        name: its name.
        account_id: the account that it leads into, as far as the configuration says so.
        region_name: the region it names, or None.
    """

    name: str
    account_id: str | None
    region_name: str | None


def find_profiles(names: str | Iterable[str] = "*") -> tuple[Profile, ...]:
    """Return the profiles of a name, sorted by it; the files are parsed once however many there are.

    Args:
        names: names or globs; `!` before what is left out.

    Raises:
        ConfigError: there is no such profile, or the files can't be parsed.
        NoAccountsError: a glob matches none.

    Example:
        >>> mangrove.accounts.find_profiles("prod-*")
        Traceback (most recent call last):
        ...
        mangrove.errors.NoAccountsError: no profile matches 'prod-*' among the 0 of the AWS configuration files
    """
    wanted = patterns(names, "the profiles' names")
    globs = Globs.of(wanted, "the profiles' names")
    known = _configured()
    for pattern in wanted:
        exact = pattern.removeprefix("!")
        if not is_glob(exact) and exact not in known:
            text = f"no profile {exact!r} in the AWS configuration files{one_of(exact, known)}"
            raise ConfigError(text)
    found = tuple(_profile(name, known[name]) for name in sorted(known) if globs.match(name))
    if not found:
        shown = " or ".join(map(repr, wanted))
        text = f"no profile matches {shown} among the {len(known)} of the AWS configuration files"
        raise NoAccountsError(text)
    return found


def from_profiles(names: str | Iterable[str] = "*") -> tuple[Account, ...]:
    r"""Return the accounts that profiles lead into, sorted by the profiles' names.

    An account's name is its profile's, and it has no role: the profile says how to come into it. Its id is that of the
    profile's `role_arn`, `sso_account_id` or `aws_account_id`; where the configuration has none of them, the
    credentials or one GetCallerIdentity tell it.

    Args:
        names: names or globs of profiles; `!` before what is left out.

    Returns:
        At least one account.

    Raises:
        ConfigError: there is no such profile, or two lead into one account.
        NoAccountsError: a glob matches none.
        CredentialError: a profile whose account had to be asked for gave no answer; the cause is chained.

    Example:
        >>> import os, pathlib, tempfile
        >>> path = pathlib.Path(tempfile.mkdtemp(), "config")
        >>> _ = path.write_text("[profile web]\nsso_account_id = 111111111111\n")
        >>> os.environ["AWS_CONFIG_FILE"] = str(path)
        >>> mangrove.accounts.from_profiles("w*")
        (Account(id='111111111111', name='web', profile='web'),)
    """
    found = find_profiles(names)
    unknown = [profile.name for profile in found if profile.account_id is None]
    with ThreadPoolExecutor(min(_THREADS, len(unknown) or 1), thread_name_prefix="mangrove-accounts") as threads:
        told = dict(zip(unknown, threads.map(_ask, unknown), strict=True))
    return unique(
        (
            f"profile {profile.name!r}",
            Account(
                profile.account_id or told[profile.name],
                profile.name,
                role=None,
                profile=profile.name,
            ),
        )
        for profile in found
    )


def _configured() -> Mapping[str, Mapping[str, Any]]:
    try:
        # Deaf to AWS_PROFILE: the profile that it names need not exist.
        session = core_session({"profile": (None, None, None, None)})
        found: Mapping[str, Mapping[str, Any]] = session.full_config["profiles"]
    except Exception as error:
        text = f"the AWS configuration files can't be read: {error}"
        raise ConfigError(text) from error
    return found


def _profile(name: str, settings: Mapping[str, Any]) -> Profile:
    # In botocore's order: a role is assumed before single sign-on is looked at, and that before plain keys.
    role = _ROLE_ACCOUNT.match(str(settings.get("role_arn", "")))
    plain = str(settings.get("sso_account_id") or settings.get("aws_account_id") or "")
    account = role[1] if role else plain
    return Profile(name, account if _ACCOUNT.match(account) else None, settings.get("region"))


def _ask(profile: str) -> str:
    try:
        return account_of(make_session(profile_name=profile))
    except Exception as error:  # noqa: BLE001  a profile's credentials may come from anybody's code
        shown = message_of(error)
        failure = CredentialError(f"profile {profile!r} does not say its account, and asking for it failed: {shown}")
        failure.__cause__ = error if shown == str(error) else None
    # Outside of the except clause: what quotes an answer with keys is not to be its context either.
    raise failure
