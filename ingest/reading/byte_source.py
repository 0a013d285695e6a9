"""A window of bytes on a stream, for readers that parse byte by byte."""

from __future__ import annotations

from catalog.errors import IngestError
from ingest.reading.sources import BLOCK, LimitedStream

_LONGEST_LINE = 1000


class ByteSource:
    """A stream with a window of bytes that consecutive parsers read from.

    Attributes
    ----------
    window, position
        The bytes at hand and the place of the next one to read.
    """

    def __init__(self, stream: LimitedStream) -> None:
        self.name = stream.name
        self.window = b""
        self.position = 0
        self._stream = stream
        self._before = 0

    @property
    def offset(self) -> int:
        """Offset in the stream of the next byte to read."""
        return self._before + self.position

    def need(self, size: int) -> bool:
        """Have `size` bytes in the window; False where the stream ends before."""
        have = len(self.window) - self.position
        if have >= size:
            return True
        blocks = [self.window[self.position :]]
        while have < size:
            block = self._stream.read(BLOCK)
            if not block:
                break
            blocks.append(block)
            have += len(block)
        self._before += self.position
        self.window = b"".join(blocks)
        self.position = 0
        return have >= size

    def take(self, size: int) -> bytes:
        """The next `size` bytes.

        Raises
        ------
        IngestError
            The stream ends before.
        """
        if not self.need(size):
            raise IngestError(
                f"{self.name}: ends before offset {self.offset + size}, in the middle of a value of {size} bytes; "
                "nothing was stored. Fetch the file again."
            )
        self.position += size
        return self.window[self.position - size : self.position]

    def line(self) -> str:
        """The next line of text, as the text opcodes of pickles have it.

        Raises
        ------
        IngestError
            No line ends within the next thousand bytes.
        """
        self.need(_LONGEST_LINE)
        end = self.window.find(b"\n", self.position, self.position + _LONGEST_LINE)
        if end < 0:
            raise IngestError(f"{self.name}: no line ends near offset {self.offset}; nothing was stored.")
        text = self.window[self.position : end]
        self.position = end + 1
        return text.decode("ascii", "backslashreplace")

    def skip(self, size: int) -> None:
        """Pass over the next `size` bytes without keeping them.

        Raises
        ------
        IngestError
            The stream ends before.
        """
        while size > 0:
            step = min(size, BLOCK)
            self.take(step)
            size -= step
