"""Errors of S3 and of its transport: of which class users get each, whoever they expect to raise it."""

from __future__ import annotations

import pickle

import pytest
from botocore import exceptions as theirs
from botocore.exceptions import ClientError

from mangrove import errors, s3
from mangrove.s3.rules.faults import kind_of, raised

LATER = [name for name in ("LoginRefreshRequired", "LoginTokenLoadError") if hasattr(theirs, name)]


@pytest.mark.parametrize(
    ("error", "ours"),
    [
        (theirs.NoCredentialsError(), errors.CredentialError),
        (theirs.PartialCredentialsError(provider="env", cred_var="aws_secret_access_key"), errors.CredentialError),
        (theirs.CredentialRetrievalError(provider="custom-process", error_msg="exit 1"), errors.CredentialError),
        (theirs.RefreshWithMFAUnsupportedError(), errors.CredentialError),
        (theirs.UnauthorizedSSOTokenError(), errors.LoginRequiredError),
        (theirs.SSOTokenLoadError(error_msg="no such file"), errors.LoginRequiredError),
        (theirs.TokenRetrievalError(provider="sso", error_msg="expired"), errors.LoginRequiredError),
        (theirs.ProfileNotFound(profile="none"), errors.ConfigError),
        (theirs.NoRegionError(), errors.ConfigError),
        *((getattr(theirs, name)(error_msg="gone", provider="login"), errors.LoginRequiredError) for name in LATER),
    ],
    ids=lambda value: value.__name__ if isinstance(value, type) else type(value).__name__,
)
def test_what_is_wrong_with_credentials_or_settings_is_no_failed_transfer(error, ours):
    made = raised(error)

    assert isinstance(made, ours)
    assert isinstance(made, type(error))
    assert not isinstance(made, errors.TransferError)
    assert str(made).startswith(str(error))
    assert kind_of(made) == "fatal"
    copy = pickle.loads(pickle.dumps(made))
    assert (isinstance(copy, ours), isinstance(copy, type(error)), str(copy)) == (True, True, str(made))


def test_messages_say_what_to_do():
    assert "profile_name=" in str(raised(theirs.NoCredentialsError()))
    assert "aws sso login" in str(raised(theirs.SSOTokenLoadError(error_msg="no such file")))
    assert str(raised(theirs.UnauthorizedSSOTokenError())).count("aws sso login") == 1


def test_an_answer_of_s3_stays_a_failed_transfer():
    response = {"Error": {"Code": "ExpiredToken"}, "ResponseMetadata": {"HTTPStatusCode": 400}}
    made = raised(ClientError(response, "PutObject"))
    assert isinstance(made, errors.TransferError)


@pytest.fixture(params=["auto", "boto"])
def bare(request):
    with s3.Connection(region_name="us-east-1", endpoint_url="http://127.0.0.1:9", engine=request.param) as made:
        yield made


USES = {
    "upload": lambda conn: conn.upload("bucket", "key", "x"),
    "a large upload": lambda conn: conn.upload("bucket", "key", bytes(17 << 20)),
    "download": lambda conn: conn.download("bucket", "key"),
    "list": lambda conn: list(conn.list("bucket")),
    "open": lambda conn: conn.open("bucket", "key"),
    "create_bucket": lambda conn: conn.create_bucket("bucket"),
    "url": lambda conn: conn.url("bucket", "key"),
    "delete_many": lambda conn: conn.delete_many("bucket", ["key"], raise_errors=False).failures[0].get(),
    "batch": lambda conn: conn.batch(raise_errors=False).upload("bucket", "key", "x").result(),
}


@pytest.mark.parametrize("use", USES.values(), ids=list(USES))
def test_no_credentials_are_said_wherever_they_are_needed(bare, use):
    with pytest.raises(errors.CredentialError) as caught:
        use(bare)
    assert isinstance(caught.value, theirs.NoCredentialsError)
    assert "public bucket" in str(caught.value)


@pytest.mark.parametrize("use", USES.values(), ids=list(USES))
def test_half_a_key_is_said(bare, use, monkeypatch):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
    with pytest.raises(errors.CredentialError) as caught:
        use(bare)
    assert isinstance(caught.value, theirs.PartialCredentialsError)


@pytest.mark.parametrize("engine", ["auto", "boto"])
def test_a_process_that_gives_no_credentials_is_said(engine, tmp_path, monkeypatch):
    config = tmp_path / "config"
    config.write_text("[default]\ncredential_process = /bin/false\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
    connection = s3.Connection(region_name="us-east-1", endpoint_url="http://127.0.0.1:9", engine=engine)
    with connection, pytest.raises(errors.CredentialError) as caught:
        connection.upload("bucket", "key", "x")
    assert isinstance(caught.value, theirs.CredentialRetrievalError)


def test_a_profile_that_is_not_there_is_a_wrong_argument():
    with pytest.raises(errors.ConfigError, match="none-such"):
        s3.Connection(profile_name="none-such").list("bucket")


def test_no_error_keeps_the_request_that_was_signed():
    error = theirs.ConnectionClosedError(request={"Authorization": "AKIAPLANTED"}, endpoint_url="http://s3", error="x")
    made = raised(error)
    assert b"AKIAPLANTED" not in pickle.dumps(made)
    assert (made.request, made.response) == (None, None)
    assert str(made) == str(error)


def test_damaged_bytes_are_told_by_botocores_name_too():
    error = theirs.FlexibleChecksumError(error_msg="Expected checksum a did not match calculated checksum: b")
    assert kind_of(error) == "damaged"
    assert isinstance(raised(error), errors.IntegrityError)


@pytest.mark.parametrize(("fields", "kind"), [({}, "expired"), ({"x-amz-bucket-region": "eu-west-1"}, "moved")])
def test_a_head_that_is_refused_without_a_word(fields, kind):
    answer = {"HTTPStatusCode": 400, "HTTPHeaders": fields}
    error = ClientError({"Error": {"Code": "400"}, "ResponseMetadata": answer}, "HeadObject")
    assert kind_of(error) == kind
