"""Tell what a failed call says about its region: one table for all services."""

from __future__ import annotations

from typing import Literal

__all__ = ["Verdict", "region_verdict"]

Verdict = Literal["disabled", "denied"]

_OPT_IN = frozenset({"OptInRequired", "RegionDisabledException"})
# What services answer to good credentials in a region that the account has not enabled, and to bad ones everywhere.
_UNKNOWN_KEY = frozenset(
    {"AuthFailure", "InvalidClientTokenId", "InvalidToken", "UnrecognizedClientException", "InvalidAccessKeyId"}
)
_DENIED = frozenset({"AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "AuthorizationError"})


def region_verdict(code: str, message: str, *, opt_in: bool) -> Verdict | None:
    """Return what an error code says about the region as a whole, or None if it speaks of the call alone.

    Args:
        code: the error's code, such as `OptInRequired`.
        message: the error's message.
        opt_in: whether an account must enable the region before it can be used.

    Source: the common errors of the AWS services, and "AWS Regions" in the Account Management guide.

    Example:
        >>> region_verdict("UnrecognizedClientException", "The security token is invalid", opt_in=True)
        'disabled'
        >>> region_verdict("UnrecognizedClientException", "The security token is invalid", opt_in=False)
    """
    if code in _OPT_IN:
        return "disabled"
    if code in _UNKNOWN_KEY and opt_in:
        return "disabled"
    if code in _DENIED and "service control policy" in message:
        return "denied"
    return None
