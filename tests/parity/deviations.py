"""Where a server differs from what S3 documents, step by step, and how; the memory differs nowhere.

A deviation names the answers of a case that differ, counted from 0; "2-" means that the case can't go on from there.
All other answers of the case must be S3's, and the named ones must not: a deviation that has gone has to go from here.
"""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["DEVIATIONS", "Deviation"]


class Deviation(NamedTuple):
    """Be a deviation of a server."""

    steps: str
    reason: str

    @property
    def first_unreachable(self) -> float:
        """Return the step after which nothing is comparable."""
        return max(self.named) if self.steps.endswith("-") else float("inf")

    @property
    def named(self) -> set[int]:
        """Return the steps that differ."""
        return {int(step) for step in self.steps.removesuffix("-").split()}


_KEEPS_NO_CHECKSUM = "keeps a checksum only if the request names its algorithm too, and compares none"

DEVIATIONS: dict[str, dict[str, Deviation]] = {
    "memory": {},
    # moto 5.2
    "moto": {
        "a_wrong_token": Deviation("0", "takes any continuation token"),
        "abort": Deviation("1", "fails with a status of 500 at a part of an upload that is no more"),
        "an_etag_goes_before_a_time": Deviation("0", "an If-Unmodified-Since counts beside an If-Match that holds"),
        "complete_if_match": Deviation("0", "takes no notice of If-Match at the completion"),
        "composite_checksum": Deviation("0 1 2 3", "tells no type, no checksum of the upload, and none of parts"),
        "composite_of_a_hash": Deviation("0 1", "tells neither the upload's checksum nor those of its parts"),
        "content_md5": Deviation("1 2", "does not look at Content-MD5"),
        "copy_conditions": Deviation("1", "takes no notice of a CopySourceIfMatch"),
        "copy_if_nothing_is_there": Deviation("0", "takes no notice of If-None-Match at copies"),
        "crc32": Deviation("0 1 2 3", _KEEPS_NO_CHECKSUM),
        "crc32c": Deviation("0 1", _KEEPS_NO_CHECKSUM),
        "crc64nvme": Deviation("0 1 2", _KEEPS_NO_CHECKSUM),
        "customers_key": Deviation("0 1 2 4", "does not look at customers' keys"),
        "delete_many": Deviation("2", "is not quiet when asked to"),
        "delete_marker": Deviation("3", "says that a delete marker is no version"),
        "delete_too_many": Deviation("0", "deletes more than 1,000 at once"),
        "full_object_checksum": Deviation("1 2", "compares no full-object checksum at the completion, and tells none"),
        "locks": Deviation("0-", "does not answer a PutObject into a bucket with object lock with the version"),
        "long_keys": Deviation("2 3", "takes keys of more than 1,024 bytes"),
        "names_in_url_encoding": Deviation("0", "writes a space as %20, not as +"),
        "names_that_cannot_be": Deviation("0 1", "takes bucket names with capitals and with two dots"),
        "next_marker_only_with_a_delimiter": Deviation("0 1", "has a NextMarker that is no key, and counts no groups"),
        "no_such_upload": Deviation("0 1", "fails with a status of 500"),
        "objects_from_before": Deviation("0", "gives versions from before no id, not even null"),
        "of_a_range": Deviation("1", _KEEPS_NO_CHECKSUM),
        "of_copies_and_lists": Deviation("0 1 2", _KEEPS_NO_CHECKSUM),
        "overwriting_drops_tags": Deviation("1", "takes the key of a tag twice"),
        "part_number_of_one_upload": Deviation("1 2", "has an error without a body, and takes a Range beside a part"),
        "part_numbers": Deviation("0", "says of part 0 that there is no upload"),
        "parts_copied": Deviation("2 3 4", "knows no conditions of UploadPartCopy, and takes ranges beyond the end"),
        "parts_read_by_number": Deviation("0 1 2 3", "gives the whole object for each of its parts"),
        "parts_that_are_not_right": Deviation(
            "0 3", "compares sizes before the order, and calls no parts MalformedXML"
        ),
        "ranges_that_are_none": Deviation("0", "takes a range of any unit for one of bytes"),
        "sha1": Deviation("0 1", _KEEPS_NO_CHECKSUM),
        "sha256": Deviation("0 1 2", _KEEPS_NO_CHECKSUM),
        "size_of_the_whole": Deviation("0", "does not look at the size of the whole"),
        "suspended": Deviation("0 1 3 4", "forgets the versions there are when versioning is suspended"),
        "the_default_one": Deviation("0 1", "computes no checksum of its own accord"),
        "the_older_form": Deviation("1 3", "counts no groups in a page, and does not repeat the marker"),
        "told_only_when_asked": Deviation("1", _KEEPS_NO_CHECKSUM),
        "too_much_metadata": Deviation("1", "takes more metadata than 2 KB"),
        "types_of_checksums": Deviation("0 1 2", "knows no types of checksums"),
        "uploads_listed": Deviation("0 1 3 4-", "lists uploads as they came, all at once, and knows no delimiter"),
        "versions_deleted_for_good": Deviation("0", "does not say that what was deleted is a delete marker"),
        "write_if_none_match": Deviation("3", "takes an ETag for If-None-Match, which S3 does not"),
        "wrong_parts": Deviation("0 1 2", "compares no checksums of parts"),
    },
    # SeaweedFS 4.48
    "weed": {
        "a_bucket": Deviation("0", "knows no regions"),
        "a_copy_of_many_parts_is_of_one": Deviation("0", "gives a copy the ETag of its source, and without quotes"),
        "a_version_copied": Deviation("0-", "does not tell which version was copied"),
        "a_wrong_token": Deviation("0", "takes any continuation token"),
        "another_region": Deviation("0", "knows no regions"),
        "buckets_with_versions": Deviation("0-", "deletes a bucket that has only older versions and delete markers"),
        "composite_checksum": Deviation("3", "tells no checksums of parts"),
        "composite_of_a_hash": Deviation("1", "tells no checksums of parts"),
        "content_md5": Deviation("2", "calls an impossible Content-MD5 one that differs"),
        "copy": Deviation("0", "writes the ETag of a copy without quotes"),
        "crc32": Deviation("0 3", "tells no type of a checksum, and calls an impossible one one that differs"),
        "customers_key": Deviation("1", "calls a missing key InvalidArgument"),
        "default_content_type": Deviation("0", "guesses the content type from the bytes"),
        "delete_marker": Deviation("3 4", "says that there is no such key where the version is a delete marker"),
        "delete_too_many": Deviation("0", "calls it InvalidArgument"),
        "keys_of_slashes": Deviation("2", "keys are paths of files: a slash at the start, or after another, is lost"),
        "made_twice_in_us_east_1": Deviation("0", "makes no exception for us-east-1"),
        "names_in_url_encoding": Deviation("1", "does not encode the prefix"),
        "next_marker_only_with_a_delimiter": Deviation("0", "tells the next marker always"),
        "odd_keys": Deviation("10", "keys are paths of files: one that ends with a slash is a folder without bytes"),
        "of_a_copy_by_another_algorithm": Deviation("0", "computes no checksum of a copy"),
        "of_a_range": Deviation("1", "tells no checksum with a range, though it is the whole object"),
        "of_copies_and_lists": Deviation("0 1 2", "copies and listings have no checksums"),
        "order_of_utf8": Deviation("0 1", "keys are paths of files, in the order of folders; a/ is a folder of a/b"),
        "overwriting_drops_tags": Deviation("1", "takes the key of a tag twice"),
        "part_number_of_one_upload": Deviation("2", "takes a Range beside the number of a part"),
        "part_numbers": Deviation("0 1", "calls them InvalidPart"),
        "parts_copied": Deviation("0 4", "writes ETags without quotes, and calls a range beyond the end InvalidRange"),
        "parts_that_are_not_right": Deviation("3", "says that an upload completed with no parts is no upload"),
        "range_of_a_head": Deviation("0", "does not look at the Range of a HEAD"),
        "ranges_beyond": Deviation("4", "does not look at the Range of a HEAD"),
        "ranges_that_are_none": Deviation("2", "refuses a range whose end comes before its start"),
        "size_of_the_whole": Deviation("0", "does not look at the size of the whole"),
        "suspended": Deviation("0 1", "lists the null version in the place of its first writing"),
        "the_default_one": Deviation("0 1", "computes no checksum of its own accord"),
        "too_much_metadata": Deviation("1", "takes more metadata than 2 KB"),
        "uploads_listed": Deviation("0 1 3 4-", "lists uploads by their ids, and knows no delimiter"),
        "write_if_match": Deviation("0", "calls a missing object a condition that does not hold"),
        "write_if_none_match": Deviation("3", "compares an ETag for If-None-Match, which S3 does not take"),
        "wrong_parts": Deviation("2", "takes parts without a checksum where the upload has one"),
    },
}
