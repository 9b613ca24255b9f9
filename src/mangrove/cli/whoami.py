"""Say who one is: at the credentials at hand, in a role, or in every account of a fleet."""

from __future__ import annotations

import sys
import threading
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any

import click

from mangrove._redact import message_of
from mangrove.cli.children import EXTERNAL_ID, kept_from_children
from mangrove.cli.options import output_options
from mangrove.cli.text import clean
from mangrove.errors import CredentialError, WrongAccountError

if TYPE_CHECKING:
    import boto3

    from mangrove import ConnectionManager
    from mangrove.accounts import Account

__all__ = ["COLUMNS", "whoami"]

COLUMNS = ("account", "name", "arn", "error", "source", "region", "partition", "user_id")
_THREADS = 16


@dataclass(frozen=True, slots=True, repr=False)
class _Target:
    """Be one identity to ask for: an account of a fleet, a profile, or a role, or nothing but what is at hand."""

    account_id: str | None = None
    name: str | None = None
    account: Account | None = None
    profile: str | None = None
    role_arn: str | None = None
    external_id: str | None = None


@click.command(short_help="Say who you are, here or in every account.")
@click.option("--profile", metavar="NAME", help="The profile whose credentials are used.")
@click.option("--region", metavar="NAME", help="The region whose STS is asked.")
@click.option("--role-arn", metavar="ARN", help="A role to assume first.")
@click.option(
    "--external-id",
    envvar=EXTERNAL_ID,
    metavar="ID",
    help="What the role's owner asks for; with --accounts a template such as '{id}-x'.",
)
@click.option(
    "--accounts",
    "source",
    metavar="SOURCE",
    help="A row for each account of 'accounts.yml', 'org', 'org:/prod', 'profile:prod-*' or '111111111111,...'.",
)
@click.option("--role", metavar="NAME", help="The role in accounts that name none; a template such as 'audit-{name}'.")
@output_options
@kept_from_children()
def whoami(
    *,
    profile: str | None,
    region: str | None,
    role_arn: str | None,
    external_id: str | None,
    source: str | None,
    role: str | None,
    output: str,
    no_progress: bool,
) -> int:
    """Print account, ARN, where the credentials come from, region, partition and user id.

    With --accounts, one row for each account, asked for side by side; one that fails is a row with its error, and then
    the exit code is 1. JSON Lines and CSV come as they are answered, tables and JSON in the order of the accounts.
    """
    # Imported here: `--help` needs no botocore.
    from mangrove.aws.session import make_session  # noqa: PLC0415
    from mangrove.cli.grid import Grid  # noqa: PLC0415

    if source is not None and role_arn is not None:
        text = "--role-arn is for one role; with --accounts, say --role NAME"
        raise click.UsageError(text)
    if source is None and role is not None:
        text = "--role is for --accounts; say --role-arn ARN"
        raise click.UsageError(text)
    base = make_session(profile_name=profile, region_name=region)
    grid = Grid(COLUMNS, output)
    if source is None:
        target = _Target(role_arn=role_arn, external_id=external_id)
        grid.print([_identity(target, _Opener(base, region))])
        return 0
    targets = _targets(source, base, role, external_id)
    opener = _Opener(base, region)
    if any(target.profile is None for target in targets):
        opener.check()
    # A live line and rows that come one by one would fight for the terminal.
    progress = not no_progress and not (grid.streams and sys.stdout is not None and sys.stdout.isatty())
    failed: list[dict[str, Any]] = []

    def seen() -> Iterator[dict[str, Any]]:
        for row in _rows(targets, opener, in_order=not grid.streams, progress=progress):
            failed.extend([row] if row["error"] else [])
            yield row

    grid.print(seen())
    for row in failed:
        which = " ".join(filter(None, (row["account"], clean(row["name"] or ""))))
        click.echo(f"mangrove: error: {which}: {row['error']}", err=True)
    if failed:
        click.echo(f"mangrove: {len(failed)} of {len(targets)} failed", err=True)
    return 1 if failed else 0


def _targets(source: str, base: boto3.Session, role: str | None, external_id: str | None) -> list[_Target]:
    from mangrove import accounts  # noqa: PLC0415

    kind, _, names = source.partition(":")
    if kind == "profile":
        # Each profile is a row, also where two lead into one account and where nobody knows yet which one it is.
        if role is not None or external_id is not None:
            text = "a profile names its role itself; leave out --role and --external-id (or MANGROVE_EXTERNAL_ID)"
            raise click.UsageError(text)
        found = accounts.find_profiles([name.strip() for name in names.split(",") if name.strip()] or "*")
        return [_Target(profile.account_id, profile.name, profile=profile.name) for profile in found]
    with _naming_the_login(base):
        loaded = accounts.load(source, base, role=role, external_id=external_id)
    return [_Target(account.id, account.name, account, account.profile) for account in loaded]


class _Opener:
    """Open a session for each target, all from one base and one manager."""

    def __init__(self, base: boto3.Session, region: str | None) -> None:
        from mangrove import ConnectionManager  # noqa: PLC0415

        self._base = base
        self._region = region
        self._connections: ConnectionManager = ConnectionManager(session=base)

    def check(self) -> None:
        """Refuse to ask in a hundred accounts without credentials.

        Raises:
            CredentialError: there are none.
        """
        _method(self._base)

    def open(self, target: _Target) -> tuple[boto3.Session, str]:
        """Return a session and where its credentials come from."""
        from mangrove.aws.session import make_session  # noqa: PLC0415

        if target.profile is not None:
            session = make_session(profile_name=target.profile, region_name=self._region)
            return session, f"{_method(session)}, profile {target.profile}"
        roles, external_id = self._roles(target)
        source = _method(self._base)
        if not roles:
            profile = self._base.profile_name
            return self._base, source if profile == "default" else f"{source}, profile {profile}"
        arns: Any = roles[0] if len(roles) == 1 else list(roles)
        session = self._connections.get_session(role_arn=arns, external_id=external_id)
        return session, f"assume-role, by {source}"

    def _roles(self, target: _Target) -> tuple[Sequence[str], str | None]:
        if target.account is not None:
            base: Any = self._base
            return target.account.role_arns(base.partition), target.account.external_id
        return (() if target.role_arn is None else (target.role_arn,)), target.external_id


def _method(session: boto3.Session) -> str:
    credentials = session.get_credentials()
    if credentials is None:
        text = (
            "no credentials found: give --profile, or set one of boto3's sources (environment, ~/.aws, SSO, a role of "
            "the machine)"
        )
        raise CredentialError(text)
    return str(credentials.method)


def _identity(target: _Target, opener: _Opener) -> dict[str, Any]:
    """Return the row of a target, as STS tells it."""
    session, source = opener.open(target)
    with _naming_the_login(session):
        return _asked(target, session, source)


@contextmanager
def _naming_the_login(session: boto3.Session) -> Iterator[None]:
    from mangrove.credentials.explain import login_needed  # noqa: PLC0415

    try:
        yield
    except Exception as error:
        told = login_needed(error, session)
        if told is None:
            raise
        raise told from error


def _asked(target: _Target, session: boto3.Session, source: str) -> dict[str, Any]:
    from mangrove.aws.identity import STS_CONFIG, partition_of_sts, sts_region  # noqa: PLC0415
    from mangrove.aws.session import make_client, sdk_regions  # noqa: PLC0415

    known, region = sdk_regions(session), session.region_name
    partition = known.partition_of(region) if region else known.partitions[partition_of_sts(session)]
    sts = make_client(session, "sts", region_name=sts_region(partition, region), config=STS_CONFIG)
    try:
        answer = sts.get_caller_identity()
    finally:
        sts.close()
    if not all(answer.get(name) for name in ("Account", "Arn", "UserId")):
        text = "STS gave an answer without an account; what stands between: an endpoint, a proxy, a stub?"
        raise CredentialError(text)
    if target.account_id is not None and answer["Account"] != target.account_id:
        text = f"these credentials are of account {answer['Account']} ({answer['Arn']}), not of {target.account_id}"
        raise WrongAccountError(text)
    return {
        "account": answer["Account"],
        "name": target.name,
        "arn": answer["Arn"],
        "error": None,
        "source": source,
        "region": region,
        "partition": answer["Arn"].split(":")[1],
        "user_id": answer["UserId"],
    }


def _row(target: _Target, opener: _Opener) -> dict[str, Any]:
    """Return the row of a target, whatever happens to it."""
    try:
        return _identity(target, opener)
    except Exception as error:  # noqa: BLE001  one account's failure is one row
        reason = clean(" ".join(message_of(error).split()))
        told = {"account": target.account_id, "name": target.name, "error": reason or type(error).__name__}
        return {**dict.fromkeys(COLUMNS), **told}


def _rows(targets: Sequence[_Target], opener: _Opener, *, in_order: bool, progress: bool) -> Iterator[dict[str, Any]]:
    """Ask for all targets side by side; yield the rows as they come, or in the order of the targets."""
    from mangrove.cli.progress import Progress  # noqa: PLC0415

    crew = _Crew(targets, opener)
    found: dict[int, dict[str, Any]] = {}
    try:
        with Progress(shown=progress) as shown:
            shown.phase(f"asking in {len(targets)} account{'s' if len(targets) > 1 else ''}")
            while len(found) < len(targets):
                number, row = crew.answers.get()
                found[number] = row
                shown.advance(len(found), len(targets))
                if not in_order:
                    yield row
        if in_order:
            yield from (found[number] for number in range(len(targets)))
    finally:
        crew.stop()


class _Crew:
    """Be the threads that ask."""

    def __init__(self, targets: Sequence[_Target], opener: _Opener) -> None:
        self.answers: SimpleQueue[tuple[int, dict[str, Any]]] = SimpleQueue()
        self._left = deque(enumerate(targets))
        self._opener = opener
        for number in range(min(_THREADS, len(targets))):
            # Daemons: a call that hangs must not keep an interrupted command from ending.
            threading.Thread(target=self._work, name=f"mangrove-whoami-{number}", daemon=True).start()

    def _work(self) -> None:
        while True:
            try:
                number, target = self._left.popleft()
            except IndexError:
                return
            self.answers.put((number, _row(target, self._opener)))

    def stop(self) -> None:
        """Begin nothing more."""
        self._left.clear()
