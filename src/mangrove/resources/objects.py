"""What every resource object has beside what boto3 gives it: `arn`, `tags`, and itself as a dict."""

from __future__ import annotations

import base64
import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import wraps
from operator import attrgetter
from typing import TYPE_CHECKING, Any

from boto3.exceptions import ResourceLoadException
from botocore import xform_name

from mangrove.aws.resource_classes import account_of_client
from mangrove.errors import CredentialError
from mangrove.resources.arns import Where, arn_from, arn_in
from mangrove.resources.derive.facts import ArnSpec, TagSpec
from mangrove.resources.old_names import dress_service, dress_tags
from mangrove.resources.partial import completed, dress_partial, head_of, noting
from mangrove.resources.record import Definitions, ServiceResources
from mangrove.resources.tags import tags_in, tags_of_answer

__all__ = ["ResourceObject", "TypeFacts", "dress", "facts_of", "name_it"]

_NAMED = "_mangrove_arn"


@dataclass(frozen=True, slots=True)
class TypeFacts:
    """Hold what the class of a resource knows of its type.

    Attributes:
        known: the service's resources.
        type: the type's name.
        names: its identifiers: the name in Python to the name in the definition.
        old: names that identifiers had in boto3_extensions, to the name in Python.
        arn: the source of its ARN, or None.
        tags: the place of its tags, or None.
        partial: what `load()` brings and no list tells.
    """

    known: ServiceResources
    type: str
    names: Mapping[str, str]
    old: Mapping[str, str]
    arn: ArnSpec | None
    tags: TagSpec | None
    partial: frozenset[str] = frozenset()


def facts_of(resource: Any) -> TypeFacts:
    """Return what a resource, or its class, knows of its type."""
    found: TypeFacts = resource._mangrove_facts  # noqa: SLF001  ours
    return found


class ResourceObject:
    """Be a base of every resource object that `mangrove.Session` makes, after boto3's own.

    An object that a collection gave has the data of the list. Where the list leaves out what an attribute, a reference
    or `tags` tells, that loads the object, once; in boto3 it is None. boto3's own types stay as they are in boto3.

    Example:
        >>> session = mangrove.Session(region_name="eu-west-1")
        >>> topic = session.resource("sns").create_topic(Name="alerts")
        >>> isinstance(topic, ResourceObject), topic.get_arn()
        (True, 'arn:aws:sns:eu-west-1:123456789012:alerts')
    """

    meta: Any
    if TYPE_CHECKING:
        load: Any  # boto3 makes it, where a resource can be loaded
    _mangrove_facts: TypeFacts

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        old = self._mangrove_facts.old
        if old:
            kwargs = {old.get(name, name): value for name, value in kwargs.items()}
        super().__init__(*args, **kwargs)

    @property
    def arn(self) -> str | None:
        """Return the resource's ARN, or None where it has none or it can't be known without a call.

        The first of these that there is: the member of what is loaded; an identifier that is an ARN; the official
        format, with the owner's account where the data names one, else that of the credentials. Nothing is loaded for
        it: what was made by its name alone has the caller's account, and what another account shares has its owner's
        once its data is there, from a list or after `load()`. Where the credentials do not carry their account, STS is
        asked once for as long as they live.

        Raises:
            botocore.exceptions.ClientError: STS was asked, and does not know the credentials.

        Example:
            >>> session = mangrove.Session(region_name="eu-west-1")
            >>> session.resource("rds").DBInstance("orders").arn
            'arn:aws:rds:eu-west-1:123456789012:db:orders'
        """
        return self.get_arn()

    def get_arn(self, *, load: bool = False) -> str | None:
        """Return the resource's ARN; see `arn`.

        Args:
            load: True loads the resource where nothing else tells its ARN, if it can be loaded: one call.

        Raises:
            botocore.exceptions.ClientError: the resource can't be loaded, or STS does not know the credentials.

        Example:
            >>> session = mangrove.Session(region_name="eu-west-1")
            >>> _ = session.client("iam").create_user(UserName="ada", Path="/team/")
            >>> user = session.resource("iam").User("ada")
            >>> user.get_arn() is None, user.get_arn(load=True)
            (True, 'arn:aws:iam::123456789012:user/team/ada')
        """
        found = _known_arn(self)
        spec = self._mangrove_facts.arn
        if found is None and load and spec is not None and hasattr(self, "load"):
            self.load()
            found = _known_arn(self)
        return found

    def get_tags(self) -> dict[str, str] | None:
        """Return the resource's tags as a plain dict, empty where it has none; None where its type has no tags to read.

        They are read from the resource's data, which is loaded as for any attribute, and once more where it came from a
        list that leaves them out; or else they are asked for by the operation that lists tags.

        Raises:
            boto3.exceptions.ResourceLoadException: the resource is not there, or lacks what its tags are asked for by,
                such as an ARN.
            botocore.exceptions.ClientError: they can't be read.

        Example:
            >>> session = mangrove.Session(region_name="eu-west-1")
            >>> queue = session.client("sns").create_topic(Name="bills", Tags=[{"Key": "team", "Value": "red"}])
            >>> session.resource("sns").Topic(queue["TopicArn"]).get_tags()
            {'team': 'red'}
        """
        place = self._mangrove_facts.tags
        if place is None:
            return None
        if not place.operation:
            if self.meta.data is None and hasattr(self, "load"):
                self.load()
            _check_found(self)
            completed(self, self._mangrove_facts.partial, head_of(place))
            return tags_in(place, self.meta.data)
        target = self.get_arn(load=True) if place.source == "arn" else _identifiers(self).get(place.source)
        if not target:
            text = f"the tags of {self!r} can't be read: {place.operation} wants its {place.source}, which is not known"
            raise ResourceLoadException(text)
        return tags_of_answer(place, self.meta.client, target)

    def to_dict(self, *, iso: bool = False) -> dict[str, Any]:
        """Return what is known of the resource, without a call for any of it.

        Args:
            iso: True makes it plain JSON: dates as ISO 8601 text, bytes as base64, numbers of DynamoDB as text.

        Returns:
            `service`, `type`, `arn`, `identifiers` and `attributes`, the latter as far as they are loaded.

        Example:
            >>> session = mangrove.Session(region_name="eu-west-1")
            >>> found = session.resource("rds").DBInstance("orders").to_dict()
            >>> found["type"], found["identifiers"], found["attributes"]
            ('DBInstance', {'identifier': 'orders'}, {})
        """
        facts = self._mangrove_facts
        data = self.meta.data if isinstance(self.meta.data, Mapping) else {}
        hidden = {"ResponseMetadata"}
        found = {
            "service": facts.known.service,
            "type": facts.type,
            "arn": self.get_arn(),
            "identifiers": {name: getattr(self, f"_{name}", None) for name in facts.names},
            "attributes": {xform_name(name): value for name, value in data.items() if name not in hidden},
        }
        return _plain(found) if iso else found


def name_it(resource: Any, arn: str) -> Any:
    """Return a resource that was made from its ARN, and says so as long as nothing of it is loaded."""
    resource.__dict__[_NAMED] = arn
    return resource


def _check_found(resource: Any) -> None:
    """Refuse what the API has answered with nothing for: it is not the same as a resource that has nothing."""
    if resource.meta.data is not None:
        return
    if hasattr(resource, "load"):
        text = f"{resource!r} is not there: the call that loads it has answered with none"
    else:
        text = f"{resource!r} can't be loaded: take it from a collection that lists it"
    raise ResourceLoadException(text)


def _identifiers(resource: Any) -> dict[str, Any]:
    names = facts_of(resource).names
    return {name: getattr(resource, f"_{python}", None) for python, name in names.items()}


def _known_arn(resource: Any) -> str | None:
    facts = facts_of(resource)
    named: str | None = resource.__dict__.get(_NAMED)
    if facts.arn is None:
        return named
    identifiers = _identifiers(resource)
    data = resource.meta.data if isinstance(resource.meta.data, Mapping) else None
    found = arn_in(facts.arn, data, identifiers) or named
    if found is not None:
        return found
    meta = resource.meta.client.meta
    where = Where(meta.partition, meta.region_name, lambda: _account(resource))
    return arn_from(facts.arn, data, identifiers, facts.known.prefixes, where)


def _account(resource: Any) -> str | None:
    try:
        return account_of_client(resource.meta.client)
    except CredentialError:
        return None


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(name): _plain(each) for name, each in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [_plain(each) for each in value]
    if isinstance(value, (dt.datetime, dt.date)):
        return value.isoformat()
    if isinstance(value, (bytes, bytearray)):
        return base64.b64encode(value).decode()
    if value is None or isinstance(value, (str, int, float, bool)):
        return value
    return str(value)


# -- classes ----------------------------------------------------------------------------------------------------------


def dress(context: Any, name: str, attributes: dict[str, Any], bases: list[type]) -> None:
    """Give a class of resources, as boto3 is about to make it, what all resources have.

    boto3's own types keep every attribute as it is: their `arn` and `tags` are boto3's where boto3 has them, and
    `get_arn()` and `get_tags()` are the same everywhere. Of all other types `arn` and `tags` are ours, and the members
    that the API calls so stand beside them as `arn_attribute` and `tags_attribute`, in boto3's way of telling equal
    names apart.

    Args:
        context: boto3's `ServiceContext`.
        name: the type, or `ServiceResource`.
        attributes: the attributes of the class.
        bases: its bases.
    """
    definitions = context.resource_json_definitions
    if not isinstance(definitions, Definitions):
        return
    if name not in definitions:
        dress_service(definitions, attributes)
        return
    known = definitions.known
    identifiers = definitions[name].get("identifiers", ())
    # boto3 renames an identifier that clashes.
    names = {python: each["name"] for python, each in zip(attributes["meta"].identifiers, identifiers, strict=True)}
    old = _old_names(names, identifiers)
    for alias, python in old.items():
        words = f"Return `{python}`, which was called so before."
        attributes.setdefault(alias, property(attrgetter(python), doc=words))
    tags = known.tags.get(name)
    partial = frozenset((*known.partial.get(name, ()), *((head_of(tags),) if tags and tags.load else ())))
    attributes["_mangrove_facts"] = facts = TypeFacts(known, name, names, old, known.arns.get(name), tags, partial)
    bases.insert(0, ResourceObject)
    if name in known.own:
        _dress_boto3s(facts, attributes)
    else:
        dress_partial(facts.partial, context, attributes)
        _dress_derived(facts, attributes)
    if facts.tags is not None:
        dress_tags(definitions[name], facts.tags, attributes)


def _old_names(names: Mapping[str, str], identifiers: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """Return what identifiers were called before, with what they are called."""
    return {
        xform_name(alias): python
        for python, each in zip(names, identifiers, strict=True)
        for alias in each.get("aliases", ())
        if xform_name(alias) not in names
    }


def _dress_boto3s(facts: TypeFacts, attributes: dict[str, Any]) -> None:
    theirs = attributes.get("arn")
    if isinstance(theirs, property) and "arn" not in facts.names:

        def arn(self: Any) -> str | None:
            found: str | None = self.get_arn()
            # boto3's own attribute loads the resource, and who wrote code for it relies on that.
            return theirs.__get__(self) if found is None else found

        attributes["arn"] = property(arn, doc=theirs.__doc__)
    if facts.partial and "load" in attributes:
        noting(attributes)
    if "tags" not in attributes and facts.tags is not None:
        attributes["tags"] = _tags(facts)


def _dress_derived(facts: TypeFacts, attributes: dict[str, Any]) -> None:
    for name in ("load", "reload"):
        if name in attributes:
            attributes[name] = _checked(attributes[name])
    for name in ("arn", "tags"):
        if name in facts.names or (name == "tags" and facts.tags is None):
            continue
        if name in attributes:
            attributes.setdefault(f"{name}_attribute", attributes.pop(name))
    if "tags" not in attributes:
        attributes["tags"] = _tags(facts) if facts.tags else property(_no_tags, doc="Return None: it has none to read.")


def _no_tags(_self: Any) -> None:
    """Return None, which is another thing than no tags."""


def _checked(theirs: Any) -> Any:
    @wraps(theirs)
    def load(self: Any, *args: Any, **kwargs: Any) -> None:
        theirs(self, *args, **kwargs)
        _check_found(self)

    return load


def _tags(facts: TypeFacts) -> property:
    def tags(self: Any) -> dict[str, str]:
        found: dict[str, str] = self.get_tags()
        return found

    how = f"the operation {facts.tags.operation}" if facts.tags and facts.tags.operation else "the resource's data"
    return property(tags, doc=f"Return the tags as a plain dict, from {how}; see `get_tags`.")
