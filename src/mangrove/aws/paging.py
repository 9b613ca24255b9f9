"""Read every page of a list where botocore has no paginator for it: boto3's collections would end after the first.

Of the operations that list, botocore has no paginator for one in five, though they answer with a token. What the token
is called follows from the members of the operation's input and output.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import jmespath  # type: ignore[import-untyped]
from boto3.resources.collection import CollectionFactory, ResourceCollection
from boto3.resources.params import create_request_parameters
from botocore import xform_name
from botocore.exceptions import PaginationError
from botocore.utils import merge_dicts

__all__ = ["Paging", "PagingCollections", "class_of", "next_request", "pages_of", "paging_from", "paging_of", "sized"]

_TOKENS = ("token", "marker", "cursor", "position")
_START, _LAST, _MORE = "exclusivestart", "lastevaluated", "hasmore"
_LIMITS = frozenset(("maxresults", "maxitems", "limit", "pagesize", "maxrecords", "maxbuckets"))


@dataclass(frozen=True, slots=True)
class Paging:
    """Be how the pages of an operation follow one another.

    Args:
        tokens: each input that asks for the next page, with the JMESPath of its value in an answer.
        more: JMESPath of what says that there is more; `""` where a token alone does.
        limit: the input that says how many items a page has; `""` for none.
        unread: JMESPath of what says that there is more, where no input asks for it; `""` for none.
    """

    tokens: tuple[tuple[str, str], ...] = ()
    more: str = ""
    limit: str = ""
    unread: str = ""


def paging_of(operation: Any) -> Paging:
    """Return how the pages of an operation follow one another, by the members of its input and output.

    Args:
        operation: botocore's `OperationModel`.

    Example:
        >>> client = mangrove.Session(region_name="eu-west-1").client("wafv2")
        >>> paging_of(client.meta.service_model.operation_model("ListWebACLs")).tokens
        (('NextMarker', 'NextMarker'),)
    """
    inputs = operation.input_shape.members if operation.input_shape else {}
    output = operation.output_shape
    if output is None:
        return Paging()
    inner = [(f"{name}.", shape) for name, shape in output.members.items() if shape.type_name == "structure"]
    # CloudFront and Pinpoint wrap the whole answer in one structure.
    for prefix, shape in (("", output), *(inner if len(inner) == 1 else ())):
        found = _paging(inputs, prefix, shape)
        if found.tokens or found.unread:
            return found
    return Paging()


def paging_from(paginator: Mapping[str, Any]) -> Paging:
    """Return how pages follow one another as a paginator of botocore's data says it.

    Args:
        paginator: its definition.

    Example:
        >>> paging_from({"input_token": "Marker", "output_token": "NextMarker || Keys[-1].Key", "more_results": "More"})
        Paging(tokens=(('Marker', 'NextMarker || Keys[-1].Key'),), more='More', limit='', unread='')
    """
    inputs, outputs = (_listed(paginator[name]) for name in ("input_token", "output_token"))
    tokens = tuple(zip(inputs, outputs, strict=False))
    return Paging(tokens, str(paginator.get("more_results") or ""), str(paginator.get("limit_key") or ""))


def _listed(value: Any) -> list[str]:
    return [value] if isinstance(value, str) else list(value)


def _paging(inputs: Mapping[str, Any], prefix: str, output: Any) -> Paging:
    told = {_key(name): f"{prefix}{name}" for name, shape in output.members.items() if shape.type_name != "list"}
    more = next((path for key, path in told.items() if key == "istruncated" or key.startswith(_MORE)), "")
    tokens = []
    for name in inputs:
        path = _next(_key(name), told)
        if not path and _key(name).startswith(_START) and more:
            path = _last(_key(name).removeprefix(_START), prefix, output)
        if path:
            tokens.append((name, path))
    if tokens:
        limit = next((name for name in inputs if _key(name) in _LIMITS), "")
        return Paging(tuple(tokens), more, limit)
    left = (path for key, path in told.items() if key.startswith("next") and key.endswith(_TOKENS))
    return Paging(unread=more or next(left, ""))


def _next(key: str, told: Mapping[str, str]) -> str:
    """Return what an answer tells for an input; the answer's token of the same name may be an echo of the last one."""
    if key.endswith(_TOKENS):
        return told.get(f"next{key}") or told.get(key, "")
    return told.get(key.replace(_START, _LAST, 1), "") if key.startswith(_START) else ""


def _last(key: str, prefix: str, output: Any) -> str:
    """Return the path to the name of the last item, after which the next page begins."""
    lists = [(name, shape.member) for name, shape in output.members.items() if shape.type_name == "list"]
    if len(lists) != 1:
        return ""
    name, item = lists[0]
    if item.type_name != "structure":
        return f"{prefix}{name}[-1]"
    member = next((each for each in item.members if key.endswith(_key(each))), "")
    return f"{prefix}{name}[-1].{member}" if member else ""


def _key(name: str) -> str:
    return name.replace("_", "").lower()


def pages_of(client: Any, method: str, given: Mapping[str, Any], page_size: int | None = None) -> Iterator[Any]:
    """Yield every page of a list.

    Args:
        client: the client.
        method: its method.
        given: the arguments of the call.
        page_size: how many items to ask for at once, where the operation takes that.

    Raises:
        botocore.exceptions.PaginationError: the list goes on, and there is no way to ask for the rest.
        botocore.exceptions.ClientError: AWS refused.

    Example:
        >>> sqs = mangrove.Session(region_name="eu-west-1").client("sqs")
        >>> [page.get("QueueUrls", []) for page in pages_of(sqs, "list_queues", {"QueueNamePrefix": "none-such"})]
        [[]]
    """
    if client.can_paginate(method):
        yield from client.get_paginator(method).paginate(PaginationConfig={"PageSize": page_size}, **given)
        return
    operation = client.meta.service_model.operation_model(client.meta.method_to_api_mapping[method])
    paging = paging_of(operation)
    asked: dict[str, Any] | None = sized(paging, given, page_size, operation)
    seen: list[dict[str, Any]] = []
    while asked is not None:
        answer = getattr(client, method)(**asked)
        yield answer
        asked = next_request(paging, asked, answer, operation.name)
        if asked in seen:
            text = f"{operation.name} has answered twice with the same token for the next page: {_of(paging, asked)}"
            raise PaginationError(message=text)
        if asked is not None:
            seen.append(asked)


def sized(paging: Paging, given: Mapping[str, Any], page_size: int | None, operation: Any) -> dict[str, Any]:
    """Return a request for the first page, with a number of items where that was given and the operation takes it."""
    if page_size is None or not paging.limit or paging.limit in given:
        return dict(given)
    text = operation.input_shape.members[paging.limit].type_name == "string"
    return {**given, paging.limit: str(page_size) if text else page_size}


def next_request(paging: Paging, asked: Mapping[str, Any], answer: Any, name: str) -> dict[str, Any] | None:
    """Return the request for the page after an answer, or None after the last one.

    Args:
        paging: how the pages follow one another.
        asked: the request that was answered.
        answer: its answer.
        name: the operation, for errors.

    Raises:
        botocore.exceptions.PaginationError: there is more, and no way to ask for it; or the token is the one that was
            just asked with.

    Example:
        >>> paging = Paging((("NextToken", "NextToken"),))
        >>> next_request(paging, {"MaxResults": 5}, {"NextToken": "b"}, "ListThings")
        {'MaxResults': 5, 'NextToken': 'b'}
        >>> next_request(paging, {"MaxResults": 5, "NextToken": "b"}, {}, "ListThings")
    """
    tokens = _tokens(paging, answer, name)
    if not tokens:
        return None
    if tokens == _of(paging, asked):
        text = f"{name} has answered twice with the same token for the next page: {tokens}"
        raise PaginationError(message=text)
    return {**{member: value for member, value in asked.items() if member not in dict(paging.tokens)}, **tokens}


def _of(paging: Paging, asked: Mapping[str, Any] | None) -> dict[str, Any]:
    return {member: value for member, value in (asked or {}).items() if member in dict(paging.tokens)}


def _tokens(paging: Paging, answer: Any, name: str) -> dict[str, Any]:
    """Return the inputs that ask for the next page; none where there is no more."""
    if paging.unread:
        if _compiled(paging.unread).search(answer):
            text = f"{name} has more than it tells, and takes no token to ask for the rest: narrow what is asked"
            raise PaginationError(message=text)
        return {}
    if paging.more and not _compiled(paging.more).search(answer):
        return {}
    found = ((member, _compiled(path).search(answer)) for member, path in paging.tokens)
    tokens = {member: value for member, value in found if value}
    if paging.more and not tokens:
        text = f"{name} says that there is more, and does not say where it goes on"
        raise PaginationError(message=text)
    return tokens


@cache
def _compiled(path: str) -> Any:
    return jmespath.compile(path)


class _PagingCollection(ResourceCollection):  # type: ignore[misc,unused-ignore]  # boto3's has no types
    """Be a boto3 collection that gives all of its pages."""

    _parent: Any
    _model: Any
    _params: dict[str, Any]
    _handler: Any

    def pages(self) -> Iterator[list[Any]]:
        """Yield the items of one page after the other; see boto3."""
        client, method = self._parent.meta.client, xform_name(self._model.request.operation)
        if client.can_paginate(method):
            yield from super().pages()
            return
        asked = self._params.copy()
        limit, size = asked.pop("limit", None), asked.pop("page_size", None)
        given: dict[str, Any] = create_request_parameters(self._parent, self._model.request)
        merge_dicts(given, asked, append_lists=True)
        count = 0
        for answer in pages_of(client, method, given, size):
            items = list(self._handler(self._parent, given, answer))
            items = items if limit is None else items[: max(limit - count, 1)]
            count += len(items)
            yield items
            if limit is not None and count >= limit:
                return


class PagingCollections(CollectionFactory):  # type: ignore[misc,unused-ignore]
    """Be boto3's factory of collections, which makes those that give all of their pages."""

    def load_from_definition(self, *args: Any, **kwargs: Any) -> Any:
        """Return the class of a collection's manager; see boto3."""
        made: Any = super().load_from_definition(*args, **kwargs)
        theirs = made._collection_cls  # noqa: SLF001  boto3's seam for the class of a collection; a canary test watches it
        made._collection_cls = type(theirs.__name__, (theirs, _PagingCollection), {})  # noqa: SLF001
        return made


def class_of(manager: Any) -> Any:
    """Return the class of the resources of a collection.

    Args:
        manager: the collection, as the attribute of a service resource.
    """
    handler = manager.all()._handler  # noqa: SLF001  boto3's own way from a collection to its class
    model = handler.resource_model
    definition = handler.service_context.resource_json_definitions.get(model.type)
    return handler.factory.load_from_definition(
        resource_name=model.type,
        single_resource_json_definition=definition,
        service_context=handler.service_context,
    )
