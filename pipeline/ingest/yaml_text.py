"""Turns YAML into JSON text, with CloudFormation's short forms of functions written out. Knows no format besides.

PyYAML reads texts such as 2012-10-17 as dates and ``on`` as true; a template's scalars stay the texts that they are.
"""

import json
from typing import Any

import yaml

from pipeline.errors import first_line

#: Endings of files that may be YAML; JSON is read as such.
YAML_ENDINGS = (".yaml", ".yml", ".template")
#: YAML's types that JSON has too.
PLAIN = ("null", "bool", "int", "float")
#: Short forms whose long one has no prefix.
BARE = ("Ref", "Condition")
#: Nodes that a text may come to: aliases of aliases make a small file a large one.
MOST_NODES = 1_000_000


class YamlError(Exception):
    """A text that is no YAML, or whose keys are no texts. ``line`` and ``column`` count from 1, 0 is unknown."""

    def __init__(self, message: str, line: int = 0, column: int = 0) -> None:
        super().__init__(message)
        self.line, self.column = line, column


def json_of(data: bytes) -> bytes:
    """Return YAML text as JSON text. Raises YamlError."""
    loader = yaml.SafeLoader(data)
    try:
        node = loader.get_single_node()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        place = (mark.line + 1, mark.column + 1) if mark else (0, 0)
        raise YamlError(error.problem or "cannot be read", *place) from error
    except (yaml.YAMLError, RecursionError) as error:
        raise YamlError(first_line(error) or "is nested too deeply") from error
    finally:
        loader.dispose()
    try:
        return json.dumps(_Reading().value(node), ensure_ascii=False).encode("utf-8", "surrogatepass")
    except RecursionError as error:
        raise YamlError("is nested too deeply") from error


class _Reading:
    def __init__(self) -> None:
        self._nodes = 0

    def value(self, node: yaml.Node | None) -> Any:
        if node is None:
            return None
        self._nodes += 1
        if self._nodes > MOST_NODES:
            raise YamlError("its aliases come to too much", node.start_mark.line + 1, node.start_mark.column + 1)
        plain = self._plain(node)
        if not node.tag.startswith("!") or node.tag == "!":
            return plain
        name = node.tag[1:]
        if name == "GetAtt" and isinstance(plain, str):
            return {"Fn::GetAtt": plain.split(".", 1)}
        return {name if name in BARE else f"Fn::{name}": plain}

    def _plain(self, node: yaml.Node) -> Any:
        if isinstance(node, yaml.MappingNode):
            return {self._key(key): self.value(value) for key, value in self._pairs(node)}
        if isinstance(node, yaml.SequenceNode):
            return [self.value(one) for one in node.value]
        return _scalar(node)

    def _pairs(self, node: yaml.MappingNode) -> list[tuple[yaml.Node, yaml.Node]]:
        seen: set[str] = set()
        for key, _ in node.value:
            name = self._key(key)
            if name in seen:
                mark = key.start_mark
                raise YamlError(f"{name} stands twice in one object", mark.line + 1, mark.column + 1)
            seen.add(name)
        return list(node.value)

    def _key(self, node: yaml.Node) -> str:
        if not isinstance(node, yaml.ScalarNode):
            raise YamlError("a key is no text", node.start_mark.line + 1, node.start_mark.column + 1)
        return str(node.value)


def _scalar(node: yaml.Node) -> Any:
    """Return a scalar: numbers and truth values as such where JSON writes them so, all else as its text."""
    kind = node.tag.rsplit(":", 1)[-1]
    text = str(node.value)
    if kind == "null" and text in ("", "~", "null", "Null", "NULL"):
        return None
    if kind == "bool" and text.lower() in ("true", "false"):
        return text.lower() == "true"
    if kind in ("int", "float"):
        try:
            found = json.loads(text)
        except ValueError:
            return text
        return found if isinstance(found, int) and str(found) == text else text
    return text
