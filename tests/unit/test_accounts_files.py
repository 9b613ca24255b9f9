"""Accounts from files: three formats, two dialects, and an error that says where."""

from __future__ import annotations

import json
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mangrove import accounts
from mangrove.errors import ConfigError, DeclarationTypeError, MissingExtraError, NoAccountsError

A, B, C = "111111111111", "222222222222", "012345670123"
SECRET = "canary-external-id"


@pytest.fixture
def write(tmp_path):
    def write(text, name="accounts.yml"):
        path = tmp_path / name
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        return path

    return write


def ids(path, **options):
    return [account.id for account in accounts.from_file(path, **options)]


# -- mangrove's own form ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        f"- '{A}'\n- \"{C}\"\n",
        f"- {A}\n- '{C}'\n",
        f"- id: {A}\n- {{id: '{C}'}}\n",
        f"{A}:\n'{C}':\n",
        f"{A}: web\n{C}: {{name: x, tags: {{env: prod}}}}\n",
        f"web: {A}\nx: '{C}'\n",
        f"web: {{id: {A}, role: x}}\nx: {{id: '{C}', name: own}}\n",
        f"accounts:\n- {A}\n- '{C}'\n",
        f"accounts:\n  {A}: web\n  '{C}': x\n",
        f"\ufeff- {A}\n- '{C}'\n",
        f"%YAML 1.1\n---\n- {A}\n- '{C}'\n...\n",
        f"- &first {{id: {A}, tags: {{env: prod}}}}\n- <<: *first\n  id: '{C}'\n",
    ],
)
def test_the_simple_forms(write, text):
    assert ids(write(text)) == [A, C]


def test_all_fields(write):
    text = f"""
        role: audit-{{name}}
        external_id: "{{id}}-x"
        vars: {{cost: 12, owner: us}}
        accounts:
        - id: {A}
          name: web
          email: web@example.com
          ou_path: /prod/web
          tags: {{env: prod}}
          regions: [eu-west-1, us-*]
          vars: {{owner: them}}
        - {{id: {B}, name: two, role: [arn:aws:iam::{A}:role/hub, leaf], external_id: own-id}}
        - {{id: '{C}', profile: three}}
    """
    one, two, three = accounts.from_file(write(text))
    assert (one.name, one.email, one.ou_path, one.tags) == ("web", "web@example.com", "/prod/web", {"env": "prod"})
    assert (one.role, one.external_id, one.regions) == ("audit-web", f"{A}-x", ("eu-west-1", "us-*"))
    assert one.variables == {"cost": 12, "owner": "them"}
    assert two.role_arns() == (f"arn:aws:iam::{A}:role/hub", f"arn:aws:iam::{B}:role/leaf")
    assert (two.external_id, two.tags) == ("own-id", {})
    assert (three.profile, three.role, three.external_id) == ("three", None, None)


def test_json_and_csv_say_the_same(write):
    entry = {"id": C, "name": "web", "tags": {"env": "prod"}, "regions": ["eu-west-1", "us-east-1"]}
    csv = f'id,name,tag:env,regions,role\n\n{C},web,prod,"eu-west-1, us-east-1",\n'
    expected = accounts.from_list([entry])
    assert accounts.from_file(write(json.dumps([entry]), "accounts.json")) == expected
    assert accounts.from_file(write(json.dumps({C: {"name": "web"}}), "mapping.JSON"))[0].name == "web"
    assert accounts.from_file(write(csv, "accounts.csv")) == expected
    assert accounts.from_file(write("\ufeff" + csv.replace("\n", "\r\n"), "excel.csv")) == expected


def test_what_the_caller_says_is_for_those_that_say_nothing(write):
    path = write(f"- {A}\n- {{id: {B}, role: own, external_id: own-id}}\n")
    made = accounts.from_file(path, role="audit", external_id="{id}-x")
    assert [(account.role, account.external_id) for account in made] == [("audit", f"{A}-x"), ("own", "own-id")]
    assert accounts.from_file(path)[0].role == accounts.DEFAULT_ROLE


# -- Cloud Custodian's ------------------------------------------------------------------------------------------------

CUSTODIAN = f"""
vars: {{charge_code: none, team: core}}
accounts:
- account_id: '{A}'
  name: account-1
  display_name: One
  org_id: o-abcdefghij
  email: one@example.com
  regions:
  - us-east-1
  - us-west-2
  role: arn:aws:iam::{A}:role/CloudCustodian
  vars:
    charge_code: xyz
  tags:
  - type:prod
  - division:some division
  - partition:us
  - scope:pci
  - scope:sox
  - url:https://example.com
  - bare
- account_id: "{C}"
  name: account-2
  role: [arn:aws:iam::{A}:role/hub, "arn:aws:iam::{C}:role/leaf"]
  external_id: {SECRET}
  regions: [all]
  tags: ["path:/prod", "path:/prod/web", "env:prod"]
- account_id: "{B}"
  name: account-3
  profile: three
"""


def test_cloud_custodians_file_is_read_as_it_is(write):
    one, two, three = accounts.from_file(write(CUSTODIAN))
    assert (one.id, one.name, one.email) == (A, "account-1", "one@example.com")
    assert one.role == f"arn:aws:iam::{A}:role/CloudCustodian"
    assert one.regions == ("us-east-1", "us-west-2")
    assert one.variables == {"charge_code": "xyz", "team": "core"}
    assert one.tags == {
        "type": "prod",
        "division": "some division",
        "partition": "us",
        "scope": "pci,sox",
        "url": "https://example.com",
        "bare": "",
    }
    assert one.ou_path is None
    assert two.role_arns() == (f"arn:aws:iam::{A}:role/hub", f"arn:aws:iam::{C}:role/leaf")
    assert (two.external_id, two.regions) == (SECRET, ("*",))
    assert (two.ou_path, two.tags) == ("/prod/web", {"env": "prod"})
    assert (three.profile, three.role) == ("three", None)
    assert SECRET not in repr((one, two, three))


def test_a_role_goes_before_a_profile_as_in_cloud_custodian(write):
    (made,) = accounts.from_file(write(f"accounts:\n- {{account_id: '{A}', role: x, profile: p, name: n}}\n"))
    assert (made.role, made.profile) == ("x", None)


def test_in_its_dialect_an_account_without_a_role_is_a_mistake(write):
    path = write(f"accounts:\n- account_id: '{A}'\n  name: x\n")
    with pytest.raises(ConfigError, match=r"accounts.yml line 2: the account has neither role nor profile"):
        accounts.from_file(path)
    assert ids(path, role="audit") == [A]


@pytest.mark.parametrize("cloud", ["subscriptions", "projects", "tenancies"])
def test_a_file_for_other_clouds_has_no_accounts(write, cloud):
    with pytest.raises(NoAccountsError, match=f"has {cloud}, and no AWS accounts"):
        accounts.from_file(write(f"{cloud}:\n- name: x\n"))


# -- ids that are not what they seem ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "says"),
    [
        ("012345670123", "id is 012345670123, which is read as the number 1402433619 .* in quotes, id: '012345678901'"),
        ("12345678901", "read as the number 12345678901"),
        ("0x1234567890", "read as the number"),
        ("1_2345_6789_012", "read as the number"),
        ("1.23456E+11", "read as the number"),
        ("+123456789012", "read as the number"),
        ("1234567890123", "read as the number"),
        ("'12345678901'", "were leading zeros lost"),
        ("true", "id takes twelve digits; got bool; quote it"),
        ("[1]", "id takes twelve digits; got list|'x' is no account's id, and has none"),
        ("2024-01-01", "id takes twelve digits; got date"),
        ("null", "has no id|'x' is no account's id, and has none"),
    ],
)
@pytest.mark.parametrize(("form", "line"), [("- id: {}\n", 2), ("- name: x\n  id: {}\n", 3), ("x: {}\n", 2)])
def test_an_id_that_yaml_reads_otherwise_is_told_with_its_line(write, form, line, written, says):
    with pytest.raises(ConfigError, match=says) as caught:
        accounts.from_file(write("# a comment\n" + form.format(written)))
    about_entry = "no id" in says or "zeros" in says
    assert f"accounts.yml line {2 if about_entry else line}: " in str(caught.value)
    assert str(caught.value).count("accounts.yml") == 1


def test_digits_that_yaml_leaves_alone_are_an_id(write):
    assert ids(write("- 012345678901\n- id: 098765432109\n")) == ["012345678901", "098765432109"]
    assert ids(write("012345670123: web\n")) == ["012345670123"]  # a key is taken as it is written


@pytest.mark.parametrize("written", ["12345678901", "1.2e11", "true", "[]", '"12345678901"'])
def test_an_id_that_json_has_otherwise(write, written):
    with pytest.raises(ConfigError, match=r"accounts.json entry 2 id|accounts.json entry 2:"):
        accounts.from_file(write(f'["{A}", {{"id": {written}}}]', "accounts.json"))


def test_an_id_that_a_spreadsheet_has_spoilt(write):
    for spoilt in ("1.23457E+11", "12345678901"):
        with pytest.raises(ConfigError, match=r"accounts.csv line 3: .* is no account id"):
            accounts.from_file(write(f"id,name\n{A},x\n{spoilt},y\n", "accounts.csv"))


# -- mistakes ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "error", "says"),
    [
        ("", NoAccountsError, "accounts.yml has no account"),
        ("# nothing\n", NoAccountsError, "has no account"),
        ("[]", NoAccountsError, "has no account"),
        ("accounts:\n", NoAccountsError, "has no account"),
        ("- [1, 2\n", ConfigError, r"accounts.yml line 2: expected ',' or ']'"),
        ("a: b: c\n", ConfigError, "line 1: mapping values are not allowed here"),
        ("\tx: 1\n", ConfigError, "line 1: found character"),
        ("a: *nowhere\n", ConfigError, "line 1: found undefined alias"),
        ("- !!python/object/apply:os.system [id]\n", ConfigError, "line 1"),
        ("- id: !!python/name:os.system\n", ConfigError, "line 1: could not determine a constructor"),
        ("--- 1\n--- 2\n", ConfigError, "expected a single document|but found another document"),
        ("&a [*a]\n", ConfigError, "line 1: a value contains itself|line 1: found unconstructable"),
        ("? [a]\n: b\n", ConfigError, "line 1: a name is a plain text"),
        ("\x01", ConfigError, "accounts.yml: unacceptable character"),
        ("just a text\n", DeclarationTypeError, "line 1: accounts are a list or a mapping; got str"),
        (f"- {A}\n- {A}\n", ConfigError, f"account {A} is there twice: .*line 1 and .*line 2"),
        (f"{A}: a\n{A}: b\n", ConfigError, f"line 1: '{A}' is there twice"),
        (f"- id: {A}\n  id: {A}\n", ConfigError, "line 1: 'id' is there twice"),
        (f"- id: {A}\n  nmae: x\n", ConfigError, "line 1: no field 'nmae'; did you mean 'name'"),
        (
            f"acounts:\n- {A}\n",
            ConfigError,
            "line 2: 'acounts' is no account's id, and has none; did you mean 'accounts'",
        ),
        ("web:\n  role: x\n", ConfigError, "line 2: 'web' is no account's id, and has none; write"),
        ("web:\n", ConfigError, "line 1: 'web' is no account's id, and has none; write"),
        (f"accounts:\n- {A}\nrol: x\n", ConfigError, "line 1: no field 'rol'; did you mean 'role'"),
        (f"- id: {A}\n  name: 12\n", DeclarationTypeError, "line 2: name takes a text; got int; quote it"),
        (f"- id: {A}\n  name: on\n", DeclarationTypeError, "line 2: name takes a text; got bool; quote it"),
        (f"- id: {A}\n  role: {{a: b}}\n", DeclarationTypeError, "line 2: role takes a text, or a list"),
        (f"- id: {A}\n  role: [1]\n", DeclarationTypeError, "line 2: role takes texts; got int; quote it"),
        (f"- id: {A}\n  role: []\n", ConfigError, "line 1: the role of account .* is an empty list"),
        (f"- id: {A}\n  role: x y\n", ConfigError, "line 1: the role of account .* which is no role"),
        (f"- id: {A}\n  role: '{{nam}}'\n", ConfigError, r"line 1: the role of account .* has the field \{nam\}"),
        (f"- id: {A}\n  regions: {{}}\n", DeclarationTypeError, "line 2: regions takes a list"),
        (f"- id: {A}\n  regions: [eu-west-9]\n", ConfigError, "line 1: no region 'eu-west-9'"),
        (
            f"- id: {A}\n  tags:\n    cost: 12\n",
            DeclarationTypeError,
            "line 3: tags 'cost' takes a text; got int; quote",
        ),
        (f"- id: {A}\n  tags: [a: b]\n", DeclarationTypeError, "line 2: tags takes texts; got dict"),
        (f"- id: {A}\n  tags: prod\n", DeclarationTypeError, "line 2: tags takes a mapping"),
        (f"- id: {A}\n  vars: []\n", DeclarationTypeError, "line 2: vars takes a mapping"),
        (f"- id: {A}\n  account_id: '{A}'\n", ConfigError, "line 1: an account has id or account_id, not both"),
        (f"{A}: {{id: {A}}}\n", ConfigError, "line 1: account 111111111111 has 'id' once more inside"),
        ("- name: x\n", ConfigError, "line 1: the account has no id"),
        ("- name: 2024-13-45\n", ConfigError, "line 1: what stands there is read as a number or a date"),
        ("- name: 2024-12-24\n  id: '111111111111'", DeclarationTypeError, "name takes a text; got date; quote it"),
        ("- " + "9" * 5000 + "\n", ConfigError, "line 1: what stands there"),
    ],
)
def test_a_mistake_is_told_with_its_line_and_field(write, text, error, says):
    with pytest.raises(error, match=says):
        accounts.from_file(write(text))


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("a.json", "{", r"a.json line 1: .* \(column 2\)"),
        ("a.json", "[\n1,\n]", r"a.json line [23]"),
        ("a.json", f'[{{"id": "{A}", "id": "{B}"}}]', "a.json: 'id' is there twice in one object"),
        ("a.json", f'{{"accounts": [{{"id": "{A}", "name": 1}}]}}', "a.json accounts entry 1 name: name takes a text"),
        ("a.json", "9" * 5000, "a.json: "),
        ("a.json", "[" * 100_000, "a.json is nested too deeply"),
        ("a.yml", "[" * 5_000, "a.yml is nested too deeply"),
        ("a.csv", "id,id\n", "line 1: a column is there twice"),
        ("a.csv", f"id,name\n{A}\n", "a.csv line 2: 1 cells under 2 columns"),
        ("a.csv", f"id,nmae\n{A},x\n", "a.csv line 2: no field 'nmae'"),
        ("a.csv", f'id,name\n{A},"x\n', "a.csv line 2: unexpected end of data"),
        ("a.csv", f"id;name\n{A};x\n", "no field 'id;name'"),
        ("a.yml", b"\xff\xfe\x00", "a.yml is not UTF-8"),
        ("a.toml", "", r"a.toml: what kind of file is it\? .* .yml, .yaml, .json, .csv"),
        ("a", "", "what kind of file is it"),
    ],
)
def test_mistakes_of_other_files(write, name, text, says):
    with pytest.raises(ConfigError, match=says):
        accounts.from_file(write(text, name))


def test_a_file_that_can_not_be_read(tmp_path):
    with pytest.raises(ConfigError, match=r"nothing.yml can't be read: No such file"):
        accounts.from_file(tmp_path / "nothing.yml")
    (tmp_path / "folder.yml").mkdir()
    with pytest.raises(ConfigError, match=r"folder.yml can't be read: Is a directory"):
        accounts.from_file(tmp_path / "folder.yml")


def test_without_pyyaml_the_extra_is_named(write, monkeypatch):
    monkeypatch.setitem(sys.modules, "yaml", None)
    with pytest.raises(MissingExtraError, match=r"pymangrove\[accounts\]"):
        accounts.from_file(write(f"- {A}\n"))
    assert ids(write(f'["{A}"]', "accounts.json")) == [A]


def test_an_error_in_a_file_does_not_quote_the_external_id(write):
    for wrong in (f"external_id: '{SECRET} x'", f"external_id: '{SECRET}{{'", f"external_id: ['{SECRET}']"):
        with pytest.raises(ConfigError) as caught:
            accounts.from_file(write(f"- id: {A}\n  {wrong}\n"))
        assert SECRET not in str(caught.value)
        assert "line" in str(caught.value)


@pytest.mark.parametrize(
    "text",
    [
        f"- id: '{A}'\n  external_id: 2024-02-30\n",
        f"external_id: canary-2024-02-30\n{A}: web\n",
        f"accounts:\n  external_id: canary-2024-02-30\n  {A}: web\n",
    ],
)
def test_an_external_id_in_a_wrong_place_or_form_is_not_quoted(write, text):
    with pytest.raises(ConfigError, match=r"line \d: ('external_id' is for all|what stands there)") as caught:
        accounts.from_file(write(text))
    assert "02-30" not in str(caught.value)


def test_a_text_that_names_itself_a_billion_times_is_made_once(write):
    lines = ["- id: '111111111111'", "  vars:", "    l0: &l0 [x, x]"]
    lines += [f"    l{n}: &l{n} [{', '.join([f'*l{n - 1}'] * 9)}]" for n in range(1, 30)]
    (made,) = accounts.from_file(write("\n".join(lines)))
    assert made.variables["l29"][0] is made.variables["l29"][8]


@given(st.text(max_size=60))
def test_any_text_is_accounts_or_a_clear_error(text):
    import tempfile
    from pathlib import Path

    with tempfile.TemporaryDirectory() as folder:
        for name in ("a.yml", "a.json", "a.csv"):
            path = Path(folder, name)
            path.write_text(text, "utf-8", errors="surrogatepass")
            try:
                assert accounts.from_file(path)
            except (ConfigError, NoAccountsError) as error:
                assert name in str(error)


@given(st.from_regex(r"\A[0-9]{12}\Z"))
def test_every_id_in_quotes_comes_back(account):
    import tempfile
    from pathlib import Path

    with tempfile.TemporaryDirectory() as folder:
        for name, text in (("a.yml", f"- '{account}'\n"), ("a.json", f'["{account}"]'), ("a.csv", f"id\n{account}\n")):
            path = Path(folder, name)
            path.write_text(text)
            assert ids(path) == [account]
