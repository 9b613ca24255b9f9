"""Accounts: what one is, how names are filled from it, and how many are narrowed to some."""

from __future__ import annotations

import pickle
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mangrove import accounts
from mangrove.accounts import Account
from mangrove.accounts._units import Wanted, path_matches, path_of
from mangrove.errors import (
    ConfigError,
    DeclarationTypeError,
    MangroveError,
    NoAccountsError,
    UnknownRegionError,
)

A, B, C = "111111111111", "222222222222", "333333333333"
SECRET = "canary-external-id"


# -- ids --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("value", ["000000000000", "012345678901", A])
def test_an_id_is_twelve_digits(value):
    assert accounts.check_account_id(value) == value


@pytest.mark.parametrize(
    ("value", "says"),
    [
        (123456789012, "quote it: got 123456789012"),
        (1.2e11, "quote it"),
        (None, "got NoneType"),
        ("12345678901", "11 digits: were leading zeros lost"),
        ("1234567890123", "is no account id; one is"),
        ("12345678901a", "is no account id"),
        ("123456789012\n", "is no account id"),
        ("١٢٣٤٥٦٧٨٩٠١٢", "is no account id"),
        ("", "is no account id"),
        (" 123456789012", "is no account id"),
    ],
)
def test_what_is_no_id(value, says):
    with pytest.raises(ConfigError, match=says):
        accounts.check_account_id(value)
    with pytest.raises(ConfigError, match=says):
        Account(value)


# -- roles ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("role", "partition", "arn"),
    [
        ("audit", None, f"arn:aws:iam::{A}:role/audit"),
        ("audit", "aws-cn", f"arn:aws-cn:iam::{A}:role/audit"),
        ("ops/team/audit", "aws-us-gov", f"arn:aws-us-gov:iam::{A}:role/ops/team/audit"),
        ("/ops/audit", None, f"arn:aws:iam::{A}:role/ops/audit"),
        (f"arn:aws-cn:iam::{A}:role/audit", None, f"arn:aws-cn:iam::{A}:role/audit"),
        ("arn:aws:iam::{id}:role/{name}", "aws", f"arn:aws:iam::{A}:role/web"),
        ("audit-{name}", None, f"arn:aws:iam::{A}:role/audit-web"),
        ("{tags[env]}-{id}", None, f"arn:aws:iam::{A}:role/prod-{A}"),
        ((f"arn:aws:iam::{B}:role/hub", "audit"), None, f"arn:aws:iam::{A}:role/audit"),
        (None, None, None),
    ],
)
def test_the_arn_of_a_role(role, partition, arn):
    assert Account(A, "web", tags={"env": "prod"}, role=role).role_arn(partition) == arn


def test_the_default_role_is_that_of_organizations():
    assert Account(A).role_arn() == f"arn:aws:iam::{A}:role/OrganizationAccountAccessRole"


def test_a_chain_keeps_its_hops_and_one_role_needs_no_list():
    hub = f"arn:aws:iam::{B}:role/hub"
    assert Account(A, role=(hub, "audit")).role_arns() == (hub, f"arn:aws:iam::{A}:role/audit")
    assert Account(A, role=("audit",)).role == "audit"
    assert Account(A, role=None).role_arns() == ()


@pytest.mark.parametrize(
    ("role", "says"),
    [
        ("", "is no role"),
        ("audit role", "is no role"),
        ("audit\n", "is no role"),
        ("a" * 65, "is no role"),
        ("arn:aws:iam::111111111111:user/x", "is no role"),
        ("arn:aws:iam::11111:role/x", "is no role"),
        ("arn:aws:iam::111111111111:role/x y", "is no role"),
        (f"arn:aws:iam::{B}:role/audit", f"a role of account {B}"),
        (("hub", "audit"), "over 'hub', and a hop of a chain is named by its ARN"),
        ((), "an empty list"),
        (3, "got int"),
        ((3,), "takes a string; got int"),
    ],
)
def test_what_is_no_role(role, says):
    with pytest.raises(ConfigError, match=says):
        Account(A, role=role)


def test_a_role_of_another_partition_is_refused():
    account = Account(A, role=f"arn:aws-cn:iam::{A}:role/audit")
    with pytest.raises(ConfigError, match="in the partition aws-cn, the call in aws;"):
        account.role_arn("aws")
    mixed = Account(A, role=(f"arn:aws-cn:iam::{B}:role/hub", f"arn:aws:iam::{A}:role/audit"))
    with pytest.raises(ConfigError, match="partition aws and aws-cn"):
        mixed.role_arn()
    with pytest.raises(ConfigError, match="'AWS' is no partition"):
        account.role_arn("AWS")


@pytest.mark.parametrize(
    ("external_id", "says"),
    [
        ("x", "forbidden length or character"),
        ("a b", "forbidden length or character"),
        ("ü" * 4, "forbidden length or character"),
        ("{owner}", "external id of account 111111111111 has a field that no account has"),
        (7, "takes a string; got int"),
    ],
)
def test_what_is_no_external_id(external_id, says):
    with pytest.raises(ConfigError, match=says):
        Account(A, external_id=external_id)


def test_profile_role_and_external_id_must_fit_together():
    assert Account(A, role=None, profile="web").role_arns() == ()
    with pytest.raises(ConfigError, match="has the profile 'web' and a role"):
        Account(A, profile="web")
    with pytest.raises(ConfigError, match="no role that it could be used with"):
        Account(A, role=None, external_id=SECRET)


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"name": 3}, "name takes a string"),
        ({"email": b"x"}, "email takes a string"),
        ({"ou_path": "prod"}, "a path from the root"),
        ({"tags": ["a:b"]}, "tags take a mapping"),
        ({"tags": {"cost": 12}}, "quote it"),
        ({"tags": {1: "x"}}, "quote it"),
        ({"regions": "eu-west-1"}, r"take a list of names, \['eu-west-1'\]"),
    ],
)
def test_other_fields_of_a_wrong_form(values, says):
    with pytest.raises(ConfigError, match=says):
        Account(A, **values)


def test_regions_are_known_ones_or_patterns():
    assert Account(A, regions=["eu_west_1", "us-*", "eu_west_1"]).regions == ("eu-west-1", "us-*")
    with pytest.raises(UnknownRegionError, match="did you mean"):
        Account(A, regions=["eu-west-9"])


# -- secrets ----------------------------------------------------------------------------------------------------------


def test_the_external_id_shows_nowhere_and_is_not_pickled():
    account = Account(A, "web", external_id=SECRET, variables={"note": SECRET})
    assert account.external_id == SECRET
    assert SECRET not in f"{account} {account!r} {[account]}"
    assert "external_id='***'" in repr(account)
    with pytest.raises(TypeError, match="never pickled") as caught:
        pickle.dumps(account)
    assert SECRET not in str(caught.value)


def test_errors_do_not_quote_the_external_id():
    for wrong in (f"{SECRET} x", SECRET + "{", f"{{{SECRET}}}", f"{{id!{SECRET}}}", f"{{name}}{SECRET}"):
        with pytest.raises(ConfigError) as caught:
            Account(A, external_id=wrong)
        assert SECRET not in str(caught.value)
        if not wrong.startswith("{name}"):
            with pytest.raises(ConfigError) as caught:
                accounts.from_organization(external_id=wrong)
            assert SECRET not in str(caught.value)


def test_an_account_without_a_secret_pickles_and_hashes():
    account = Account(A, "web", tags={"env": "prod"}, regions=["eu-west-1"], variables={"x": [1]})
    copy = pickle.loads(pickle.dumps(account))
    assert (copy, copy.variables, len({copy, account})) == (account, account.variables, 1)


def test_an_account_can_not_be_changed():
    tags = {"env": "prod"}
    account = Account(A, tags=tags)
    tags["env"] = "dev"
    assert account.tags == {"env": "prod"}
    with pytest.raises(TypeError):
        account.tags["env"] = "dev"
    with pytest.raises(AttributeError):
        account.id = B


# -- templates --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "template",
    [
        "{name.__class__}",
        "{name.__init__.__globals__}",
        "{tags}",
        "{tags[a][b]}",
        "{tags[env].upper}",
        "{0}",
        "{}",
        "{external_id}",
        "{role}",
        "{name!r}",
        "{name:>99999999}",
        "{owner}",
        "{name",
        "name}",
    ],
)
def test_a_bad_template_is_an_error_before_any_account(template):
    with pytest.raises(ConfigError, match=r"\{id\}, \{name\}, \{email\}, \{ou_path\} and \{tags\[KEY\]\}"):
        Account(A, "web", role=template)
    with pytest.raises(ConfigError):
        accounts.from_organization(role=template)  # no credentials here: a call would be another error
    with pytest.raises(ConfigError):
        accounts.from_organization(external_id=template)


def test_what_is_not_known_of_an_account_can_not_be_filled_in():
    with pytest.raises(ConfigError, match="its name is not known"):
        Account(A, role="audit-{name}")
    with pytest.raises(ConfigError, match="its tags are not known"):
        Account(A, role="{tags[env]}")
    with pytest.raises(ConfigError, match="it has no tag 'env'"):
        Account(A, tags={}, role="{tags[env]}")


def test_a_name_that_makes_no_role_says_so():
    with pytest.raises(ConfigError, match="'audit-Web Shop', which is no role"):
        Account(A, "Web Shop", role="audit-{name}")
    # What was filled in is not filled again.
    with pytest.raises(ConfigError, match="'audit-{id}', which is no role"):
        Account(A, "{id}", role="audit-{name}")
    with pytest.raises(ConfigError, match="forbidden length or character"):
        Account(A, "{id}", external_id="audit-{name}")


@given(st.text(string.ascii_letters + "-_", min_size=1, max_size=50))
def test_a_text_without_fields_is_itself(text):
    assert Account(A).render(text) == text
    assert Account(A, text).render("{{{name}}}") == f"{{{text}}}"


# -- units ------------------------------------------------------------------------------------------------------------

ROOT = ("r-ab12", "")


def trail(*names):
    return (ROOT, *((f"ou-ab12-{name:0>8}", name) for name in names))


@pytest.mark.parametrize(
    ("patterns", "inside", "outside"),
    [
        (["/"], [(), ("prod",)], []),
        (["/prod"], [("prod",), ("prod", "web")], [(), ("dev",), ("production",), ("dev", "prod")]),
        (["/prod/*"], [("prod", "web"), ("prod", "web", "a")], [(), ("prod",), ("dev", "web")]),
        (["/prod", "!/prod/*"], [("prod",)], [("prod", "web")]),
        (["/**/web"], [("web",), ("prod", "web"), ("prod", "web", "a"), ("a", "b", "web")], [("prod",), ()]),
        (["!/prod/old"], [(), ("prod",), ("prod", "new")], [("prod", "old"), ("prod", "old", "a")]),
        (["ou-ab12-00000web"], [("prod", "web"), ("prod", "web", "a")], [("prod",), ()]),
        (["r-ab12", "!ou-ab12-00000web"], [(), ("prod",)], [("prod", "web"), ("prod", "web", "x")]),
        (["/p*", "/dev"], [("prod",), ("dev",)], [("test",)]),
    ],
)
def test_which_units_are_taken(patterns, inside, outside):
    wanted = Wanted.of(patterns)
    for names in inside:
        assert wanted.takes(trail(*names)), names
    for names in outside:
        assert not wanted.takes(trail(*names)), names


@given(
    st.lists(st.sampled_from(["/a", "/a/b", "/*/b", "/**/c", "!/a/b", "!/**/c", "ou-ab12-0000000c"]), min_size=1),
    st.lists(st.sampled_from("abc"), max_size=4),
)
def test_a_unit_that_is_taken_is_always_reached(patterns, names):
    """Law: nobody stops above a unit that is wanted."""
    wanted = Wanted.of(patterns)
    if Wanted.of(patterns).takes(trail(*names)):
        for depth in range(len(names)):
            wanted.takes(trail(*names[:depth]))
            assert wanted.may_take_below(trail(*names[:depth]))


@given(st.lists(st.text("a/%25F", min_size=1, max_size=4), max_size=3))
def test_two_units_never_have_one_path(names):
    import re

    parts = [part for part in path_of(names).split("/") if part]
    assert [re.sub("%(2F|25)", lambda m: "/" if m[1] == "2F" else "%", part) for part in parts] == names


@pytest.mark.parametrize(
    "wrong",
    [
        {"role": "a b"},
        {"role": ()},
        {"role": None},
        {"role": 3},
        {"role": ("hub", "leaf")},
        {"role": "arn:aws:iam::1:role/x"},
        {"external_id": "x"},
        {"external_id": 3},
        {"include_management": True, "management_role": "a b"},
        {"status": 3},
        {"status": ["ACTIVE", 3]},
        {"status": "ACTIV"},
    ],
)
def test_what_can_be_right_for_no_account_is_refused_before_any_call(wrong):
    with pytest.raises(ConfigError):
        accounts.from_organization(**wrong)  # no credentials here: a call would be another error


@pytest.mark.parametrize("unit", ["prod", "ou-1", "", "!", "o-abcdefghij", 3, []])
def test_what_names_no_unit(unit):
    with pytest.raises(ConfigError):
        accounts.from_organization(ou=unit)


def test_a_path_below_matches():
    assert path_matches("/prod", "/prod/web")
    assert not path_matches("/prod", "/production")


# -- where ------------------------------------------------------------------------------------------------------------

MANY = (
    Account(A, "prod-web", tags={"env": "prod", "team": "web"}, ou_path="/prod/web"),
    Account(B, "prod-old", tags={"env": "prod"}, ou_path="/prod/old"),
    Account(C, "dev", tags={"env": "dev", "team": "web"}, ou_path="/dev"),
)


@pytest.mark.parametrize(
    ("asked", "left"),
    [
        ({}, [A, B, C]),
        ({"ids": A}, [A]),
        ({"ids": [C, A]}, [A, C]),
        ({"ids": ["1*", "!2*"]}, [A]),
        ({"ids": "!" + A}, [B, C]),
        ({"names": "prod-*"}, [A, B]),
        ({"names": ["prod-*", "!*-old"]}, [A]),
        ({"tags": {"env": "prod"}}, [A, B]),
        ({"tags": {"env": ["prod", "dev"], "team": "web"}}, [A, C]),
        ({"tags": {"team": "*"}}, [A, C]),
        ({"tags": {"team": "!web"}}, [B]),
        ({"ou": "/prod"}, [A, B]),
        ({"ou": ["/", "!/prod/old"]}, [A, C]),
        ({"ou": "!/prod"}, [C]),
        ({"names": "prod-*", "tags": {"team": "web"}, "ou": "/prod/*"}, [A]),
    ],
)
def test_where(asked, left):
    assert [account.id for account in accounts.where(MANY, **asked)] == left


@pytest.mark.parametrize(
    ("asked", "error", "says"),
    [
        (
            {"names": "prod-wep"},
            NoAccountsError,
            "no account 'prod-wep' among the 3 there are; did you mean 'prod-web'",
        ),
        ({"ids": "999999999999"}, NoAccountsError, "no account '999999999999'"),
        ({"names": ["*", "!prod-oldd"]}, NoAccountsError, "no account 'prod-oldd'"),
        ({"names": "x*"}, NoAccountsError, r"no account is left of 3 with names='x\*'"),
        ({"tags": {"env": "qa"}}, NoAccountsError, "no account is left of 3"),
        ({"ou": "/qa"}, NoAccountsError, "no account is left of 3"),
        ({"names": []}, ConfigError, "no pattern, or an empty one"),
        ({"names": ""}, ConfigError, "no pattern, or an empty one"),
        ({"names": 3}, DeclarationTypeError, "got int"),
        ({"names": [3]}, DeclarationTypeError, "got int: 3"),
        ({"tags": {}}, ConfigError, "leave it out"),
        ({"tags": "env=prod"}, DeclarationTypeError, "tags take a mapping"),
        ({"tags": {"env": True}}, DeclarationTypeError, r"tags\['env'\]"),
        ({"ou": "ou-ab12-34cd56ef"}, ConfigError, "ou takes paths here"),
        ({"ou": "prod"}, ConfigError, "names no organizational unit"),
    ],
)
def test_where_never_gives_nothing(asked, error, says):
    with pytest.raises(error, match=says):
        accounts.where(MANY, **asked)


def test_where_does_not_guess_what_was_not_asked_for():
    with pytest.raises(ConfigError, match="include_tags=True"):
        accounts.where([Account(A)], tags={"env": "prod"})
    with pytest.raises(ConfigError, match="include_ou_paths=True"):
        accounts.where([Account(A)], ou="/prod")
    with pytest.raises(DeclarationTypeError, match="got str"):
        accounts.where([A], ids=A)


# -- lists and sources ------------------------------------------------------------------------------------------------


def test_a_list_of_anything():
    made = accounts.from_list([A, {"id": B, "name": "web", "role": "x"}, Account(C, role="own")], role="audit-{id}")
    assert [(account.id, account.role) for account in made] == [(A, f"audit-{A}"), (B, "x"), (C, "own")]


@pytest.mark.parametrize(
    ("entries", "error", "says"),
    [
        ([], NoAccountsError, "is empty"),
        ([A, B, A], ConfigError, f"account {A} is there twice: entry 1 and entry 3"),
        ([A, {"id": A}], ConfigError, "is there twice"),
        ([123456789012], DeclarationTypeError, "entry 1: an account id is a string of twelve digits"),
        (["12345"], ConfigError, "entry 1: '12345' is no account id"),
        ([A, {"id": B, "nmae": "x"}], ConfigError, "entry 2: no field 'nmae'; did you mean 'name'"),
        ([{"name": "x"}], ConfigError, "entry 1: the account has no id"),
        ([{"id": A, "role": f"arn:aws:iam::{B}:role/x"}], ConfigError, "entry 1: the role of account"),
        ([None], DeclarationTypeError, "entry 1"),
        (A, DeclarationTypeError, "takes a list"),
        ({"id": A}, DeclarationTypeError, "takes a list"),
        (3, DeclarationTypeError, "takes a list"),
    ],
)
def test_a_list_with_a_mistake(entries, error, says):
    with pytest.raises(error, match=says):
        accounts.from_list(entries)


def test_load_takes_ids_and_lists(tmp_path):
    path = tmp_path / "accounts.csv"
    path.write_text(f"id,name\n{A},web\n")
    for source in (f"{A}, {B}", [A, B], (A, B), (each for each in (A, B))):
        assert [account.id for account in accounts.load(source, role="x")] == [A, B]
    for source in (path, str(path)):
        assert accounts.load(source)[0].name == "web"
    assert accounts.load(A, external_id="{id}-x")[0].external_id == f"{A}-x"


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ("nothing", "is no source of accounts; write ids"),
        ("", "is no source of accounts"),
        ("123", "'123' is no account id"),
        (f"{A},{A}", "is there twice"),
        ("accounts.toml", "is no source of accounts"),
        ("missing.yml", "missing.yml can't be read: No such file"),
        ("org:prod", "names no organizational unit"),
        (3, "takes a list"),
    ],
)
def test_what_is_no_source(source, says):
    with pytest.raises(MangroveError, match=says):
        accounts.load(source)


def test_a_profile_has_its_own_role():
    with pytest.raises(ConfigError, match="a profile names its role itself"):
        accounts.load("profile:prod-*", role="audit")


def test_importing_mangrove_imports_no_accounts_room():
    import subprocess
    import sys

    text = "import sys, mangrove; assert 'mangrove.accounts' not in sys.modules; mangrove.accounts.load; "
    text += "assert 'yaml' not in sys.modules"
    subprocess.run([sys.executable, "-c", text], check=True)
