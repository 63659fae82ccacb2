"""The protocol generator: reads schema.toml and image.py, writes everything that follows from them.

`schema` loads and checks; `firmware`, `host`, `page` and `vectors` each give file texts; `files` writes or compares.
"""
