"""Accounts of profiles: from the configuration where it says them, with one call where it does not."""

from __future__ import annotations

import sys
from collections import Counter

import botocore.configloader
import pytest

from mangrove import accounts
from mangrove.errors import ConfigError, CredentialError, NoAccountsError

A, B, C, D = "111111111111", "222222222222", "333333333333", "444444444444"

CONFIG = f"""
[default]
region = eu-west-1

[profile prod-web]
role_arn = arn:aws:iam::{A}:role/audit
source_profile = default
region = us-east-1

[profile prod-shop]
sso_session = company
sso_account_id = {B}
sso_role_name = audit

[sso-session company]
sso_start_url = https://example.awsapps.com/start
sso_region = eu-west-1

[profile prod-china]
role_arn = arn:aws-cn:iam::{D}:role/audit
sso_account_id = {B}
source_profile = default

[profile broken]
role_arn = audit
sso_account_id = 12
"""
CREDENTIALS = f"""
[keys]
aws_access_key_id = AKIAKEYS
aws_secret_access_key = secret
aws_account_id = {C}
"""


@pytest.fixture
def configure(tmp_path, monkeypatch):
    def configure(config=CONFIG, credentials=CREDENTIALS):
        for name, text in (("config", config), ("credentials", credentials)):
            (tmp_path / name).write_text(text)
        monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
        monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))

    configure()
    return configure


@pytest.fixture
def parsed(monkeypatch):
    """Count how often a configuration file is parsed."""
    calls = Counter()
    real = botocore.configloader.raw_config_parse

    def counted(name, *args, **kwargs):
        calls[name.rpartition("/")[2]] += 1
        return real(name, *args, **kwargs)

    monkeypatch.setattr(botocore.configloader, "raw_config_parse", counted)
    return calls


def test_the_configuration_says_the_accounts(configure):
    found = accounts.from_profiles(["prod-*", "keys"])
    assert {account.name: account.id for account in found} == {
        "keys": C,
        "prod-china": D,
        "prod-shop": B,
        "prod-web": A,
    }
    assert [account.name for account in found] == sorted(account.name for account in found)
    assert {(account.role, account.profile == account.name) for account in found} == {(None, True)}


def test_profiles_with_what_is_known_of_them(configure):
    found = {profile.name: profile for profile in accounts.find_profiles()}
    assert sorted(found) == ["broken", "default", "keys", "prod-china", "prod-shop", "prod-web"]
    assert (found["broken"].account_id, found["default"].account_id) == (None, None)
    assert (found["prod-web"].region_name, found["prod-shop"].region_name) == ("us-east-1", None)


@pytest.mark.parametrize(
    ("names", "error", "says"),
    [
        ("prod-wep", ConfigError, "no profile 'prod-wep' in the AWS configuration files; did you mean 'prod-web'"),
        (["*", "!prod-wep"], ConfigError, "no profile 'prod-wep'"),
        ("stage-*", NoAccountsError, r"no profile matches 'stage-\*' among the 6"),
        ([], ConfigError, "no pattern"),
        (3, ConfigError, "got int"),
    ],
)
def test_profiles_that_are_not_there(configure, names, error, says):
    with pytest.raises(error, match=says):
        accounts.from_profiles(names)


def test_two_profiles_of_one_account_are_refused(configure):
    configure(CONFIG + f"[profile prod-reader]\nrole_arn = arn:aws:iam::{A}:role/reader\nsource_profile = default\n")
    with pytest.raises(ConfigError, match=f"account {A} is there twice: profile 'prod-reader' and profile 'prod-web'"):
        accounts.from_profiles("prod-*")
    assert len(accounts.from_profiles(["prod-*", "!prod-reader"])) == 3
    assert len(accounts.find_profiles("prod-*")) == 4


def test_a_thousand_profiles_are_parsed_once(configure, parsed):
    many = (f"[profile n{n}]\nrole_arn = arn:aws:iam::{n:012}:role/x\nsource_profile = default" for n in range(1000))
    configure("\n".join(many))
    assert len(accounts.from_profiles("n*")) == 1000
    assert len(accounts.from_profiles("n1*")) == 111
    assert parsed["config"] <= (2 if _safe_mode() else 1)


def _safe_mode():
    import os

    return os.environ.get("MANGROVE_SAFE_MODE")


def test_a_profile_that_the_environment_names_need_not_exist(configure, monkeypatch):
    monkeypatch.setenv("AWS_PROFILE", "gone")
    assert [account.name for account in accounts.from_profiles("prod-web")] == ["prod-web"]


def test_a_file_that_can_not_be_parsed(configure):
    configure("[broken\n")
    with pytest.raises(ConfigError, match="the AWS configuration files can't be read: .*parse"):
        accounts.from_profiles()


def process(*lines):
    program = f"import json; print(json.dumps({dict(lines)!r}))"
    return f'credential_process = {sys.executable} -c "{program}"'


def test_an_account_that_nobody_says_is_asked_for_once(configure, embedded_aws, monkeypatch):
    first, second, third = embedded_aws.accounts
    for name in ("AWS_ENDPOINT_URL", "AWS_DEFAULT_REGION"):
        monkeypatch.setenv(name, embedded_aws.environment()[name])
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    keys = {account: embedded_aws.environment(account) for account in (first, second)}
    text = "".join(
        f"[{name}]\naws_access_key_id={keys[account]['AWS_ACCESS_KEY_ID']}\n"
        f"aws_secret_access_key={keys[account]['AWS_SECRET_ACCESS_KEY']}\n"
        f"aws_session_token={keys[account]['AWS_SESSION_TOKEN']}\n"
        for name, account in (("a-one", first), ("a-two", second))
    )
    configure(f"[profile a-three]\nsso_account_id = {third}\n", text)
    found = accounts.from_profiles("a-*")
    assert [(account.name, account.id) for account in found] == [
        ("a-one", first),
        ("a-three", third),
        ("a-two", second),
    ]


def test_a_process_that_says_its_account_needs_no_call(configure, monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")  # a call would fail
    says = process(("Version", 1), ("AccessKeyId", "AKIA"), ("SecretAccessKey", "s"), ("AccountId", A)).replace(
        '"', "'"
    )
    says = says.replace("'import", '"import').removesuffix("'") + '"'
    configure(f"[profile ours]\n{says}\n")
    assert accounts.from_profiles("ours")[0].id == A


def test_a_profile_that_gives_no_account_is_named(configure):
    configure("[profile ours]\nregion = eu-west-1\n", "")
    with pytest.raises(
        CredentialError, match="profile 'ours' does not say its account, and asking for it failed: no cred"
    ):
        accounts.from_profiles("ours")


def test_load_takes_profiles(configure):
    assert [account.id for account in accounts.load("profile:prod-web, keys")] == [C, A]
    with pytest.raises(CredentialError):
        accounts.load("profile:")
