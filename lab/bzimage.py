# SPDX-License-Identifier: GPL-2.0-only
"""The kernel inside an x86 bzImage, as an uncompressed ELF file."""

from __future__ import annotations

import gzip
import lzma
import struct
import zlib

from . import proc
from .steps import LabError

# Fields of the x86 boot protocol (Documentation/arch/x86/boot.rst), version 2.08 or later.
SETUP_SECTS = 0x1F1
MAGIC = 0x202
VERSION = 0x206
PAYLOAD_OFFSET = 0x248
PAYLOAD_LENGTH = 0x24C
SECTOR = 512

XZ = b"\xfd7zXZ\0"
ZSTD = b"\x28\xb5\x2f\xfd"
GZIP = b"\x1f\x8b"
ELF = b"\x7fELF"
# The kernel's build appends the uncompressed length, 32 bits, to the output of the compressor.
TRAILER = 4


def vmlinux(image: bytes) -> bytes:
    """The ELF file in a bzImage; LabError when the bytes are no such image or do not unpack to their length."""
    if len(image) < PAYLOAD_LENGTH + 4 or image[MAGIC:MAGIC + 4] != b"HdrS":
        raise LabError("the kernel image is no bzImage")
    if struct.unpack_from("<H", image, VERSION)[0] < 0x208:
        raise LabError("the kernel image is too old to tell the place of its payload")
    offset, length = struct.unpack_from("<II", image, PAYLOAD_OFFSET)
    begin = ((image[SETUP_SECTS] or 4) + 1) * SECTOR + offset
    payload = image[begin:begin + length]
    if len(payload) < length or length <= TRAILER:
        raise LabError("the kernel image is cut short")
    elf = _unpack(payload)
    size = struct.unpack_from("<I", payload, length - TRAILER)[0]
    if not elf.startswith(ELF) or len(elf) != size:
        raise LabError(f"the kernel image unpacks to {len(elf)} bytes that are not the kernel of {size} bytes")
    return elf


def _unpack(payload: bytes) -> bytes:
    packed = payload[:-TRAILER]
    try:
        if packed.startswith(XZ):
            return lzma.decompress(packed, format=lzma.FORMAT_XZ)
        if packed.startswith(GZIP):
            return gzip.decompress(payload)
        if packed.startswith(ZSTD):
            return proc.filtered(["zstd", "-dcq"], packed, timeout=60)
    except (lzma.LZMAError, zlib.error, EOFError, OSError) as error:
        raise LabError(f"the kernel image does not unpack: {error}") from error
    raise LabError(f"the kernel image is compressed in an unknown way (it begins with {packed[:6].hex(' ')})")
