"""Parts of tools/campaign_bare.py."""
