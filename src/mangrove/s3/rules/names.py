"""Refuse a bucket or a key that can't be before anything is sent, and read the `s3://bucket/key` of command lines."""

from __future__ import annotations

import re
from typing import Literal, NamedTuple, cast, get_args

from mangrove.errors import ConfigError, DeclarationTypeError

__all__ = [
    "LONGEST_KEY",
    "Address",
    "BucketKind",
    "check",
    "check_bucket",
    "check_key",
    "check_new_bucket",
    "is_url",
    "may_be_one",
    "parse_url",
    "shown",
]

LONGEST_KEY = 1024  # bytes of UTF-8
_LONGEST_SHOWN = 80
_MOST_KEPT = 4096
_SCHEME = "s3://"

BucketKind = Literal["general", "directory", "access-point", "multi-region", "object-lambda", "outposts"]

# \A, \Z and ASCII classes: a newline or an Arabic digit must not pass for what it looks like.
_NEW = re.compile(r"\A[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]\Z")
# Until March 2018 us-east-1 took these, and such buckets live on; some S3-compatible servers still take them.
_OLD = re.compile(r"\A(?=[._-]*[A-Za-z0-9])[A-Za-z0-9._-]{3,255}\Z")
_IPV4 = re.compile(r"\A[0-9]{1,3}(?:\.[0-9]{1,3}){3}\Z")
_ZONAL = re.compile(r"\A[a-z0-9](?:[a-z0-9-]*[a-z0-9])?--[a-z0-9]+-[a-z0-9]+(?:-[a-z0-9]+)*--(x|xa)-s3\Z")
_POINT = re.compile(r"\A[a-z0-9](?:[a-z0-9-]{1,48}[a-z0-9])\Z")
_ALIAS_OF_MANY = re.compile(r"\A[a-z0-9]{1,58}\.mrap\Z")
_OUTPOST = re.compile(r"\Aoutpost[:/]([A-Za-z0-9-]{1,63})[:/]accesspoint[:/](.+)\Z", re.DOTALL)
# Where an ARN ends and the key begins in a URL; an ARN has slashes of its own.
_ARN_IN_URL = re.compile(
    r"\A(arn:[^/]*?:s3-outposts:[^/]*?:outpost[:/][^:/]*[:/]accesspoint[:/][^:/]*|arn:[^/]*:accesspoint[:/][^:/]*)(?:/|\Z)"
)
_ALIASES = ("-s3alias", "--ol-s3")
_RESERVED_BEGINNINGS = ("xn--", "sthree-", "amzn-s3-demo-")
_RESERVED_ENDS = ("-s3alias", "--ol-s3", "--op-s3", ".mrap", "--x-s3", "--xa-s3", "--table-s3")

_FORM = "a name is 3 to 63 lower-case letters, digits, dots and hyphens"

_good: dict[str, BucketKind] = {}


class Address(NamedTuple):
    """Be a bucket and a key, or a bucket and what keys begin with."""

    bucket: str
    key: str


def shown(value: object) -> str:
    """Return a value as a message shows it, shortened if it is long.

    Example:
        >>> shown("a" * 200)
        "'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa'… (200 characters)"
    """
    if not isinstance(value, str):
        return type(value).__name__
    return repr(value) if len(value) <= _LONGEST_SHOWN else f"{value[:40]!r}… ({len(value)} characters)"


def check(bucket: str, key: str) -> None:
    """Check the bucket and the key of one operation; a batch does so for each of millions.

    Args:
        bucket: a name, an alias or an ARN; see `check_bucket`.
        key: the key of an object; see `check_key`.

    Raises:
        ConfigError: one of them can't be.

    Example:
        >>> check("logs", "2026/11/22.gz")
    """
    try:
        if bucket not in _good:
            check_bucket(bucket)
    except TypeError:  # it can't be hashed, so it is no string
        check_bucket(bucket)
    if type(key) is not str or not key or len(key) > LONGEST_KEY or not key.isascii():
        check_key(key)


def check_key(key: str) -> None:
    """Check the key of an object.

    Args:
        key: 1 to 1,024 bytes of UTF-8; any characters, also those that make no good path.

    Raises:
        DeclarationTypeError: it is no string.
        ConfigError: it is empty, too long, or can't be written as UTF-8.

    Source: "Naming Amazon S3 objects" in the Amazon S3 user guide.

    Example:
        >>> check_key("é" * 513)
        Traceback (most recent call last):
        ...
        mangrove.errors.ConfigError: the key 'éééééééééééééééééééééééééééééééééééééééé'… (513 characters) has 1026 bytes
        of UTF-8; S3 takes at most 1024, so shorten it
    """
    if not isinstance(key, str):
        text = f"a key is a string, such as 'logs/2026.gz'; got {type(key).__name__}"
        raise DeclarationTypeError(text)
    if not key:
        text = "the key is empty; S3 takes 1 to 1024 bytes of UTF-8, such as 'logs/2026.gz'"
        raise ConfigError(text)
    try:
        size = len(key.encode())
    except UnicodeEncodeError as error:
        text = (
            f"the key {shown(key)} has a lone surrogate at character {error.start + 1}, which UTF-8 can't hold;"
            " decode the bytes it came from with their real encoding"
        )
        raise ConfigError(text) from None
    if size > LONGEST_KEY:
        text = f"the key {shown(key)} has {size} bytes of UTF-8; S3 takes at most {LONGEST_KEY}, so shorten it"
        raise ConfigError(text)


def check_bucket(bucket: str) -> BucketKind:
    """Check what stands for a bucket in a request, and say of which kind it is.

    Args:
        bucket: the name of a general-purpose bucket (also one of the old names of us-east-1, with capitals and
            underscores), of a directory bucket (`base--zone--x-s3`), the alias of an access point, or the ARN of an
            access point, of an access point on Outposts, for Object Lambda or of several Regions.

    Returns:
        "general" for names and for aliases that behave as one; else the kind.

    Raises:
        DeclarationTypeError: it is no string.
        ConfigError: no bucket can have that name; for an ARN `InvalidArnError`, which is one too.

    Source: "General purpose bucket naming rules", "Directory bucket naming rules", "Access point naming rules,
    restrictions, and limitations" and "Referencing access points" in the Amazon S3 user guide.

    Example:
        >>> check_bucket("logs"), check_bucket("logs--use1-az4--x-s3")
        ('general', 'directory')
        >>> check_bucket("arn:aws:s3::123456789012:accesspoint/mfzwi23gnjvgw.mrap")
        'multi-region'
    """
    if not isinstance(bucket, str):
        text = f"a bucket is a string, such as 'logs'; got {type(bucket).__name__}"
        raise DeclarationTypeError(text)
    found = _good.get(bucket)
    if found is None:
        kind = _kind_of_arn(bucket) if bucket.startswith("arn:") else _kind_of_name(bucket)
        if kind not in get_args(BucketKind):
            text = f"no bucket can be {shown(bucket)}: {kind}"
            raise ConfigError(text)
        if len(_good) >= _MOST_KEPT:
            _good.clear()
        # Only a plain string is kept: a subclass may change what it equals.
        found = _good[str(bucket)] = cast("BucketKind", kind)
    return found


def may_be_one(bucket: str, other: str) -> bool:
    """Return whether two names may stand for one bucket: an access point is another name of it, and does not say whose.

    Example:
        >>> may_be_one("logs", "logs"), may_be_one("logs", "data"), may_be_one("logs", "point-abc-s3alias")
        (True, False, True)
    """
    return bucket == other or any(each.startswith("arn:") or each.endswith(_ALIASES) for each in (bucket, other))


def check_new_bucket(bucket: str) -> BucketKind:
    """Check the name of a bucket that is to be made: stricter, as AWS takes fewer new names than there are old ones.

    Raises:
        ConfigError: AWS would refuse it.

    Source: "General purpose bucket naming rules" in the Amazon S3 user guide.

    Example:
        >>> check_new_bucket("Logs")
        Traceback (most recent call last):
        ...
        mangrove.errors.ConfigError: no new bucket can be 'Logs': a name is 3 to 63 lower-case letters, digits, dots and
        hyphens, and begins and ends with a letter or a digit
    """
    kind = check_bucket(bucket)
    fault = _fault_of_new(bucket, kind)
    if fault is not None:
        text = f"no new bucket can be {shown(bucket)}: {fault}"
        raise ConfigError(text)
    return kind


def _fault_of_new(bucket: str, kind: BucketKind) -> str | None:
    if bucket.startswith("arn:"):
        return "it is the ARN of an access point, which stands for a bucket that exists"
    if not _NEW.match(bucket):
        return f"{_FORM}, and begins and ends with a letter or a digit"
    if ".." in bucket:
        return "a name has no two dots in a row"
    for beginning in _RESERVED_BEGINNINGS:
        if bucket.startswith(beginning):
            return f"AWS keeps names that begin with {beginning!r} for itself"
    for end in _RESERVED_ENDS:
        if bucket.endswith(end) and not (kind == "directory" and end == "--x-s3"):
            return f"AWS keeps names that end with {end!r} for itself"
    return None


def _kind_of_name(name: str) -> str:
    """Return the kind of a bucket by its name, or what is wrong with it."""
    if name.endswith(("--x-s3", "--xa-s3")):
        if _ZONAL.match(name) and _NEW.match(name):
            return "directory"
        return "a directory bucket is named base--zone--x-s3, such as 'logs--use1-az4--x-s3', in at most 63 characters"
    if _OLD.match(name) and not _IPV4.match(name) and not name.endswith(".mrap"):
        return "general"
    return _fault_of_name(name)


def _fault_of_name(name: str) -> str:
    if name.endswith(".mrap"):
        return "an access point of several Regions is named by its ARN, arn:aws:s3::ACCOUNT:accesspoint/ALIAS.mrap"
    if "/" in name:
        return "a name has no slash; give the key apart, or read s3://bucket/key with mangrove.s3.rules.names.parse_url"
    return "a name is not formed as an IP address" if _IPV4.match(name) else _FORM


def _kind_of_arn(text: str) -> str:
    """Return the kind of what an ARN names, or why it can't stand for a bucket."""
    # Here, as it needs botocore's list of partitions, and few buckets are ARNs.
    from mangrove.aws.arn import Arn  # noqa: PLC0415

    arn = Arn.parse(text)
    if arn.service == "s3" and not arn.account and not arn.region:
        return f"requests take a bucket by its name; give {shown(arn.resource.split('/', 1)[0])}"
    if not arn.account:
        return "the ARN of an access point has the account that owns it"
    if arn.service == "s3-outposts":
        return _kind_on_outposts(arn.region, arn.resource)
    form, _, name = arn.resource.replace(":", "/", 1).partition("/")
    if arn.service not in {"s3", "s3-object-lambda"} or form != "accesspoint":
        return "only ARNs of access points stand for a bucket (services s3, s3-object-lambda and s3-outposts)"
    return _kind_of_point(arn.service, arn.region, name)


def _kind_of_point(service: str, region: str, name: str) -> str:
    if not region:
        fits = service == "s3" and _ALIAS_OF_MANY.match(name)
        return (
            "multi-region" if fits else "an access point's ARN has a Region, unless it is one of several (ALIAS.mrap)"
        )
    if not _POINT.match(name):
        return f"{shown(name)} is no access point: 3 to 50 lower-case letters, digits and hyphens"
    return "object-lambda" if service == "s3-object-lambda" else "access-point"


def _kind_on_outposts(region: str, resource: str) -> str:
    match = _OUTPOST.match(resource)
    if match and region and _POINT.match(match[2]):
        return "outposts"
    return "on Outposts it is arn:aws:s3-outposts:REGION:ACCOUNT:outpost/OUTPOST/accesspoint/NAME"


def is_url(text: object) -> bool:
    """Return whether a text is meant as an S3 URL rather than as a path.

    Example:
        >>> is_url("s3://logs"), is_url("./logs")
        (True, False)
    """
    return isinstance(text, str) and text[: len(_SCHEME)].lower() == _SCHEME


def parse_url(url: str) -> Address:
    """Read `s3://bucket/key` as the command lines of S3 do: the key is raw, so `%`, `?`, `#` and `*` are part of it.

    Args:
        url: also `s3://bucket` and `s3://arn:aws:s3:eu-west-1:123456789012:accesspoint/name/key`.

    Returns:
        The bucket, checked, and the key, which is empty if there is none.

    Raises:
        ConfigError: it is no such URL, or its bucket or key can't be.

    Example:
        >>> parse_url("s3://logs/a%20b?.gz")
        Address(bucket='logs', key='a%20b?.gz')
    """
    if not isinstance(url, str):
        text = f"an S3 URL is a string, such as 's3://bucket/key'; got {type(url).__name__}"
        raise DeclarationTypeError(text)
    if not url.startswith(_SCHEME):
        text = f"{shown(url)} is no S3 URL; write s3://bucket/key"
        raise ConfigError(text)
    rest = url[len(_SCHEME) :]
    match = _ARN_IN_URL.match(rest)
    if match:
        bucket, key = match[1], rest[match.end() :]
    else:
        bucket, _, key = rest.partition("/")
    if not bucket:
        text = f"{shown(url)} names no bucket; write s3://bucket/key"
        raise ConfigError(text)
    check_bucket(bucket)
    if key:
        check_key(key)
    return Address(bucket, key)
