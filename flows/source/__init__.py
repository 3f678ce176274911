"""List the seed files of a source, and read them."""
