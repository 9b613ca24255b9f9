"""The one form of an account that every source makes and everything that works on many accounts takes."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from types import MappingProxyType
from typing import Any

from mangrove.accounts._template import check_template, render
from mangrove.aws.session import known_region
from mangrove.errors import ConfigError, DeclarationTypeError

__all__ = ["DEFAULT_ROLE", "Account", "Role", "check_account_id", "check_external_id", "check_role"]

DEFAULT_ROLE = "OrganizationAccountAccessRole"

Role = str | tuple[str, ...]

# \A and \Z, and [0-9] rather than \d: a newline or an Arabic digit would end up in an ARN.
_ID = re.compile(r"\A[0-9]{12}\Z")
_PARTITION = re.compile(r"\Aaws(?:-[a-z]+)*\Z")
# Source: the patterns of IAM's CreateRole (RoleName, Path) and of STS's AssumeRole (ExternalId).
_ROLE = re.compile(r"\A/?(?:[!-.0-~]+/)*[A-Za-z0-9_+=,.@-]{1,64}\Z")
_ROLE_ARN = re.compile(r"\Aarn:(aws(?:-[a-z]+)*):iam::([0-9]{12}):role/(.+)\Z")
_EXTERNAL_ID = re.compile(r"\A[A-Za-z0-9_+=,.@:/-]{2,1224}\Z")


def check_account_id(value: object) -> str:
    """Return an account's id, or refuse what is none.

    Raises:
        DeclarationTypeError: it is no string; a number has lost its leading zeros.
        ConfigError: it is not twelve digits.

    Example:
        >>> check_account_id("012345678901")
        '012345678901'
        >>> check_account_id(12345678901)
        Traceback (most recent call last):
        ...
        mangrove.errors.DeclarationTypeError: an account id is a string of twelve digits, for a number loses ...
    """
    if not isinstance(value, str):
        text = "an account id is a string of twelve digits, for a number loses its leading zeros; "
        told = f"quote it: got {value!r}" if isinstance(value, int | float) else f"got {type(value).__name__}"
        raise DeclarationTypeError(text + told)
    if not _ID.match(value):
        short = value.isascii() and value.isdigit() and len(value) < len("123456789012")
        lost = f" ({len(value)} digits: were leading zeros lost? quote it)" if short else ""
        text = f"{value!r} is no account id{lost}; one is a string of twelve digits, '123456789012'"
        raise ConfigError(text)
    return value


def check_role(role: object, what: str, *, filled: bool = False) -> frozenset[str]:
    """Return which fields of an account a role's templates take; refuse what can be no role of any account.

    Args:
        role: a role as for `Account`, or a list of them.
        what: whose role it is; the message begins with it.
        filled: it has no templates any more; a brace is a forbidden character.

    Raises:
        ConfigError: it has no name, a forbidden character, a wrong template, or a chain has a hop without its ARN.
        DeclarationTypeError: it is no string and no list of strings.
    """
    roles = _chain(role, what)
    if not roles:
        text = f"{what} is an empty list; give a role, or None to assume none"
        raise ConfigError(text)
    taken: set[str] = set()
    for number, each in enumerate(roles, 1):
        fields_taken = frozenset() if filled else check_template(each, what)
        taken |= fields_taken
        match = _ROLE_ARN.match(each)
        if fields_taken:
            continue  # what it is to be is known when it is filled
        if number < len(roles) and not match:
            text = f"{what} is reached over {each!r}, and a hop of a chain is named by its ARN"
            raise ConfigError(text)
        if (each.startswith("arn:") and not match) or not _ROLE.match(match[3] if match else each):
            text = (
                f"{what} is {each!r}, which is no role; one is a name of letters, digits and +=,.@-_ (up to 64), a "
                "path and a name, or an ARN 'arn:aws:iam::123456789012:role/name'"
            )
            raise ConfigError(text)
    return frozenset(taken)


def check_external_id(external_id: object, what: str, *, filled: bool = False) -> frozenset[str]:
    """Return which fields of an account an external id's template takes; refuse what can be none; never quote it.

    Args:
        external_id: a template, or the text itself.
        what: whose it is; the message begins with it.
        filled: it is no template any more.

    Raises:
        ConfigError: its length, a character or a field is not allowed.
        DeclarationTypeError: it is no string.
    """
    taken = frozenset() if filled else check_template(external_id, what, hidden=True)
    if not taken and not _EXTERNAL_ID.match(str(external_id)):
        text = f"{what} has a forbidden length or character; it has 2 to 1224 letters, digits and +=,.@:/-_"
        raise ConfigError(text)
    return taken


@dataclass(frozen=True, slots=True, repr=False)
class Account:
    """Hold one account, and how to come into it.

    Role and external id may be templates with the account's own fields in braces (`audit-{name}`,
    `{tags[env]}-reader`); they are filled when the account is made.

    Args:
        id: twelve digits.
        name: what people call it, or None if that is not known.
        email: the address of its root user.
        ou_path: its organizational unit as a path from the root, such as `/prod/web`; `/` is the root itself.
        tags: its tags; None if they are not known, which is not the same as none.
        role: the role to assume in it: a name, a path and a name, or an ARN. Several are a chain, whose last one is the
            account's and whose others are ARNs. None assumes no role: the credentials at hand are the account's.
        external_id: what the role's trust policy asks for, of a chain the last one's; shown in no repr, never pickled.
        profile: the profile of the AWS configuration that leads into the account; then role is None.
        regions: where to work in it; none leaves that to the run.
        variables: anything else that its source says of it.

    Raises:
        ConfigError: a value has the wrong form, a template can't be filled, or an ARN is another account's.
        DeclarationTypeError: a value has the wrong type.

    Example:
        >>> account = mangrove.accounts.Account("123456789012", "web", role="audit-{name}", external_id="{id}-x")
        >>> account
        Account(id='123456789012', name='web', role='audit-web', external_id='***')
        >>> account.role_arn("aws-cn")
        'arn:aws-cn:iam::123456789012:role/audit-web'
    """

    id: str
    name: str | None = None
    email: str | None = None
    ou_path: str | None = None
    tags: Mapping[str, str] | None = field(default=None, hash=False)
    role: Role | None = DEFAULT_ROLE
    external_id: str | None = None
    profile: str | None = None
    regions: tuple[str, ...] = ()
    variables: Mapping[str, Any] = field(default_factory=dict, hash=False, compare=False)

    def __post_init__(self) -> None:
        check_account_id(self.id)
        for name in ("name", "email", "ou_path", "profile"):
            _check_text(getattr(self, name), name)
        if self.ou_path is not None and not self.ou_path.startswith("/"):
            text = f"ou_path is a path from the root, such as '/prod/web'; got {self.ou_path!r}"
            raise ConfigError(text)
        self._set("tags", _tags(self.tags))
        self._set("variables", MappingProxyType(dict(self.variables)))
        self._set("regions", _regions(self.regions))
        self._set("role", self._filled_role())
        self._set("external_id", self._filled_external_id())

    def _set(self, name: str, value: object) -> None:
        object.__setattr__(self, name, value)

    def render(self, template: str, what: str = "the template") -> str:
        """Return a text with the account's own fields in it, such as a role session name.

        Args:
            template: may have the fields {id}, {name}, {email}, {ou_path} and {tags[KEY]}.
            what: what the text is for; the message of an error begins with it.

        Raises:
            ConfigError: the template has another field, or one that is not known of this account.
            DeclarationTypeError: it is no string.

        Example:
            >>> mangrove.accounts.Account("123456789012", "web").render("{name}-{id}")
            'web-123456789012'
        """
        return render(template, self._texts(), self.tags, what)

    def role_arns(self, partition: str | None = None) -> tuple[str, ...]:
        """Return the ARNs of the roles to assume one after the other; none if no role is assumed.

        Args:
            partition: where the account is, such as `aws-us-gov`; None takes that of an ARN, else `aws`.

        Raises:
            ConfigError: that is no partition, or an ARN is of another one.

        Example:
            >>> chain = ("arn:aws:iam::111111111111:role/hub", "ops/audit")
            >>> mangrove.accounts.Account("123456789012", role=chain).role_arns()
            ('arn:aws:iam::111111111111:role/hub', 'arn:aws:iam::123456789012:role/ops/audit')
        """
        if partition is not None and not _PARTITION.match(partition):
            text = f"{partition!r} is no partition; one is 'aws', 'aws-cn', 'aws-us-gov'"
            raise ConfigError(text)
        roles = _chain(self.role)
        given = {match[1] for match in map(_ROLE_ARN.match, roles) if match}
        if len(given | ({partition} if partition else set())) > 1:
            text = (
                f"the role of account {self.id} is in the partition {' and '.join(sorted(given))}"
                f"{f', the call in {partition}' if partition else ''}; a role is assumed within one partition"
            )
            raise ConfigError(text)
        where = partition or next(iter(given), "aws")
        return tuple(
            role if _ROLE_ARN.match(role) else f"arn:{where}:iam::{self.id}:role/{role.lstrip('/')}" for role in roles
        )

    def role_arn(self, partition: str | None = None) -> str | None:
        """Return the ARN of the account's own role, the last of a chain; None if no role is assumed.

        Args:
            partition: as for `role_arns`.

        Raises:
            ConfigError: as for `role_arns`.

        Example:
            >>> mangrove.accounts.Account("123456789012").role_arn()
            'arn:aws:iam::123456789012:role/OrganizationAccountAccessRole'
        """
        arns = self.role_arns(partition)
        return arns[-1] if arns else None

    def __repr__(self) -> str:
        # The variables may hold anything.
        shown = {each.name: getattr(self, each.name) for each in fields(self) if each.name != "variables"}
        shown["tags"] = None if self.tags is None else dict(self.tags)
        if self.external_id is not None:
            shown["external_id"] = "***"
        told = (f"{name}={value!r}" for name, value in shown.items() if value not in (None, ()))
        return f"Account({', '.join(told)})"

    def __reduce__(self) -> tuple[Any, ...]:
        if self.external_id is not None:
            text = f"account {self.id} has an external id, which is never pickled; read the account where it is needed"
            raise TypeError(text)
        values = {each.name: getattr(self, each.name) for each in fields(self)}
        plain = {name: dict(value) if isinstance(value, Mapping) else value for name, value in values.items()}
        return _rebuilt, (plain,)

    def _filled_role(self) -> Role | None:
        if self.role is None:
            return None
        if self.profile is not None:
            text = (
                f"account {self.id} has the profile {self.profile!r} and a role; the profile names its role itself: "
                "give one of them (with a profile, role=None)"
            )
            raise ConfigError(text)
        what = f"the role of account {self.id}"
        check_role(self.role, what)
        filled = tuple(self.render(role, what) for role in _chain(self.role))
        check_role(filled, what, filled=True)
        own = filled[-1]
        match = _ROLE_ARN.match(own)
        if match and match[2] != self.id:
            text = f"{what} is {own!r}, a role of account {match[2]}"
            raise ConfigError(text)
        return own if len(filled) == 1 else filled

    def _filled_external_id(self) -> str | None:
        if self.external_id is None:
            return None
        what = f"the external id of account {self.id}"
        if self.role is None:
            text = f"{what} is given, and no role that it could be used with"
            raise ConfigError(text)
        filled = render(self.external_id, self._texts(), self.tags, what, hidden=True)
        check_external_id(filled, what, filled=True)
        return filled

    def _texts(self) -> dict[str, str | None]:
        return {"id": self.id, "name": self.name, "email": self.email, "ou_path": self.ou_path}


def _rebuilt(values: dict[str, Any]) -> Account:
    return Account(**values)


def _chain(role: object, what: str = "a role") -> tuple[str, ...]:
    if role is None:
        return ()
    if isinstance(role, str):
        return (role,)
    if not isinstance(role, Sequence):
        text = f"{what} is a string, or a list of them for a chain; got {type(role).__name__}"
        raise DeclarationTypeError(text)
    return tuple(role)


def _check_text(value: object, what: str) -> None:
    if value is not None and not isinstance(value, str):
        text = f"{what} takes a string; got {type(value).__name__}"
        raise DeclarationTypeError(text)


def _tags(tags: Mapping[str, str] | None) -> Mapping[str, str] | None:
    if tags is None:
        return None
    if not isinstance(tags, Mapping):
        text = f"tags take a mapping of strings to strings; got {type(tags).__name__}"
        raise DeclarationTypeError(text)
    pairs: Any = tags.items()
    for key, value in pairs:
        if not (isinstance(key, str) and isinstance(value, str)):
            text = f"a tag is a string with a string; got {key!r} with {type(value).__name__}: quote it"
            raise DeclarationTypeError(text)
    return MappingProxyType(dict(tags))


def _regions(regions: Any) -> tuple[str, ...]:
    if isinstance(regions, str) or not isinstance(regions, Sequence):
        text = f"regions take a list of names, ['eu-west-1']; got {regions!r}"
        raise DeclarationTypeError(text)
    # A pattern is the business of who knows which regions there are.
    return tuple(
        name if isinstance(name, str) and set(name) & set("*?[!") else known_region(name)
        for name in dict.fromkeys(regions)
    )
