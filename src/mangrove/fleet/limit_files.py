"""Read a file of limits, and say of each where it stands."""

from __future__ import annotations

import importlib
import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

from mangrove.accounts._located import READERS, Located, plain
from mangrove.aws.services import one_of
from mangrove.errors import ConfigError, DeclarationTypeError

__all__ = ["Entry", "from_file"]

_TOP = ("limits", "defaults")


class Entry(NamedTuple):
    """Be one limit as it was given.

    Args:
        value: what was given.
        where: its place, such as `limits.yml line 7`.
    """

    value: Any
    where: str


def from_file(path: str | os.PathLike[str]) -> tuple[list[Entry], bool | None]:
    """Return the limits of a YAML, JSON or TOML file, and whether it wants the default ones; None if it says nothing.

    Raises:
        ConfigError: the file can't be read, or is no list of limits.
        MissingExtraError: it is YAML, and PyYAML is not installed.
    """
    file = Path(path).expanduser()
    document = _read(file)
    listed, told = document, None
    if isinstance(document.value, dict):
        for name in document.value:
            if name not in _TOP:
                text = f"{document.where}: no field {name!r}{one_of(name, _TOP) or '; there are ' + ', '.join(_TOP)}"
                raise ConfigError(text)
        told = _truth(document.value.get("defaults"))
        listed = document.value.get("limits", Located([], document.where))
    if not isinstance(listed.value, list | None):
        text = f"{listed.where}: limits are a list; got {type(plain(listed)).__name__}"
        raise DeclarationTypeError(text)
    return [Entry(plain(each), each.where) for each in listed.value or ()], told


def _truth(found: Located | None) -> bool | None:
    if found is None or isinstance(found.value, bool):
        return None if found is None else found.value
    text = f"{found.where}: defaults takes true or false; got {type(found.value).__name__}"
    raise DeclarationTypeError(text)


def _read(file: Path) -> Located:
    reader = _READERS.get(file.suffix.lower())
    if reader is None:
        text = f"{file}: what kind of file is it? Limits are in one that ends in {', '.join(_READERS)}"
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


def _read_toml(text: str, file: str) -> Located:
    for name in ("tomllib", "tomli"):
        with suppress(ModuleNotFoundError):
            parser = importlib.import_module(name)
            break
    else:
        told = f"{file}: this Python reads no TOML; write YAML or JSON, or install tomli"
        raise ConfigError(told)
    try:
        return _located(parser.loads(text), file)
    except parser.TOMLDecodeError as error:
        told = f"{file}: {error}"
        raise ConfigError(told) from None


def _located(value: Any, where: str) -> Located:
    if isinstance(value, dict):
        return Located({name: _located(each, f"{where} {name}") for name, each in value.items()}, where)
    if isinstance(value, list):
        return Located([_located(each, f"{where} entry {number}") for number, each in enumerate(value, 1)], where)
    return Located(value, where)


_READERS: Mapping[str, Callable[[str, str], Located]] = {
    **{suffix: READERS[suffix] for suffix in (".yml", ".yaml", ".json")},
    ".toml": _read_toml,
}
