"""One form of ARN: build an ARN from names and ids, and read them back from one."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from mangrove.aws.arn import Arn, quoted
from mangrove.errors import DeclarationTypeError, InvalidArnError

__all__ = ["Format", "Match"]

_VARIABLE = re.compile(r"\$\{([A-Za-z][A-Za-z0-9]*|\.\.\.)\}")
_REST = "..."
_PLAIN_VALUE = "[^/:]+"
_HEAD = 6


@lru_cache(maxsize=4096)
def _fields(text: str) -> tuple[str, ...]:
    return tuple(text.split(":", _HEAD - 1))


@lru_cache(maxsize=4096)
def _pieces(resource: str) -> tuple[tuple[str, str], ...]:
    """Return the literals of a resource's form, each with the variable that follows it, or the empty string."""
    found = _VARIABLE.split(resource)
    return tuple(zip(found[::2], [*found[1::2], ""], strict=True))


@lru_cache(maxsize=4096)
def _regex(resource: str, values: tuple[tuple[str, str], ...]) -> re.Pattern[str]:
    """Return what a resource of the form looks like: a group for each variable."""
    held = dict(values)

    def parts() -> Iterator[str]:
        for literal, name in _pieces(resource):
            yield re.escape(literal)
            if name == _REST:
                yield ".+"
            elif name:
                yield f"(?P<{name}>{held.get(name, _PLAIN_VALUE)})"

    return re.compile("".join(parts()), re.DOTALL)


def _listed(names: Iterable[str]) -> str:
    return ", ".join(sorted(names)) or "none"


@dataclass(frozen=True, slots=True)
class Format:
    """Hold the form of one type's ARNs.

    Attributes:
        prefix: the IAM prefix of the service whose type it is, such as `elasticmapreduce`.
        type: the type's name in the IAM reference, such as `cluster`.
        text: such as `arn:${Partition}:elasticmapreduce:${Region}:${Account}:cluster/${ClusterId}`.
        alternate: another form of the type comes first; ARNs in this one are older, of another API, or AWS's own.
        values: what a variable may hold, as a regular expression, where it is not anything but `/` and `:`.

    Source: the service authorization reference, through the sources named in `data/arn_formats.json`.

    Example:
        >>> from mangrove.resources.formats import format_of
        >>> cluster = format_of("elasticmapreduce", "cluster")
        >>> cluster.variables
        ('ClusterId',)
        >>> print(cluster.build("aws", "eu-west-1", "123456789012", ClusterId="j-1ABC"))
        arn:aws:elasticmapreduce:eu-west-1:123456789012:cluster/j-1ABC
    """

    prefix: str
    type: str
    text: str
    alternate: bool = False
    values: tuple[tuple[str, str], ...] = field(default=(), repr=False)

    def _part(self, place: int) -> str:
        return _fields(self.text)[place]

    @property
    def service(self) -> str:
        """Return the service in the ARN, which is not always the prefix: `catalog` for servicecatalog."""
        return self._part(2)

    @property
    def region(self) -> str:
        """Return `${Region}`, a fixed region, or the empty string where such ARNs have none."""
        return self._part(3)

    @property
    def account(self) -> str:
        """Return `${Account}`, another variable where it is not the caller's own, `aws`, or the empty string."""
        return self._part(4)

    @property
    def resource(self) -> str:
        """Return what follows the account, such as `instance/${InstanceId}`."""
        return self._part(5)

    @property
    def variables(self) -> tuple[str, ...]:
        """Return the variables of the resource, in their order; without those for partition, region and account."""
        return tuple(name for _, name in _pieces(self.resource) if name not in ("", _REST))

    @property
    def is_open(self) -> bool:
        """Say whether the sources do not tell how such an ARN ends: it is recognised, but never built."""
        return self.resource.endswith(f"${{{_REST}}}")

    @property
    def literals(self) -> int:
        """Return how many characters are fixed: a longer one says more about what it matches."""
        fixed = sum(len(part) for part in (self.region, self.account) if not part.startswith("$"))
        return fixed + sum(len(literal) for literal, _ in _pieces(self.resource))

    def build(self, partition: str, region: str | None, account: str | None, **variables: str) -> Arn:
        """Return the ARN of one resource.

        Args:
            partition: such as `aws`.
            region: taken where the form has a region, ignored where it has none.
            account: taken where the form has an account, ignored where it has none.
            **variables: a value for each of `variables`, without the punctuation around it.

        Raises:
            DeclarationTypeError: a value is no string.
            InvalidArnError: a value is missing, unknown, empty, or would make it the ARN of something else; or the
                form is open.

        Example:
            >>> from mangrove.resources.formats import format_of
            >>> print(format_of("s3", "bucket").build("aws", "eu-west-1", "123456789012", BucketName="logs"))
            arn:aws:s3:::logs
            >>> format_of("s3", "bucket").build("aws", None, None, BucketName="logs/x")
            Traceback (most recent call last):
            ...
            mangrove.errors.InvalidArnError: no ARN of s3 bucket: BucketName can't be 'logs/x'; its form is
            arn:${Partition}:s3:::${BucketName}
        """
        self._check_names(variables)
        self._check_values(variables)
        parts = [literal + (variables[name] if name else "") for literal, name in _pieces(self.resource)]
        head = self._filled("region", self.region, region), self._filled("account", self.account, account)
        arn = Arn(partition, self.service, *head, "".join(parts))
        if self.read(arn) != variables:  # two values together would shift what the ARN says
            raise InvalidArnError(self._why(f"{quoted(str(arn))} would read as another one"))
        return arn

    def _filled(self, name: str, form: str, given: str | None) -> str:
        if not form.startswith("$"):
            return form
        if not given:
            raise InvalidArnError(self._why(f"it needs the {name}"))
        return given

    def _check_names(self, given: Mapping[str, object]) -> None:
        if self.is_open:
            text = "how it ends is not known, so read the ARN from an answer of the service"
            raise InvalidArnError(self._why(text))
        wanted = set(self.variables)
        if wanted != set(given):
            missing, unknown = wanted.difference(given), set(given).difference(wanted)
            raise InvalidArnError(self._why(f"missing: {_listed(missing)}; unknown: {_listed(unknown)}"))

    def _check_values(self, given: Mapping[str, object]) -> None:
        held = dict(self.values)
        for name, value in given.items():
            if not isinstance(value, str):
                text = f"{name} of {self.prefix} {self.type} is a string; got {type(value).__name__}: {value!r}"
                raise DeclarationTypeError(text)
            if not re.fullmatch(held.get(name, _PLAIN_VALUE), value, re.DOTALL):
                raise InvalidArnError(self._why(f"{name} can't be {quoted(value)}"))

    def _why(self, fault: str) -> str:
        return f"no ARN of {self.prefix} {self.type}: {fault}; its form is {self.text}"

    def read(self, arn: Arn) -> dict[str, str] | None:
        """Return the variables of an ARN of this form, or None for one of another.

        Example:
            >>> from mangrove.resources.formats import format_of
            >>> format_of("iam", "role").read(mangrove.Arn.parse("arn:aws:iam::123456789012:role/team/Reader"))
            {'RoleNameWithPath': 'team/Reader'}
        """
        _, _, service, region, account, resource = _fields(self.text)
        if arn.service != service or not _fits(region, arn.region) or not _fits(account, arn.account):
            return None
        if not arn.resource.startswith(_pieces(resource)[0][0]):
            return None  # spares the regular expressions of most of a service's forms
        found = _regex(resource, self.values).fullmatch(arn.resource)
        return found and found.groupdict()


def _fits(form: str, value: str) -> bool:
    return bool(value) if form.startswith("$") else form == value


@dataclass(frozen=True, slots=True)
class Match:
    """Say what an ARN is: the form that it has, and the names and ids in it.

    Attributes:
        arn: the ARN.
        format: the form.
        variables: the form's variables with their values; without those of an open form's rest.
    """

    arn: Arn
    format: Format
    variables: Mapping[str, str]

    @property
    def prefix(self) -> str:
        """Return the IAM prefix of the service whose type it is."""
        return self.format.prefix

    @property
    def type(self) -> str:
        """Return the type's name in the IAM reference."""
        return self.format.type
