"""Buckets and keys: what can be passes, what can't is refused with a reason, and URLs are read raw."""

from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mangrove.errors import ConfigError, DeclarationTypeError, InvalidArnError
from mangrove.s3.rules import names

ACCOUNT = "123456789012"


PURE = """
    outcome files.root rules.names rules.checksums rules.crc rules.integrity rules.plan rules.policy rules.windows
    rules.options rules.given rules.headers rules.content_types rules.paths rules.patterns
""".split()


@pytest.mark.parametrize("module", PURE)
def test_the_pure_floor_needs_no_boto3(module):
    script = (
        f"import sys; import mangrove.s3.{module}; print(*[m for m in sys.modules if m.startswith(('boto', 'awscrt'))])"
    )
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert run.stdout.split() == []


@pytest.mark.parametrize(
    ("bucket", "kind"),
    [
        ("abc", "general"),
        ("a.b-c9", "general"),
        ("a" * 63, "general"),
        ("My_Old_Bucket", "general"),
        ("a" * 255, "general"),
        ("amzn-s3-demo-bucket", "general"),
        ("my-point-hrzrlukc5m36ft7okagglf3gmwluquse1b-s3alias", "general"),
        ("my-lambda-01234567890abcdefghijkl--ol-s3", "general"),
        ("0123abcd--table-s3", "general"),
        ("base--usw2-az1--x-s3", "directory"),
        ("base--usw2-den1-az1--x-s3", "directory"),
        ("point--usw2-az1--xa-s3", "directory"),
        (f"arn:aws:s3:us-west-2:{ACCOUNT}:accesspoint/test", "access-point"),
        (f"arn:aws:s3:us-west-2:{ACCOUNT}:accesspoint:test", "access-point"),
        (f"arn:aws-cn:s3:cn-north-1:{ACCOUNT}:accesspoint/test", "access-point"),
        (f"arn:aws-us-gov:s3:us-gov-west-1:{ACCOUNT}:accesspoint/test", "access-point"),
        (f"arn:aws:s3::{ACCOUNT}:accesspoint/mfzwi23gnjvgw.mrap", "multi-region"),
        (f"arn:aws:s3-object-lambda:us-west-2:{ACCOUNT}:accesspoint/my-lambda", "object-lambda"),
        (f"arn:aws:s3-outposts:us-west-2:{ACCOUNT}:outpost/op-01234567890123456/accesspoint/test", "outposts"),
        (f"arn:aws:s3-outposts:us-west-2:{ACCOUNT}:outpost:op-01234567890123456:accesspoint:test", "outposts"),
    ],
)
def test_what_stands_for_a_bucket(bucket, kind):
    assert names.check_bucket(bucket) == kind
    names.check(bucket, "key")


@pytest.mark.parametrize(
    ("bucket", "says"),
    [
        ("", "3 to 63"),
        ("ab", "3 to 63"),
        ("...", "3 to 63"),
        ("-_-", "3 to 63"),
        ("a" * 256, "256 characters"),
        ("logs\n", "3 to 63"),
        ("lögs", "3 to 63"),
        ("logs\u0661", "3 to 63"),
        ("logs 1", "3 to 63"),
        ("logs/key", "no slash"),
        ("logs?x", "3 to 63"),
        ("logs@evil.example", "3 to 63"),
        ("192.168.5.4", "IP address"),
        ("base--x-s3", "directory bucket"),
        ("Base--usw2-az1--x-s3", "directory bucket"),
        ("a.b--usw2-az1--x-s3", "directory bucket"),
        ("b" * 50 + "--usw2-az1--x-s3", "directory bucket"),
        ("mfzwi23gnjvgw.mrap", "by its ARN"),
        ("arn:aws:s3:::logs", "give 'logs'"),
        ("arn:aws:s3:::logs/key", "give 'logs'"),
        (f"arn:aws:s3:us-west-2:{ACCOUNT}:bucket/test", "access points"),
        (f"arn:aws:s3:us-west-2:{ACCOUNT}:accesspoint/te_st", "no access point"),
        (f"arn:aws:s3:us-west-2:{ACCOUNT}:accesspoint/test/x", "no access point"),
        (f"arn:aws:s3::{ACCOUNT}:accesspoint/test", "has a Region"),
        ("arn:aws:s3:us-west-2::accesspoint/test", "account"),
        (f"arn:aws:sqs:us-west-2:{ACCOUNT}:accesspoint/test", "access points"),
        (f"arn:aws:s3-outposts:us-west-2:{ACCOUNT}:outpost/op-1/bucket/test", "on Outposts"),
        (f"arn:aws:s3-outposts::{ACCOUNT}:outpost/op-1/accesspoint/test", "on Outposts"),
    ],
)
def test_no_bucket(bucket, says):
    for _ in range(2):
        with pytest.raises(ConfigError, match=says):
            names.check_bucket(bucket)
        with pytest.raises(ConfigError, match=says):
            names.check(bucket, "key")


@pytest.mark.parametrize(
    "bucket",
    [
        f"arn:evil:s3:us-west-2:{ACCOUNT}:accesspoint/test",
        f"arn:aws:s3:cn-north-1:{ACCOUNT}:accesspoint/test",
        "arn:aws:s3:us-west-2:1234:accesspoint/test",
        f"arn:aws:s3:us-west-2@evil:{ACCOUNT}:accesspoint/test",
        f"arn:aws:s3:us-west-2:{ACCOUNT}:accesspoint/test\n",
        "arn:aws",
    ],
)
def test_no_arn(bucket):
    with pytest.raises(InvalidArnError):
        names.check(bucket, "key")


@pytest.mark.parametrize("bucket", [None, 1, b"logs", ["logs"], {}])
def test_a_bucket_is_a_string(bucket):
    with pytest.raises(DeclarationTypeError, match="a bucket is a string"):
        names.check(bucket, "key")


def test_the_cache_of_good_buckets_is_bounded():
    for number in range(10_000):
        names.check(f"bucket-{number}", "key")
    assert len(names._good) <= names._MOST_KEPT


@pytest.mark.parametrize(
    "bucket",
    [
        "Logs",
        "a_b",
        "a" * 64,
        "-logs",
        "logs-",
        "lo..gs",
        "xn--logs",
        "sthree-x",
        "amzn-s3-demo-x",
        "x-s3alias",
        "x--ol-s3",
        "x--table-s3",
        "point--usw2-az1--xa-s3",
        f"arn:aws:s3:us-west-2:{ACCOUNT}:accesspoint/test",
    ],
)
def test_no_new_bucket(bucket):
    with pytest.raises(ConfigError, match="no new bucket can be"):
        names.check_new_bucket(bucket)


def test_new_buckets():
    assert names.check_new_bucket("logs.2026") == "general"
    assert names.check_new_bucket("logs--usw2-az1--x-s3") == "directory"


@pytest.mark.parametrize("key", ["a", "/", "..", "a//b", "é" * 512, "a" * 1024, "\x00", "a\nb", "🌍", "?#%2F*"])
def test_keys(key):
    names.check("logs", key)


@pytest.mark.parametrize(
    ("key", "says"),
    [
        ("", "empty"),
        ("a" * 1025, "1025 bytes"),
        ("é" * 513, "1026 bytes"),
        ("a\ud800", "lone surrogate at character 2"),
        ("\udcff" * 2000, "lone surrogate at character 1"),
    ],
)
def test_no_key(key, says):
    with pytest.raises(ConfigError, match=says):
        names.check("logs", key)


@pytest.mark.parametrize("key", [None, 1, b"key", ["key"]])
def test_a_key_is_a_string(key):
    with pytest.raises(DeclarationTypeError, match="a key is a string"):
        names.check("logs", key)


@given(st.text())
def test_a_key_passes_if_s3_takes_its_bytes(key):
    try:
        fits = 1 <= len(key.encode()) <= 1024
    except UnicodeEncodeError:
        fits = False
    if fits:
        names.check("logs", key)
    else:
        with pytest.raises(ConfigError):
            names.check("logs", key)


@pytest.mark.parametrize(
    ("url", "bucket", "key"),
    [
        ("s3://logs", "logs", ""),
        ("s3://logs/", "logs", ""),
        ("s3://logs//a", "logs", "/a"),
        ("s3://logs/a%20b?x#y*[z]", "logs", "a%20b?x#y*[z]"),
        ("s3://logs/ü/😀", "logs", "ü/😀"),
        ("s3://logs/arn:aws:s3:::x", "logs", "arn:aws:s3:::x"),
        *[
            (
                f"s3://arn:aws:s3:us-west-2:{ACCOUNT}:accesspoint/test{rest}",
                f"arn:aws:s3:us-west-2:{ACCOUNT}:accesspoint/test",
                key,
            )
            for rest, key in [("", ""), ("/", ""), ("/a/b", "a/b"), ("/a:b", "a:b")]
        ],
        (f"s3://arn:aws:s3::{ACCOUNT}:accesspoint/mfzwi.mrap/k", f"arn:aws:s3::{ACCOUNT}:accesspoint/mfzwi.mrap", "k"),
        (
            f"s3://arn:aws:s3-outposts:us-west-2:{ACCOUNT}:outpost/op-1/accesspoint/test/k/l",
            f"arn:aws:s3-outposts:us-west-2:{ACCOUNT}:outpost/op-1/accesspoint/test",
            "k/l",
        ),
    ],
)
def test_urls(url, bucket, key):
    assert names.parse_url(url) == (bucket, key)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "logs/key",
        "s3:/logs",
        "S3://logs",
        "https://logs/key",
        "s3://",
        "s3:///key",
        "s3://lo gs/key",
        "s3://logs/" + "a" * 1025,
        f"s3://arn:aws:s3:us-west-2:{ACCOUNT}:bucket/x",
    ],
)
def test_no_url(url):
    with pytest.raises(ConfigError):
        names.parse_url(url)


def test_what_is_meant_as_a_url():
    assert names.is_url("S3://x")
    assert not names.is_url("s3/x")
    assert not names.is_url(None)


@given(st.text(min_size=1, max_size=200).filter(lambda text: text.isprintable()))
def test_the_key_of_a_url_is_raw(key):
    assert names.parse_url(f"s3://logs/{key}") == ("logs", key)
