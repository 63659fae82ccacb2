"""Runs every vector through the firmware's link; for MicroPython: run_vectors.py VECTORS.json."""

import json
import sys

import wirekit

with open(sys.argv[1]) as file:
    vectors = json.load(file)
for part in wirekit.ALL:
    print(part.__name__, part(vectors))
