"""Check every argument of AssumeRole before the first call: pure functions, one a rule of the API."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any

from mangrove.errors import ConfigError, DeclarationTypeError

__all__ = [
    "ROLE_ARN",
    "check_contexts",
    "check_duration",
    "check_policy",
    "check_policy_arns",
    "check_role_arn",
    "check_tags",
    "check_text",
    "check_token_code",
    "check_transitive",
    "partition_of_arn",
]

# \w of the API is ASCII; \Z and not $, which lets a newline through.
_WORD = "A-Za-z0-9_+=,.@"
ROLE_ARN = re.compile(rf"\Aarn:(aws(?:-[a-z]+)*):iam::([0-9]{{12}}):role(/(?:[!-~]{{1,510}}/)?)([{_WORD}-]{{1,64}})\Z")
_POLICY_ARN = re.compile(
    rf"\Aarn:(aws(?:-[a-z]+)*):iam::(?:[0-9]{{12}}|aws):policy/[!-~]{{0,512}}[{_WORD}-]{{1,128}}\Z"
)
_LONGEST_ARN = 2048

# What the API allows in each string: characters, least and most length.
_TEXTS = {
    "role_session_name": (re.compile(rf"\A[{_WORD}-]*\Z"), 2, 64, "letters, digits and _+=,.@-"),
    "source_identity": (re.compile(rf"\A[{_WORD}-]*\Z"), 2, 64, "letters, digits and _+=,.@-"),
    "external_id": (re.compile(rf"\A[{_WORD}:/-]*\Z"), 2, 1224, "letters, digits and _+=,.@:/-"),
    "mfa_serial": (re.compile(rf"\A[{_WORD}:/-]*\Z"), 9, 256, "letters, digits and _+=,.@:/-"),
}
# Never shown, not even in part.
_HIDDEN = frozenset({"external_id"})

_SHORTEST, _LONGEST = 900, 43_200
_MOST_TAGS, _LONGEST_KEY, _LONGEST_VALUE = 50, 128, 256
# The API's pattern is [\p{L}\p{Z}\p{N}_.:/=+\-@]: letters, separators and numbers of any script, and these signs.
_TAG_SIGNS = frozenset("_.:/=+-@")
_MOST_POLICY_ARNS, _LONGEST_POLICY = 10, 2048
_MOST_CONTEXTS = 5
_TOKEN_CODE = re.compile(r"\A[0-9]{6}\Z")
_LONGEST_SHOWN = 80


def _shown(value: str) -> str:
    return repr(value) if len(value) <= _LONGEST_SHOWN else f"a string of {len(value)} characters"


def _string(name: str, value: object, like: str) -> str:
    if not isinstance(value, str):
        text = f"{name} takes a string such as {like}; got {type(value).__name__}"
        raise DeclarationTypeError(text)
    return value


def check_role_arn(value: object) -> str:
    """Return the ARN of a role, or refuse what is none.

    Raises:
        ConfigError: it is not `arn:<partition>:iam::<12 digits>:role/<path><name>`; the message says which part.

    Source: the AWS operation `AssumeRole`, and "IAM identifiers" in the IAM user guide.

    Example:
        >>> check_role_arn("arn:aws:iam::123456789012:role/path/Reader")
        'arn:aws:iam::123456789012:role/path/Reader'
        >>> check_role_arn("arn:aws:iam::1234567890:role/Reader")
        Traceback (most recent call last):
        ...
        mangrove.errors.ConfigError: 'arn:aws:iam::1234567890:role/Reader' is not the ARN of a role: the account has
        twelve digits; one looks like 'arn:aws:iam::123456789012:role/Name'
    """
    arn = _string("role_arn", value, "'arn:aws:iam::123456789012:role/Name'")
    if ROLE_ARN.match(arn) and len(arn) <= _LONGEST_ARN:
        return arn
    text = f"{_shown(arn)} is not the ARN of a role: {_why_no_role(arn)}; "
    text += "one looks like 'arn:aws:iam::123456789012:role/Name'"
    raise ConfigError(text)


def _why_no_role(arn: str) -> str:
    parts = arn.split(":", 5)
    if len(parts) < 6 or parts[0] != "arn":  # noqa: PLR2004  the six fields of an ARN
        return "it has not the six fields of an ARN"
    _, partition, service, region, account, resource = parts
    if service == "sts" and resource.startswith("assumed-role/"):
        return "it is a session of a role (sts, assumed-role); give the role itself (iam, role)"
    reasons = (
        (not re.fullmatch(r"aws(-[a-z]+)*", partition), f"{_shown(partition)} is no partition"),
        (service != "iam", f"a role's service is iam, not {_shown(service)}"),
        (bool(region), "a role has no region"),
        (not re.fullmatch(r"[0-9]{12}", account), "the account has twelve digits"),
        (not resource.startswith("role/"), f"its resource is {_shown(resource.partition('/')[0])}, not role"),
    )
    return next((reason for wrong, reason in reasons if wrong), "its name has 1 to 64 letters, digits and _+=,.@-")


def partition_of_arn(role_arn: str) -> tuple[str, str]:
    """Return the partition and the account of a checked role ARN.

    Example:
        >>> partition_of_arn("arn:aws-cn:iam::123456789012:role/Reader")
        ('aws-cn', '123456789012')
    """
    found = ROLE_ARN.match(role_arn)
    if found is None:
        text = f"{_shown(role_arn)} is not the ARN of a role"
        raise ConfigError(text)
    return found[1], found[2]


def check_text(name: str, value: object) -> str:
    """Return a string argument of AssumeRole, or refuse it; an external id is never shown.

    Args:
        name: the argument, such as `role_session_name`.
        value: what the caller gave.

    Raises:
        ConfigError: its length or one of its characters is not allowed.

    Source: the AWS operation `AssumeRole`.
    """
    pattern, least, most, allowed = _TEXTS[name]
    text = _string(name, value, "'reader'")
    if least <= len(text) <= most and pattern.match(text):
        return text
    if not least <= len(text) <= most:
        found = f"{len(text)} characters"
    elif name in _HIDDEN:
        found = "another one"
    else:
        found = f"{next(sign for sign in text if not pattern.match(sign))!r} in {_shown(text)}"
    message = f"{name} takes {least} to {most} characters, {allowed}; got {found}"
    raise ConfigError(message)


def check_duration(value: object) -> int:
    """Return a duration in seconds.

    Args:
        value: seconds, or a `timedelta`.

    Raises:
        ConfigError: it is not 900 to 43,200 seconds.

    Example:
        >>> check_duration(timedelta(hours=1))
        3600
    """
    seconds = value.total_seconds() if isinstance(value, timedelta) else value
    if isinstance(seconds, bool) or not isinstance(seconds, (int, float)) or seconds != int(seconds):
        text = f"duration_seconds takes whole seconds or a timedelta; got {value!r}"
        raise DeclarationTypeError(text)
    if not _SHORTEST <= seconds <= _LONGEST:
        text = f"duration_seconds takes {_SHORTEST} to {_LONGEST} seconds (15 minutes to 12 hours); got {int(seconds)}"
        raise ConfigError(text)
    return int(seconds)


def check_policy(value: object) -> str:
    """Return a session policy as JSON.

    Args:
        value: a JSON text, or a dict.

    Raises:
        ConfigError: it is no JSON, no object, or longer than 2,048 characters.
    """
    if isinstance(value, Mapping):
        try:
            text = json.dumps(dict(value), separators=(",", ":"))
        except (TypeError, ValueError) as error:
            message = f"policy can't be written as JSON: {error}"
            raise ConfigError(message) from None
    else:
        text = _string("policy", value, "a JSON document, or a dict")
        try:
            parsed = json.loads(text)
        except ValueError as error:
            message = f"policy is not JSON: {error}"
            raise ConfigError(message) from None
        if not isinstance(parsed, dict):
            message = f"policy takes a JSON object with Version and Statement; got a JSON {type(parsed).__name__}"
            raise ConfigError(message)
    if len(text) > _LONGEST_POLICY:
        message = (
            f"policy takes at most {_LONGEST_POLICY} characters; got {len(text)}; use policy_arns for a longer one"
        )
        raise ConfigError(message)
    return text


def _items(name: str, value: object, like: str) -> list[Any]:
    if isinstance(value, (str, bytes, Mapping)) or not isinstance(value, Iterable):
        text = f"{name} takes a list such as {like}; got {type(value).__name__}"
        raise DeclarationTypeError(text)
    return list(value)


def check_policy_arns(value: object, partition: str) -> tuple[str, ...]:
    """Return the ARNs of managed session policies.

    Args:
        value: ARNs, or the API's list of `{"arn": ...}`.
        partition: the role's; a policy of another one can't be used.

    Raises:
        ConfigError: one of them is no ARN of a policy, or there are more than ten.
    """
    like = "['arn:aws:iam::aws:policy/ReadOnlyAccess']"
    arns = []
    for item in _items("policy_arns", value, like):
        given = item.get("arn") if isinstance(item, Mapping) else item
        arn = _string("each of policy_arns", given, "'arn:aws:iam::aws:policy/ReadOnlyAccess'")
        found = _POLICY_ARN.match(arn)
        if found is None or found[1] != partition:
            text = f"{_shown(arn)} is not the ARN of a policy of partition {partition!r}; policy_arns takes {like}"
            raise ConfigError(text)
        arns.append(arn)
    if len(arns) > _MOST_POLICY_ARNS:
        text = f"policy_arns takes at most {_MOST_POLICY_ARNS}; got {len(arns)}"
        raise ConfigError(text)
    return tuple(arns)


def check_tags(value: object) -> tuple[tuple[str, str], ...]:
    """Return session tags as pairs.

    Args:
        value: a dict, or the API's list of `{"Key": ..., "Value": ...}`.

    Raises:
        ConfigError: there are more than 50, one is there twice, or has characters or a length that is not allowed.

    Example:
        >>> check_tags({"team": "data"})
        (('team', 'data'),)
    """
    if isinstance(value, Mapping):
        pairs = list(value.items())
    else:
        pairs = [_tag(item) for item in _items("tags", value, "[{'Key': 'team', 'Value': 'data'}], or a dict")]
    for key, text in pairs:
        _check_tag(key, "key", 1, _LONGEST_KEY)
        _check_tag(text, f"value of {key!r}", 0, _LONGEST_VALUE)
    folded = [key.lower() for key, _ in pairs]
    twice = next((key for key, _ in pairs if folded.count(key.lower()) > 1), None)
    if twice is not None:
        text = f"tags has the key {twice!r} twice; IAM takes upper and lower case for the same"
        raise ConfigError(text)
    if len(pairs) > _MOST_TAGS:
        text = f"tags takes at most {_MOST_TAGS}; got {len(pairs)}"
        raise ConfigError(text)
    return tuple(pairs)


def _tag(item: object) -> tuple[Any, Any]:
    if isinstance(item, Mapping) and set(item) == {"Key", "Value"}:
        return item["Key"], item["Value"]
    text = "tags takes a dict, or a list of {'Key': ..., 'Value': ...}"
    raise DeclarationTypeError(text)


def _check_tag(value: object, what: str, least: int, most: int) -> None:
    text = _string(f"a tag's {what}", value, "'data'")
    fine = all(sign in _TAG_SIGNS or unicodedata.category(sign)[0] in "LZN" for sign in text)
    if not fine or not least <= len(text) <= most:
        message = f"a tag's {what} takes {least} to {most} letters, digits, spaces and _.:/=+-@; got {_shown(text)}"
        raise ConfigError(message)


def check_transitive(value: object, tags: tuple[tuple[str, str], ...]) -> tuple[str, ...]:
    """Return the keys of transitive tags; each must be a tag of the same call.

    Raises:
        ConfigError: one of them is not among the tags.
    """
    keys = [_string("each of transitive_tag_keys", key, "'team'") for key in _items("transitive_tag_keys", value, "[]")]
    known = {key for key, _ in tags}
    for key in keys:
        if key not in known:
            text = f"transitive_tag_keys has {_shown(key)}, which is not among tags: {sorted(known)}"
            raise ConfigError(text)
    return tuple(dict.fromkeys(keys))


def check_contexts(value: object) -> tuple[tuple[str, str], ...]:
    """Return provided contexts as pairs of provider ARN and assertion; an assertion is never shown.

    Args:
        value: the API's list of `{"ProviderArn": ..., "ContextAssertion": ...}`.
    """
    pairs = []
    for item in _items("provided_contexts", value, "[{'ProviderArn': ..., 'ContextAssertion': ...}]"):
        if not isinstance(item, Mapping) or set(item) != {"ProviderArn", "ContextAssertion"}:
            text = "provided_contexts takes a list of {'ProviderArn': ..., 'ContextAssertion': ...}"
            raise DeclarationTypeError(text)
        pairs.append((_string("ProviderArn", item["ProviderArn"], "an ARN"), item["ContextAssertion"]))
        _string("ContextAssertion", item["ContextAssertion"], "a signed token")
    if not 1 <= len(pairs) <= _MOST_CONTEXTS:
        text = f"provided_contexts takes 1 to {_MOST_CONTEXTS}; got {len(pairs)}"
        raise ConfigError(text)
    return tuple(pairs)


def check_token_code(value: object) -> str:
    """Return an MFA code of six digits; it is never shown.

    Raises:
        ConfigError: it is something else.
    """
    if isinstance(value, str) and _TOKEN_CODE.match(value.strip()):
        return value.strip()
    found = f"{len(value)} characters" if isinstance(value, str) else type(value).__name__
    text = f"the MFA token provider returns a code of six digits as a string; got {found}"
    raise ConfigError(text)
