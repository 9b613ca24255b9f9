"""Make the connection of a command: the one place of these commands that begins to load botocore."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import click

from mangrove.s3.recipe import Recipe

if TYPE_CHECKING:
    from mangrove.s3 import Connection

__all__ = ["connect"]


def connect(given: Mapping[str, Any]) -> Connection:
    """Return a connection to S3.

    Args:
        given: the parameters of a command with `connection_options`.

    Raises:
        ConfigError: there is no such profile, or an argument is wrong.
    """
    if given["no_verify_ssl"] and given["ca_bundle"]:
        text = "--no-verify-ssl trusts anybody, --ca-bundle only some; give one of them"
        raise click.UsageError(text)
    sizes = {name: given[name] for name in ("part_size", "threshold") if given.get(name) is not None}
    recipe = Recipe(
        profile_name=given["profile"],
        region_name=given["region"],
        endpoint_url=given["endpoint_url"],
        anonymous=given["no_sign_request"],
        verify=False if given["no_verify_ssl"] else given["ca_bundle"],
        **sizes,
    )
    return recipe.connect()
