"""Copy an event emitter for nothing: copies share their handlers until one of them changes.

botocore copies the emitter of its session for every client, handler by handler: a millisecond and 60 KiB each. Here a
copy shares the tree of handlers, and a registration copies only the path that it changes.
"""

from __future__ import annotations

import copy
import inspect
import threading
from typing import Any

from botocore import handlers

from mangrove._concurrency import in_child
from mangrove.aws._botocore import CoreSession, EventAliaser, HierarchicalEmitter, NodeList, PrefixTrie

__all__ = ["SharingAliaser", "SharingEmitter", "SharingTrie", "session_emitter"]

Node = dict[str, Any]

# What botocore and boto3 emit when a client is used, or a resource is made: such handlers do not change how a client is
# built. Of any other event, one that is new included, that is not certain.
_AT_CALLS = frozenset(
    "after-call after-call-error before-call before-endpoint-resolution before-parameter-build before-parse "
    "before-send before-sign choose-signer creating-resource-class docs getattr needs-retry provide-client-params "
    "request-created response-received".split()
)

# Names of events that are remembered: a dozen for each operation in use, and 4 MiB at most.
_MOST_NAMES = 16_384


class SharingTrie(PrefixTrie):
    """Be botocore's tree of handlers, in which a copy shares every node until it changes one."""

    _root: Node

    def __init__(self) -> None:
        super().__init__()
        # Nodes made by this tree itself, by identity: they may be changed in place. The nodes live as long as the tree.
        self._own: set[int] = {id(self._root)}

    def __copy__(self) -> SharingTrie:
        twin = self.__class__.__new__(self.__class__)
        twin._root = self._root
        twin._own = set()
        # What was ours alone is shared from now on.
        self._own = set()
        return twin

    def append_item(self, key: str, value: Any, section: int = 1) -> None:
        """Add a handler; see botocore."""
        self._make_path_own(key)
        super().append_item(key, value, section)
        self._adopt_path(key)

    def prefix_search(self, key: str) -> tuple[Any, ...]:
        """Return the handlers of an event, in botocore's order."""
        # A tuple: every client keeps the answers, and an empty deque alone takes 600 bytes.
        return tuple(super().prefix_search(key))

    def remove_item(self, key: str, value: Any) -> None:
        """Remove a handler; see botocore."""
        self._make_path_own(key)
        super().remove_item(key, value)

    def forget(self, part: str) -> None:
        """Remove the handlers of all events that begin with a part."""
        node = self._root = self._own_node(self._root)
        node["children"].pop(part, None)

    def _make_path_own(self, key: str) -> None:
        """Copy the nodes on the way to a key, as far as they exist and are shared."""
        node = self._root = self._own_node(self._root)
        for part in key.split("."):
            child = node["children"].get(part)
            if child is None:
                return
            node["children"][part] = node = self._own_node(child)

    def _own_node(self, node: Node) -> Node:
        if id(node) in self._own:
            return node
        values = node["values"]
        twin = {
            "chunk": node["chunk"],
            "children": dict(node["children"]),
            "values": None if values is None else NodeList(*map(list, values)),
        }
        self._own.add(id(twin))
        return twin

    def _adopt_path(self, key: str) -> None:
        """Mark what the parent class has just made as ours."""
        node = self._root
        for part in key.split("."):
            node = node["children"][part]
            self._own.add(id(node))


class SharingEmitter(HierarchicalEmitter):
    """Be botocore's emitter on a `SharingTrie`, and count its changes.

    Attributes:
        generation: how often handlers were registered or removed that may change how a client is built, in this emitter
            and in those it was copied from.
    """

    def __init__(self) -> None:
        super().__init__()
        self._handlers = SharingTrie()
        self.generation = 0

    def _register_section(self, event_name: str, *args: Any, **kwargs: Any) -> None:
        self.generation += _shapes_clients(event_name)
        super()._register_section(event_name, *args, **kwargs)

    def _verify_accept_kwargs(self, func: Any) -> Any:
        # botocore inspects the signature at each registration: the same few functions for every client.
        code = getattr(getattr(func, "__func__", func), "__code__", None)
        if code is not None and code.co_flags & inspect.CO_VARKEYWORDS:
            return None
        return super()._verify_accept_kwargs(func)

    def unregister(self, event_name: str, *args: Any, **kwargs: Any) -> None:
        """Remove a handler; see botocore."""
        self.generation += _shapes_clients(event_name)
        super().unregister(event_name, *args, **kwargs)


def _shapes_clients(event_name: str) -> bool:
    return event_name.partition(".")[0] not in _AT_CALLS


class SharingAliaser(EventAliaser):
    """Be botocore's aliaser of event names, whose copies share what they have learnt.

    The new name of an event is a function of the old one alone; botocore looks it up anew for each client, in a table
    of 200 entries.
    """

    def __copy__(self) -> SharingAliaser:
        twin = self.__class__.__new__(self.__class__)
        twin.__dict__.update(self.__dict__)
        twin._emitter = copy.copy(self._emitter)
        return twin

    def forget(self, part: str) -> None:
        """Remove the handlers of all events that begin with a part, such as `creating-resource-class`."""
        self._emitter._handlers.forget(part)
        self._emitter._lookup_cache = {}

    @property
    def generation(self) -> int:
        """Return how often handlers were registered or removed that may change how a client is built."""
        found: int = self._emitter.generation
        return found


class _Learnt(dict[str, str]):
    """Keep the first names that are learnt: threads read it without a lock, so nothing ever goes."""

    def __setitem__(self, old: str, new: str) -> None:
        if len(self) < _MOST_NAMES:
            super().__setitem__(old, new)


_guard = threading.Lock()


@in_child
def _after_fork() -> None:
    global _guard  # noqa: PLW0603  a thread of the parent may have held it
    _guard = threading.Lock()


_built: tuple[list[Any], SharingEmitter] | None = None
_aliases = _Learnt()


def session_emitter() -> SharingAliaser:
    """Return an emitter with botocore's built-in handlers, as a new session has it; registered once per process.

    moto and others add to `botocore.handlers.BUILTIN_HANDLERS` when they are imported: a changed list is taken anew.
    """
    global _built  # noqa: PLW0603  one emitter for the process
    with _guard:
        if _built is None or _built[0] != handlers.BUILTIN_HANDLERS:
            emitter = SharingEmitter()
            CoreSession(event_hooks=emitter)
            _built = (list(handlers.BUILTIN_HANDLERS), emitter)
        aliaser = SharingAliaser(copy.copy(_built[1]))
    aliaser._alias_name_cache = _aliases
    return aliaser
