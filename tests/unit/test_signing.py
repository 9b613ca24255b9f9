"""Signatures and headers: what the quick classes make equals what botocore's own make."""

from __future__ import annotations

import logging

import botocore.auth
import pytest
from botocore.auth import AUTH_TYPE_MAPS
from botocore.awsrequest import AWSRequest, HeadersDict
from botocore.compat import HTTPHeaders
from botocore.config import Config
from botocore.credentials import Credentials
from botocore.exceptions import NoCredentialsError
from botocore.hooks import HierarchicalEmitter
from botocore.model import ServiceId
from botocore.signers import RequestSigner
from hypothesis import given, settings
from hypothesis import strategies as st

from mangrove.aws import signing
from mangrove.aws.headers import QuickHeaders, QuickHeadersDict
from mangrove.aws.requests import QuickRequest
from mangrove.aws.signing import QuickSigner

NAME = st.sampled_from(["X-Amz-Meta-a", "x-amz-meta-b", "Content-Type", "Expect", "User-Agent", "Host", "Date", "TE"])
VALUE = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x17F, exclude_characters="\x7f\x85\xa0"), max_size=12)
PATH = st.text(st.sampled_from("ab/.~%+ é"), max_size=12)
QUERY = st.text(st.sampled_from("ab=&%2F+"), max_size=12)
BODY = st.one_of(
    st.none(), st.binary(max_size=20), st.dictionaries(st.text(max_size=3), st.text(max_size=3), max_size=3)
)


@pytest.fixture(autouse=True)
def _clock(monkeypatch):
    import datetime as dt

    now = dt.datetime(2026, 11, 22, 17, 0, 1)
    if hasattr(botocore.auth, "get_current_datetime"):
        monkeypatch.setattr(botocore.auth, "get_current_datetime", lambda: now)
    else:

        class Fixed(dt.datetime):
            @classmethod
            def utcnow(cls):
                return now

        monkeypatch.setattr(botocore.auth.datetime, "datetime", Fixed)


def signed(signer_class, request_class, version, given_request, token="token"):
    emitter = HierarchicalEmitter()
    credentials = Credentials("AKID", "secret", token)
    signer = signer_class(ServiceId("svc"), "eu-west-1", "svc", version, credentials, emitter)
    answers = []
    for _ in range(2):  # a key that was kept signs as one that was made
        request = request_class(**given_request)
        request.context = {"client_config": Config(), "auth_type": None}
        signer.sign("Operation", request)
        answers.append((request.url, request.headers.items()))
    assert answers[0] == answers[1]
    return answers[0]


@settings(max_examples=200, deadline=None)
@given(
    version=st.sampled_from(["v4", "s3v4", "v4-query", "s3v4-query", "v3", "v2"]),
    method=st.sampled_from(["GET", "PUT", "post"]),
    path=PATH,
    query=QUERY,
    headers=st.dictionaries(NAME, VALUE, max_size=5),
    data=BODY,
    params=st.dictionaries(st.text(max_size=3), st.text(max_size=3), max_size=2),
    host=st.sampled_from(["https://h.example", "https://H.Example:443", "http://h:8080", "https://[::1]:9"]),
    token=st.sampled_from([None, "token"]),
)
def test_a_signature_is_botocores_own(version, method, path, query, headers, data, params, host, token):
    if version == "v2" and not data:
        data = {"a": "b"}
    if version == "v2" and isinstance(data, bytes):
        data = None
    request = {"method": method, "url": f"{host}/{path}?{query}", "headers": headers, "data": data, "params": params}

    def run(signer, kind):
        try:
            given_request = {**request, "data": dict(data) if isinstance(data, dict) else data}
            return signed(signer, kind, version, given_request, token)
        except Exception as error:  # noqa: BLE001
            return type(error), str(error)

    assert run(QuickSigner, QuickRequest) == run(RequestSigner, AWSRequest)


def test_the_quick_classes_are_used_for_botocores_own_alone(monkeypatch):
    def auth_of(version="v4"):
        emitter = HierarchicalEmitter()
        signer = QuickSigner(ServiceId("s"), "eu-west-1", "s", version, Credentials("a", "b"), emitter)
        return type(signer.get_auth_instance("s", "eu-west-1", version))

    assert auth_of() is not botocore.auth.SigV4Auth
    assert issubclass(auth_of(), botocore.auth.SigV4Auth)
    assert issubclass(auth_of("s3v4"), botocore.auth.S3SigV4Auth)

    class Own(botocore.auth.SigV4Auth):
        pass

    with monkeypatch.context() as patched:
        patched.setitem(AUTH_TYPE_MAPS, "v4", Own)
        assert auth_of() is Own
    with monkeypatch.context() as patched:
        patched.setattr(logging.getLogger("botocore.auth"), "level", logging.DEBUG)
        logging.getLogger("botocore.auth").manager._clear_cache()
        assert auth_of() is botocore.auth.SigV4Auth
    logging.getLogger("botocore.auth").manager._clear_cache()


def test_a_botocore_that_signs_differently_signs_itself(monkeypatch):
    monkeypatch.setattr(botocore.auth.SigV4Auth, "scope", lambda *_: "another scope")
    signing._trusted.cache_clear()
    try:
        assert signing._trusted() == {}
    finally:
        monkeypatch.undo()
        signing._trusted.cache_clear()
    assert signing._trusted()


def test_no_credentials_is_botocores_error():
    emitter = HierarchicalEmitter()
    signer = QuickSigner(ServiceId("s"), "eu-west-1", "s", "v4", None, emitter)
    request = QuickRequest(method="GET", url="https://h/")
    with pytest.raises(NoCredentialsError):
        signer.sign("Operation", request)


def test_keys_are_kept_for_one_secret_day_region_and_service():
    emitter = HierarchicalEmitter()
    credentials = Credentials("AKID", "one")
    signer = QuickSigner(ServiceId("s"), "eu-west-1", "s", "v4", credentials, emitter)

    def signature():
        request = QuickRequest(method="GET", url="https://h/")
        signer.sign("Operation", request)
        return request.headers["Authorization"]

    first = signature()
    credentials.secret_key = "two"
    assert signature() != first
    credentials.secret_key = "one"
    assert signature() == first
    assert "one" not in repr(vars(signer)["_keys"])
    assert len(vars(signer)["_keys"]) == 1  # a secret that is no longer used is not kept


FIELDS = st.lists(
    st.tuples(st.sampled_from(["A", "a", "B-c", "b-C"]), st.one_of(VALUE, st.binary(max_size=3))), max_size=6
)


@given(FIELDS)
def test_a_requests_headers_are_botocores(fields):
    ours, theirs = QuickHeaders(), HTTPHeaders()
    for name, value in fields:
        ours[name] = theirs[name] = value
    assert isinstance(ours, HTTPHeaders)
    assert ours.items() == theirs.items()
    for name in ("a", "B-C", "none"):
        assert (ours.get(name), ours[name], ours.get_all(name)) == (
            theirs.get(name),
            theirs[name],
            theirs.get_all(name),
        )
        assert (name in ours) == (name in theirs)
        del ours[name], theirs[name]
        assert ours.items() == theirs.items()


@given(FIELDS, FIELDS)
def test_prepared_headers_are_botocores(fields, more):
    ours, theirs = QuickHeadersDict.of(fields), HeadersDict(fields)
    for name, value in more:
        ours[name] = theirs[name] = value
    assert isinstance(ours, HeadersDict)
    assert (list(ours.items()), list(ours), len(ours)) == (list(theirs.items()), list(theirs), len(theirs))
    assert ours == theirs
    assert repr(ours) == repr(theirs)
    assert dict(ours.copy()) == dict(theirs)
    assert ("b-c" in ours, ours.get("b-c"), ours.get("x", 1)) == (
        "b-c" in theirs,
        theirs.get("b-c"),
        theirs.get("x", 1),
    )
    for name in list(ours):
        del ours[name.swapcase()]
    assert not ours
    with pytest.raises(KeyError):
        ours["a"]
