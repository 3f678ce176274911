"""Rows become an edition on disk."""
