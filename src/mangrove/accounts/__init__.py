"""Layer 2: which accounts there are, from an organization, profiles, files and lists, in one form."""

from __future__ import annotations

from mangrove.accounts.account import DEFAULT_ROLE, Account, Role, check_account_id
from mangrove.accounts.files import from_file
from mangrove.accounts.organization import from_organization
from mangrove.accounts.profiles import Profile, find_profiles, from_profiles
from mangrove.accounts.select import where
from mangrove.accounts.sources import Source, from_list, load

__all__ = [
    "DEFAULT_ROLE",
    "Account",
    "Profile",
    "Role",
    "Source",
    "check_account_id",
    "find_profiles",
    "from_file",
    "from_list",
    "from_organization",
    "from_profiles",
    "load",
    "where",
]
