"""What S3 answers when it refuses: its codes, its words, and the ClientError that botocore makes of them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from botocore.exceptions import ClientError

__all__ = ["CODES", "Fault", "client_error"]


class _Refusal(NamedTuple):
    status: int
    message: str


# S3 API Reference, "Error responses"; the messages as S3 words them.
_TABLE = """
AccessDenied 403 Access Denied
BadDigest 400 The checksum you specified did not match what we received.
BadRequest 400 Bad Request
BucketAlreadyOwnedByYou 409 Your previous request to create the named bucket succeeded and you already own it.
BucketNotEmpty 409 The bucket you tried to delete is not empty
ConditionalRequestConflict 409 The conditional request cannot succeed due to a conflicting operation against this resource.
EntityTooLarge 400 Your proposed upload exceeds the maximum allowed size
EntityTooSmall 400 Your proposed upload is smaller than the minimum allowed size
IllegalLocationConstraintException 400 The location constraint is incompatible for the region specific endpoint this request was sent to.
IllegalVersioningConfigurationException 400 The Versioning element must be specified
InvalidArgument 400 Invalid Argument
InvalidBucketName 400 The specified bucket is not valid.
InvalidBucketState 409 The request is not valid for the current state of the bucket.
InvalidDigest 400 The Content-MD5 you specified was invalid.
InvalidObjectState 403 The operation is not valid for the current state of the object.
InvalidPart 400 One or more of the specified parts could not be found.  The part may not have been uploaded, or the specified entity tag may not match the part's entity tag.
InvalidPartNumber 416 The requested partnumber is not satisfiable
InvalidPartOrder 400 The list of parts was not in ascending order. Parts must be ordered by part number.
InvalidRange 416 The requested range is not satisfiable
InvalidRequest 400 Invalid Request
InvalidStorageClass 400 The storage class you specified is not valid
InvalidTag 400 The tag provided was not a valid tag.
KeyTooLongError 400 Your key is too long
MalformedXML 400 The XML you provided was not well-formed or did not validate against our published schema
MetadataTooLarge 400 Your metadata headers exceed the maximum allowed metadata size
MethodNotAllowed 405 The specified method is not allowed against this resource.
NoSuchBucket 404 The specified bucket does not exist
NoSuchKey 404 The specified key does not exist.
NoSuchObjectLockConfiguration 404 The specified object does not have a ObjectLock configuration
NoSuchUpload 404 The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or completed.
NoSuchVersion 404 The specified version does not exist.
NotImplemented 501 A header you provided implies functionality that is not implemented
NotModified 304 Not Modified
ObjectLockConfigurationNotFoundError 404 Object Lock configuration does not exist for this bucket
PreconditionFailed 412 At least one of the pre-conditions you specified did not hold
"""  # noqa: E501


def _refusals() -> Iterator[tuple[str, _Refusal]]:
    for line in _TABLE.strip().splitlines():
        code, status, message = line.split(" ", 2)
        yield code, _Refusal(int(status), message)


CODES = dict(_refusals())

# An answer without a body: botocore has only the status line to go by.
_STATUS_LINES = {
    304: "Not Modified",
    400: "Bad Request",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    409: "Conflict",
    412: "Precondition Failed",
    416: "Requested Range Not Satisfiable",
    501: "Not Implemented",
}


class Fault(Exception):  # noqa: N818  it never leaves the engine
    """Be S3's refusal of a request, before botocore has made an error of it.

    Args:
        code: S3's code, such as "NoSuchKey".
        message: S3's words, where they are not the code's usual ones.
        headers: headers of the answer, such as `x-amz-delete-marker`.
        **details: what else the answer's XML says, by S3's names.
    """

    def __init__(
        self, code: str, message: str | None = None, *, headers: dict[str, str] | None = None, **details: Any
    ) -> None:
        self.code = code
        self.status = CODES[code].status
        self.message = message or CODES[code].message
        self.headers = headers or {}
        self.details = {name: str(value) for name, value in details.items()}
        super().__init__(code)


def client_error(fault: Fault, operation: str, request_id: str) -> ClientError:
    """Return the error that botocore would raise for this answer.

    Args:
        fault: what S3 says.
        operation: botocore's name of the operation.
        request_id: the id of the request.
    """
    bodiless = operation.startswith("Head") or fault.status == 304  # noqa: PLR2004  Not Modified
    if bodiless:
        error: dict[str, Any] = {"Code": str(fault.status), "Message": _STATUS_LINES[fault.status]}
    else:
        error = {"Code": fault.code, "Message": fault.message, **fault.details}
    headers = {"x-amz-request-id": request_id, "x-amz-id-2": request_id, "server": "AmazonS3", **fault.headers}
    if not bodiless:
        headers["content-type"] = "application/xml"
    answer: Any = {
        "Error": error,
        "ResponseMetadata": {
            "RequestId": request_id,
            "HostId": request_id,
            "HTTPStatusCode": fault.status,
            "HTTPHeaders": headers,
            "RetryAttempts": 0,
        },
    }
    return ClientError(answer, operation)
