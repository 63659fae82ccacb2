"""The store on the chip's own flash, for a board without an FRAM. No repetitive mode: each write stalls everything.

One file for each page, so that a write rewrites one page only. Invariant 7 is kept here: unless the board says that
nothing is driven and the needle is home, nothing is written and OSError (EAGAIN) is raised. Reads never touch the flash
controller. Background only.
"""

import os
from errno import EAGAIN, EIO

PAGE = 4096
SIZE = 65536


class FileStore:
    """The store contract on files `folder`/0 .. ; a page that was never written reads as zeros."""

    size = SIZE

    def __init__(self, folder, at_rest):
        """at_rest() is true when nothing is driven, the plunger stands and the needle is home."""
        self._folder = folder
        self._at_rest = at_rest

    def readinto(self, addr, buf):
        """Fill `buf` from `addr` on; OSError outside the store."""
        self._check(addr, len(buf))
        done = 0
        while done < len(buf):
            page, offset = divmod(addr + done, PAGE)
            n = min(len(buf) - done, PAGE - offset)
            data = self._page(page)
            for i in range(n):
                buf[done + i] = data[offset + i]
            done += n

    def write(self, addr, buf):
        """Write `buf` at `addr`; OSError outside the store, and EAGAIN while anything moves or is driven."""
        self._check(addr, len(buf))
        done = 0
        while done < len(buf):
            page, offset = divmod(addr + done, PAGE)
            n = min(len(buf) - done, PAGE - offset)
            data = self._page(page)
            data[offset : offset + n] = buf[done : done + n]
            if not self._at_rest():
                raise OSError(EAGAIN)
            self._save(page, data)
            done += n

    def _check(self, addr, length):
        if addr < 0 or addr + length > SIZE:
            raise OSError(EIO)

    def _page(self, page):
        data = bytearray(PAGE)
        try:
            with open(self._folder + "/" + str(page), "rb") as file:
                file.readinto(data)
        except OSError:
            pass  # never written
        return data

    def _save(self, page, data):
        """A new file takes the old one's place, so that a power cut leaves one of the two."""
        name = self._folder + "/" + str(page)
        try:
            os.stat(self._folder)
        except OSError:
            os.mkdir(self._folder)
        with open(name + ".new", "wb") as file:
            file.write(data)
        os.rename(name + ".new", name)
