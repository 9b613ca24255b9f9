"""Makes sessions that reach the embedded AWS and nothing else, whatever the user's environment and files say."""

from __future__ import annotations

import importlib
import inspect
import os
import re
import threading
from typing import TYPE_CHECKING, Any

import boto3
import botocore.session
from botocore.config import Config
from botocore.configprovider import BOTOCORE_DEFAUT_SESSION_VARIABLES
from botocore.credentials import Credentials, ReadOnlyCredentials

from mangrove.aws.session import Session
from mangrove.aws.sharing import SharingSession, core_session

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["EmbeddedSession", "Roles", "role_arn"]

_ROLE = "OrganizationAccountAccessRole"
_SESSION_NAME = "mangrove"
# Some operations put a prefix before the host, and the server has one host.
_DIRECT = Config(proxies={}, inject_host_prefix=False)
_ACCOUNT_HOST = re.compile(r"(?<=//)[0-9]{12}\.")
_arguments = inspect.signature(boto3.Session.client)


def _to_the_server(request: Any, **_: Any) -> None:
    """Take the account off the host, where S3 Control's endpoint rules put it whatever the configuration says."""
    request.url = _ACCOUNT_HOST.sub("", request.url)


def role_arn(account: str) -> str:
    """Return the role that a management account may assume in each account of its organization."""
    return f"arn:aws:iam::{account}:role/{_ROLE}"


class Roles:
    """Assume the role of each account once, and again only when moto has forgotten its keys.

    Args:
        endpoint_url: the URL of the server.
        region_name: the region whose STS is asked.
    """

    def __init__(self, endpoint_url: str, region_name: str) -> None:
        self._endpoint_url = endpoint_url
        self._region_name = region_name
        self._lock = threading.Lock()
        self._keys: dict[str, dict[str, str]] = {}

    def keys(self, account: str) -> dict[str, str]:
        """Return the keys of the account's role, in botocore's form of refreshed credentials."""
        with self._lock:
            known = self._keys.get(account)
            if known is None or not is_known(known["access_key"], account):
                known = self._keys[account] = self._assume(account)
            return known

    def _assume(self, account: str) -> dict[str, str]:
        # Any keys will do: moto takes those that it does not know for keys of its default account.
        session = Session("embedded", "embedded", None, self._region_name, botocore_session=_deaf_session())
        sts = session.client("sts", endpoint_url=self._endpoint_url, config=_DIRECT)
        try:
            answer = sts.assume_role(RoleArn=role_arn(account), RoleSessionName=_SESSION_NAME)
        finally:
            sts.close()
        keys = answer["Credentials"]
        return {
            "access_key": keys["AccessKeyId"],
            "secret_key": keys["SecretAccessKey"],
            "token": keys["SessionToken"],
            "account_id": account,
        }


def is_known(access_key: str, account: str) -> bool:
    """Say whether moto takes this key for that account's.

    A reset forgets all keys (moto's `mock_aws` in the same process resets too), and moto answers for an unknown key
    as the default account: a wrong answer without an error.
    """
    account_of = importlib.import_module("moto.iam.models").get_account_id_from
    return bool(account_of(access_key) == account)


class _RoleCredentials(Credentials):
    """Follow the role's keys, which change with each reset of the server.

    Botocore's own refreshing ones would tell a second thread that nothing is to be refreshed, while the first is at it.
    """

    def __init__(self, keys: Callable[[], dict[str, str]]) -> None:
        self._keys = keys
        self.method = "assume-role"

    def get_frozen_credentials(self) -> Any:
        keys = self._keys()
        return ReadOnlyCredentials(keys["access_key"], keys["secret_key"], keys["token"], keys["account_id"])

    @property
    def access_key(self) -> str:  # type: ignore[override,unused-ignore]
        return self._keys()["access_key"]

    @property
    def secret_key(self) -> str:  # type: ignore[override,unused-ignore]
        return self._keys()["secret_key"]

    @property
    def token(self) -> str:  # type: ignore[override,unused-ignore]
        return self._keys()["token"]

    @property
    def account_id(self) -> str:
        return self._keys()["account_id"]


class _OnlyCredentials:
    """Stand where botocore looks for its chain of credential and token providers, and know one answer."""

    def __init__(self, credentials: Any) -> None:
        self._credentials = credentials

    def load_credentials(self) -> Any:
        return self._credentials

    def load_token(self, **_: Any) -> None:
        """Answer that there is no bearer token: botocore would look into the environment."""


class EmbeddedSession(Session):
    """Be a session of one account of the embedded AWS; `EmbeddedAWS.session()` makes it.

    Its clients and resources go to the embedded server. No AWS_ variable, no configuration file and no proxy variable
    changes that; an `endpoint_url` or `config` given to `client()` or `resource()` does.

    Args:
        account: the account, 12 digits.
        region_name: the region of clients that name none.
        roles: where the account's keys come from.
        endpoint_url: the URL of the server.

    Example:
        >>> from mangrove.testing import EmbeddedAWS
        >>> with EmbeddedAWS(accounts=1) as aws:
        ...     aws.session().client("sts").get_caller_identity()["Account"]
        '123456789012'
    """

    def __init__(self, account: str, region_name: str, roles: Roles, endpoint_url: str) -> None:
        self.account = account
        self._endpoint_url = endpoint_url
        only = _OnlyCredentials(_RoleCredentials(lambda: roles.keys(account)))
        session = _deaf_session()
        session.register_component("credential_provider", only)
        session.register_component("token_provider", only)
        session.get_component("event_emitter").register("before-send.s3-control", _to_the_server)
        super().__init__(region_name=region_name, botocore_session=session)
        if isinstance(session, SharingSession):
            session.settle()  # all embedded sessions are of one kind

    def client(self, *args: Any, **kwargs: Any) -> Any:
        """Make a client of the embedded AWS, with boto3's arguments; see `boto3.Session.client`."""
        given = _arguments.bind(self, *args, **kwargs).arguments
        del given["self"]
        given["endpoint_url"] = given.get("endpoint_url") or self._endpoint_url
        config = given.get("config")
        given["config"] = _DIRECT.merge(config) if config else _DIRECT
        return super().client(**given)

    def __reduce__(self) -> Any:
        text = "an EmbeddedSession belongs to this process and cannot be pickled; pass on EmbeddedAWS.environment()"
        raise TypeError(text)


def _deaf_session() -> botocore.session.Session:
    """Make a botocore session that reads no environment variable and no file of the user."""
    deaf: dict[str, Any] = {
        name: (option, None, default, convert)
        for name, (option, _, default, convert) in BOTOCORE_DEFAUT_SESSION_VARIABLES.items()
    }
    for name in ("config_file", "credentials_file"):
        deaf[name] = (None, None, os.devnull, None)
    session: botocore.session.Session = core_session(deaf)
    return session
