"""Say which role is assumed and how: all arguments of AssumeRole in one frozen value, checked before the first call."""

from __future__ import annotations

import difflib
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

from mangrove.aws.identity import sts_region
from mangrove.credentials import checks
from mangrove.errors import ConfigError, DeclarationTypeError

__all__ = ["DEFAULT_SESSION_NAME", "RoleSpec", "parse_chain", "snake_options", "sts_region"]

DEFAULT_SESSION_NAME = "mangrove"
# Roles assumed with the credentials of a role live one hour at most, whatever the role allows.
LONGEST_CHAINED = 3600

# The API's names of the arguments, by ours.
_NAMES = {
    "role_arn": "RoleArn",
    "role_session_name": "RoleSessionName",
    "external_id": "ExternalId",
    "duration_seconds": "DurationSeconds",
    "tags": "Tags",
    "transitive_tag_keys": "TransitiveTagKeys",
    "source_identity": "SourceIdentity",
    "policy": "Policy",
    "policy_arns": "PolicyArns",
    "mfa_serial": "SerialNumber",
    "provided_contexts": "ProvidedContexts",
}
_SNAKE = {camel: snake for snake, camel in _NAMES.items()} | {"TokenCode": "mfa_token_provider"}
# Other names that people know them by.
_ALIASES = {"serial_number": "mfa_serial", "duration": "duration_seconds", "session_name": "role_session_name"}


@dataclass(frozen=True, slots=True, repr=False)
class RoleSpec:
    """Hold one role and all arguments of its AssumeRole call, checked and normalised.

    Attributes:
        role_arn: the role.
        role_session_name: what CloudTrail shows; 2 to 64 characters.
        external_id: what the role's owner asks for; never shown, logged or pickled.
        duration_seconds: 900 to 43,200, or a `timedelta`; None leaves it to AWS, which takes an hour.
        tags: session tags: a dict, or the API's list; kept as pairs.
        transitive_tag_keys: the tags that stay in a chain.
        source_identity: who is behind it; it can't be changed later in a chain.
        policy: a session policy as JSON or a dict; kept as JSON.
        policy_arns: managed policies that limit the session.
        mfa_serial: the MFA device of the caller.
        mfa_token_provider: returns the device's code, without arguments; it is asked at each call, refreshes included.
        provided_contexts: trusted contexts; kept as pairs.

    Raises:
        ConfigError: one of them is not what the API takes.

    Source: the AWS operation `AssumeRole`.

    Example:
        >>> from mangrove.credentials import RoleSpec
        >>> spec = RoleSpec("arn:aws:iam::123456789012:role/Reader", external_id="canary", tags={"team": "data"})
        >>> spec
        RoleSpec('arn:aws:iam::123456789012:role/Reader', role_session_name='mangrove', external_id=***,
        tags=(('team', 'data'),))
        >>> sorted(spec.request())
        ['ExternalId', 'RoleArn', 'RoleSessionName', 'Tags']
    """

    role_arn: str
    role_session_name: str = DEFAULT_SESSION_NAME
    external_id: str | None = None
    duration_seconds: Any = None
    tags: Any = ()
    transitive_tag_keys: Any = ()
    source_identity: str | None = None
    policy: Any = None
    policy_arns: Any = ()
    mfa_serial: str | None = None
    mfa_token_provider: Callable[[], str] | None = None
    provided_contexts: Any = ()

    def __post_init__(self) -> None:
        def put(name: str, value: Any) -> None:
            object.__setattr__(self, name, value)

        put("role_arn", checks.check_role_arn(self.role_arn))
        for name in ("role_session_name", "external_id", "source_identity", "mfa_serial"):
            value = getattr(self, name)
            if value is not None or name == "role_session_name":
                put(name, checks.check_text(name, value))
        if self.duration_seconds is not None:
            put("duration_seconds", checks.check_duration(self.duration_seconds))
        if self.policy is not None:
            put("policy", checks.check_policy(self.policy))
        put("tags", checks.check_tags(self.tags))
        put("transitive_tag_keys", checks.check_transitive(self.transitive_tag_keys, self.tags))
        put("policy_arns", checks.check_policy_arns(self.policy_arns, self.partition))
        put("provided_contexts", checks.check_contexts(self.provided_contexts) if self.provided_contexts else ())
        if self.mfa_token_provider is not None and not callable(self.mfa_token_provider):
            text = "mfa_token_provider takes a function without arguments that returns the code; a code is used up once"
            raise DeclarationTypeError(text)

    @property
    def partition(self) -> str:
        """Return the role's partition, such as `aws`."""
        return checks.partition_of_arn(self.role_arn)[0]

    @property
    def account_id(self) -> str:
        """Return the role's account."""
        return checks.partition_of_arn(self.role_arn)[1]

    def request(self) -> dict[str, Any]:
        """Return the arguments of `AssumeRole`, without the MFA code; a new dict each time."""
        found: dict[str, Any] = {
            "RoleArn": self.role_arn,
            "RoleSessionName": self.role_session_name,
            "ExternalId": self.external_id,
            "DurationSeconds": self.duration_seconds,
            "Tags": [{"Key": key, "Value": value} for key, value in self.tags],
            "TransitiveTagKeys": list(self.transitive_tag_keys),
            "SourceIdentity": self.source_identity,
            "Policy": self.policy,
            "PolicyArns": [{"arn": arn} for arn in self.policy_arns],
            "SerialNumber": self.mfa_serial,
            "ProvidedContexts": [
                {"ProviderArn": provider, "ContextAssertion": assertion}
                for provider, assertion in self.provided_contexts
            ],
        }
        return {name: value for name, value in found.items() if value not in (None, [])}

    def canonical(self) -> str:
        """Return everything that decides what the credentials are worth, as a text to be hashed, and never shown."""
        return json.dumps(self.request(), sort_keys=True)

    def hidden(self) -> tuple[str, ...]:
        """Return the values that must not be shown."""
        return tuple(filter(None, (self.external_id, *(assertion for _, assertion in self.provided_contexts))))

    def __repr__(self) -> str:
        shown = [repr(self.role_arn)]
        for name in _NAMES:
            value = getattr(self, name)
            if name != "role_arn" and value not in (None, ()):
                hidden = name in {"external_id", "provided_contexts"}
                shown.append(f"{name}=***" if hidden else f"{name}={value!r}")
        return f"RoleSpec({', '.join(shown)})"

    def __reduce__(self) -> NoReturn:
        text = "a RoleSpec is never pickled: it may hold an external id; pass its arguments on by a way of your own"
        raise TypeError(text)


def snake_options(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return AssumeRole's arguments by our names; the API's own are taken too.

    Args:
        options: such as `{"ExternalId": "x"}` or `{"external_id": "x"}`; None is as good as not given.

    Raises:
        ConfigError: there is no such argument, or it is given by both its names.

    Example:
        >>> snake_options({"DurationSeconds": 900, "source_identity": "alice"})
        {'duration_seconds': 900, 'source_identity': 'alice'}
    """
    found: dict[str, Any] = {}
    for name, value in options.items():
        snake = _SNAKE.get(name, _ALIASES.get(name, name))
        if snake not in _NAMES and snake != "mfa_token_provider":
            near = difflib.get_close_matches(name, [*_NAMES, *_SNAKE, "mfa_token_provider"], n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"it has {', '.join(_NAMES)} and mfa_token_provider"
            text = f"AssumeRole has no argument {name!r}; {hint}"
            raise ConfigError(text)
        if value is None:
            continue
        if snake in found:
            text = f"{snake} is given twice, once as {name!r}"
            raise ConfigError(text)
        if name == "TokenCode":
            text = "a TokenCode is good for one call; give mfa_token_provider, a function that returns the next one"
            raise ConfigError(text)
        found[snake] = value
    return found


def parse_chain(roles: object, options: Mapping[str, Any]) -> tuple[RoleSpec, ...]:
    """Return the roles to assume, one after the other.

    Args:
        roles: a role's ARN, or a list of roles; each is an ARN, a `RoleSpec`, or a dict of arguments.
        options: arguments beside it, by our names. They are the last role's; a session name is also that of each role
            before that has none.

    Raises:
        ConfigError: one of them is wrong, they are of several partitions, or a role after the first asks for more than
            an hour or for MFA, which AWS gives to no role that is assumed by a role.

    Example:
        >>> hub, leaf = parse_chain(
        ...     ["arn:aws:iam::123456789012:role/Hub", {"RoleArn": "arn:aws:iam::210987654321:role/Leaf"}],
        ...     {"external_id": "ab"},
        ... )
        >>> hub.external_id, leaf.external_id
        (None, 'ab')
    """
    if isinstance(roles, (str, RoleSpec, Mapping)):
        roles = [roles]
    if isinstance(roles, bytes) or not isinstance(roles, Iterable):
        text = f"role_arn takes the ARN of a role, or a list of roles; got {type(roles).__name__}"
        raise DeclarationTypeError(text)
    hops = list(roles)
    if not hops:
        text = "role_arn is an empty list; leave it out for a session of the base credentials"
        raise ConfigError(text)
    name = {key: value for key, value in options.items() if key == "role_session_name"}
    before = [_one_role(hop, name, {}) for hop in hops[:-1]]
    chain = (*before, _one_role(hops[-1], name, {k: v for k, v in options.items() if k not in name}))
    _check_chain(chain)
    return chain


def _one_role(hop: object, defaults: Mapping[str, Any], options: Mapping[str, Any]) -> RoleSpec:
    if isinstance(hop, RoleSpec):
        if options:
            text = f"a RoleSpec has all its arguments; got {', '.join(sorted(options))} beside it"
            raise ConfigError(text)
        return hop
    own = snake_options(hop) if isinstance(hop, Mapping) else {"role_arn": hop}
    twice = sorted(set(own).intersection(options))
    if twice:
        text = f"{twice[0]} is given twice: for the role, and beside it"
        raise ConfigError(text)
    if "role_arn" not in own:
        text = f"a role needs its role_arn; got {', '.join(sorted(own)) or 'nothing'}"
        raise ConfigError(text)
    return RoleSpec(**{**defaults, **own, **options})


def _check_chain(chain: tuple[RoleSpec, ...]) -> None:
    partitions = sorted({spec.partition for spec in chain})
    if len(partitions) > 1:
        text = f"a chain stays in one partition, as credentials do; got {' and '.join(partitions)}"
        raise ConfigError(text)
    for spec in chain[1:]:
        if spec.duration_seconds is not None and spec.duration_seconds > LONGEST_CHAINED:
            text = (
                f"{spec.role_arn} is assumed by a role, and AWS limits that to {LONGEST_CHAINED} seconds; got "
                f"duration_seconds={spec.duration_seconds}; it is refreshed in time anyway"
            )
            raise ConfigError(text)
        if spec.mfa_serial is not None:
            text = f"{spec.role_arn} is assumed by a role, which has no MFA device; give mfa_serial to the first role"
            raise ConfigError(text)
