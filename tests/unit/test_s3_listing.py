"""Listings: pages read from any XML as botocore reads them, pages followed to the end, and many calls at once."""

from __future__ import annotations

import pickle
import threading
from datetime import datetime, timezone
from urllib.parse import quote, quote_plus
from xml.sax.saxutils import escape

import pytest
from botocore.parsers import create_parser
from botocore.session import get_session
from hypothesis import given, settings
from hypothesis import strategies as st

from mangrove.errors import ConfigError, IncompleteTransferError, NotFoundError, TransferError
from mangrove.s3.engines.base import Call, Reply
from mangrove.s3.engines.memory import MemoryEngine
from mangrove.s3.listing import list_objects
from mangrove.s3.pages import Listed, Prefix, _of_data, _of_document, page_of
from mangrove.s3.rules.policy import Policy
from mangrove.s3.running.performing import Performer, Settings
from mangrove.s3.running.retrying import Retrying
from mangrove.s3.spreading import list_spread, split

SHAPE = get_session().get_service_model("s3").operation_model("ListObjectsV2").output_shape
KEYS = st.text(st.characters(blacklist_categories=("Cs",)), min_size=1, max_size=12)
PLAIN = KEYS.filter(lambda text: all(char >= " " and char not in "\ufffe\uffff\x7f" for char in text))


def parsed(document):
    raw = {"status_code": 200, "headers": {}, "body": document}
    return create_parser("rest-xml").parse(raw, SHAPE)


def told(page):
    return (
        [(type(each), str(each), *told_of(each)) for each in page.items],
        page.truncated,
        page.following,
    )


def told_of(item):
    return () if isinstance(item, Prefix) else (item.size, item.etag, item.storage_class, item.last_modified)


def document(entries, prefixes=(), *, order=(0, 1, 2, 3, 4), url=True, extra=(), first=True):
    encode = quote_plus if url else str
    objects = "".join(
        "<Contents>"
        + "".join(
            [
                f"<Key>{escape(encode(key))}</Key>",
                f"<Size>{size}</Size>",
                "<LastModified>2026-11-22T01:02:03.000Z</LastModified>",
                "<ETag>&quot;8b1a9953c4611296a827abf8c47804d7&quot;</ETag>",
                "<StorageClass>STANDARD</StorageClass>",
            ][place]
            + (extra[place % len(extra)] if extra and size % 2 else "")
            for place in order
        )
        + "</Contents>"
        for key, size in entries
    )
    common = "".join(f"<CommonPrefixes><Prefix>{escape(encode(each))}</Prefix></CommonPrefixes>" for each in prefixes)
    about = "<Name>b</Name><IsTruncated>true</IsTruncated><NextContinuationToken>t&amp;=</NextContinuationToken>"
    about += "<EncodingType>url</EncodingType>" if url else ""
    body = about + objects + common if first else objects + common + about
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<ListBucketResult xmlns="http://x/">{body}</ListBucketResult>'


EXTRA = (
    "<Owner><ID>a</ID><DisplayName>b&lt;</DisplayName></Owner>",
    "<ChecksumAlgorithm>CRC32</ChecksumAlgorithm>",
    "",
)


@settings(deadline=None)
@given(
    st.lists(st.tuples(PLAIN, st.integers(0, 2**50)), max_size=5),
    st.lists(PLAIN, max_size=3),
    st.permutations(range(5)),
    st.booleans(),
    st.booleans(),
    st.sampled_from([(), EXTRA]),
)
def test_the_fast_reader_reads_what_botocore_reads(entries, prefixes, order, url, first, extra):
    text = document(entries, prefixes, order=order, url=url, extra=extra, first=first).encode()

    fast = _of_document(text)

    assert fast is not None
    assert told(fast) == told(_of_data(parsed(text)))
    assert {str(each) for each in fast.items} == {*(key for key, _ in entries), *prefixes}


@settings(deadline=None)
@given(st.lists(KEYS, min_size=1, max_size=5))
def test_url_encoding_brings_any_character(keys):
    text = document([(key, 1) for key in keys]).encode()

    assert [str(each) for each in _of_document(text).items] == keys


@pytest.mark.parametrize(
    "change",
    [
        ("<Contents>", "<Contents><!-- <Key>no</Key> -->"),
        ("<Contents>", "<Contents >"),
        ("<Contents>", "\n  <Contents>\n"),
        ("<Key>a</Key>", "<Key><![CDATA[a]]></Key>"),
        ("<Key>a</Key>", "<Key>a</Key><New><Key>b</Key></New>"),
        ("<Key>a</Key>", "<Key>&#97;</Key>"),
        ("<StorageClass>STANDARD</StorageClass>", "<StorageClass/>"),
        ("<StorageClass>STANDARD</StorageClass>", ""),
        ("<Size>1</Size>", "<Size>\n1</Size>"),
        ('encoding="UTF-8"', 'encoding="utf-8"'),
    ],
)
def test_what_is_unusual_is_read_by_a_real_parser_too(change):
    text = document([("a", 1), ("b", 2), ("c", 3)], ["p/"])
    old, new = change
    for changed in (text.replace(old, new), text.replace(old, new, 1)):

        class Answer(Reply):
            document = changed.encode()

        page = page_of(Answer(200, parsed(changed.encode())))

        assert told(page) == told(_of_data(parsed(changed.encode())))
        assert [str(each) for each in page.items] == ["a", "b", "c", "p/"]


def test_another_encoding_and_a_cut_document_are_left_to_the_parser():
    text = document([("a", 1), ("ä", 2)], url=False)

    assert _of_document(text.replace("UTF-8", "ISO-8859-1").encode("latin-1")) is None
    assert _of_document(text.replace("UTF-8", "ISO-8859-1").encode()) is None
    assert _of_document(text[:-30].encode()) is None
    assert _of_document(text[: text.rfind("<Size>")].encode()) is None
    assert _of_document(b"<html></html>") is None
    assert _of_document(text.replace("<Size>1<", "<Size>one<").encode()) is None
    assert _of_document(text.replace("<Key>a<", "<Key>&nope;<").encode()) is None


def test_a_key_that_is_no_utf8_is_a_key():
    text = document([("a", 1)]).replace("<Key>a<", "<Key>a%FF<").encode()

    assert [str(each) for each in _of_document(text).items] == ["a\udcff"]


def test_a_listed_key_is_a_string_with_details():
    page = _of_document(document([("a b", 7)], order=(4, 3, 2, 1, 0)).encode())
    (key,) = page.items

    assert key == "a b"
    assert {key: 1}["a b"] == 1
    assert (key.key, key.size, key.etag) == ("a b", 7, '"8b1a9953c4611296a827abf8c47804d7"')
    assert type(key.key) is str
    assert key.last_modified == datetime(2026, 11, 22, 1, 2, 3, tzinfo=timezone.utc)
    assert (key.storage_class, key.version_id, key.is_latest, key.is_delete_marker) == ("STANDARD", None, True, False)
    again = pickle.loads(pickle.dumps(key))
    assert (again, again.size, type(again)) == (key, 7, Listed)


# -- pages -------------------------------------------------------------------------------------------------------------


class Bucket:
    """Be a bucket in memory, with a performer that counts calls."""

    def __init__(self, keys=(), engine=None):
        self.engine = MemoryEngine() if engine is None else engine
        self.calls = []
        self.engine.perform(Call("CreateBucket", {"Bucket": "bucket"}))
        for key in keys:
            self.put(key)
        self.slept = []
        self.performer = Performer(self, Retrying(Policy(), 10), Settings(), sleep=self.slept.append)
        self.before = lambda _: None

    def put(self, key, body=b"x", bucket="bucket"):
        self.engine.perform(Call("PutObject", {"Bucket": bucket, "Key": key}, body=body))

    def perform(self, call):
        self.calls.append(call)
        self.before(call)
        return self.engine.perform(call)

    def delete(self, key, **more):
        self.engine.perform(Call("DeleteObject", {"Bucket": "bucket", "Key": key, **more}))


HOSTILE = sorted(["a b", "a+b", "a%20b", "a&<>'\"", "a\nb", "a\rb", "a\x01b", "a/b/c", "a/b/d", "é", "\U0001f600", "/"])


def test_a_listing_has_all_keys_whatever_their_characters():
    bucket = Bucket(HOSTILE)

    assert list(list_objects(bucket.performer, "bucket", page_size=5)) == HOSTILE
    assert len(bucket.calls) == 3


def test_common_prefixes_come_between_the_keys_in_order():
    bucket = Bucket(["a/b/c", "a/d", "a/e/f", "a/e/g", "b"])

    found = list(list_objects(bucket.performer, "bucket", "a/", "/", page_size=2))

    assert found == ["a/b/", "a/d", "a/e/"]
    assert [type(each) for each in found] == [Prefix, Listed, Prefix]


def test_p7_each_page_is_tried_again_alone():
    bucket = Bucket([f"{number:02}" for number in range(10)])
    answers = iter([0, 1, 1, 0, 0, 0, 0])

    def before(call):
        if next(answers):
            error = {"Error": {"Code": "SlowDown", "Message": ""}, "ResponseMetadata": {"HTTPStatusCode": 503}}
            from botocore.exceptions import ClientError

            raise ClientError(error, call.operation)

    bucket.before = before

    assert len(list(list_objects(bucket.performer, "bucket", page_size=3))) == 10
    assert len(bucket.calls) == 6
    assert len(bucket.slept) == 2


def test_versions_and_delete_markers_are_one_list_the_newest_first():
    bucket = Bucket()
    versioning = {"Bucket": "bucket", "VersioningConfiguration": {"Status": "Enabled"}}
    bucket.engine.perform(Call("PutBucketVersioning", versioning))
    for key in ("b", "a", "b"):
        bucket.put(key)
    bucket.delete("b")

    found = list(list_objects(bucket.performer, "bucket", versions=True, page_size=2))

    assert found == ["a", "b", "b", "b"]
    assert [each.is_delete_marker for each in found] == [False, True, False, False]
    assert [each.is_latest for each in found] == [True, True, False, False]
    assert len({each.version_id for each in found}) == 4
    assert list(list_objects(bucket.performer, "bucket")) == ["a"]


class Telling:
    """Answer every call with the same data."""

    def __init__(self, data):
        self.data = data

    def perform(self, call):
        return Reply(200, self.data)


@pytest.mark.parametrize(
    ("data", "says"),
    [
        ({"IsTruncated": True, "Contents": [{"Key": "a", "Size": 1}]}, "but not where"),
        ({"IsTruncated": True, "NextContinuationToken": "t"}, "go on where it began"),
        ({}, "no IsTruncated"),
    ],
)
def test_a_damaged_page_is_an_error_and_no_end(data, says):
    performer = Performer(Telling(data), Retrying(Policy(), 10), Settings())

    with pytest.raises(IncompleteTransferError, match=says):
        list(list_objects(performer, "bucket"))


def test_bad_arguments_fail_before_the_first_call():
    bucket = Bucket()
    for wrong in ({"prefix": 1}, {"prefix": "\ud800"}, {"delimiter": b"/"}, {"page_size": 0}, {"start_after": 1}):
        with pytest.raises(ConfigError):
            list_objects(bucket.performer, "bucket", **wrong)
    with pytest.raises(ConfigError):
        list_objects(bucket.performer, "no bucket/")
    with pytest.raises(ConfigError):
        list_spread(bucket.performer, "bucket", threads=0)
    assert not bucket.calls
    with pytest.raises(NotFoundError):
        list(list_objects(bucket.performer, "another"))


# -- many calls at once ------------------------------------------------------------------------------------------------


@given(KEYS, KEYS, st.text("ab/", max_size=2), st.integers(1, 20), st.frozensets(st.characters(), max_size=6))
def test_cuts_are_between_and_in_order(one, two, prefix, count, seen):
    low, high = sorted((one, two))
    for end in (prefix + high, None):
        cuts = split(prefix + low, end, prefix, count, seen)

        assert cuts == sorted(set(cuts))
        assert len(cuts) <= count
        for cut in cuts:
            assert cut.startswith(prefix)
            assert cut > prefix + low
            assert end is None or cut < end
            cut.encode()


@settings(deadline=None, max_examples=40)
@given(st.sets(st.text("ab/\x00é~\U0001f600 0", min_size=1, max_size=6), max_size=60), st.sampled_from(["", "a", "a/"]))
def test_a_spread_listing_is_the_plain_one(keys, prefix):
    bucket = Bucket(keys)

    found = list(list_spread(bucket.performer, "bucket", prefix, threads=4, page_size=2))

    assert found == sorted(key for key in keys if key.startswith(prefix))


def test_a_spread_listing_begins_after_a_key_and_ends_early():
    keys = [f"2026/{number:03}" for number in range(200)]
    bucket = Bucket(keys)

    assert list(list_spread(bucket.performer, "bucket", start_after=keys[50], page_size=7)) == keys[51:]

    listing = list_spread(bucket.performer, "bucket", page_size=7)
    assert [next(listing) for _ in range(20)] == keys[:20]
    listing.close()
    for thread in threading.enumerate():
        if thread.name.startswith("mangrove-s3-list"):
            thread.join(10)
            assert not thread.is_alive()


def test_an_error_of_a_thread_ends_the_spread_listing():
    bucket = Bucket([f"{number:03}" for number in range(50)])
    bucket.before = lambda _: (0 for _ in ()).throw(OSError("no")) if len(bucket.calls) > 5 else None

    with pytest.raises(OSError, match="no"):
        list(list_spread(bucket.performer, "bucket", page_size=2))


class Disorderly(MemoryEngine):
    """List as servers do that keep a tree of folders: what is in a folder comes before names that go on after it."""

    def perform(self, call):
        if call.operation != "ListObjectsV2":
            return super().perform(call)
        params = {name: value for name, value in call.params.items() if name not in ("StartAfter", "ContinuationToken")}
        reply = super().perform(Call(call.operation, {**params, "MaxKeys": 1000, "Prefix": ""}))
        after = call.params.get("ContinuationToken", call.params.get("StartAfter", ""))
        entries = [
            each
            for each in sorted(reply.data["Contents"], key=lambda each: each["Key"].split("/"))
            if each["Key"].split("/") > after.split("/") and each["Key"].startswith(call.params.get("Prefix", ""))
        ]
        most = call.params.get("MaxKeys", 1000)
        more = {"NextContinuationToken": entries[most - 1]["Key"]} if len(entries) > most else {}
        return Reply(200, {"Contents": entries[:most], "IsTruncated": len(entries) > most, **more})


def test_a_server_with_another_order_is_found_out_rather_than_keys_lost():
    keys = [f"a/{number:03}" for number in range(40)] + [f"a-{number:03}" for number in range(40)]
    bucket = Bucket(keys, Disorderly())

    # The first page shows it: one call after the other.
    assert sorted(list_spread(bucket.performer, "bucket", threads=4, page_size=60)) == sorted(keys)

    assert sorted(list_objects(bucket.performer, "bucket", page_size=3)) == sorted(keys)
    with pytest.raises(TransferError, match="another order"):
        list(list_spread(bucket.performer, "bucket", threads=4, page_size=3))


def test_quoting_by_percent_alone_is_read_too():
    text = document([("a", 1)]).replace("<Key>a<", f"<Key>{quote('ä b+c')}<").encode()

    assert list(_of_document(text).items) == ["ä b+c"]


@pytest.mark.parametrize("eager", [True, False], ids=["the client's parser", "the lean engine's answer"])
def test_what_is_no_xml_is_an_error_of_ours_that_says_what_came(eager):
    """Proxies and web consoles answer 200 to everything."""

    class Portal:
        calls = 0

        def perform(self, call):
            self.calls += 1
            call.sent = True
            if eager:
                parsed(b"Please log in" + b"!" * 1000)
            return Unread(200)

    class Unread(Reply):
        document = b"Please log in" + b"!" * 1000

        @property
        def data(self):
            return parsed(self.document)

    portal, naps = Portal(), []
    retrying = Retrying(Policy(), 8, clock=lambda: sum(naps))
    performer = Performer(portal, retrying, Settings(), naps.append)
    with pytest.raises(TransferError) as caught:
        list(list_objects(performer, "logs", "2026/"))

    message = str(caught.value)
    assert type(caught.value) is IncompleteTransferError
    assert "s3://logs/2026/" in message
    assert "Please log in!!" in message
    assert len(message) < 300
    assert portal.calls > 1
