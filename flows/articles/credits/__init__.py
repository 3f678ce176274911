"""Read the photographer and the agency at the end of a caption."""
