"""Read and write ARNs strictly: what is no ARN is refused with the field that is wrong, before it reaches AWS."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache, lru_cache

from botocore.loaders import Loader

from mangrove.aws.services import one_of
from mangrove.errors import DeclarationTypeError, InvalidArnError

__all__ = ["LONGEST_ARN", "Arn", "field_fault", "quoted", "region_fault", "resource_fault"]

LONGEST_ARN = 2048  # characters; the longest that an API takes, such as that of IAM and of EventBridge
_NAMES = ("partition", "service", "region", "account", "resource")
_FIELDS = len(_NAMES) + 1
_LONGEST_SHOWN = 120

# \A, \Z and ASCII classes: a newline, a homoglyph or an Arabic digit must not pass for what it looks like.
_SERVICE = re.compile(r"\A[a-z0-9]+(?:-[a-z0-9]+)*\Z")
_REGION = re.compile(r"\A[a-z]{2,5}(?:-[a-z]+)+-[0-9]{1,2}\Z")
_ACCOUNT = re.compile(r"\A[0-9]{12}\Z")
_PLAIN = re.compile(r"\A[!-~](?:[ -~]*[!-~])?\Z")
# Who stands for an account in the ARNs of what AWS itself owns: managed policies, Marketplace images, old CloudFront
# identities (`arn:aws:iam::cloudfront:user/CloudFront Origin Access Identity E1…`).
_OWNERS = frozenset({"aws", "aws-marketplace", "cloudfront"})
# AWS Health writes `global` where a global service's event has no region.
_ODD_REGIONS = frozenset({("health", "global")})
# Letters of other scripts are real, in the keys of S3 say; these only look like what divides an ARN.
_LOOKALIKES = frozenset("\u0589\u05c3\u2044\u204e\u2215\u2217\u2236\u29f8\u2571\ua789")
_BAD_CATEGORIES = frozenset({"Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp"})

# Services whose ARNs name no type: everything after the account is a name (or a path that begins with one).
_UNTYPED = frozenset({"codecommit", "execute-api", "mgh", "servicequotas", "sns", "sqs"})


def quoted(value: str) -> str:
    """Return a text as a message shows it, shortened if it is long."""
    return repr(value) if len(value) <= _LONGEST_SHOWN else f"{value[:40]!r}… ({len(value)} characters)"


@cache
def _partitions() -> Mapping[str, tuple[frozenset[str], re.Pattern[str]]]:
    """Return the regions of every partition that the installed botocore knows, by list and by form."""
    data = Loader().load_data("partitions")["partitions"]
    return {each["id"]: (frozenset(each["regions"]), re.compile(each["regionRegex"], re.ASCII)) for each in data}


def _partition_fault(partition: str) -> str | None:
    known = _partitions()
    if partition in known:
        return None
    close = one_of(partition, known) if partition.isascii() else ""
    return f"its partition {quoted(partition)} is none of {', '.join(sorted(known))}{close}"


@lru_cache(maxsize=1024)
def region_fault(partition: str, region: str) -> str | None:
    """Return why a region can't stand in an ARN of the partition, or None if it can.

    A region that no partition has is taken if it is well formed: AWS may be ahead of the installed botocore.

    Example:
        >>> region_fault("aws", "cn-north-1")
        "its region 'cn-north-1' is of the partition 'aws-cn', not 'aws'"
    """
    if not _REGION.match(region):
        return f"its region {quoted(region)} is not the name of one, such as 'eu-west-1'"
    owners = [name for name, (listed, form) in _partitions().items() if region in listed or form.fullmatch(region)]
    if not owners or partition in owners:
        return None
    return f"its region {region!r} is of the partition {owners[0]!r}, not {partition!r}"


def _is_bad(char: str) -> bool:
    if " " <= char <= "~":
        return False
    category = unicodedata.category(char)
    if category in _BAD_CATEGORIES or category == "Zs" or char in _LOOKALIKES:
        return True
    return any(each in ":/*?" for each in unicodedata.normalize("NFKC", char))


def resource_fault(resource: str) -> str | None:
    """Return why a text can't be the resource of an ARN, or None if it can.

    Example:
        >>> resource_fault("instance/i-0abc ")
        'its resource begins or ends with a space'
    """
    if _PLAIN.match(resource):
        return None
    if not resource:
        return "its resource, all that follows the account, is empty"
    for place, char in enumerate(resource, 1):
        if _is_bad(char):
            return f"its resource has {char!r} (U+{ord(char):04X}) at character {place}, which no ARN has"
    if resource != resource.strip():
        return "its resource begins or ends with a space"
    return None


def field_fault(arn: Arn) -> str | None:
    """Return what is wrong with the first wrong field of an ARN, or None."""
    if (fault := _partition_fault(arn.partition)) is not None:
        return fault
    if not _SERVICE.match(arn.service):
        return f"its service {quoted(arn.service)} is not lower-case letters, digits and single hyphens"
    if arn.region and (arn.service, arn.region) not in _ODD_REGIONS:
        fault = region_fault(arn.partition, arn.region)
        if fault is not None:
            return fault
    if arn.account and not _ACCOUNT.match(arn.account) and arn.account not in _OWNERS:
        owners = ", ".join(sorted(_OWNERS))
        return f"its account {quoted(arn.account)} is neither twelve digits nor empty nor one of {owners}"
    return resource_fault(arn.resource)


@dataclass(frozen=True, slots=True, order=True)
class Arn:
    """Hold a valid ARN, field by field.

    Args:
        partition: one that the installed botocore knows: aws, aws-cn, aws-us-gov, ….
        service: the namespace, such as `ec2`; not always botocore's name of the service.
        region: empty for what is global.
        account: twelve digits; empty where the service has none; `aws` for what AWS owns.
        resource: the rest, as the service writes it.

    Raises:
        InvalidArnError: a field is wrong; the message says which and why.

    Source: "Identify AWS resources with Amazon Resource Names (ARNs)" in the IAM user guide.

    Example:
        >>> arn = mangrove.Arn.parse("arn:aws:ec2:eu-west-1:123456789012:instance/i-0abc")
        >>> arn.service, arn.region, arn.resource_type, arn.resource_id
        ('ec2', 'eu-west-1', 'instance', 'i-0abc')
        >>> print(arn.with_(region="eu-central-1"))
        arn:aws:ec2:eu-central-1:123456789012:instance/i-0abc
    """

    partition: str
    service: str
    region: str
    account: str
    resource: str

    def __post_init__(self) -> None:
        for name in _NAMES:
            value = getattr(self, name)
            if not isinstance(value, str):
                text = f"the {name} of an ARN is a string; got {type(value).__name__}: {value!r}"
                raise DeclarationTypeError(text)
        fault = field_fault(self)
        if fault is None and len(str(self)) > LONGEST_ARN:
            fault = f"it has more than {LONGEST_ARN} characters"
        if fault is not None:
            raise _refusal(str(self), fault)

    @classmethod
    def parse(cls, text: object) -> Arn:
        """Read an ARN.

        Args:
            text: the ARN, without anything around it.

        Raises:
            DeclarationTypeError: it is no string.
            InvalidArnError: it is no ARN; the message says which field is wrong and why.

        Example:
            >>> mangrove.Arn.parse("arn:aws:s3:::logs/2026/11.gz").resource
            'logs/2026/11.gz'
            >>> mangrove.Arn.parse("arn:aws:ec2:us-gov-west-1:123456789012:vpc/vpc-1")
            Traceback (most recent call last):
            ...
            mangrove.errors.InvalidArnError: 'arn:aws:ec2:us-gov-west-1:123456789012:vpc/vpc-1' is not an ARN: its
            region 'us-gov-west-1' is of the partition 'aws-us-gov', not 'aws'
        """
        if isinstance(text, Arn):
            return text
        if not isinstance(text, str):
            message = f"an ARN is a string, such as 'arn:aws:s3:::bucket'; got {type(text).__name__}"
            raise DeclarationTypeError(message)
        if len(text) > LONGEST_ARN:
            raise _refusal(text, f"it has more than {LONGEST_ARN} characters")
        parts = text.split(":", _FIELDS - 1)
        if parts[0] != "arn":
            raise _refusal(text, "it does not begin with 'arn:'")
        if len(parts) < _FIELDS:
            form = "arn:partition:service:region:account:resource"
            raise _refusal(text, f"it has {len(parts)} of the six fields of {form}")
        if any("*" in part or "?" in part for part in parts[1:-1]):
            raise _refusal(text, "'*' and '?' make it a pattern; read it with mangrove.ArnPattern.parse")
        return cls(*parts[1:])

    @classmethod
    def parse_or_none(cls, text: object) -> Arn | None:
        """Read an ARN, or return None for what is none.

        Example:
            >>> mangrove.Arn.parse_or_none("i-0abc") is None
            True
        """
        try:
            return cls.parse(text)
        except (DeclarationTypeError, InvalidArnError):
            return None

    def __str__(self) -> str:
        return f"arn:{self.partition}:{self.service}:{self.region}:{self.account}:{self.resource}"

    def _parts(self) -> tuple[str | None, str]:
        named = self.service == "s3" and not self.region and not self.account
        if named or self.service in _UNTYPED:
            return None, self.resource
        # API Gateway and others write a path: `/restapis/a1b2`.
        path = self.resource.removeprefix("/")
        found = re.search("[:/]", path)
        return (path[: found.start()] or None, path[found.end() :]) if found else (None, path)

    @property
    def resource_type(self) -> str | None:
        """Return what stands before the first `/` or `:` of the resource; None where a service names no type there.

        It is what the ARN says, not what the resource is: `mangrove.resources.formats.match` knows that.

        Example:
            >>> mangrove.Arn.parse("arn:aws:sns:eu-west-1:123456789012:alerts").resource_type is None
            True
        """
        return self._parts()[0]

    @property
    def resource_id(self) -> str:
        """Return what follows the type in the resource; all of it where there is no type.

        Example:
            >>> mangrove.Arn.parse("arn:aws:iam::123456789012:role/team/Reader").resource_id
            'team/Reader'
        """
        return self._parts()[1]

    def with_(
        self,
        *,
        partition: str | None = None,
        service: str | None = None,
        region: str | None = None,
        account: str | None = None,
        resource: str | None = None,
    ) -> Arn:
        """Return the ARN with other fields; None leaves one as it is, the empty string empties it.

        Raises:
            InvalidArnError: the outcome is no ARN.
        """
        given = {"partition": partition, "service": service, "region": region, "account": account, "resource": resource}
        return replace(self, **{name: value for name, value in given.items() if value is not None})


def _refusal(text: str, fault: str) -> InvalidArnError:
    return InvalidArnError(f"{quoted(text)} is not an ARN: {fault}")
