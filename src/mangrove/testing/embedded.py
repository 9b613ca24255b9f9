"""Serves AWS inside this process, several accounts and regions of it, so that fleet code can be tried without AWS."""

from __future__ import annotations

import http.client
import importlib
import os
import re
import threading
from typing import TYPE_CHECKING, Any

from mangrove._extras import require
from mangrove.aws.session import known_region
from mangrove.errors import ConfigError, DeclarationTypeError, NotRunningError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from types import TracebackType

    from typing_extensions import Self

    from mangrove.testing._server import Server
    from mangrove.testing._session import EmbeddedSession, Roles
    from mangrove.testing.seed import SeedSummary

__all__ = ["EmbeddedAWS"]

_FIXED_ACCOUNTS = ("123456789012", "210987654321", "345678901234")
_DEFAULT_REGIONS = ("us-east-1", "us-west-2", "eu-west-1", "ap-southeast-2")
_ACCOUNT = re.compile(r"[0-9]{12}")
_MOST_ACCOUNTS = 10_000
# moto keeps its state in module globals: it is one for the process, and ends with the last server.
_process_lock = threading.RLock()
_running: set[int] = set()


class EmbeddedAWS:
    """Run an AWS of several accounts and regions in this process, on a free port of 127.0.0.1.

    It is moto's server. Every account, the first included, is reached as in real life: by assuming the role
    `arn:aws:iam::<account>:role/OrganizationAccountAccessRole`. moto keeps its state once a process: two running
    instances, and moto's `mock_aws`, see and reset the same resources. When the last running instance stops, all is
    gone.

    Args:
        accounts: how many accounts, or their ids of 12 digits. The first is the management account; of a number, it is
            123456789012.
        regions: the names of the regions that `seed()` fills; the first is the default of sessions.

    Raises:
        ConfigError: an account id or a region is none, is there twice, or there are none of them.

    Example:
        >>> from mangrove.testing import EmbeddedAWS
        >>> with EmbeddedAWS(accounts=2, regions=["eu-west-1"]) as aws:
        ...     queue = aws.session(aws.accounts[1]).resource("sqs").create_queue(QueueName="orders")
        ...     queue.attributes["QueueArn"]
        'arn:aws:sqs:eu-west-1:210987654321:orders'
    """

    def __init__(self, accounts: int | Sequence[str] = 3, regions: Sequence[str] = _DEFAULT_REGIONS) -> None:
        self._accounts = (
            _numbered(accounts) if isinstance(accounts, int) else _checked(accounts, _account_id, "account id")
        )
        self._regions = _checked(regions, known_region, "region")
        self._server: Server | None = None
        self._roles: Roles | None = None

    @property
    def accounts(self) -> tuple[str, ...]:
        """Return the ids of the accounts; the first is the management account."""
        return self._accounts

    @property
    def regions(self) -> tuple[str, ...]:
        """Return the names of the regions; the first is the default of sessions."""
        return self._regions

    @property
    def running(self) -> bool:
        """Say whether the server answers."""
        return self._server is not None

    @property
    def endpoint_url(self) -> str:
        """Return the URL of the server, `http://127.0.0.1:<port>`.

        Raises:
            NotRunningError: it is not started.
        """
        return _url(self._started()[0])

    def start(self) -> Self:
        """Start the server; do nothing if it runs.

        The first start in a process imports moto. For that moment the AWS_ variables are taken out of `os.environ`,
        for moto's import would fail with a broken profile, and put back exactly.

        Raises:
            ConfigError: MOTO_ACCOUNT_ID is set, which makes moto put everything in one account.
            MissingExtraError: moto is not installed.

        Example:
            >>> aws = EmbeddedAWS(accounts=1).start()
            >>> aws.running, aws.stop(), aws.running
            (True, None, False)
        """
        if "MOTO_ACCOUNT_ID" in os.environ:
            text = "MOTO_ACCOUNT_ID is set: moto would put all accounts into that one; unset it"
            raise ConfigError(text)
        for module in ("flask", "flask_cors", "moto.server"):
            require(module, "testing")
        with _process_lock:
            if self._server is None:
                servers = importlib.import_module("mangrove.testing._server")
                sessions = importlib.import_module("mangrove.testing._session")
                servers.load_backends()
                server: Server = servers.Server()
                self._roles = sessions.Roles(_url(server), self._regions[0])
                self._server = server
                _running.add(id(self))
        return self

    def stop(self) -> None:
        """Stop the server and close its port; do nothing if it does not run."""
        with _process_lock:
            if self._server is None:
                return
            try:
                if _running == {id(self)}:
                    self.reset()
            finally:
                _running.discard(id(self))
                server, self._server, self._roles = self._server, None, None
                server.stop()

    def reset(self) -> None:
        """Empty all accounts and regions; sessions made before go on working.

        Raises:
            NotRunningError: it is not started.

        Example:
            >>> with EmbeddedAWS(accounts=1) as aws:
            ...     s3 = aws.session().client("s3")
            ...     _ = s3.create_bucket(Bucket="logs")
            ...     aws.reset()
            ...     s3.list_buckets()["Buckets"]
            []
        """
        server, _ = self._started()
        # Not urllib, which would ask the environment for a proxy.
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
        try:
            connection.request("POST", "/moto-api/reset")
            answer = connection.getresponse()
            answer.read()
        finally:
            connection.close()
        if answer.status != http.client.OK:
            text = f"moto refused to reset its state: HTTP {answer.status}"
            raise NotRunningError(text)

    def session(self, account: str | None = None, region_name: str | None = None) -> EmbeddedSession:
        """Make a session of one account, deaf to the AWS and proxy settings of environment and files.

        Args:
            account: the id of the account; the management account if None.
            region_name: the region of clients that name none; the first of `regions` if None.

        Raises:
            ConfigError: there is no such account here, or no such region anywhere.
            NotRunningError: it is not started.

        Example:
            >>> with EmbeddedAWS() as aws:
            ...     session = aws.session("345678901234", "eu-west-1")
            ...     session.client("sts").get_caller_identity()["Arn"]
            'arn:aws:sts::345678901234:assumed-role/OrganizationAccountAccessRole/mangrove'
        """
        account = self._known(account)
        server, roles = self._started()
        made: EmbeddedSession = importlib.import_module("mangrove.testing._session").EmbeddedSession(
            account, known_region(region_name or self._regions[0]), roles, _url(server)
        )
        return made

    def environment(self, account: str | None = None, region_name: str | None = None) -> dict[str, str]:
        """Return variables that make any AWS SDK use the embedded AWS: for a subprocess, or to monkeypatch.

        They set what is needed and cannot unset what disturbs: leave out the AWS_ variables there are, AWS_PROFILE
        above all. The keys in them are good until a reset.

        Args:
            account: the id of the account; the management account if None.
            region_name: the default region; the first of `regions` if None.

        Raises:
            ConfigError: there is no such account here, or no such region anywhere.
            NotRunningError: it is not started.

        Example:
            >>> with EmbeddedAWS() as aws:
            ...     sorted(name for name in aws.environment() if name.startswith("AWS_ACC"))
            ['AWS_ACCESS_KEY_ID', 'AWS_ACCOUNT_ID']
        """
        account = self._known(account)
        server, roles = self._started()
        keys = roles.keys(account)
        region = known_region(region_name or self._regions[0])
        return {
            "AWS_ACCESS_KEY_ID": keys["access_key"],
            "AWS_ACCOUNT_ID": account,
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_DEFAULT_REGION": region,
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_ENDPOINT_URL": _url(server),
            "AWS_REGION": region,
            "AWS_SECRET_ACCESS_KEY": keys["secret_key"],
            "AWS_SESSION_TOKEN": keys["token"],
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "NO_PROXY": "127.0.0.1",
            "no_proxy": "127.0.0.1",
        }

    def seed(self, progress: Callable[[int, int], None] | None = None) -> SeedSummary:
        """Fill every account and region with a fixed, realistic fleet; see `mangrove.testing.seed.seed`.

        Args:
            progress: called with (done, total) units of work, never by two threads at once.

        Raises:
            NotRunningError: it is not started.

        Example:
            >>> with EmbeddedAWS(accounts=1, regions=["eu-west-1"]) as aws:
            ...     aws.seed().resources["lambda"]
            1
        """
        summary: SeedSummary = importlib.import_module("mangrove.testing.seed").seed(self, progress=progress)
        return summary

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    def __repr__(self) -> str:
        state = self._server
        where = f"running at {_url(state)}" if state else "stopped"
        return f"<EmbeddedAWS {where}, {len(self._accounts)} accounts>"

    def __reduce__(self) -> Any:
        text = "an EmbeddedAWS is a server of this process and cannot be pickled; pass on environment() instead"
        raise TypeError(text)

    def _started(self) -> tuple[Server, Roles]:
        server, roles = self._server, self._roles
        if server is None or roles is None:
            text = "the embedded AWS is not running; call start(), or use it in a `with` statement"
            raise NotRunningError(text)
        return server, roles

    def _known(self, account: str | None) -> str:
        if account is None:
            return self._accounts[0]
        if account not in self._accounts:
            text = f"no account {account!r} in this embedded AWS; it has {', '.join(self._accounts)}"
            raise ConfigError(text)
        return account


def _url(server: Server) -> str:
    return f"http://127.0.0.1:{server.port}"


def _numbered(count: int) -> tuple[str, ...]:
    """Name accounts readably: three fixed ones, then 400000000004, 400000000005, ..."""
    if isinstance(count, bool) or not 1 <= count <= _MOST_ACCOUNTS:
        text = f"accounts must be a number from 1 to {_MOST_ACCOUNTS} or a sequence of account ids, not {count!r}"
        raise ConfigError(text)
    more = (str(400_000_000_000 + number) for number in range(len(_FIXED_ACCOUNTS) + 1, count + 1))
    return (*_FIXED_ACCOUNTS[:count], *more)


def _checked(values: Iterable[Any], check: Callable[[Any], str], what: str) -> tuple[str, ...]:
    if isinstance(values, str):
        text = f"{what}s are a sequence, not the string {values!r}; write [{values!r}]"
        raise DeclarationTypeError(text)
    checked = tuple(check(value) for value in values)
    if not checked or len(set(checked)) < len(checked):
        text = f"at least one {what} is needed, each once; got {list(checked)}"
        raise ConfigError(text)
    return checked


def _account_id(value: Any) -> str:
    if not isinstance(value, str) or not _ACCOUNT.fullmatch(value):
        text = f"{value!r} is no account id; one is a string of twelve digits, '123456789012'"
        raise ConfigError(text)
    return value
