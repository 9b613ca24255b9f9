"""Say the ARN of a resource: from its data, its identifiers or the official format, and never a guess."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import jmespath  # type: ignore[import-untyped]

from mangrove.aws.arn import Arn
from mangrove.errors import DeclarationTypeError, InvalidArnError
from mangrove.resources._format import Format
from mangrove.resources.derive.facts import ArnSpec, Variable
from mangrove.resources.formats import formats_of, known_prefixes

__all__ = ["Where", "arn_from", "arn_in", "form_of", "source_of"]

_ACCOUNT = re.compile(r"\A[0-9]{12}\Z")


@dataclass(frozen=True, slots=True)
class Where:
    """Say where a resource's client is.

    Attributes:
        partition: the client's.
        region: the client's.
        account: returns the account of its credentials, or None; called only where nothing else tells the owner.
    """

    partition: str
    region: str
    account: Callable[[], str | None]


@lru_cache(maxsize=4096)
def form_of(template: str, prefixes: tuple[str, ...]) -> Format:
    """Return the format with this text, with what is known of its variables' values.

    Args:
        template: the text, such as `arn:${Partition}:rds:${Region}:${Account}:db:${DbInstanceName}`.
        prefixes: the IAM prefixes of the service.
    """
    service = template.split(":", 3)[2]
    for prefix in dict.fromkeys((*prefixes, service)):
        for form in formats_of(prefix) if prefix in known_prefixes() else ():
            if form.text == template:
                return form
    return Format(prefixes[0] if prefixes else service, "resource", template)


@lru_cache(maxsize=4096)
def _compiled(path: str) -> Any:
    return jmespath.compile(path)


def _search(path: str, data: Any) -> Any:
    return _compiled(path).search(data) if path and data is not None else None


def _as_arn(value: Any) -> str | None:
    """Return a value that is an ARN; an empty text or an id, as some answers have it, is none."""
    parsed = Arn.parse_or_none(value)
    return str(value) if parsed is not None and "*" not in (parsed.account or "") else None


def arn_in(spec: ArnSpec, data: Any, identifiers: Mapping[str, Any]) -> str | None:
    """Return the ARN that the data or an identifier of a resource says itself.

    Args:
        spec: the source of the type's ARN.
        data: what is loaded of the resource, or None.
        identifiers: its identifiers, by their names in the definition.
    """
    return _as_arn(_search(spec.path, data)) or _as_arn(identifiers.get(spec.identifier))


def arn_from(
    spec: ArnSpec, data: Any, identifiers: Mapping[str, Any], prefixes: tuple[str, ...], where: Where
) -> str | None:
    """Return the ARN that the official format gives, or None where a part of it is not known.

    Args:
        spec: the source of the type's ARN.
        data: what is loaded of the resource, or None.
        identifiers: its identifiers, by their names in the definition.
        prefixes: the IAM prefixes of the service.
        where: where its client is.
    """
    if not spec.template:
        return None
    values = {name: source_of(source, data, identifiers) for name, source in spec.variables.items()}
    owner, region = values.pop("Account", None), values.pop("Region", None) or where.region
    if any(value is None for value in values.values()) or ("Account" in spec.variables and owner is None):
        return None
    form = form_of(spec.template, prefixes)
    account = owner or _account(spec, data, form, where)
    try:
        return str(form.build(where.partition, region, account, **{k: str(v) for k, v in values.items()}))
    except (InvalidArnError, DeclarationTypeError):
        return None


def _account(spec: ArnSpec, data: Any, form: Format, where: Where) -> str | None:
    if not form.account.startswith("$"):
        return None
    owner = _search(spec.account, data)
    if owner is None:
        return where.account()
    # One that is no account, such as `amazon`, is not the caller.
    return owner if isinstance(owner, str) and _ACCOUNT.match(owner) else None


def source_of(source: Variable, data: Any, identifiers: Mapping[str, Any]) -> str | None:
    """Return the value of a format's variable; None where a resource does not tell it."""
    value = identifiers.get(source.identifier) if source.identifier else None
    if value is None:
        value = _search(source.path, data)
    if not isinstance(value, (str, int)) or isinstance(value, bool) or value == "":
        return None
    text = str(value).removeprefix(source.strip)
    text = text.lower() if source.lower else text
    if not source.pattern:
        return text
    found = re.search(source.pattern, text)
    return found[1] if found else None
