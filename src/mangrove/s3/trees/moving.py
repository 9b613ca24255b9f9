"""Delete from S3 what a tree's move has copied, a thousand a request where the server can do so on a condition."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from mangrove.s3.deleting import Seen, deletions, outcomes_of
from mangrove.s3.many import each_as_it_ends
from mangrove.s3.outcome import Outcome
from mangrove.s3.removing import Remove, is_conditional
from mangrove.s3.rules.faults import code_of, status_of
from mangrove.s3.rules.options import NONE, Options

if TYPE_CHECKING:
    from mangrove.s3.backend import Backend

__all__ = ["remove_each"]

# Whether these are still those that were seen is to be looked at one by one.
_DOUBTFUL = frozenset({"PreconditionFailed", "NoSuchKey", "NotImplemented", "404", "412", "501"})
_DOUBTFUL_STATUS = frozenset({404, 412, 501})


def remove_each(
    backend: Backend, bucket: str, objects: Iterable[Seen], options: Options = NONE, *, concurrency: int = 50
) -> Iterator[Outcome]:
    """Delete objects that are still those that were seen, and yield an outcome for each; see `mangrove.s3.removing`.

    Args:
        backend: what serves the requests.
        bucket: their bucket.
        objects: their keys and entity tags.
        options: what lets the caller in.
        concurrency: requests at once, of those that delete one.
    """
    objects = list(objects)
    conditional = is_conditional(backend.performer.engine)
    doubtful = [each for each in objects if not conditional or each.etag is None]
    if conditional:
        seen = {each.key: each for each in objects if each.etag is not None}
        for some in deletions(backend, bucket, list(seen.values()), options=options):
            failures = [each for each in some.failures if not _is_doubtful(each.error)]
            doubtful += [seen[each.key] for each in some.failures if _is_doubtful(each.error)]
            yield from outcomes_of(bucket, some._replace(failures=failures))
    handles = (Remove(bucket, each.key, each.etag, options.of("HeadObject"), ask=not conditional) for each in doubtful)
    for handle in each_as_it_ends(backend, handles, concurrency):
        yield handle.outcome


def _is_doubtful(error: BaseException | None) -> bool:
    return error is not None and (code_of(error) in _DOUBTFUL or status_of(error) in _DOUBTFUL_STATUS)
