"""MD5 of many messages of one length at once, for the millions that NAS-Bench-101's module hashes take.

Everything is in words of four bytes, the first byte lowest, and a word's number comes first: (words, B). So each step
of the algorithm is one operation on contiguous arrays, and messages can be put together without touching bytes.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

Words = NDArray[np.uint32]

_START = (0x67452301, 0xEFCDAB89, 0x98BADCFE, 0x10325476)
_SHIFTS = ((7, 12, 17, 22), (5, 9, 14, 20), (4, 11, 16, 23), (6, 10, 15, 21))  # by round of sixteen steps
_WORD_STRIDES = ((1, 0), (5, 1), (3, 5), (7, 0))  # a round reads message word (stride * step + start) % 16
_STEPS = tuple(  # message word, constant, left shift, right shift
    (
        (_WORD_STRIDES[step // 16][0] * step + _WORD_STRIDES[step // 16][1]) % 16,
        np.uint32(int(abs(math.sin(step + 1)) * 2**32)),
        np.uint32(_SHIFTS[step // 16][step % 4]),
        np.uint32(32 - _SHIFTS[step // 16][step % 4]),
    )
    for step in range(64)
)


def padded(length: int, count: int) -> Words:
    """Room for `count` messages of `length` bytes with their padding filled in, (16 * blocks, count).

    The caller writes the message's words; where a message ends within a word, the padding's first byte 0x80 stands
    above its bytes and must be kept.
    """
    words = np.zeros(((length + 8) // 64 * 16 + 16, count), dtype=np.uint32)
    words[length // 4] = 0x80 << 8 * (length % 4)
    words[-2] = 8 * length
    return words


def digest(words: Words) -> Words:
    """The MD5 digests of padded messages (Rivest, RFC 1321).

    Parameters
    ----------
    words
        (16 * blocks, B), from `padded`.

    Returns
    -------
    Words
        (4, B).
    """
    state = np.repeat(np.array(_START, dtype=np.uint32)[:, None], words.shape[1], axis=1)  # (4, B)
    for block in range(0, len(words), 16):
        state += _compressed(state, words[block : block + 16])
    return state


def hexadecimal_table() -> Words:
    """The four hexadecimal digits, as one word, of each pair of bytes, (65536,)."""
    digits = np.frombuffer(b"0123456789abcdef", dtype=np.uint8).astype(np.uint32)
    byte = np.arange(256)
    two = digits[byte >> 4] | digits[byte & 15] << np.uint32(8)  # the high digit is written first
    pair = np.arange(65536)
    return np.asarray(two[pair & 255] | two[pair >> 8] << np.uint32(16))


def hexadecimal(digests: Words, table: Words) -> Words:
    """Digests, (4, B), as hexadecimal text, (8, B); `table` is `hexadecimal_table()`."""
    text = np.empty((8, digests.shape[1]), dtype=np.uint32)
    np.take(table, digests & np.uint32(0xFFFF), out=text[0::2])
    np.take(table, digests >> np.uint32(16), out=text[1::2])
    return text


def _compressed(state: Words, words: Words) -> Words:
    """What one block of sixteen words adds to the state: 64 steps over the registers a, b, c, d of RFC 1321."""
    a, b, c, d = state.copy()
    mixed, spare = np.empty_like(a), np.empty_like(a)
    for step, (word, constant, left, right) in enumerate(_STEPS):
        _select(step // 16, b, c, d, mixed)
        mixed += a
        mixed += constant
        mixed += words[word]
        np.left_shift(mixed, left, out=spare)
        np.right_shift(mixed, right, out=mixed)
        mixed |= spare
        mixed += b
        a, b, c, d, mixed = d, mixed, b, c, a  # the old a becomes the next step's scratch space
    return np.stack([a, b, c, d])


def _select(turn: int, b: Words, c: Words, d: Words, out: Words) -> None:
    """The bitwise function of one of the four rounds, without temporaries."""
    if turn == 0:  # b ? c : d
        np.bitwise_xor(c, d, out=out)
        out &= b
        out ^= d
    elif turn == 1:  # d ? b : c
        np.bitwise_xor(b, c, out=out)
        out &= d
        out ^= c
    elif turn == 2:
        np.bitwise_xor(b, c, out=out)
        out ^= d
    else:
        np.invert(d, out=out)
        out |= b
        out ^= c
