"""Read the options of an operation, by the API's names or in snake case, and deal them out to the calls it makes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any, Literal, NamedTuple

from mangrove.errors import ConfigError, DeclarationTypeError
from mangrove.s3.rules.given import NONE, Options
from mangrove.s3.rules.headers import check_text, metadata, tagging

__all__ = ["NONE", "OPERATIONS", "Member", "Options", "Table", "Verb", "members_of"]

Verb = Literal["upload", "download", "head", "copy", "delete", "list"]

# The calls that carry a verb's options; what none of them takes is no option of the verb.
_MAIN: dict[Verb, tuple[str, ...]] = {
    "upload": ("PutObject", "CreateMultipartUpload", "CompleteMultipartUpload"),
    "download": ("GetObject", "HeadObject"),
    "head": ("HeadObject",),
    "copy": ("CopyObject", "CreateMultipartUpload", "UploadPartCopy", "CompleteMultipartUpload"),
    "delete": ("DeleteObject",),
    "list": ("ListObjectsV2",),
}
# Calls made on the way: they get only what S3 needs to let them in.
_HELPERS = (
    "AbortMultipartUpload",
    "DeleteObjects",
    "GetObject",
    "GetObjectAttributes",
    "GetObjectTagging",
    "HeadObject",
    "ListObjectVersions",
    "ListObjectsV2",
    "ListParts",
    "UploadPart",
)
_ACCESS = frozenset(
    "BypassGovernanceRetention ChecksumAlgorithm ExpectedBucketOwner MFA RequestPayer SSECustomerAlgorithm"
    " SSECustomerKey SSECustomerKeyMD5".split()
)
# The version that is read, where it is read.
_ACCESS_OF_READS = _ACCESS | {"VersionId"}
OPERATIONS = tuple(sorted({*_HELPERS, *(name for names in _MAIN.values() for name in names)}))

# What the operation itself decides.
_OURS = frozenset(
    "Body Bucket ChecksumMode ContentLength ContinuationToken CopySource CopySourceRange Delete EncodingType Key"
    " MpuObjectSize MultipartUpload PartNumber Range UploadId WriteOffsetBytes".split()
)
_KEYS = frozenset({"SSECustomerKey", "CopySourceSSECustomerKey"})
# With a copy S3 drops these without a word, unless it is told to replace what the source has.
_REPLACED = frozenset(
    "CacheControl ContentDisposition ContentEncoding ContentLanguage ContentType Expires Metadata".split()
)
_META = "x-amz-meta-"
_TYPES: dict[str, tuple[type, ...]] = {
    "boolean": (bool,),
    "integer": (int,),
    "long": (int,),
    "list": (list, tuple),
    "map": (Mapping,),
    "string": (str,),
    "timestamp": (str, date, int, float),
}


class Member(NamedTuple):
    """Be a parameter of a call: the header it becomes, or nothing, and its type as botocore names it."""

    header: str = ""
    type: str = "string"


def members_of(model: Any) -> dict[str, dict[str, Member]]:
    """Return what each call takes, from botocore's model of S3.

    Args:
        model: the answer of `session.get_service_model("s3")`.
    """
    found = {}
    for name in OPERATIONS:
        shapes = model.operation_model(name).input_shape.members
        found[name] = {key: _member_of(shape.serialization, shape.type_name) for key, shape in shapes.items()}
    return found


def _member_of(sent: Mapping[str, Any], kind: str) -> Member:
    return Member(str(sent.get("name", "")) if sent.get("location") == "header" else "", kind)


class Table:
    """Be all options that the installed botocore knows, for every verb.

    Args:
        members: what each call takes; see `members_of`.

    Example:
        >>> call = {"ContentType": Member("Content-Type"), "IfNoneMatch": Member("If-None-Match"), "Key": Member()}
        >>> table = Table({"PutObject": call, "UploadPart": {}})
        >>> options = table.read("upload", {"if_none_match": "*"}, headers={"content-type": "text/css"})
        >>> options.of("PutObject"), options.of("UploadPart")
        ({'ContentType': 'text/css', 'IfNoneMatch': '*'}, {})
        >>> table.read("upload", {"content_typ": "text/css"})
        Traceback (most recent call last):
        ...
        mangrove.errors.ConfigError: upload has no option 'content_typ'; did you mean 'content_type' (ContentType)?
    """

    def __init__(self, members: Mapping[str, Mapping[str, Member]]) -> None:
        self._known: dict[str, str] = {}
        self._headers: dict[str, str] = {}
        self._types: dict[str, str] = {}
        for call in members.values():
            for name, member in call.items():
                self._known[_plain(name)] = name
                self._types[name] = member.type
                self._headers.setdefault(member.header.lower(), name)
        self._headers.pop("", None)
        self._takes = {verb: _taken(members, verb) for verb in _MAIN}
        self._options = {
            verb: frozenset().union(*map(self._takes[verb].__getitem__, calls)) for verb, calls in _MAIN.items()
        }

    def names(self, verb: Verb) -> frozenset[str]:
        """Return the API's names of a verb's options."""
        return self._options[verb]

    def read(
        self,
        verb: Verb,
        options: Mapping[str, Any] | None = None,
        *,
        headers: Mapping[str, str] | None = None,
        extra: Mapping[str, Any] | None = None,
        metadata: Mapping[str, str] | None = None,
        tags: Mapping[str, str] | None = None,
    ) -> Options:
        """Read the options of an operation; None is not given.

        Args:
            verb: what is done.
            options: keyword arguments, such as `content_type=` or `ContentType=`.
            headers: by the names of HTTP, such as `Content-Type` and `x-amz-meta-owner`.
            extra: by the API's names, as `ExtraArgs` of s3transfer.
            metadata: the user's own, in US-ASCII, at most 2 KiB.
            tags: of the object, at most ten.

        Raises:
            DeclarationTypeError: a value has the wrong type.
            ConfigError: an option is unknown or belongs to another verb, two contradict each other, or a value can't
                be a header.

        Source: the operations' own pages in the Amazon S3 API reference.
        """
        found: dict[str, Any] = {}
        for source in (options, extra):
            for name, value in (source or {}).items():
                self._add(found, verb, self._member(verb, name), value, repr(name))
        for name, value in (headers or {}).items():
            self._add_header(found, verb, name, value)
        self._add(found, verb, "Metadata", metadata, "metadata=")
        self._add(found, verb, "Tagging", None if tags is None else tagging(tags), "tags=")
        return self._finish(verb, found) if found else NONE

    def _finish(self, verb: Verb, found: dict[str, Any]) -> Options:
        for key in _KEYS & found.keys():
            found.setdefault(key.replace("CustomerKey", "CustomerAlgorithm"), "AES256")
        if verb == "copy":
            _direct(found, "MetadataDirective", _REPLACED & found.keys())
            _direct(found, "TaggingDirective", {"Tagging"} & found.keys())
        return Options(dict(sorted(found.items())), self._takes[verb])

    def _member(self, verb: Verb, name: object) -> str:
        if not isinstance(name, str):
            text = f"the name of an option is a string; got {type(name).__name__}"
            raise DeclarationTypeError(text)
        member = self._known.get(_plain(name))
        if member is None:
            text = f"{verb} has no option {name!r}{self._close(verb, name)}"
            raise ConfigError(text)
        return member

    def _close(self, verb: Verb, name: str) -> str:
        import difflib  # noqa: PLC0415 - only a mistake needs it

        plain = {_plain(each): each for each in self._options[verb]}
        near = difflib.get_close_matches(_plain(name), plain, n=1)
        return f"; did you mean {_snake(plain[near[0]])!r} ({plain[near[0]]})?" if near else ""

    def _add(self, found: dict[str, Any], verb: Verb, member: str, value: Any, said: str) -> None:
        """Add an option, unless another source has said something else."""
        if value is None:
            return
        if member not in self._options[verb]:
            raise ConfigError(self._misplaced(verb, member, said))
        value = self._checked(member, value)
        if member == "Metadata":
            value = _merged(found.get(member, {}), value)
        elif found.get(member, value) != value:
            text = f"{said} contradicts another {member}; say it once"
            raise ConfigError(text)
        found[member] = value

    def _misplaced(self, verb: Verb, member: str, said: str) -> str:
        if member in _OURS:
            return f"{said} is no option: {verb} sets {member} itself"
        others = [other for other in _MAIN if member in self._options[other]]
        return f"{verb} has no option {said}" + (f"; it is one of {', '.join(others)}" if others else "")

    def _add_header(self, found: dict[str, Any], verb: Verb, name: object, value: Any) -> None:
        if not isinstance(name, str):
            text = f"the name of a header is a string; got {type(name).__name__}"
            raise DeclarationTypeError(text)
        low = name.strip().lower()
        if low.startswith(_META):
            self._add(found, verb, "Metadata", {low.removeprefix(_META): value}, repr(name))
            return
        member = self._headers.get(low)
        if member is None:
            text = f"S3's API has no header {name!r} for {verb}{self._close(verb, low)}"
            raise ConfigError(text)
        self._add(found, verb, member, self._from_header(member, value), repr(name))

    def _from_header(self, member: str, value: Any) -> Any:
        """Return a header's text as the type that the API has for it."""
        kind = self._types[member]
        if not isinstance(value, str) or kind not in {"boolean", "integer", "long"}:
            return value
        if kind == "boolean" and value.lower() in {"true", "false"}:
            return value.lower() == "true"
        if kind != "boolean" and value.isascii() and value.isdigit():
            return int(value)
        text = f"the header of {member} is {'true or false' if kind == 'boolean' else 'a whole number'}"
        raise ConfigError(text)

    def _checked(self, member: str, value: Any) -> Any:
        if member == "Metadata":
            return metadata(value)
        kind = self._types[member]
        allowed = (*_TYPES[kind], bytes) if member in _KEYS else _TYPES.get(kind, (object,))
        if not isinstance(value, allowed) or (isinstance(value, bool) and kind != "boolean"):
            text = f"{member} is a {kind}; got {type(value).__name__}"
            raise DeclarationTypeError(text)
        if isinstance(value, str) and member not in _KEYS:
            check_text(member, value)
        return value


def _plain(name: str) -> str:
    return name.replace("_", "").replace("-", "").lower()


def _snake(member: str) -> str:
    """Return how a Python programmer writes an API's name."""
    text = ""
    for place, char in enumerate(member):
        after_lower = place and not member[place - 1].isupper()
        before_lower = member[place + 1 : place + 2].islower()
        text += f"_{char.lower()}" if place and char.isupper() and (after_lower or before_lower) else char.lower()
    return text


def _taken(members: Mapping[str, Mapping[str, Member]], verb: Verb) -> dict[str, frozenset[str]]:
    """Return for each call of a verb which options it gets."""
    reads = verb in {"download", "head"}
    found = {}
    for call in (*_MAIN[verb], *_HELPERS):
        names = frozenset(members.get(call, ())) - _OURS
        let_in = _ACCESS_OF_READS if reads else _ACCESS
        found[call] = names if call in _MAIN[verb] else names & let_in
    return found


def _merged(old: Mapping[str, str], new: Mapping[str, str]) -> dict[str, str]:
    for name in old.keys() & new.keys():
        if old[name] != new[name]:
            text = f"the metadata {name!r} is given twice with different values; say it once"
            raise ConfigError(text)
    return metadata({**old, **new})


def _direct(found: dict[str, Any], directive: str, given: Iterable[str]) -> None:
    names = sorted(given)
    if names and found.setdefault(directive, "REPLACE") != "REPLACE":
        text = f"{', '.join(names)} with {directive}={found[directive]} would be dropped by S3; say REPLACE, or neither"
        raise ConfigError(text)
