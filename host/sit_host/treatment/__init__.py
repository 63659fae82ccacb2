"""A treatment from plan to record: who is asked what, what the device is told, and what its ledger says was given.

`identity` names a treatment, `course` reads from ledger records what has been given and what is left, `journal` keeps
that on disk, `walk` leads through self-test, change, zero and prime, `give` loads, arms and follows, `run` puts them
in order. Nothing here decides that a dose was given: the device's ledger does.
"""
