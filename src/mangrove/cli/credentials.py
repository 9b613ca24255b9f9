"""Print a role's credentials for `credential_process`, for a shell, or for a program; to standard output alone."""

from __future__ import annotations

import json
import os
import shlex
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

import click

from mangrove.cli.children import EXTERNAL_ID, kept_from_children
from mangrove.cli.output import emit
from mangrove.errors import ConfigError, CredentialError

if TYPE_CHECKING:
    from mangrove.credentials.documents import Issued

__all__ = ["FORMATS", "credentials"]

_VARIABLES = {
    "AWS_ACCESS_KEY_ID": "AccessKeyId",
    "AWS_SECRET_ACCESS_KEY": "SecretAccessKey",
    "AWS_SESSION_TOKEN": "SessionToken",
    "AWS_CREDENTIAL_EXPIRATION": "Expiration",
    "AWS_ACCOUNT_ID": "AccountId",
}

# What a child process inherits: the profiles and roles that are being asked for above it.
_CIRCLE = "_MANGROVE_CREDENTIALS_OF"

Document = Mapping[str, str]


@click.command(short_help="Print a role's credentials for credential_process, a shell or a program.")
@click.option(
    "--role-arn", "role_arns", multiple=True, required=True, metavar="ARN", help="The role; several are a chain."
)
@click.option("--role-session-name", metavar="NAME", help="What CloudTrail shows.")
@click.option(
    "--external-id",
    envvar=EXTERNAL_ID,
    metavar="ID",
    help="What the role's owner asks for; rather in MANGROVE_EXTERNAL_ID than where `ps` shows it.",
)
@click.option("--duration", type=int, metavar="SECONDS", help="How long they are good: 900 to 43200.")
@click.option("--mfa-serial", metavar="SERIAL", help="The MFA device; its code is asked for at the terminal.")
@click.option("--source-identity", metavar="NAME", help="Who is behind it.")
@click.option("--tag", "tags", multiple=True, metavar="KEY=VALUE", help="A session tag; may be given again.")
@click.option("--profile", metavar="NAME", help="The profile that assumes the role.")
@click.option("--region", metavar="NAME", help="The region whose STS is asked.")
@click.option("--cache", is_flag=True, help="Keep them in a private file, for the next call that asks the same.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["process", "env", "json", "fish", "powershell"]),
    default="process",
    show_default=True,
    help="For credential_process, a POSIX shell, a program, or another shell.",
)
@kept_from_children()
def credentials(
    *,
    role_arns: tuple[str, ...],
    role_session_name: str | None,
    external_id: str | None,
    duration: int | None,
    mfa_serial: str | None,
    source_identity: str | None,
    tags: tuple[str, ...],
    profile: str | None,
    region: str | None,
    cache: bool,
    form: str,
) -> int:
    """Assume a role and print its credentials to standard output.

    In ~/.aws/config, every AWS tool asks for them in time:

    \b
        [profile audit]
        credential_process = mangrove credentials --role-arn arn:aws:iam::123456789012:role/audit

    In a shell: eval "$(mangrove credentials --role-arn ... --format env)"

    If standard output is a terminal, a warning is printed before the secrets.
    """  # noqa: D301  click's own mark for a paragraph that keeps its lines
    options = {
        "role_session_name": role_session_name,
        "external_id": external_id,
        "duration_seconds": duration,
        "mfa_serial": mfa_serial,
        "mfa_token_provider": _ask_code if mfa_serial else None,
        "source_identity": source_identity,
        "tags": _pairs(tags),
    }
    # An empty text, as an unset variable leaves it, is a mistake and goes on to be told.
    given = {name: value for name, value in options.items() if value not in (None, {})}
    with _no_circle(profile, role_arns):
        document = _assume(role_arns, given, profile, region, cache=cache)
    if sys.stdout is not None and sys.stdout.isatty():
        click.echo("mangrove: warning: secrets follow on this terminal", err=True)
    emit([FORMATS[form](document)])
    return 0


@contextmanager
def _no_circle(profile: str | None, role_arns: tuple[str, ...]) -> Iterator[None]:
    """Refuse to be asked by the profile that one asks: each would start the next process, without an end."""
    before = os.environ.get(_CIRCLE, "")
    used = profile or os.environ.get("AWS_PROFILE") or os.environ.get("AWS_DEFAULT_PROFILE") or "default"
    asked = f"{used} {' '.join(role_arns)}"
    if asked in before.split("\n"):
        text = (
            f"the profile {used!r} gets its credentials from this command, and this command its own "
            "from that profile; name another one with --profile"
        )
        raise ConfigError(text)
    os.environ[_CIRCLE] = f"{before}\n{asked}".strip()
    try:
        yield
    finally:
        if before:
            os.environ[_CIRCLE] = before
        else:
            del os.environ[_CIRCLE]


def _assume(
    role_arns: tuple[str, ...], options: Mapping[str, Any], profile: str | None, region: str | None, *, cache: bool
) -> Document:
    # Imported here: `--help` needs no botocore.
    from mangrove import ConnectionManager, FileCache  # noqa: PLC0415
    from mangrove.aws.session import make_session  # noqa: PLC0415

    base = make_session(profile_name=profile, region_name=region)
    connections = ConnectionManager(base, FileCache() if cache else None)
    session = connections.get_session(role_arn=role_arns[0] if len(role_arns) == 1 else list(role_arns), **options)
    credentials: Any = session.get_credentials()
    # One reading: keys that belong together, and when they end.
    issued: Issued = credentials.refresher.get()
    expires = datetime.fromtimestamp(issued.expires, timezone.utc)
    return {
        "AccessKeyId": issued.access_key,
        "SecretAccessKey": issued.secret_key,
        "SessionToken": issued.token,
        "Expiration": expires.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "AccountId": session.account_id,
        "RoleArn": role_arns[-1],
    }


def _pairs(tags: tuple[str, ...]) -> dict[str, str]:
    found: dict[str, str] = {}
    for tag in tags:
        key, equals, value = tag.partition("=")
        if not (key and equals):
            text = f"--tag takes KEY=VALUE; got {tag!r}"
            raise click.UsageError(text)
        if key in found:
            text = f"--tag {key} is there twice"
            raise click.UsageError(text)
        found[key] = value
    return found


def _ask_code() -> str:
    if sys.stdin is None or not sys.stdin.isatty():
        text = "the role wants an MFA code, and there is no terminal to ask for it at"
        raise CredentialError(text)
    code: str = click.prompt("MFA code", hide_input=True, err=True)
    return code


# -- forms ------------------------------------------------------------------------------------------------------------


def _process(document: Document) -> str:
    names = ("AccessKeyId", "SecretAccessKey", "SessionToken", "Expiration", "AccountId")
    return f"{json.dumps({'Version': 1, **{name: document[name] for name in names}})}\n"


def _json(document: Document) -> str:
    return f"{json.dumps(dict(document), indent=2)}\n"


def _env(document: Document) -> str:
    return _lines(document, lambda name, value: f"export {name}={shlex.quote(value)}")


def _fish(document: Document) -> str:
    # In fish's single quotes a backslash and a quote alone are special.
    return _lines(
        document, lambda name, value: "set -gx {} '{}'".format(name, value.replace("\\", "\\\\").replace("'", "\\'"))
    )


def _powershell(document: Document) -> str:
    return _lines(document, lambda name, value: "$Env:{} = '{}'".format(name, value.replace("'", "''")))


def _lines(document: Document, line: Callable[[str, str], str]) -> str:
    return "".join(f"{line(name, document[key])}\n" for name, key in _VARIABLES.items())


FORMATS: Mapping[str, Callable[[Document], str]] = {
    "process": _process,
    "json": _json,
    "env": _env,
    "fish": _fish,
    "powershell": _powershell,
}
"""What writes the credentials, by the word after `--format`; pure."""
