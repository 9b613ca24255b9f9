"""What a maker of the zoo works with: a place to make resources in, and the record of what was made."""

from __future__ import annotations

import datetime as dt
import functools
import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import jmespath
from botocore.config import Config
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa

__all__ = ["MAKERS", "SECOND", "Made", "Maker", "Site", "half_of", "maker"]

_HELD_OUT_OF_TEN = 3
# What moto does not have is no better the second time.
_CONFIG = Config(retries={"total_max_attempts": 1})


def half_of(service: str) -> str:
    """Say to which half of the zoo a service belongs: derivation may be tuned on `tuned`, never on `held_out`."""
    digest = int(hashlib.sha256(f"zoo {service}".encode()).hexdigest(), 16)
    return "held_out" if digest % 10 < _HELD_OUT_OF_TEN else "tuned"


@dataclass(frozen=True, slots=True)
class Made:
    """Describe one resource: its ARN as the API gave it, and what it is known by."""

    service: str
    type: str
    arn: str
    ids: Mapping[str, str]
    account: str
    region: str
    # The API gives no ARN in any response that the maker saw: it was put together by the official format.
    composed: bool = False

    @property
    def half(self) -> str:
        return half_of(self.service)


@dataclass(slots=True)
class Site:
    """Make resources in one account and region, and keep a record of them."""

    account: str
    region: str
    session_of: Callable[[str], Any]
    made: list[Made] = field(default_factory=list)
    _clients: dict[tuple[str, str], Any] = field(default_factory=dict)

    def client(self, service: str, region: str | None = None) -> Any:
        """Return a client of the service, one for each service and region."""
        key = service, region or self.region
        if key not in self._clients:
            self._clients[key] = self.session_of(key[1]).client(service, region_name=key[1], config=_CONFIG)
        return self._clients[key]

    def create(
        self,
        service: str,
        kind: str,
        operation: str,
        path: str,
        /,
        *,
        ids: str = "",
        region: str | None = None,
        **params: Any,
    ) -> Made:
        """Call the operation and record the resource whose ARN is at this path of the answer.

        Args:
            service: botocore's name of the service.
            kind: the resource's type, in the manner of boto3's names.
            operation: the client's method.
            path: JMESPath of the ARN in the answer.
            ids: the names of its identifiers, separated by spaces; each stands in the parameters or in the answer.
            region: the region of the client, if it is not this site's.
            **params: the operation's parameters.
        """
        answer = getattr(self.client(service, region), operation)(**params)
        named = {name: params.get(name) or _found(name, answer) for name in ids.split()}
        return self.record(service, kind, jmespath.search(path, answer), region=region, **named)

    def record(
        self,
        service: str,
        kind: str,
        arn: str | None,
        /,
        *,
        region: str | None = None,
        composed: bool = False,
        **ids: Any,
    ) -> Made:
        """Record a resource whose ARN is known."""
        if not isinstance(arn, str) or not arn.startswith("arn:"):
            text = f"{service} {kind}: {arn!r} is no ARN"
            raise ValueError(text)
        if missing := sorted(name for name, value in ids.items() if value is None):
            text = f"{service} {kind} {arn}: no {missing}"
            raise ValueError(text)
        one = Made(
            service,
            kind,
            arn,
            {name: str(value) for name, value in ids.items()},
            self.account,
            region or self.region,
            composed,
        )
        self.made.append(one)
        return one

    def compose(
        self,
        service: str,
        kind: str,
        resource: str,
        /,
        *,
        prefix: str = "",
        region: str | None = None,
        account: str | None = None,
        **ids: Any,
    ) -> Made:
        """Record a resource whose ARN no answer has, put together by the official format.

        Args:
            service: botocore's name of the service.
            kind: the resource's type.
            resource: what stands after the account.
            prefix: the service's name in ARNs, if it is another.
            region: the region in the ARN, if it is not this site's; empty for none.
            account: the account in the ARN, if it is not this site's; empty for none.
            **ids: its identifiers.
        """
        return self.record(
            service, kind, self.arn(prefix or service, resource, region=region, account=account), composed=True, **ids
        )

    def arn(self, prefix: str, resource: str, *, region: str | None = None, account: str | None = None) -> str:
        """Put an ARN together, with this site's region and account where none is given."""
        where = self.region if region is None else region
        whose = self.account if account is None else account
        return f"arn:aws:{prefix}:{where}:{whose}:{resource}"

    def role(self, name: str = "zoo") -> str:
        """Return the ARN of a role; moto looks at hardly any."""
        return self.arn("iam", f"role/{name}", region="")

    @functools.cache  # noqa: B019  a site lives as long as the zoo
    def network(self) -> tuple[str, tuple[str, str], str]:
        """Return a VPC, two subnets of it and a security group, made once."""
        ec2 = self.client("ec2")
        vpc = ec2.create_vpc(CidrBlock="10.20.0.0/16")["Vpc"]["VpcId"]
        subnets = tuple(
            ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.20.{number}.0/24", AvailabilityZone=f"{self.region}{zone}")[
                "Subnet"
            ]["SubnetId"]
            for number, zone in enumerate("ab")
        )
        group = ec2.create_security_group(GroupName="zoo-shared", Description="shared", VpcId=vpc)["GroupId"]
        return vpc, subnets, group

    @functools.cache  # noqa: B019
    def certificate(self) -> tuple[str, str]:
        """Return a self-signed certificate and its key, both as PEM."""
        begin = dt.datetime(2026, 1, 1, tzinfo=dt.timezone.utc)
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "zoo.example.com")])
        certificate = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(key.public_key())
            .serial_number(1000)
            .not_valid_before(begin)
            .not_valid_after(begin + dt.timedelta(days=7300))
            .sign(key, hashes.SHA256())
        )
        plain = serialization.NoEncryption()
        secret = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, plain)
        return certificate.public_bytes(serialization.Encoding.PEM).decode(), secret.decode()

    __hash__ = object.__hash__


Maker: TypeAlias = Callable[[Site], None]
MAKERS: dict[str, Maker] = {}
# The makers that are run in a second region too.
SECOND: set[str] = set()


def maker(function: Maker | None = None, /, *, second: bool = False) -> Any:
    """Add a function to the makers of the zoo; `second` runs it in the second region too."""

    def add(function: Maker) -> Maker:
        name = f"{function.__module__.rpartition('.')[2]}.{function.__name__}"
        MAKERS[name] = function
        if second:
            SECOND.add(name)
        return function

    return add(function) if function else add


def _found(name: str, where: Any) -> Any:
    """Return the first value of this name, at any depth."""
    if isinstance(where, dict):
        if name in where and not isinstance(where[name], (dict, list)):
            return where[name]
        where = list(where.values())
    if isinstance(where, list):
        return next((value for each in where if (value := _found(name, each)) is not None), None)
    return None
