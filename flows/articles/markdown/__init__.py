"""Read a Markdown body into blocks, images, captions and prose."""
