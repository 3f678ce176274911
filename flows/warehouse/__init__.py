"""Turn rows into an edition, and keep editions in a folder or an object store."""
