"""Who acts on the device in a bench test: the simulated hand at once, or a person who reads a sentence.

ask = simulated(control) | person(reporter, why)
ask("trigger")
"""

# action of the simulator's hand -> what a person reads
SENTENCES = {
    "press": "Press the nose-piece flat on the phantom, and keep it there.",
    "lift": "Lift the nose-piece.",
    "trigger": "Pull the trigger, and hold it.",
    "release": "Let go of the trigger.",
    "jumper_on": "Put the service jumper on.",
    "jumper_off": "Take the service jumper off.",
    "pair": "Press the pairing button, and hold it.",
    "pair_release": "Let go of the pairing button.",
    "cartridge_out": "Take the syringe out.",
    "cartridge_in": "Put the syringe in.",
    "estop": "Press the e-stop.",
    "estop_release": "Release the e-stop.",
}


def simulated(control):
    """The simulated hand: it has acted when the call returns."""

    def ask(action):
        control({"do": "hand", "action": action})

    return ask


def person(reporter, why):
    """A person at the bench: the call returns at once, the test waits for the device to see it."""
    reporter.write_line("")
    reporter.write_line(why)

    def ask(action):
        reporter.write_line(f"  {SENTENCES[action]}", bold=True)

    return ask
