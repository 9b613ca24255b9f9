"""Listings: order, prefixes, groups, pages."""

from __future__ import annotations

from parity.harness import case

TREE = ("a", "b/1", "b/2", "b/c/3", "d", "e/4")


def pages(s3, operation="ListObjectsV2", **params):
    """Return the keys and groups of each page, following what leads to the next."""
    found, more = [], {}
    while len(found) < 20:
        s3(operation, **params, **more)
        answer = s3.answer
        names = [each["Key"] for each in answer.get("Contents", [])]
        groups = [each["Prefix"] for each in answer.get("CommonPrefixes", [])]
        found.append((names, groups))
        if not answer["IsTruncated"]:
            break
        if operation == "ListObjectsV2":
            more = {"ContinuationToken": answer["NextContinuationToken"]}
        else:
            more = {"Marker": answer.get("NextMarker") or names[-1]}
    return found


@case((200, None, None, 0, False, "BUCKET", ""), (200, None, False))
def empty_bucket(s3):
    yield s3("ListObjectsV2", "Contents CommonPrefixes KeyCount IsTruncated Name Prefix")
    yield s3("ListObjects", "Contents IsTruncated")


@case((200, ["a"], [1], ['"0cc175b9c0f1b6a831c399e269772661"'], 1, 1000))
def members_of_an_entry(s3):
    s3.put("a")
    yield s3("ListObjectsV2", "Contents.Key Contents.Size Contents.ETag KeyCount MaxKeys")


ORDER = ["!", "A", "Z", "a", "a!", "a/", "a/b", "a0", "z", "~", "é", "ÿ", "日", "\ue000", "😀"]


@case(ORDER, ["a", "a!", "a/", "a/b", "a0"])
def order_of_utf8(s3):
    s3.put(*reversed(ORDER))
    yield s3.keys()
    yield s3.keys(Prefix="a")


@case((["a", "d"], ["b/", "e/"]), (["b/1", "b/2"], ["b/c/"]), (["b/c/3"], []), ([], ["b/"]), ([], []))
def prefix_and_delimiter(s3):
    s3.put(*TREE)
    for prefix in ("", "b/", "b/c/", "b", "none/"):
        yield pages(s3, Prefix=prefix, Delimiter="/")[0]


@case((["x"], ["a--", "b--"]), (["--"], ["a--"]))
def other_delimiters(s3):
    s3.put("a--1", "a--2", "b--", "x")
    yield pages(s3, Delimiter="--")[0]
    s3("DeleteObject", Key="b--")
    s3("DeleteObject", Key="x")
    s3.put("--")
    yield (["--"], pages(s3, Delimiter="--", StartAfter="--")[0][1])


@case([(["a"], []), (["b/1"], []), (["b/2"], []), (["b/c/3"], []), (["d"], []), (["e/4"], [])])
def pages_of_one(s3):
    s3.put(*TREE)
    yield pages(s3, MaxKeys=1)


@case([(["a"], ["b/"]), (["d"], ["e/"])], [(["a"], []), ([], ["b/"]), (["d"], []), ([], ["e/"])])
def pages_with_groups(s3):
    s3.put(*TREE)
    yield pages(s3, MaxKeys=2, Delimiter="/")
    yield pages(s3, MaxKeys=1, Delimiter="/")


@case((200, 2, True, 2), (200, 4, False, 4))
def counts_of_pages(s3):
    s3.put(*TREE)
    yield s3("ListObjectsV2", "KeyCount IsTruncated MaxKeys", MaxKeys=2)
    yield s3("ListObjectsV2", "KeyCount IsTruncated MaxKeys", MaxKeys=4, Delimiter="/")


@case((200, 0, False, None))
def a_page_of_none(s3):
    s3.put("a")
    yield s3("ListObjectsV2", "KeyCount IsTruncated Contents", MaxKeys=0)


@case((200, "b/1", ["b/2", "b/c/3", "d", "e/4"]), (200, ["d", "e/4"]), (200, None))
def start_after(s3):
    s3.put(*TREE)
    yield s3("ListObjectsV2", "StartAfter Contents.Key", StartAfter="b/1")
    yield s3("ListObjectsV2", "Contents.Key", StartAfter="c")
    yield s3("ListObjectsV2", "Contents.Key", StartAfter="e/4")


@case((400, "InvalidArgument"))
def a_wrong_token(s3):
    yield s3("ListObjectsV2", ContinuationToken="none")


@case(["b", "c"], ["d"])
def keys_deleted_between_pages(s3):
    s3.put("a", "b", "c", "d")
    s3("ListObjectsV2", MaxKeys=1)
    token = s3.answer["NextContinuationToken"]
    s3("DeleteObject", Key="a")
    s3("ListObjectsV2", "Contents.Key", MaxKeys=2, ContinuationToken=token)
    yield [each["Key"] for each in s3.answer["Contents"]]
    s3("ListObjectsV2", MaxKeys=2, ContinuationToken=s3.answer["NextContinuationToken"])
    yield [each["Key"] for each in s3.answer["Contents"]]


@case((200, "url", ["a%2Bb+c", "%C3%A4/%25"]), (200, ["%C3%A4/"], "%C3%A4", "/"))
def names_in_url_encoding(s3):
    s3.put("a+b c", "ä/%")
    yield s3("ListObjectsV2", "EncodingType Contents.Key", EncodingType="url")
    yield s3("ListObjectsV2", "CommonPrefixes.Prefix Prefix Delimiter", EncodingType="url", Prefix="ä", Delimiter="/")


@case((200, None), (200, ["ID"]))
def owners(s3):
    s3.put("a")
    yield s3("ListObjectsV2", "Contents.Owner")[0], s3.answer["Contents"][0].get("Owner")
    s3("ListObjectsV2", FetchOwner=True)
    yield 200, [name for name in s3.answer["Contents"][0]["Owner"] if name == "ID"]


@case(
    (200, ["a", "d"], ["b/", "e/"]),
    [(["a"], ["b/"]), (["d"], ["e/"])],
    [(["a", "b/1", "b/2", "b/c/3"], []), (["d", "e/4"], [])],
    (200, ["d", "e/4"], "b/c/3"),
)
def the_older_form(s3):
    s3.put(*TREE)
    yield s3("ListObjects", "Contents.Key CommonPrefixes.Prefix", Delimiter="/")
    yield pages(s3, "ListObjects", MaxKeys=2, Delimiter="/")
    yield pages(s3, "ListObjects", MaxKeys=4)
    yield s3("ListObjects", "Contents.Key Marker", Marker="b/c/3")


@case((200, True, None), (200, True, "b/"))
def next_marker_only_with_a_delimiter(s3):
    s3.put(*TREE)
    yield s3("ListObjects", "IsTruncated NextMarker", MaxKeys=2)
    yield s3("ListObjects", "IsTruncated NextMarker", MaxKeys=2, Delimiter="/")


@case(1500, [1000, 500])
def more_than_a_thousand(s3):
    for number in range(1500):
        s3("PutObject", Key=f"{number:04}", body=b"")
    found = pages(s3)
    yield len({key for keys, _ in found for key in keys})
    yield [len(keys) for keys, _ in found]
