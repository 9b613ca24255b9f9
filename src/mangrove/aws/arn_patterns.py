"""Select ARNs by patterns with the wildcards of IAM, such as `arn:aws:ec2:eu-*:*:instance/*`."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from functools import lru_cache

from mangrove.aws.arn import LONGEST_ARN, Arn, field_fault, quoted, resource_fault
from mangrove.errors import DeclarationTypeError, InvalidArnError

__all__ = ["ArnPattern"]

_GLOB = re.compile(r"[*?]")
_FIELD = re.compile(r"\A[a-z0-9*?-]*\Z")
_PIECES = re.compile(r"\$\{([*?$])\}|(\*+)|(\?)|(.)", re.DOTALL)
# A valid ARN, whose fields stand in for those of a pattern that have wildcards and can't be checked.
_SAMPLE = {"partition": "aws", "service": "ec2", "region": "", "account": "", "resource": "x"}


@lru_cache(maxsize=1024)
def _matcher(glob: str) -> Callable[[str], object]:
    """Return a function that says whether a text fits a glob; fnmatch's groups are atomic, so that it never hangs."""

    def piece(found: re.Match[str]) -> str:
        escaped, stars, one, char = found.groups()
        if escaped or char == "[":
            return f"[{escaped or char}]"
        return "*" if stars else one or char

    return re.compile(fnmatch.translate(_PIECES.sub(piece, glob))).match


@dataclass(frozen=True, slots=True, order=True)
class ArnPattern:
    """Match ARNs field by field: `*` stands for any text, also none, and `?` for one character.

    As in IAM, a `*` in the resource crosses `/` and `:`, letters' case counts, an empty field matches only an empty
    one, and `${*}`, `${?}`, `${$}` stand for the characters themselves. The pattern `*` matches every ARN. Other than
    in IAM a pattern has all six fields.

    Args:
        partition: a partition, or a glob.
        service: a service's namespace, or a glob.
        region: a region, a glob, or empty.
        account: an account, a glob, or empty.
        resource: the rest, or a glob.

    Raises:
        InvalidArnError: no ARN could ever match; the message says why.

    Source: "IAM JSON policy elements: Resource" in the IAM user guide.

    Example:
        >>> pattern = mangrove.ArnPattern.parse("arn:aws:ec2:eu-*:*:instance/*")
        >>> pattern.match("arn:aws:ec2:eu-west-1:123456789012:instance/i-0abc")
        True
        >>> pattern.match("arn:aws:ec2:us-east-1:123456789012:instance/i-0abc")
        False
    """

    partition: str
    service: str
    region: str
    account: str
    resource: str

    def __post_init__(self) -> None:
        for each in fields(self):
            if not isinstance(getattr(self, each.name), str):
                text = f"the {each.name} of an ARN pattern is a string; got {type(getattr(self, each.name)).__name__}"
                raise DeclarationTypeError(text)
        fault = _fault({each.name: getattr(self, each.name) for each in fields(self)})
        if fault is not None:
            raise _refusal(str(self), fault)

    @classmethod
    def parse(cls, text: object) -> ArnPattern:
        """Read a pattern; an ARN without wildcards is one that matches itself alone.

        Args:
            text: six fields, or `*`.

        Raises:
            DeclarationTypeError: it is no string.
            InvalidArnError: it has not six fields, or no ARN could ever match it.

        Example:
            >>> mangrove.ArnPattern.parse("arn:aws:ec2:eu_*:*:instance/*")
            Traceback (most recent call last):
            ...
            mangrove.errors.InvalidArnError: 'arn:aws:ec2:eu_*:*:instance/*' is no pattern of ARNs: its region 'eu_*'
            has other characters than lower-case letters, digits, '-', '*' and '?'
        """
        if not isinstance(text, str):
            message = f"a pattern of ARNs is a string, such as 'arn:aws:s3:::logs-*'; got {type(text).__name__}"
            raise DeclarationTypeError(message)
        if text == "*":
            return cls("*", "*", "*", "*", "*")
        if len(text) > LONGEST_ARN:
            raise _refusal(text, f"it has more than {LONGEST_ARN} characters")
        parts = text.split(":", len(_SAMPLE))
        if parts[0] != "arn":
            raise _refusal(text, "it does not begin with 'arn:'")
        if len(parts) <= len(_SAMPLE):
            missing = ":*" * (len(_SAMPLE) + 1 - len(parts))
            raise _refusal(text, f"it has {len(parts)} of an ARN's six fields; write {quoted(text + missing)} for any")
        return cls(*parts[1:])

    def __str__(self) -> str:
        return f"arn:{self.partition}:{self.service}:{self.region}:{self.account}:{self.resource}"

    def match(self, arn: Arn | str) -> bool:
        """Say whether an ARN fits; a text that is no ARN does not."""
        found = Arn.parse_or_none(arn)
        return found is not None and all(
            _matcher(getattr(self, name))(getattr(found, name)) for name in reversed(_SAMPLE)
        )

    def may_match(
        self,
        *,
        partition: str | None = None,
        service: str | None = None,
        region: str | None = None,
        account: str | None = None,
    ) -> bool:
        """Say whether ARNs with these fields can fit, so that services, regions and accounts are left out unasked.

        Args:
            partition: such as `aws`; None for any.
            service: the namespace in the ARN; None for any.
            region: empty for global resources; None for any.
            account: empty for ARNs without one; None for any.

        Example:
            >>> pattern = mangrove.ArnPattern.parse("arn:aws:ec2:eu-*:*:instance/*")
            >>> [region for region in ("eu-west-1", "us-east-1") if pattern.may_match(service="ec2", region=region)]
            ['eu-west-1']
        """
        given = {"partition": partition, "service": service, "region": region, "account": account}
        return all(value is None or _matcher(getattr(self, name))(value) for name, value in given.items())


def _fault(given: Mapping[str, str]) -> str | None:
    """Return why no ARN can match these globs, or None."""
    for name, value in given.items():
        if name != "resource" and not _FIELD.match(value):
            allowed = "lower-case letters, digits, '-', '*' and '?'"
            return f"its {name} {quoted(value)} has other characters than {allowed}"
    if (fault := resource_fault(given["resource"])) is not None:
        return fault
    exact = {name: value for name, value in given.items() if name != "resource" and not _GLOB.search(value)}
    if "region" in exact and "partition" not in exact:
        del exact["region"]  # which regions there may be depends on the partition
    # A plain field is checked as an ARN's is; the others are left out.
    sample = object.__new__(Arn)
    for name, value in {**_SAMPLE, **exact}.items():
        object.__setattr__(sample, name, value)
    return field_fault(sample)


def _refusal(text: str, fault: str) -> InvalidArnError:
    return InvalidArnError(f"{quoted(text)} is no pattern of ARNs: {fault}")
