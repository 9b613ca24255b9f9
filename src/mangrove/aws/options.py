"""Check and hold the client arguments that a pool passes on to every client it makes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from botocore import UNSIGNED
from botocore.config import Config

from mangrove._redact import redact_url
from mangrove.errors import ConfigError, DeclarationTypeError

__all__ = ["ClientOptions"]


@dataclass(frozen=True, slots=True, repr=False)
class ClientOptions:
    """Hold boto3's own client arguments, checked.

    Attributes:
        endpoint_url: where the clients send their calls, instead of AWS.
        config: a `botocore.config.Config`.
        verify: False, or the path of a CA bundle.

    Raises:
        ConfigError: the endpoint is no URL, or carries a password.
        DeclarationTypeError: an argument has the wrong type.
    """

    endpoint_url: str | None = None
    config: Config | None = None
    verify: bool | str | None = None

    def __post_init__(self) -> None:
        if self.endpoint_url is not None:
            _check_endpoint(self.endpoint_url)
        if self.config is not None and not isinstance(self.config, Config):
            text = f"config takes a botocore.config.Config; got {type(self.config).__name__}"
            raise DeclarationTypeError(text)

    def __repr__(self) -> str:
        # A Config may hold proxy addresses with passwords.
        config = None if self.config is None else "..."
        endpoint = None if self.endpoint_url is None else redact_url(self.endpoint_url)
        return f"ClientOptions(endpoint_url={endpoint!r}, config={config}, verify={self.verify!r})"

    def __reduce__(self) -> tuple[Any, ...]:
        proxies = getattr(self.config, "proxies", None) or {}
        if any("@" in str(url) for url in proxies.values()):
            text = "config holds a proxy password, which is never pickled; set the proxy in the environment instead"
            raise TypeError(text)
        return ClientOptions, (self.endpoint_url, self.config, self.verify)

    @property
    def is_unsigned(self) -> bool:
        """Say whether the clients send their requests without a signature, and so without credentials."""
        return getattr(self.config, "signature_version", None) is UNSIGNED

    def as_arguments(self, **overrides: Any) -> dict[str, Any]:
        """Return the keyword arguments for `Session.client`; those not given are left out."""
        given = {"endpoint_url": self.endpoint_url, "config": self.config, "verify": self.verify, **overrides}
        return {name: value for name, value in given.items() if value is not None}

    def with_timeouts(self, connect: float, read: float, attempts: int) -> ClientOptions:
        """Return these options with short timeouts, in seconds, for a question that has a fallback."""
        brief = Config(
            connect_timeout=connect, read_timeout=read, retries={"mode": "standard", "total_max_attempts": attempts}
        )
        return ClientOptions(self.endpoint_url, self.config.merge(brief) if self.config else brief, self.verify)


def _check_endpoint(url: object) -> None:
    if not isinstance(url, str):
        text = f"endpoint_url takes a URL such as 'https://host:port'; got {type(url).__name__}"
        raise DeclarationTypeError(text)
    try:
        parts = urlsplit(url)
        fine = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        fine = False
        parts = urlsplit("")
    if not fine:
        text = f"endpoint_url takes a URL such as 'https://host:port'; got {redact_url(url)!r}"
        raise ConfigError(text)
    if parts.username or parts.password:
        text = (
            f"endpoint_url carries a user name or a password: {redact_url(url)!r}; AWS requests are signed, remove it"
        )
        raise ConfigError(text)
