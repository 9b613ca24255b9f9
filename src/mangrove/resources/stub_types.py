"""Write the Python type of an AWS shape: the TypedDict that types-boto3 has for it, or plain builtins."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from botocore.model import ListShape, MapShape, ServiceModel, Shape, StructureShape

__all__ = ["Known", "Types", "find_known", "package_of"]

_SCALARS = {
    "string": "str",
    "char": "str",
    "integer": "int",
    "long": "int",
    "short": "int",
    "byte": "int",
    "bigdecimal": "float",
    "float": "float",
    "double": "float",
    "boolean": "bool",
    "timestamp": "_datetime",
    "blob": "bytes",
}
_INPUTS = {**_SCALARS, "timestamp": "_datetime | str", "blob": "_Any"}
_PLAIN = "dict[str, _Any]"
# Shapes that hold themselves without a structure between are rare; no type is written deeper than this.
_DEEPEST = 5
_TYPED_DICT = re.compile(r"^(?:class )?(\w+TypeDef)(?:\(TypedDict\)| = TypedDict)", re.MULTILINE)
_CLASS = re.compile(r"^class (\w+)\((?:ServiceResource|BaseClient)\)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Known:
    """Hold the names that types-boto3 has for a service.

    Attributes:
        client: the class of its client; "" where types-boto3 is not there.
        typed_dicts: those of its shapes.
        resources: the classes of its resources, for the services that boto3 has resources of.
    """

    client: str = ""
    typed_dicts: frozenset[str] = frozenset()
    resources: frozenset[str] = frozenset()


def package_of(service: str) -> str:
    """Return the name of the types-boto3 package of a service.

    Example:
        >>> package_of("bedrock-runtime")
        'types_boto3_bedrock_runtime'
    """
    return f"types_boto3_{service.replace('-', '_')}"


def find_known(service: str, paths: Iterable[str]) -> Known:
    """Find out what types-boto3 has for a service; its stubs are read as text, and nothing is imported.

    Args:
        service: botocore's name of the service.
        paths: the folders to look for the package in, as in `sys.path`.
    """
    for folder in paths:
        package = Path(folder or ".") / package_of(service)
        if (package / "type_defs.pyi").is_file():
            return Known(
                next(iter(_names(package / "client.pyi", _CLASS)), ""),
                frozenset(_names(package / "type_defs.pyi", _TYPED_DICT)),
                frozenset(_names(package / "service_resource.pyi", _CLASS)),
            )
    return Known()


def _names(stub: Path, pattern: re.Pattern[str]) -> list[str]:
    return pattern.findall(stub.read_text(encoding="utf-8")) if stub.is_file() else []


class Types:
    """Write the types of one service's shapes, and remember which TypedDicts they need.

    Args:
        model: the service's model.
        known: what types-boto3 has for it.
    """

    def __init__(self, model: ServiceModel, known: Known) -> None:
        self._names = frozenset(model.shape_names)
        self._known = known.typed_dicts
        # boto3 turns DynamoDB's values into Python's own in every call of a resource.
        self._anything = {"AttributeValue"} if model.service_name == "dynamodb" else set()
        self.used: set[str] = set()

    def read(self, shape: Shape | None, depth: int = 0) -> str:
        """Return the type of a value in an answer of AWS."""
        if shape is None or depth > _DEEPEST or shape.name in self._anything:
            return "_Any"
        if isinstance(shape, StructureShape):
            return self._structure(shape)
        if isinstance(shape, ListShape):
            return f"list[{self.read(shape.member, depth + 1)}]"
        if isinstance(shape, MapShape):
            return f"dict[str, {self.read(shape.value, depth + 1)}]"
        return "_Any" if shape.serialization.get("streaming") else _SCALARS.get(shape.type_name, "_Any")

    def given(self, shape: Shape, depth: int = 0) -> str:
        """Return the type of a value that a caller gives: any sequence, mapping or TypedDict will do."""
        if depth > _DEEPEST or shape.name in self._anything:
            return "_Any"
        if isinstance(shape, StructureShape):
            return "_Any" if shape.is_document_type else "_Given"
        if isinstance(shape, ListShape):
            return f"_Sequence[{self.given(shape.member, depth + 1)}]"
        if isinstance(shape, MapShape):
            return f"_Mapping[str, {self.given(shape.value, depth + 1)}]"
        return _INPUTS.get(shape.type_name, "_Any")

    def answer(self, shape: Shape | None) -> str:
        """Return the type of a whole answer."""
        if isinstance(shape, StructureShape):
            return self._structure(shape)
        return self._typed("EmptyResponseMetadataTypeDef") or _PLAIN

    def _structure(self, shape: StructureShape) -> str:
        if shape.is_document_type or getattr(shape, "is_eventstream", False):
            return "_Any"
        # What differs between requests and answers has two TypedDicts; a shape of its own may have the second's name.
        ends = ("ExtraOutput", "") if f"{shape.name}Output" in self._names else ("ExtraOutput", "Output", "")
        found = (self._typed(f"{shape.name}{end}TypeDef") for end in ends)
        return next(filter(None, found), _PLAIN)

    def _typed(self, name: str) -> str:
        if name not in self._known:
            return ""
        self.used.add(name)
        return name
