"""Mutation testing: the changes (places), how one gets into a running process (graft), which tests meet it (cover)."""
