"""Compute and combine CRCs without a compiled module: long integers, tables, and powers of x over GF(2)."""

from __future__ import annotations

import struct
from functools import lru_cache

__all__ = ["CRC32", "CRC32C", "CRC64NVME", "Crc"]

_SLICE = 8  # bytes that one step by table takes
_CHUNK = 1 << 20  # bytes that are folded at once
_ROWS = (4096, 256, 64)  # bytes of a row, powers of two: wide rows first, as a step costs as much as its row is wide


class Crc:
    """Be a reflected CRC whose register begins as all ones and is inverted at the end, as those of S3 are.

    Args:
        width: bits of the register.
        polynomial: reflected: its highest power is the lowest bit.

    Source: "Checking object integrity in Amazon S3" in the Amazon S3 user guide names the three; their parameters are
    those of RFC 1952 (CRC32), RFC 3720 (CRC32C) and the NVM Express NVM command set (CRC64NVME).

    Example:
        >>> hex(CRC32C.update(b"123456789"))
        '0xe3069283'
    """

    def __init__(self, width: int, polynomial: int) -> None:
        self.width = width
        self._polynomial = polynomial
        self._ones = (1 << width) - 1
        self._kept_tables: list[list[int]] | None = None
        # How far behind a bit those are that it is added to when it is taken away; the lowest bit is the highest power.
        self._steps = [width - power for power in range(width) if polynomial >> (width - 1 - power) & 1]
        # x to the power of 8, 16, 32, 64, …
        self._squares = [1 << (width - 9)]
        self.power = lru_cache(maxsize=256)(self._power)

    def update(self, data: bytes | bytearray | memoryview, crc: int = 0) -> int:
        """Return the CRC of what `crc` is of, with the data after it.

        Args:
            data: contiguous bytes.
            crc: of all that came before.
        """
        view = memoryview(data).cast("B")
        register = crc ^ self._ones
        for start in range(0, len(view), _CHUNK):
            chunk = view[start : start + _CHUNK]
            for size in _ROWS:
                if len(chunk) >= 2 * self.width * size:
                    chunk, register = memoryview(self._fold(chunk, register, size)), 0
            register = self._by_table(chunk, register)
        return register ^ self._ones

    def _fold(self, view: memoryview, register: int, size: int) -> bytes:
        """Return fewer bytes with the same CRC, the register being zero before them; ten times as fast as the tables.

        The bytes are rows, each a long integer. A register is a remainder modulo the polynomial P(x), and over GF(2)
        P(x) to the power of 2^k is P(x^(2^k)): a multiple of P that joins whole rows as P joins bits. So a row is
        taken away by adding it to those after it where P has a coefficient, until as many rows are left as P has bits.
        """
        count = len(view) // size
        whole = count * size
        rows = [int.from_bytes(view[place : place + size], "little") for place in range(0, whole, size)]
        rows[0] ^= register
        left = count - self.width
        for place in range(left):
            row = rows[place]
            for step in self._steps:
                rows[place + step] ^= row
        return b"".join([row.to_bytes(size, "little") for row in rows[left:]]) + bytes(view[whole:])

    def _by_table(self, view: memoryview, register: int) -> int:
        """Return the register after some bytes, eight at a time."""
        t0, t1, t2, t3, t4, t5, t6, t7 = self._tables
        whole = len(view) - len(view) % _SLICE
        for (word,) in struct.iter_unpack("<Q", view[:whole]):
            x = word ^ register  # which is never wider than eight bytes
            register = (
                t7[x & 255]
                ^ t6[x >> 8 & 255]
                ^ t5[x >> 16 & 255]
                ^ t4[x >> 24 & 255]
                ^ t3[x >> 32 & 255]
                ^ t2[x >> 40 & 255]
                ^ t1[x >> 48 & 255]
                ^ t0[x >> 56]
            )
        for byte in view[whole:]:
            register = t0[(register ^ byte) & 255] ^ (register >> 8)
        return register

    def combine(self, first: int, second: int, length: int) -> int:
        """Return the CRC of two runs of bytes from the CRC of each.

        Args:
            first: of the first run.
            second: of the second run.
            length: bytes of the second run.

        Example:
            >>> a, b = CRC32C.update(b"12345"), CRC32C.update(b"6789")
            >>> CRC32C.combine(a, b, 4) == CRC32C.update(b"123456789")
            True
        """
        return self._times(self.power(length), first) ^ second

    @property
    def _tables(self) -> list[list[int]]:
        if self._kept_tables is None:
            self._kept_tables = self._make_tables()
        return self._kept_tables

    def _make_tables(self) -> list[list[int]]:
        """Return for each place in a slice what a byte there does to the register at the end of the slice."""
        first = []
        for byte in range(256):
            value = byte
            for _ in range(8):
                value = self._next(value)
            first.append(value)
        tables = [first]
        while len(tables) < _SLICE:
            tables.append([first[value & 255] ^ (value >> 8) for value in tables[-1]])
        return tables

    def _next(self, value: int) -> int:
        """Multiply by x."""
        return value >> 1 ^ self._polynomial if value & 1 else value >> 1

    def _times(self, a: int, b: int) -> int:
        """Multiply two polynomials modulo the CRC's own."""
        product = 0
        bit = 1 << (self.width - 1)
        while a:
            if a & bit:
                product ^= b
                a ^= bit
            bit >>= 1
            b = b >> 1 ^ self._polynomial if b & 1 else b >> 1
        return product

    def _power(self, length: int) -> int:
        """Return x to the number of bits in so many bytes, which is what the bytes do to what stands before them."""
        result = 1 << (self.width - 1)  # x to the power of zero
        for place in range(length.bit_length()):
            if place == len(self._squares):
                self._squares.append(self._times(self._squares[-1], self._squares[-1]))
            if length >> place & 1:
                result = self._times(self._squares[place], result)
        return result


CRC32 = Crc(32, 0xEDB88320)
CRC32C = Crc(32, 0x82F63B78)
CRC64NVME = Crc(64, 0x9A6C9329AC4BC9B5)
