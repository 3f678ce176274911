"""A Markdown body becomes blocks, images, captions and prose."""
