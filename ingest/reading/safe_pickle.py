"""Pickles read as data: a machine for the opcodes that knows a short list of names and cannot import or call others.

Python's own unpickler is not used, not even restricted. The machine hands out the entries of one large dictionary
while it reads, so that an archive of gigabytes needs the memory of one entry.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from catalog.errors import IngestError
from ingest.reading.byte_source import ByteSource
from ingest.reading.pickle_opcodes import (
    ATOMS,
    OpcodeError,
    OpcodeMachine,
    PickleLimits,
    Released,
    check_keys,
    decoded,
    update,
)
from ingest.reading.pickled_values import Fields, Global, UnbuildableError

_LOOKAHEAD = 300  # bytes at hand before each opcode: more than any opcode of the main loop takes
_LONGEST_SHARED = 64  # bytes of a text that is kept once for all its occurrences
_MOST_SHARED = 2**20
_SMALL = 16  # entries of a flat container that stays known after its entry was handed out

_FLOAT = struct.Struct(">d")
_UINT4 = struct.Struct("<I")
_CURVE = re.compile(rb"(?:K.G.{8}){4,}", re.DOTALL)  # a small integer and a float, again and again: a training curve
_POINT = struct.Struct(">xBxd")

_CONTAINERS = (dict, list, set, Fields)


class SafeUnpickler(OpcodeMachine):
    """Reads one pickle of protocol 0 to 5.

    Parameters
    ----------
    source
        Where the pickle starts; left behind its last byte.
    allowed
        Names that the pickle may mention besides `ingest.reading.pickled_values.ALLOWED`.
    persistent
        Makes a value of a persistent id; without it such ids are refused.
    watched
        Key in the outermost dictionary of a dictionary whose entries `entries` hands out.

    Attributes
    ----------
    result
        The pickled value, once it is read.
    """

    def __init__(
        self,
        source: ByteSource,
        *,
        allowed: Mapping[str, Global] | None = None,
        persistent: Callable[[Any], Any] | None = None,
        watched: str | None = None,
        limits: PickleLimits | None = None,
    ) -> None:
        super().__init__(source, allowed=allowed, persistent=persistent, limits=limits)
        self._watched = watched
        self._receiver: dict[Any, Any] | None = None  # the watched dictionary
        self._arriving: list[Any] | None = None  # the stack on which its entries arrive
        self._before_entry = (0, 0)  # length of the memo and number of containers when the current entry began

    def load(self) -> Any:
        """The pickled value.

        Raises
        ------
        IngestError
            The pickle is damaged, exceeds a limit, or mentions a name that is not allowed.
        """
        for _ in self.entries():
            pass
        return self.result

    def entries(self) -> Iterator[tuple[Any, Any]]:
        """Entries of the watched dictionary, each as soon as it is complete; then `result` is all the rest.

        An entry's large containers are forgotten when the next one is asked for. A pickle that refers back to one of
        them is refused. Pickles may add a last single entry in a way that leaves it in `result`.
        """
        source = self._source
        start = source.offset
        try:
            yield from self._run()
        except (OpcodeError, UnbuildableError) as fault:
            raise IngestError(
                f"{source.name}: pickle at offset {source.offset}: {fault}; nothing was stored."
            ) from None
        except (IndexError, struct.error):
            raise IngestError(
                f"{source.name}: the pickle from offset {start} on is damaged or incomplete near offset "
                f"{source.offset}; nothing was stored. Fetch the file again."
            ) from None

    def _run(self) -> Iterator[tuple[Any, Any]]:
        """Interpret opcodes until STOP.

        The opcodes that fill archives are handled here on local names, because this loop turns hundreds of millions
        of times for one of them; the others are in `OpcodeMachine`.
        """
        source, memo, marked, stack = self._source, self._memo, self._marked, self._stack
        texts: dict[bytes, str] = {}  # equal short texts become one object
        window, position, fence = source.window, source.position, -1
        try:
            while not self._finished:
                if position > fence:
                    source.position = position
                    source.need(_LOOKAHEAD + 1)
                    window, position = source.window, source.position
                    fence = len(window) - _LOOKAHEAD
                    self._check_limits(len(stack))
                opcode = window[position]
                position += 1
                if opcode == 0x47:  # BINFLOAT
                    stack.append(_FLOAT.unpack_from(window, position)[0])
                    position += 8
                elif opcode == 0x4B:  # BININT1
                    stack.append(window[position])
                    position += 1
                elif opcode == 0x94:  # MEMOIZE
                    memo.append(stack[-1])
                elif opcode == 0x72 and _UINT4.unpack_from(window, position)[0] == len(memo):  # LONG_BINPUT, in order
                    memo.append(stack[-1])
                    position += 4
                elif opcode == 0x8C or (opcode == 0x58 and window[position + 1 : position + 4] == b"\0\0\0"):
                    size = window[position]  # SHORT_BINUNICODE, or BINUNICODE of less than 256 bytes
                    position += 1 if opcode == 0x8C else 4
                    raw = window[position : position + size]
                    position += size
                    text = texts.get(raw)
                    if text is None:
                        text = decoded(raw, size)
                        if size <= _LONGEST_SHARED and len(texts) < _MOST_SHARED:
                            texts[raw] = text
                    stack.append(text)
                elif opcode == 0x6A:  # LONG_BINGET
                    stack.append(self.remembered(_UINT4.unpack_from(window, position)[0]))
                    position += 4
                elif opcode == 0x68:  # BINGET
                    stack.append(self.remembered(window[position]))
                    position += 1
                elif opcode == 0x28:  # MARK
                    marked.append(stack)
                    stack = self._opened(stack)
                    if curve := _CURVE.match(window, position):
                        for point in _POINT.iter_unpack(curve[0]):
                            stack += point
                        position = curve.end()
                elif opcode == 0x75:  # SETITEMS
                    items, stack = stack, marked.pop()
                    if items is self._arriving:
                        yield from self._handed_out(items)
                        self._arriving = None
                    else:
                        update(stack[-1], items)
                        if stack is self._arriving and len(stack) == 2:
                            yield from self._handed_out(stack)
                else:
                    source.position = position
                    self._stack = stack
                    self.carry_out(opcode)
                    stack = self._stack
                    window, position = source.window, source.position
                    fence = len(window) - _LOOKAHEAD
                    if opcode == 0x73 and stack is self._arriving and len(stack) == 2:  # SETITEM
                        yield from self._handed_out(stack)
        finally:
            source.position = min(position, len(window))

    def _opened(self, below: list[Any]) -> list[Any]:
        """A new stack above a mark; the watched dictionary's entries arrive on those directly above it."""
        opened: list[Any] = []
        if self._receiver is None and self._watched is not None and len(self._marked) <= 2 and len(below) > 1:
            key, value = below[-2:]
            if type(key) is str and key == self._watched and type(value) is dict:
                self._receiver = value
        if self._receiver is not None and below and below[-1] is self._receiver:
            self._arriving = opened
            self._before_entry = (len(self._memo), self._containers)
        return opened

    def _handed_out(self, items: list[Any]) -> Iterator[tuple[Any, Any]]:
        """Hand out all pairs on a stack, then forget their large containers."""
        keys = items[::2]
        check_keys(keys, len(items))
        yield from zip(keys, items[1::2], strict=True)
        items.clear()
        first, self._containers = self._before_entry
        self._memo[first:] = [
            Released if isinstance(value, _CONTAINERS) and not _is_small(value) else value
            for value in self._memo[first:]
        ]
        self._before_entry = (len(self._memo), self._containers)


def _is_small(container: Any) -> bool:
    values = container.values() if isinstance(container, dict) else container
    return len(container) <= _SMALL and ATOMS.issuperset(map(type, values))
