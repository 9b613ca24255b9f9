"""Write type stubs of resources for the botocore that is installed, for editors and type checkers."""

from __future__ import annotations

import sys
from functools import partial
from itertools import count
from pathlib import Path

import click

__all__ = ["stubs"]


@click.command(short_help="Write type stubs of resources, for editors and type checkers.")
@click.argument("services", nargs=-1, metavar="[SERVICE]...")
@click.option(
    "--to",
    "folder",
    required=True,
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="The folder that gets the package mangrove-stubs, such as site-packages.",
)
@click.option("--plain", is_flag=True, help="Write plain types, also where types-boto3 is installed.")
@click.option("--no-progress", is_flag=True, help="Do not tell on standard error how far it is.")
def stubs(*, services: tuple[str, ...], folder: Path, plain: bool, no_progress: bool) -> int:
    """Write the stub package mangrove-stubs (PEP 561) for the installed botocore: all services, or those named.

    mangrove comes with the stubs of all services; these are for a botocore that is newer or older, or for a type
    checker that shall read no more than the services named. Where types-boto3 is installed beside mangrove, attributes
    are its TypedDicts, elsewhere plain types.

    mypy looks for such a package in site-packages alone, pyright also in its stubPath.
    """
    # Imported here: `--help` needs no botocore.
    from mangrove.cli.progress import Progress  # noqa: PLC0415
    from mangrove.resources.stub_package import (  # noqa: PLC0415
        index_stub,
        resource_services,
        stubs_of,
        write_stub_package,
    )
    from mangrove.resources.stub_types import find_known  # noqa: PLC0415

    paths = [] if plain else sys.path
    with Progress(shown=not no_progress) as shown:
        shown.phase("reading the models of all services")
        asked = list(dict.fromkeys(services)) or resource_services()
        steps = count(1)
        shown.phase(f"writing {len(asked)} stubs")
        files = stubs_of(asked, partial(find_known, paths=paths), lambda: shown.advance(next(steps), len(asked)))
    package = write_stub_package(folder, files, index_stub(asked))
    click.echo(str(package))
    return 0
