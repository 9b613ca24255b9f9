"""Make `boto3.resource` and `boto3.client` mangrove's where somebody asks for it, and take it back again."""

from __future__ import annotations

import threading
from types import TracebackType
from typing import TYPE_CHECKING, Any

import boto3

from mangrove._concurrency import in_child
from mangrove.aws.derived import Derivation
from mangrove.aws.session import Session
from mangrove.errors import ConfigError

if TYPE_CHECKING:
    from typing_extensions import Self

__all__ = ["Installation", "arn_patch_boto3", "install"]

_guard = threading.RLock()


@in_child
def _after_fork() -> None:
    global _guard  # noqa: PLW0603  a thread of the parent may have held it
    _guard = threading.RLock()


class Installation:
    """Be an installed default session; `install()` makes it. As a context manager it uninstalls itself at the end.

    Attributes:
        session: the session that `boto3.resource` and `boto3.client` use.
    """

    def __init__(self, session: Session, before: boto3.Session | None) -> None:
        self.session = session
        self._before = before

    def uninstall(self) -> None:
        """Give boto3 back the default session that it had; nothing happens if it has another one by now.

        Example:
            >>> import boto3, mangrove
            >>> installed = mangrove.install(region_name="eu-west-1")
            >>> installed.uninstall()
            >>> isinstance(boto3.DEFAULT_SESSION, mangrove.Session)
            False
        """
        with _guard:
            if self not in _installed:
                return
            _installed.remove(self)
            later = next((each for each in _installed if each._before is self.session), None)  # noqa: SLF001
            if later is not None:
                later._before = self._before  # noqa: SLF001  what it gives back must not be what is taken away
            elif boto3.DEFAULT_SESSION is self.session:
                boto3.DEFAULT_SESSION = self._before

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.uninstall()

    def __repr__(self) -> str:
        return f"Installation({self.session!r}, {'installed' if self in _installed else 'uninstalled'})"


_installed: list[Installation] = []


def install(session: Session | None = None, **arguments: Any) -> Installation:
    """Make boto3's default session mangrove's: `boto3.client(...)` and `boto3.resource(...)` then have all it has.

    Nothing of boto3 is patched: it is what `boto3.setup_default_session` does. Sessions that there are already, and
    those that somebody makes as `boto3.Session(...)`, stay boto3's.

    Args:
        session: the session; None makes one, of the credentials and region of boto3's default session where there is
            one by now.
        **arguments: arguments of `mangrove.Session` for a new one.

    Returns:
        What was installed; its `uninstall()` takes it back, and so does the end of a `with` block.

    Raises:
        ConfigError: a session and arguments for one were given.

    Example:
        >>> import boto3, mangrove
        >>> with mangrove.install(region_name="eu-west-1"):
        ...     print(boto3.resource("rds").DBInstance("orders").arn)
        arn:aws:rds:eu-west-1:123456789012:db:orders
    """
    if session is not None and (arguments or not isinstance(session, Session)):
        text = "install() takes a mangrove.Session, or the arguments to make one, not both"
        raise ConfigError(text)
    with _guard:
        before = boto3.DEFAULT_SESSION
        made = session or _session_like(before, arguments)
        boto3.DEFAULT_SESSION = made
        _installed.append(found := Installation(made, before))
        return found


def _session_like(before: boto3.Session | None, arguments: dict[str, Any]) -> Session:
    if arguments or before is None:
        return Session(**arguments)
    if isinstance(before, Session):
        return before
    return Derivation(before).session(before.get_credentials)


def arn_patch_boto3() -> Installation:
    """Do what `install()` does, under the name that boto3_extensions had for it.

    Example:
        >>> import boto3, mangrove as boto3_extensions
        >>> with boto3_extensions.arn_patch_boto3():
        ...     print(boto3.resource("rds", region_name="us-east-1").DBInstance("orders").arn)
        arn:aws:rds:us-east-1:123456789012:db:orders
    """
    return install()
