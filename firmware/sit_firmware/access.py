"""Who may change something: the paired host, by the MAC of its frames. Background only.

A device that was never paired is open: every host may. Once it is paired, a request that changes something needs a MAC
under the session's key, which follows from the host's key, both nonces of HELLO, the boot count and the device's id: a
frame of another session, boot or device is worth nothing. Reading, STOP and DISARM need none. Pairing needs the button
at the device, pressed anew for each one, so that a stuck button opens nothing.
"""

import struct

from sit_firmware import codes, hmac, image, wire
from sit_firmware.access_lockout import LOCK_MS, Attempts, Lockout
from sit_firmware.clock import ticks_of_ms
from sit_firmware.keys import NO_KEY, Keys
from sit_firmware.store.access import StoreError

# ACCESS_READ `paired`
OPEN = 0
PAIRED = 1
LOST = 2  # the record of the keys is damaged: closed to all until somebody pairs at the device

_NO_MAC = (codes.MSG_PAIR,)  # the button stands for it
_SESSION_LABEL = b"OpenSIT session"
_WRITES_IN = (codes.STATE_IDLE, codes.STATE_FAULT)


class Access:
    """Keys, the session's MAC, the counts of what was refused, and the pairing button."""

    def __init__(self, dev):
        self._dev = dev
        self.keys = Keys(dev.board.store)
        self.macs = Lockout()
        self.codes = Lockout()  # of the service code
        self._attempts = Attempts(dev.board.store, self.macs, self.codes)
        self.refused = 0  # frames without a MAC or with a wrong one, since boot
        self.nonce = 0  # of the host whose session it is
        self.seed = b""  # what the keys of this session follow from
        self._pads = None  # of the session's key; None: no frame can be right
        self._released = False  # the button was seen up since it last stood for something
        self._lock_ticks = ticks_of_ms(LOCK_MS, dev.board.tick_us)

    def load(self):
        """Take keys and counts from the store. One that can't be read leaves the device closed to all."""
        try:
            self.keys.load()
            self._attempts.load()
        except StoreError:
            self.keys.whole = False

    def paired(self):
        """OPEN, PAIRED or LOST."""
        if not self.keys.whole:
            return LOST
        return OPEN if self.keys.host == NO_KEY else PAIRED

    def hello(self, host_nonce, device_nonce):
        """A session begins: its keys follow from these."""
        dev = self._dev
        self.nonce = host_nonce
        self.seed = bytes(dev.board.uid) + struct.pack("<II", dev.boot_count, host_nonce) + device_nonce
        self._derive()

    def _derive(self):
        self._pads = None
        if self.paired() == PAIRED:
            self._pads = hmac.pads(hmac.digest(hmac.pads(self.keys.host), _SESSION_LABEL, self.seed))

    def refusal(self, request):
        """What the MAC of a request that changes something earns: 0, NEEDS_KEY or LOCKOUT. The link asks first."""
        if request.id in _NO_MAC or self.paired() == OPEN:
            return 0
        if self.macs.locked():
            self.refused += 1
            return codes.LIMIT_LOCKOUT
        known = any(request.mac)  # all zeros: a host without a key, which guesses nothing
        if known and self._pads is not None:
            if hmac.same(hmac.digest(self._pads, request.signed)[: wire.MAC_LEN], request.mac):
                self.macs.passed()
                return 0
            self.macs.failed()
        self.refused += 1
        return codes.REFUSED_NEEDS_KEY

    # --- the button --------------------------------------------------------------------------------

    def pressed(self):
        """The pairing button is held, and was up since it last stood for something."""
        return self._released and self._dev.inputs[image.IN_PAIR] != 0

    def use_press(self):
        """This press has stood for something: the next needs the button anew."""
        self._released = False

    def pair(self, key):
        """Makes `key` the host's key, NO_KEY for none; 0 or NEEDS_OPERATOR. Raises StoreError: nothing is changed."""
        if not self.pressed():
            return codes.REFUSED_NEEDS_OPERATOR
        self.keys.keep(key, self.keys.code)
        self.use_press()
        self.macs.passed()
        self._derive()
        return 0

    def keep_counts(self):
        """Writes the counts of wrong tries. Raises StoreError."""
        self._attempts.keep()

    # --- each poll ---------------------------------------------------------------------------------

    def poll(self):
        """One slice: the button, the lockouts, their counts to the store while nothing moves."""
        dev = self._dev
        if not dev.inputs[image.IN_PAIR]:
            self._released = True
        self.macs.poll(dev.now, self._lock_ticks)
        self.codes.poll(dev.now, self._lock_ticks)
        if self._attempts.changed() and dev.box.still() and dev.session.state in _WRITES_IN:
            try:
                self._attempts.keep()
            except StoreError:
                dev.booking.unreadable()

    def timers(self):
        """The timers that wake the firmware when nothing changes."""
        return (self.macs.timer, self.codes.timer)
