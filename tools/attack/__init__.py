"""Attacks on the whole stack, from the host's client to the plant; tools/campaign.py, fuzz.py and soak.py run them."""
