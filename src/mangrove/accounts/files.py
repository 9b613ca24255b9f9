"""Read accounts from a file: mangrove's own simple form, or the one that Cloud Custodian's users have already."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from mangrove.accounts._located import READERS, Located, plain
from mangrove.accounts._unique import unique
from mangrove.accounts.account import DEFAULT_ROLE, Account, Role
from mangrove.aws.services import one_of
from mangrove.errors import ConfigError, DeclarationTypeError, NoAccountsError

__all__ = ["from_entry", "from_file"]

_FIELDS = ("id", "name", "email", "ou_path", "tags", "role", "external_id", "profile", "regions", "vars")
_TOP = ("accounts", "external_id", "role", "vars")
_OTHER_CLOUDS = {"subscriptions", "projects", "tenancies"}
_ID = re.compile(r"\A[0-9]+\Z")
_WHOLE_ID = re.compile(r"\A[1-9][0-9]{11}\Z")


def from_file(
    path: str | os.PathLike[str], *, role: Role | None = None, external_id: str | None = None
) -> tuple[Account, ...]:
    """Return the accounts of a YAML, JSON or CSV file, in its order.

    Its own form is a list of ids or of mappings with `id`, `name`, `email`, `ou_path`, `role`, `external_id`,
    `profile`, `regions`, `tags` and `vars`; or a mapping of ids or names to such mappings, or of one to the other; or
    any of these below `accounts`, beside a `role`, an `external_id` and `vars` for all. In CSV these are the columns,
    and `tag:KEY` one for each tag. Cloud Custodian's `accounts.yml` is read as it is: of its tags `key:value`, the
    values of a repeated key are joined by commas, and those of `path`, as its own generator writes them, become
    `ou_path`.

    Args:
        path: a file that ends in .yml, .yaml, .json or .csv. YAML needs the extra `accounts`.
        role: the role of the accounts that name neither a role nor a profile; `OrganizationAccountAccessRole` if None.
        external_id: the external id of the accounts that have a role and name none; a template.

    Returns:
        At least one account.

    Raises:
        ConfigError: the file can't be read or is wrong; the message has the line or the entry, and the field.
        NoAccountsError: it has no account.
        MissingExtraError: PyYAML is not installed.

    Example:
        >>> import pathlib, tempfile
        >>> path = pathlib.Path(tempfile.mkdtemp(), "accounts.json")
        >>> _ = path.write_text('{"role": "audit-{name}", "accounts": [{"id": "111111111111", "name": "web"}]}')
        >>> mangrove.accounts.from_file(path)
        (Account(id='111111111111', name='web', tags={}, role='audit-web'),)
    """
    file = Path(path).expanduser()
    found = [(entry.where, _account(entry, own)) for entry, own in _entries(_read(file), _Defaults(role, external_id))]
    if not found:
        text = f"{file} has no account"
        raise NoAccountsError(text)
    return unique(found)


def _read(file: Path) -> Located:
    reader = READERS.get(file.suffix.lower())
    if reader is None:
        text = f"{file}: what kind of file is it? The accounts are in one that ends in {', '.join(READERS)}"
        raise ConfigError(text)
    try:
        return reader(file.read_bytes().decode("utf-8-sig"), str(file))
    except UnicodeDecodeError as error:
        text = f"{file} is not UTF-8: {error.reason} at byte {error.start}"
        raise ConfigError(text) from None
    except OSError as error:
        text = f"{file} can't be read: {error.strerror}"
        raise ConfigError(text) from error
    except RecursionError:
        text = f"{file} is nested too deeply"
        raise ConfigError(text) from None


def from_entry(
    entry: Mapping[str, Any], where: str, *, role: Role | None = None, external_id: str | None = None
) -> Account:
    """Return the account of one entry, given as a file would have it.

    Raises:
        ConfigError: the entry is wrong; the message has its place and field.
    """
    located = {name: _located(value, f"{where} {name}") for name, value in entry.items()}
    return _account(Located(located, where), _Defaults(role, external_id))


def _located(value: Any, where: str) -> Located:
    if isinstance(value, Mapping):
        return Located({name: _located(each, where) for name, each in value.items()}, where)
    if isinstance(value, list | tuple):
        return Located([_located(each, where) for each in value], where)
    return Located(value, where)


@dataclass(frozen=True, slots=True, repr=False)
class _Defaults:
    """Be what an entry has where it says nothing."""

    role: Role | None
    external_id: str | None
    variables: Mapping[str, Any] | None = None


def _entries(document: Located, defaults: _Defaults) -> Iterator[tuple[Located, _Defaults]]:
    listed = document
    others = sorted(_OTHER_CLOUDS.intersection(document.value)) if isinstance(document.value, dict) else []
    if others and "accounts" not in document.value:
        text = f"{document.where} has {' and '.join(others)}, and no AWS accounts"
        raise NoAccountsError(text)
    if isinstance(document.value, dict) and "accounts" in document.value:
        _check_names(document, _TOP)
        top = _Fields(document)
        listed = document.value["accounts"]
        defaults = replace(
            defaults,
            role=defaults.role if top.role() is None else top.role(),
            external_id=defaults.external_id if top.text("external_id") is None else top.text("external_id"),
            variables=top.variables(),
        )
    if isinstance(listed.value, dict):
        for name, value in listed.value.items():
            yield _keyed(name, value), defaults
    elif isinstance(listed.value, list):
        for entry in listed.value:
            yield entry, defaults
    elif listed.value is not None:
        text = f"{listed.where}: accounts are a list or a mapping; got {type(listed.value).__name__}"
        raise DeclarationTypeError(text)


def _keyed(name: str, value: Located) -> Located:
    """Return the entry of a mapping: an id with fields, a name or nothing; or a name with fields or an id."""
    inner = [taken for taken in ("id", "account_id") if isinstance(value.value, dict) and taken in value.value]
    if not _ID.match(name):
        if inner:
            return Located({"name": Located(name, value.where), **value.value}, value.where)
        if isinstance(value.value, dict | list | None):
            hint = one_of(name, _TOP) or "; write '111111111111: name', or 'name: \"111111111111\"'"
            text = f"{value.where}: {name!r} is no account's id, and has none{hint}"
            raise ConfigError(text)
        if name in _TOP and not _ID.match(str(value.value)):
            # Not quoted: it may be the external id.
            text = f"{value.where}: {name!r} is for all accounts; it stands at the top, beside 'accounts:'"
            raise ConfigError(text)
        return Located({"id": value, "name": Located(name, value.where)}, value.where)
    if inner:
        text = f"{value.where}: account {name} has {inner[0]!r} once more inside"
        raise ConfigError(text)
    own = {"id": Located(name, value.where)}
    if isinstance(value.value, dict):
        return Located({**value.value, **own}, value.where)
    return Located(own if value.value is None else {**own, "name": value}, value.where)


def _account(entry: Located, defaults: _Defaults) -> Account:
    if not isinstance(entry.value, dict):
        entry = Located({"id": entry}, entry.where)
    custodian = "account_id" in entry.value
    if custodian and "id" in entry.value:
        text = f"{entry.where}: an account has id or account_id, not both"
        raise ConfigError(text)
    if not custodian:
        _check_names(entry, _FIELDS)
    told = _Fields(entry)
    tags, path = told.tags()
    profile = told.text("profile")
    role = told.role()
    if role is not None:
        profile = None  # Cloud Custodian's own rule: the role is assumed, and the profile is for those without
    elif profile is None:
        if custodian and defaults.role is None:
            text = f"{entry.where}: the account has neither role nor profile"
            raise ConfigError(text)
        role = DEFAULT_ROLE if defaults.role is None else defaults.role
    external_id = told.text("external_id")
    if external_id is None and role is not None:
        external_id = defaults.external_id
    values: dict[str, Any] = {
        "id": told.id("account_id" if custodian else "id"),
        "name": told.text("name"),
        "email": told.text("email"),
        "ou_path": told.text("ou_path") or path,
        "regions": told.regions(),
        "variables": {**(defaults.variables or {}), **(told.variables() or {})},
    }
    try:
        return Account(**values, tags=tags, role=role, external_id=external_id, profile=profile)
    except ConfigError as error:
        text = f"{entry.where}: {error}"
        raise type(error)(text) from None


def _check_names(entry: Located, known: Iterable[str]) -> None:
    for name in entry.value:
        if name not in known:
            text = f"{entry.where}: no field {name!r}{one_of(str(name), known) or '; there are ' + ', '.join(known)}"
            raise ConfigError(text)


class _Fields:
    """Read the fields of one entry, each of its own type; None for what is not there."""

    def __init__(self, entry: Located) -> None:
        self._entry = entry
        self._where = entry.where

    def _get(self, name: str) -> Located | None:
        found: Located | None = self._entry.value.get(name)
        return None if found is None or found.value is None else found

    def _wrong(self, found: Located, name: str, wants: str) -> DeclarationTypeError:
        quote = "; quote it" if found.raw is not None or isinstance(found.value, bool) else ""
        return DeclarationTypeError(f"{found.where}: {name} takes {wants}; got {type(found.value).__name__}{quote}")

    def id(self, name: str) -> str:
        found = self._get(name)
        if found is None:
            text = f"{self._where}: the account has no {name}"
            raise ConfigError(text)
        if isinstance(found.value, str):
            return found.value
        raw = str(found.value) if found.raw is None else found.raw
        if isinstance(found.value, int) and _WHOLE_ID.match(raw):
            return raw
        if isinstance(found.value, bool) or not isinstance(found.value, int | float):
            raise self._wrong(found, name, "twelve digits")
        text = (
            f"{found.where}: {name} is {raw}, which is read as the number {found.value} and is no account's id; "
            f"write its twelve digits in quotes, {name}: '012345678901'"
        )
        raise DeclarationTypeError(text)

    def text(self, name: str) -> str | None:
        found = self._get(name)
        if found is None or isinstance(found.value, str):
            return found.value if found else None
        raise self._wrong(found, name, "a text")

    def _texts(self, name: str, found: Located) -> list[str]:
        for each in found.value:
            if not isinstance(each.value, str):
                raise self._wrong(each, name, "texts")
        return [each.value for each in found.value]

    def role(self) -> Role | None:
        found = self._get("role")
        if found is None or isinstance(found.value, str):
            return found.value if found else None
        if not isinstance(found.value, list):
            raise self._wrong(found, "role", "a text, or a list of them for a chain")
        return tuple(self._texts("role", found))

    def regions(self) -> tuple[str, ...]:
        found = self._get("regions")
        if found is None:
            return ()
        if not isinstance(found.value, str | list):
            raise self._wrong(found, "regions", "a list of texts")
        several = [found.value] if isinstance(found.value, str) else self._texts("regions", found)
        names = [name for each in several for name in re.split(r"[\s,;]+", each) if name]
        # `all` is Cloud Custodian's word.
        return tuple("*" if name == "all" else name for name in names)

    def tags(self) -> tuple[dict[str, str], str | None]:
        """Return the tags, and the path of the unit that Cloud Custodian's generator puts among them."""
        found = self._get("tags")
        if found is None:
            return {}, None
        if isinstance(found.value, dict):
            for name, each in found.value.items():
                if not isinstance(each.value, str):
                    raise self._wrong(each, f"tags {name!r}", "a text")
            return {name: each.value for name, each in found.value.items()}, None
        if not isinstance(found.value, list):
            raise self._wrong(found, "tags", "a mapping, or a list of 'key:value'")
        several: dict[str, list[str]] = {}
        for each in self._texts("tags", found):
            key, _, value = each.partition(":")
            several.setdefault(key, []).append(value)
        paths = several.get("path", [])
        generated = paths if all(path.startswith("/") for path in paths) else []
        kept = {key: ",".join(values) for key, values in several.items() if key != "path" or not generated}
        return kept, max(generated, key=len, default=None)

    def variables(self) -> dict[str, Any] | None:
        found = self._get("vars")
        if found is None:
            return None
        if not isinstance(found.value, dict):
            raise self._wrong(found, "vars", "a mapping")
        values: dict[str, Any] = plain(found)
        return values
