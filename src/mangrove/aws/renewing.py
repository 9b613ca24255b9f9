"""Get credentials anew before their time, when AWS says that they have expired although they say that they have not."""

from __future__ import annotations

from typing import Any

__all__ = ["is_due", "renew"]


def is_due(credentials: Any) -> bool:
    """Return whether credentials will be got anew when they are next asked for, although they are still valid.

    Args:
        credentials: botocore's.
    """
    needed = getattr(credentials, "refresh_needed", None)
    return needed is not None and bool(needed()) and not needed(0)


def renew(credentials: Any) -> bool:
    """Refresh credentials now, and return whether they are of a kind that can be.

    Args:
        credentials: botocore's; those that were given as keys stay what they are.

    Raises:
        botocore.exceptions.CredentialRetrievalError: there are no others.
    """
    # Those of roles, of a room above this one, see to it themselves that nobody asks twice.
    refresher = getattr(credentials, "refresher", None)
    if refresher is not None:
        return bool(refresher.renew(refresher.generation))
    refresh, lock = getattr(credentials, "_protected_refresh", None), getattr(credentials, "_refresh_lock", None)
    if refresh is None or lock is None:
        return False
    with lock:
        refresh(is_mandatory=True)
    return True
