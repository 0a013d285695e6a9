"""The opcodes of pickles, as operations on plain data.

What the opcodes build is plain containers, numbers, text and the values of `ingest.reading.pickled_values`; every
resource that a hostile file could exhaust is counted, and no name leads to code outside of this package.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from ingest.reading.byte_source import ByteSource
from ingest.reading.pickled_values import ALLOWED, Buildable, Global, described

_LONGEST_TEXT = 2**26
_LONGEST_INTEGER = 1024
_LONGEST_KEY = 8  # members of a tuple that serves as a key

ATOMS = frozenset((str, int, float, bool, type(None), bytes))


@dataclass(frozen=True)
class PickleLimits:
    """What one pickle may make the reader hold at a time.

    Parameters
    ----------
    containers
        Lists, dictionaries, sets and tuples, those of entries that were handed out not counted.
    waiting
        Values waiting to be put into a container.
    references, scattered
        Values remembered for later reference; `scattered` of them may be numbered out of order.
    marks
        Nesting of containers under construction.
    """

    containers: int = 5_000_000
    waiting: int = 5_000_000
    references: int = 500_000_000
    scattered: int = 5_000_000
    marks: int = 2_000


class Released:
    """Stands in the memory of the machine for a large container that was handed out and forgotten."""


class OpcodeError(Exception):
    """An opcode that cannot be carried out; the machine adds the place."""


class OpcodeMachine:
    """The state of one pickle that is being read, and what each opcode does to it.

    Parameters
    ----------
    source
        Where the opcodes take their arguments from.
    allowed
        Names that the pickle may mention besides `ingest.reading.pickled_values.ALLOWED`.
    persistent
        Makes a value of a persistent id; without it such ids are refused.
    """

    def __init__(
        self,
        source: ByteSource,
        *,
        allowed: Mapping[str, Global] | None = None,
        persistent: Callable[[Any], Any] | None = None,
        limits: PickleLimits | None = None,
    ) -> None:
        self.result: Any = None
        self._source = source
        self._allowed = {**ALLOWED, **(allowed or {})}
        self._persistent = persistent
        self._limits = limits or PickleLimits()
        self._stack: list[Any] = []
        self._marked: list[list[Any]] = []  # the stacks below each mark
        self._memo: list[Any] = []
        self._scattered: dict[int, Any] = {}  # memo entries whose number was not the next one
        self._containers = 0
        self._finished = False

    def carry_out(self, opcode: int) -> None:
        """Do what one opcode says; its arguments are the next bytes of the source."""
        handler = self._HANDLERS.get(opcode)
        if handler is None:
            raise OpcodeError(f"byte {opcode:#04x} is no opcode that is read here")
        handler(self)

    def _check_limits(self, waiting: int) -> None:
        limits = self._limits
        for what, count, most in (
            ("containers", self._containers, limits.containers),
            ("waiting values", waiting, limits.waiting),
            ("remembered values", len(self._memo), limits.references),
            ("values remembered out of order", len(self._scattered), limits.scattered),
            ("nested marks", len(self._marked), limits.marks),
        ):
            if count > most:
                raise OpcodeError(f"more than {most} {what}, which is the limit")

    def _push(self, value: Any) -> None:
        self._stack.append(value)

    def _discard(self, value: Any) -> None:
        pass

    def _push_container(self, value: Any) -> None:
        self._containers += 1
        self._stack.append(value)

    def _since_mark(self) -> list[Any]:
        items, self._stack = self._stack, self._marked.pop()
        return items

    def _number(self, size: int, *, signed: bool = False) -> int:
        return int.from_bytes(self._source.take(size), "little", signed=signed)

    def _long(self, size: int) -> None:
        if size > _LONGEST_INTEGER:
            raise OpcodeError(f"an integer of {size} bytes; {_LONGEST_INTEGER} are allowed")
        self._push(self._number(size, signed=True))

    def _bytes(self, size: int) -> bytes:
        if size > _LONGEST_TEXT:
            raise OpcodeError(f"a text or bytes of length {size}; {_LONGEST_TEXT} are allowed")
        return self._source.take(size)

    def _unicode(self, size: int) -> None:
        self._push(decoded(self._bytes(size), size))

    def remembered(self, number: int) -> Any:
        """The value that the pickle remembers under a number."""
        value = self._memo[number] if 0 <= number < len(self._memo) else self._scattered.get(number, Released)
        if value is Released:
            raise OpcodeError(f"refers to value {number}, which was never remembered or was handed out and forgotten")
        return value

    def _remember(self, number: int) -> None:
        if number < 0:
            raise OpcodeError(f"remembers a value as number {number}")
        if number == len(self._memo):
            self._memo.append(self._stack[-1])
        elif number < len(self._memo):
            self._memo[number] = self._stack[-1]
        else:
            self._scattered[number] = self._stack[-1]

    def _append(self, items: list[Any]) -> None:
        target = self._stack[-1]
        if type(target) is not list:
            raise OpcodeError(f"appends to {described(target)}, which is no list")
        target.extend(items)

    def _add(self, items: list[Any]) -> None:
        target = self._stack[-1]
        if type(target) is not set:
            raise OpcodeError(f"adds to {described(target)}, which is no set")
        check_keys(items, 2 * len(items))
        target.update(items)

    def _set_item(self) -> None:
        pair = self._stack[-2:]
        del self._stack[-2:]
        update(self._stack[-1], pair)

    def _global(self, module: Any, attribute: Any) -> None:
        name = f"{module}.{attribute}"
        found = self._allowed.get(name)
        if found is None:
            raise OpcodeError(
                f"it tries to import {name!r:.200}, which is not among the names that a benchmark needs; nothing was "
                "imported or run. Do not trust this file"
            )
        self._push(found)

    def _stacked_global(self) -> None:
        attribute, module = self._stack.pop(), self._stack.pop()
        self._global(module, attribute)

    def _call(self, target: Any, arguments: Any) -> None:
        if type(target) is not Global or target.build is None or type(arguments) is not tuple:
            raise OpcodeError(f"calls {described(target)} with {described(arguments)}, which is not allowed")
        self._push_container(target.build(arguments))

    def _reduce(self) -> None:
        arguments, target = self._stack.pop(), self._stack.pop()
        self._call(target, arguments)

    def _object(self) -> None:
        items = self._since_mark()
        self._call(items[0], tuple(items[1:]))

    def _instance(self) -> None:
        self._global(self._source.line(), self._source.line())
        target = self._stack.pop()
        self._call(target, tuple(self._since_mark()))

    def _build(self) -> None:
        state = self._stack.pop()
        target = self._stack[-1]
        if not isinstance(target, Buildable):
            raise OpcodeError(f"sets the state of {described(target)}, which is not allowed")
        target.restore(state)

    def _persistent_id(self, identifier: Any) -> None:
        if self._persistent is None:
            raise OpcodeError(f"refers to the external value {described(identifier)}, which this format does not have")
        self._push(self._persistent(identifier))

    def _protocol(self) -> None:
        protocol = self._number(1)
        if protocol > 5:
            raise OpcodeError(f"protocol {protocol}; the protocols 0 to 5 are read")

    def _stop(self) -> None:
        self.result = self._stack.pop()
        self._finished = True
        if self._stack or self._marked:
            raise OpcodeError("ends with values that belong to nothing")

    def _text_integer(self) -> None:
        text = self._source.line()
        self._push(
            {"00": False, "01": True}.get(text) if text in ("00", "01") else _parsed(int, text.removesuffix("L"))
        )

    def _text_string(self) -> None:
        text = self._source.line()
        if len(text) < 2 or text[0] != text[-1] or text[0] not in "'\"" or "\\" in text:
            raise OpcodeError(f"the quoted text {described(text)}")
        self._push(text[1:-1])

    def _pairs_to_dictionary(self) -> None:
        items = self._since_mark()
        self._push_container({})
        update(self._stack[-1], items)

    def _tuple(self, size: int) -> None:
        items = tuple(self._stack[-size:])
        if len(items) < size:
            raise IndexError
        del self._stack[-size:]
        self._push_container(items)

    _HANDLERS: ClassVar[dict[int, Callable[[OpcodeMachine], None]]] = {
        0x80: _protocol,
        0x95: lambda self: self._source.skip(8),  # FRAME: a hint for buffering
        0x2E: _stop,
        0x4E: lambda self: self._push(None),
        0x88: lambda self: self._push(True),
        0x89: lambda self: self._push(False),
        0x4A: lambda self: self._push(self._number(4, signed=True)),
        0x4D: lambda self: self._push(self._number(2)),
        0x8A: lambda self: self._long(self._number(1)),
        0x8B: lambda self: self._long(self._number(4)),
        0x58: lambda self: self._unicode(self._number(4)),
        0x8D: lambda self: self._unicode(self._number(8)),
        0x43: lambda self: self._push(self._bytes(self._number(1))),
        0x42: lambda self: self._push(self._bytes(self._number(4))),
        0x8E: lambda self: self._push(self._bytes(self._number(8))),
        0x55: lambda self: self._push(self._bytes(self._number(1)).decode("latin1")),
        0x54: lambda self: self._push(self._bytes(self._number(4)).decode("latin1")),
        0x5D: lambda self: self._push_container([]),
        0x7D: lambda self: self._push_container({}),
        0x8F: lambda self: self._push_container(set()),
        0x29: lambda self: self._push(()),
        0x85: lambda self: self._tuple(1),
        0x86: lambda self: self._tuple(2),
        0x87: lambda self: self._tuple(3),
        0x74: lambda self: self._push_container(tuple(self._since_mark())),
        0x6C: lambda self: self._push_container(self._since_mark()),
        0x64: _pairs_to_dictionary,
        0x91: lambda self: self._push_container(frozenset(checked_keys(self._since_mark()))),
        0x61: lambda self: self._append([self._stack.pop()]),
        0x65: lambda self: self._append(self._since_mark()),
        0x90: lambda self: self._add(self._since_mark()),
        0x73: _set_item,
        0x30: lambda self: self._discard(self._stack.pop()),
        0x31: lambda self: self._discard(self._since_mark()),
        0x32: lambda self: self._push(self._stack[-1]),
        0x67: lambda self: self._push(self.remembered(_parsed(int, self._source.line()))),
        0x71: lambda self: self._remember(self._number(1)),
        0x72: lambda self: self._remember(self._number(4)),
        0x70: lambda self: self._remember(_parsed(int, self._source.line())),
        0x63: lambda self: self._global(self._source.line(), self._source.line()),
        0x93: _stacked_global,
        0x52: _reduce,
        0x81: _reduce,  # NEWOBJ: a class and its arguments
        0x6F: _object,
        0x69: _instance,
        0x62: _build,
        0x51: lambda self: self._persistent_id(self._stack.pop()),
        0x50: lambda self: self._persistent_id(self._source.line()),
        0x49: _text_integer,
        0x4C: _text_integer,
        0x46: lambda self: self._push(_parsed(float, self._source.line())),
        0x53: _text_string,
        0x56: lambda self: self._push(self._source.line()),
    }


def decoded(raw: bytes, size: int) -> str:
    """The text that `size` bytes spell; fewer bytes are the end of the file."""
    if len(raw) < size:
        raise IndexError
    try:
        return raw.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError:
        raise OpcodeError(f"the text {raw[:40]!r} is no UTF-8") from None


def _parsed(kind: Callable[[str], Any], text: str) -> Any:
    try:
        return kind(text)
    except ValueError:
        raise OpcodeError(f"{described(text)} is no number") from None


def update(target: Any, items: list[Any]) -> None:
    """Put keys and values, in turns, into a dictionary."""
    if type(target) is not dict:
        raise OpcodeError(f"sets an entry of {described(target)}, which is no dictionary")
    keys = items[::2]
    check_keys(keys, len(items))
    expected = len(target) + len(keys)
    target.update(zip(keys, items[1::2], strict=True))
    if len(target) != expected:  # no dictionary that was pickled has one key twice, and here the last would win
        twice = [key for key in dict.fromkeys(keys) if keys.count(key) > 1]
        raise OpcodeError(f"sets the entry {described((twice or keys)[0])} of a dictionary a second time")


def checked_keys(keys: list[Any]) -> list[Any]:
    """`keys`, if `check_keys` allows them."""
    check_keys(keys, 2 * len(keys))
    return keys


def check_keys(keys: list[Any], items: int) -> None:
    """Keys are numbers, texts or short flat tuples of them: the hash of deeply nested tuples could crash or hang."""
    if items % 2:
        raise OpcodeError("a dictionary has a key without a value")
    if ATOMS.issuperset(map(type, keys)):
        return
    for key in keys:
        flat = type(key) is tuple and len(key) <= _LONGEST_KEY and ATOMS.issuperset(map(type, key))
        if type(key) not in ATOMS and not flat:
            raise OpcodeError(f"a key is {described(key)}; numbers, texts and short tuples of them are allowed")
