"""The device's secrets on the store: the key of the paired host and the key of the service code. Background only.

Both lie in one A/B record: a torn write leaves the one before in force. They are read at boot, written with the pairing
button held, and never sent, logged or recorded. A record that is damaged or can't be read isn't "not paired": `whole`
is False then, and who may change something is unknown, so nobody may.
"""

import struct

from sit_firmware.store.layout import KEYS_ADDR
from sit_firmware.store.pair import BLANK, DAMAGED, Pair

KEY_BYTES = 16
NO_KEY = bytes(KEY_BYTES)
_TAG = 0x594B
_VERSION = 1
_FORM = "<%ds%ds" % (KEY_BYTES, KEY_BYTES)


class Keys:
    """`host` is the paired host's key, `code` the service code's; NO_KEY for none."""

    def __init__(self, store):
        self._pair = Pair(store, KEYS_ADDR, _TAG, _VERSION, struct.calcsize(_FORM))
        self.whole = False
        self.host = NO_KEY
        self.code = NO_KEY

    def load(self):
        """Take the record in force. Raises StoreError, and then `whole` is False."""
        self.whole = False
        self.host = self.code = NO_KEY
        found = self._pair.load()
        self.whole = found != DAMAGED
        if self.whole and found != BLANK:
            self.host, self.code = struct.unpack_from(_FORM, self._pair.payload, 0)

    def keep(self, host, code):
        """Write both and take them. Raises StoreError, and then the ones before stay in force."""
        if not self.whole:
            self._pair.load()  # the number and place of the newest copy, if it can be read now
        struct.pack_into(_FORM, self._pair.payload, 0, host, code)
        self._pair.save()
        self.host = bytes(host)
        self.code = bytes(code)
        self.whole = True
