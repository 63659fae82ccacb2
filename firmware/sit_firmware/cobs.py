"""COBS in place, for frames that fit one block: the code bytes take the places of the zeros. Background only."""


def encode(buf, n):
    """Encodes buf[1:n] in place: each zero, and buf[0], becomes the distance to the next zero or to the end.

    For n <= 255, where COBS needs no more than that one byte in front.
    """
    data = bytes(buf[:n])  # `find` runs in C, and only bytes have it on every port
    mark = 0
    at = data.find(b"\0", 1)
    while at > 0:
        buf[mark] = at - mark
        mark = at
        at = data.find(b"\0", mark + 1)
    buf[mark] = n - mark


def decode(buf, n):
    """Decodes buf[:n] in place into buf[1:n]; False when its distances don't end at n. buf[:n] holds no zero."""
    at = 0
    while at < n:
        step = buf[at]
        buf[at] = 0
        at += step
    return at == n
