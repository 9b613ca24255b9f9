"""Reads from a request which operation of which service it asks for, and for whom; secrets are left where they are."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl, unquote

from mangrove.testing.faults.messages import Head
from mangrove.testing.faults.routes import route

__all__ = ["Asked", "asked_of"]

_SCOPE = re.compile(r"([^/=\s]+)/[0-9]{8}/(?:([^/,\s]*)/)?([^/,\s]+)/aws4_request")
_HOSTED = re.compile(r"([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])\.(?:s3[.-].*|localhost)")
_FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True, slots=True)
class Asked:
    """Be what is known of a request. There is no secret in it.

    Args:
        method: of HTTP.
        path: without the query, as it was sent.
        service: the name that it is signed for, such as "s3" or "ec2"; empty where it is not signed.
        operation: the API's name, such as "PutObject"; method and path where that is not known.
        bucket, key: of S3.
        account: the account whose credentials signed it, where that is known.
        region: the region that it is signed for.
        part: the number of a part, as it was sent.
        range: the Range header.
        condition: whether there is an If-Match.
        expects: whether the client waits for a 100 Continue.
        protocol: how errors are written: "s3", "query", "ec2", "json", "cbor" or "rest-json".
        caller: a hash of the form, and of the key where its account is not known: it tells one request from another.
    """

    method: str
    path: str
    service: str = ""
    operation: str = ""
    bucket: str = ""
    key: str = ""
    account: str = ""
    region: str = ""
    part: str = ""
    range: str = ""
    condition: bool = False
    expects: bool = False
    protocol: str = "s3"
    caller: str = ""

    @property
    def identity(self) -> str:
        """Return what a further try of the same request has in common with this one."""
        who = f"{self.account}/{self.caller}"
        names = (self.service, self.operation, who, self.region, self.bucket, self.key, self.part, self.range)
        return "\n".join(names)


def asked_of(head: Head, body: bytes, account_of: Callable[[str], str] = lambda _: "") -> Asked:
    r"""Return what a request asks for.

    Args:
        head: of the request.
        body: of it, if it is a form; else it is not looked at.
        account_of: returns the account of an access key, or nothing.

    Example:
        >>> head = Head.parse(b"PUT /logs/a%20b?partNumber=2&uploadId=x HTTP/1.1\r\nHost: localhost\r\n\r\n")
        >>> found = asked_of(head, b"")
        >>> found.service, found.operation, found.bucket, found.key, found.part
        ('s3', 'UploadPart', 'logs', 'a b', '2')
    """
    method, target = head.method, head.target
    path, _, query = target.partition("?")
    parameters = dict(parse_qsl(query, keep_blank_values=True))
    key, region, signed = _scope(head, parameters)
    action = _action(head, parameters, body)
    form = body if action else b""
    service = signed or ("sts" if action else "s3")
    protocol = _protocol(head, service, is_form=bool(action))
    path = _hosted(head.get("host"), path, protocol)
    operation = action or _target(head) or route(service, method, path, parameters, head) or f"{method} {path}"
    bucket, name = _place(path) if protocol == "s3" else ("", "")
    return Asked(
        method=method,
        path=path,
        service=service,
        operation=operation,
        bucket=bucket,
        key=name,
        account=(account := account_of(key) if key else ""),
        region=region,
        part=parameters.get("partNumber", ""),
        range=head.get("range") if protocol == "s3" else "",
        condition=bool(head.get("if-match")),
        expects=head.get("expect").lower() == "100-continue",
        protocol=protocol,
        caller=hashlib.sha256(key.encode() * (not account) + form).hexdigest()[:12] if form or not account else "",
    )


def _scope(head: Head, parameters: Mapping[str, str]) -> tuple[str, str, str]:
    """Return access key, region and service of the signature."""
    found = _SCOPE.search(head.get("authorization") or parameters.get("X-Amz-Credential", ""))
    return (found[1], found[2] or "", found[3]) if found else ("", "", "")


def _action(head: Head, parameters: Mapping[str, str], body: bytes) -> str:
    if head.get("content-type").startswith(_FORM):
        parameters = dict(parse_qsl(body.decode("latin-1"), keep_blank_values=True))
    return parameters.get("Action", "")


def _target(head: Head) -> str:
    path = head.target.partition("?")[0]
    if head.get("smithy-protocol"):
        return path.rpartition("/operation/")[2]
    return head.get("x-amz-target").rpartition(".")[2]


def _protocol(head: Head, service: str, *, is_form: bool) -> str:
    if head.get("smithy-protocol"):
        return "cbor"
    if head.get("x-amz-target"):
        return "json"
    if is_form:
        return "ec2" if service == "ec2" else "query"
    if service == "s3" and not head.get("x-amz-account-id"):
        return "s3"
    return "query" if service in {"s3", "route53", "cloudfront"} else "rest-json"


def _hosted(host: str, path: str, protocol: str) -> str:
    """Return the path with the bucket in it, where that is in the name of the host."""
    found = _HOSTED.fullmatch(host.partition(":")[0]) if protocol == "s3" else None
    return f"/{found[1]}{path}" if found else path


def _place(path: str) -> tuple[str, str]:
    bucket, _, key = path.removeprefix("/").partition("/")
    return unquote(bucket), unquote(key)
