"""Say how a connection is made, without any secret, so that a command line or another machine can make it."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

from mangrove.s3.rules.plan import USUAL

if TYPE_CHECKING:
    from mangrove.s3.connection import Connection

__all__ = ["Recipe"]


@dataclass(frozen=True, slots=True)
class Recipe:
    """Say how a connection is made. Credentials are found where it is made, as boto3 finds them there.

    Attributes:
        profile_name: a profile of the AWS configuration of that machine.
        region_name: the region of the client.
        endpoint_url: of another server that speaks S3.
        anonymous: whether requests are not signed.
        verify: of TLS, as boto3 has it.
        threshold: bytes of an object that still go in one request.
        part_size: bytes of a part of a larger one.
        retries: further tries after a failure that may last.
        deadline: seconds after which no further try begins.

    Example:
        >>> Recipe(region_name="eu-west-1").connect()
        <Connection to S3: eu-west-1>
    """

    profile_name: str | None = None
    region_name: str | None = None
    endpoint_url: str | None = None
    anonymous: bool = False
    verify: bool | str | None = None
    threshold: int = USUAL.threshold
    part_size: int = USUAL.part_size
    retries: int = 3
    deadline: float = 120.0

    def connect(self) -> Connection:
        """Make the connection.

        Raises:
            ConfigError: there is no such profile, or an argument is wrong.
        """
        # Imported here: a recipe is made where botocore may not be wanted yet.
        from botocore import UNSIGNED  # noqa: PLC0415
        from botocore.config import Config  # noqa: PLC0415

        from mangrove.aws.session import make_session  # noqa: PLC0415
        from mangrove.s3.connection import Connection  # noqa: PLC0415

        ours = {"profile_name", "region_name", "anonymous"}
        arguments: dict[str, Any] = {
            each.name: getattr(self, each.name) for each in fields(self) if each.name not in ours
        }
        session = make_session(profile_name=self.profile_name, region_name=self.region_name)
        config = Config(signature_version=UNSIGNED) if self.anonymous else None
        return Connection(session, config=config, **arguments)
