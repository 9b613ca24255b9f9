"""Fill an account's own fields into names, and nothing else: no attributes, no conversions, no surprises."""

from __future__ import annotations

import re
import string
from collections.abc import Iterator, Mapping

from mangrove.errors import ConfigError, DeclarationTypeError

__all__ = ["FIELDS", "check_template", "render"]

FIELDS = ("email", "id", "name", "ou_path")

_TAG = re.compile(r"\Atags\[([^\[\]{}]+)\]\Z")
_KNOWN = "{id}, {name}, {email}, {ou_path} and {tags[KEY]}"


def _parts(template: object, what: str, *, hidden: bool = False) -> Iterator[tuple[str, str | None]]:
    """Yield each literal text and the field after it, refusing what is no plain field."""
    if not isinstance(template, str):
        text = f"{what} takes a string; got {type(template).__name__}"
        raise DeclarationTypeError(text)
    try:
        parts = list(string.Formatter().parse(template))
    except ValueError as error:
        text = f"{what} is no template: {str(error).lower()}; a template takes {_KNOWN}"
        raise ConfigError(text) from None
    for literal, field, spec, conversion in parts:
        if field is not None and (spec or conversion or not (field in FIELDS or _TAG.match(field))):
            shown = field + (f"!{conversion}" if conversion else "") + (f":{spec}" if spec else "")
            told = "a field that no account has" if hidden else f"the field {{{shown}}}"
            text = f"{what} has {told}; a template takes {_KNOWN}"
            raise ConfigError(text)
        yield literal, field


def check_template(template: object, what: str, *, hidden: bool = False) -> frozenset[str]:
    """Return which fields of an account a template takes, `tags` for any tag; refuse what could not be filled.

    Args:
        template: a text with fields in braces.
        what: what the text is for, such as `role`; the message begins with it.
        hidden: the text is a secret, or meant to be one: messages quote nothing of it.

    Raises:
        ConfigError: it has a field that no account has, or a brace of its own.
        DeclarationTypeError: it is no string.

    Example:
        >>> sorted(check_template("{id}-{tags[env]}", "role"))
        ['id', 'tags']
        >>> check_template("audit-{name.__class__}", "role")
        Traceback (most recent call last):
        ...
        mangrove.errors.ConfigError: role has the field {name.__class__}; a template takes {id}, {name}, {email}, ...
    """
    parts = _parts(template, what, hidden=hidden)
    return frozenset(field.partition("[")[0] for _, field in parts if field is not None)


def render(
    template: str,
    values: Mapping[str, str | None],
    tags: Mapping[str, str] | None,
    what: str,
    *,
    hidden: bool = False,
) -> str:
    """Return the template with an account's fields in it.

    Args:
        template: a text with fields in braces.
        values: the account's fields by name; None for what is not known of it.
        tags: its tags; None if they are not known.
        what: what the text is for; the message of an error begins with it.
        hidden: messages quote nothing of the text.

    Raises:
        ConfigError: the account has no such field or tag, or the template is wrong.

    Example:
        >>> render("audit-{name}-{tags[env]}", {"name": "web"}, {"env": "prod"}, "role")
        'audit-web-prod'
    """
    return "".join(
        literal + ("" if field is None else _value(field, values, tags, what))
        for literal, field in _parts(template, what, hidden=hidden)
    )


def _value(field: str, values: Mapping[str, str | None], tags: Mapping[str, str] | None, what: str) -> str:
    tag = _TAG.match(field)
    value = (tags or {}).get(tag[1]) if tag else values.get(field)
    if value is None:
        whose = f"account {values.get('id')}"
        if tag:
            missing = "its tags are not known" if tags is None else f"it has no tag {tag[1]!r}"
        else:
            missing = f"its {field} is not known"
        text = f"{what} takes {{{field}}} of {whose}, and {missing}"
        raise ConfigError(text)
    return value
