"""Pack a folder into a LittleFS image, as MicroPython's flash driver of the RP2040 lays it out. Runs under MicroPython.

micropython pack_files.py FOLDER IMAGE BLOCK_BYTES BLOCKS
"""

import os
import sys

import vfs


class Memory:
    """A block device in RAM."""

    def __init__(self, block_bytes, blocks):
        self.block_bytes = block_bytes
        self.blocks = blocks
        self.data = bytearray(block_bytes * blocks)

    def readblocks(self, block, buf, offset=0):
        """Fill `buf` from a block on."""
        start = block * self.block_bytes + offset
        buf[:] = self.data[start : start + len(buf)]

    def writeblocks(self, block, buf, offset=0):
        """Write `buf` from a block on."""
        start = block * self.block_bytes + offset
        self.data[start : start + len(buf)] = buf

    def ioctl(self, op, arg):
        """Number of blocks, their size, success for the rest."""
        return {4: self.blocks, 5: self.block_bytes}.get(op, 0)


def copy(source, to):
    """Copy a folder's files and folders."""
    for name in sorted(os.listdir(source)):
        if os.stat(source + "/" + name)[0] & 0x4000:
            os.mkdir(to + "/" + name)
            copy(source + "/" + name, to + "/" + name)
        else:
            with open(source + "/" + name, "rb") as file, open(to + "/" + name, "wb") as out:
                out.write(file.read())


def main(folder, image, block_bytes, blocks):
    """Make the image."""
    memory = Memory(int(block_bytes), int(blocks))
    vfs.VfsLfs2.mkfs(memory, progsize=256)
    vfs.mount(vfs.VfsLfs2(memory, progsize=256), "/image")
    copy(folder, "/image")
    vfs.umount("/image")
    with open(image, "wb") as file:
        file.write(memory.data)


main(*sys.argv[1:])
