"""Broadsheet: a folder of Markdown news articles becomes a warehouse, edition by edition."""
