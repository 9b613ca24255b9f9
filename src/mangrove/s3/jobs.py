"""Hand millions of objects over to S3 Batch Operations: write the manifest, and create the job for it."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from botocore.exceptions import ClientError

from mangrove.aws.arn import Arn
from mangrove.aws.session import make_client
from mangrove.errors import ConfigError, DeclarationTypeError, InvalidArnError
from mangrove.s3.engines.memory import MemoryEngine
from mangrove.s3.pages import Listed
from mangrove.s3.rules.names import check, check_bucket, parse_url, shown

if TYPE_CHECKING:
    from mangrove.s3.connection import Connection

__all__ = ["Job", "JobOptions", "Row", "batch_operations"]

_FORMAT, _REPORT = "S3BatchOperations_CSV_20180820", "Report_CSV_20180820"
_SCOPES = {"all": "AllTasks", "failed": "FailedTasksOnly"}
_BLOCK = 4096  # rows that are sent at once
_GLOBAL = frozenset({None, "aws-global"})

Row = str | tuple[str, str] | tuple[str, str, str]
"""A key, one that a listing gave with its version, a bucket and a key, or a bucket, a key and a version."""


@dataclass(frozen=True, slots=True)
class Job:
    """Be a job of S3 Batch Operations.

    Attributes:
        id: S3's name for it.
        account_id: whose it is.
        region: where it is.
        manifest: the list of its objects, as s3://bucket/key.
        count: how many objects it lists.
    """

    id: str
    account_id: str
    region: str
    manifest: str
    count: int
    _client: Any = field(repr=False, compare=False)

    def describe(self) -> dict[str, Any]:
        """Return what S3 says of the job now: its `Status`, its `ProgressSummary`, why it failed.

        Source: DescribeJob in the Amazon S3 API reference.
        """
        found: dict[str, Any] = self._client.describe_job(AccountId=self.account_id, JobId=self.id)["Job"]
        return found


@dataclass(frozen=True, slots=True)
class JobOptions:
    """Say how a job is made: the keyword arguments of `batch_operations` that may be left out.

    Attributes:
        report: where the report goes: s3://bucket/prefix; None for no report; or the API's `Report`.
        report_scope: "failed" for a report of what failed, "all" for all.
        account_id: of the job; that of the role, if None.
        region_name: of the job, which is the region of the objects' bucket; the connection's, if None.
        priority: the job's; a higher number goes first.
        description: what the console shows.
        confirm: whether the job waits until somebody confirms it.
        tags: of the job.
        token: the job's `ClientRequestToken`: who asks again with the same one gets the same job.
        client: a botocore client for "s3control".
    """

    report: str | Mapping[str, Any] | None = None
    report_scope: str = "failed"
    account_id: str | None = None
    region_name: str | None = None
    priority: int = 10
    description: str | None = None
    confirm: bool = False
    tags: Mapping[str, str] = field(default_factory=dict)
    token: str = field(default_factory=lambda: str(uuid.uuid4()))
    client: Any = field(default=None, repr=False)

    def request(self, role: Arn) -> dict[str, Any]:
        """Return what of the request is known before there is a manifest.

        Raises:
            ConfigError: one of them is wrong.
        """
        if type(self.priority) is not int or not 0 <= self.priority < 1 << 31:
            text = f"priority is a whole number, 0 or more; got {self.priority!r}"
            raise ConfigError(text)
        return {
            "AccountId": self.account_id or role.account,
            "ConfirmationRequired": self.confirm,
            "Report": _report(self.report, self.report_scope, role.partition),
            "ClientRequestToken": self.token,
            "Priority": self.priority,
            "RoleArn": str(role),
            **({} if self.description is None else {"Description": self.description}),
            **({"Tags": [{"Key": name, "Value": value} for name, value in self.tags.items()]} if self.tags else {}),
        }


def batch_operations(
    connection: Connection,
    rows: Iterable[Row],
    *,
    operation: str | Mapping[str, Any],
    role_arn: str,
    manifest: str,
    bucket: str | None = None,
    **options: Any,
) -> Job:
    """Write a manifest to S3 and create the job that makes one operation for each of its objects.

    What is wrong is said before anything is written. If S3 refuses the job, the manifest is deleted again.

    Args:
        connection: writes the manifest; its session makes the client of S3 Control.
        rows: the objects, all of one bucket, and either all with a version or none; any number of them.
        operation: by the API's name, such as "S3DeleteObjectTagging", or that name with its parameters, as in
            `{"S3PutObjectCopy": {"TargetResource": "arn:aws:s3:::archive"}}`.
        role_arn: the role that the job takes.
        manifest: where the manifest goes: s3://bucket/key, or s3://bucket/prefix/ for a new name.
        bucket: of rows that are keys alone.
        **options: of `JobOptions`, such as `report`.

    Raises:
        ConfigError: an argument or a row is wrong, or there is no row; no job was created.
        TransferError: the manifest can't be written.
        ClientError: S3 refused the job.

    Source: CreateJob in the Amazon S3 API reference, "Creating an S3 Batch Operations job" in the user guide.
    """
    given, role = JobOptions(**options), _role(role_arn)
    client = given.client or _client(connection, given.region_name)
    known = client.meta.service_model.shape_for("JobOperation").members
    request = {**given.request(role), "Operation": _operation(operation, known)}
    listed, (place, key) = _Manifest(rows, bucket), _place(manifest, given.token)
    outcome = connection.upload(place, key, listed.blocks(), content_type="text/csv")
    location = {"ObjectArn": f"arn:{role.partition}:s3:::{place}/{key}", "ETag": str(outcome.etag).strip('"')}
    if outcome.version_id not in (None, "null"):
        location["ObjectVersionId"] = str(outcome.version_id)
    request["Manifest"] = {"Spec": {"Format": _FORMAT, "Fields": listed.fields}, "Location": location}
    made = _created(client, request, lambda: connection.delete(place, key))
    return Job(made, request["AccountId"], client.meta.region_name, f"s3://{place}/{key}", listed.count, client)


def _created(client: Any, request: Mapping[str, Any], undo: Callable[[], object]) -> str:
    try:
        made: str = client.create_job(**request)["JobId"]
    except ClientError as error:
        # After any other failure the job may be there, and need its manifest.
        if error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 500) < 500:  # noqa: PLR2004
            undo()
        raise
    return made


# -- what was asked for -----------------------------------------------------------------------------------------------


def _role(role_arn: str) -> Arn:
    role = Arn.parse(role_arn)
    if role.service != "iam" or not role.resource.startswith("role/"):
        text = f"{role_arn!r} is not the ARN of a role, such as 'arn:aws:iam::123456789012:role/batch'"
        raise InvalidArnError(text)
    return role


def _client(connection: Connection, region_name: str | None) -> Any:
    backend = connection.backend
    if isinstance(backend.engine, MemoryEngine):
        text = "an S3 in memory has no Batch Operations; give a client for 's3control', such as a stubbed one"
        raise ConfigError(text)
    region = region_name or backend.client.meta.region_name
    return make_client(connection._session, "s3control", region_name="us-east-1" if region in _GLOBAL else region)  # noqa: SLF001  one room


def _place(manifest: str, token: str) -> tuple[str, str]:
    bucket, key = parse_url(manifest)
    if check_bucket(bucket) != "general":
        text = f"a manifest goes to a general-purpose bucket; got {shown(bucket)}"
        raise ConfigError(text)
    if not key or key.endswith("/"):
        key += f"mangrove-{token}.csv"
    check(bucket, key)
    return bucket, key


def _operation(operation: str | Mapping[str, Any], known: Mapping[str, Any]) -> dict[str, Any]:
    given: Any = {operation: {}} if isinstance(operation, str) else operation
    if not isinstance(given, Mapping) or len(given) != 1:
        text = "operation is the name of one, or a mapping of one name to its parameters"
        raise DeclarationTypeError(text)
    (name,) = given
    if name not in known:
        text = f"S3 Batch Operations has no operation {name!r}; it has {', '.join(sorted(known))}"
        raise ConfigError(text)
    return dict(given)


def _report(report: str | Mapping[str, Any] | None, scope: str, partition: str) -> dict[str, Any]:
    if report is None:
        return {"Enabled": False}
    if isinstance(report, Mapping):
        return dict(report)
    if scope not in _SCOPES:
        text = f"report_scope is one of {', '.join(sorted(_SCOPES))}; got {scope!r}"
        raise ConfigError(text)
    bucket, prefix = parse_url(report)
    made = {"Bucket": f"arn:{partition}:s3:::{bucket}", "Format": _REPORT, "Enabled": True}
    prefix = prefix.rstrip("/")
    return {**made, **({"Prefix": prefix} if prefix else {}), "ReportScope": _SCOPES[scope]}


class _Manifest:
    """Write rows as CSV; what they have in common is known when they have been written."""

    def __init__(self, rows: Iterable[Row], bucket: str | None) -> None:
        if isinstance(rows, (str, bytes)):
            text = f"rows are an iterable of keys; for one, give [{rows!r}]"
            raise DeclarationTypeError(text)
        self._bucket = bucket
        self._rows = iter(rows)
        self._versions = False
        self.count = 0
        # Who gives no row, or a wrong first one, is told before anything is sent.
        self._first = self._line(next(self._rows, None))

    @property
    def fields(self) -> list[str]:
        """Return the names of the columns."""
        return ["Bucket", "Key", *(["VersionId"] if self._versions else [])]

    def blocks(self) -> Iterator[bytes]:
        """Yield the file.

        Raises:
            ConfigError: a row is wrong.
        """
        lines = [self._first]
        for row in self._rows:
            lines.append(self._line(row))
            if len(lines) >= _BLOCK:
                yield "".join(lines).encode()
                lines = []
        yield "".join(lines).encode()

    def _line(self, row: Row | None) -> str:
        if row is None:
            text = "there is no row: S3 takes no job without objects"
            raise ConfigError(text)
        bucket, key, version = self._read(row)
        check(bucket, key)
        if self.count == 0:
            self._bucket, self._versions = bucket, version is not None
        elif bucket != self._bucket:
            text = f"the objects of a job are all of one bucket; row {self.count + 1} is of {bucket!r}, others of"
            text += f" {self._bucket!r}: make a job for each"
            raise ConfigError(text)
        elif (version is not None) != self._versions:
            text = f"the rows of a job all have a version, or none has; row {self.count + 1} is not like the others"
            raise ConfigError(text)
        self.count += 1
        # Nothing is left that CSV would have to quote.
        cells = [bucket, quote(key, safe="/"), *([] if version is None else [quote(version, safe="")])]
        return f"{','.join(cells)}\n"

    def _read(self, row: Row) -> tuple[str, str, str | None]:
        given: Any = row
        if isinstance(given, tuple) and len(given) in (2, 3) and all(isinstance(each, str) for each in given):
            return given[0], given[1], given[2] if len(given) > 2 else None  # noqa: PLR2004
        if not isinstance(row, str):
            text = f"a row is a key, (bucket, key) or (bucket, key, version); got {row!r}"
            raise DeclarationTypeError(text)
        if self._bucket is None:
            text = f"the row {shown(row)} is a key alone; say bucket=, or give pairs of a bucket and a key"
            raise ConfigError(text)
        return self._bucket, row, row.version_id if isinstance(row, Listed) else None
