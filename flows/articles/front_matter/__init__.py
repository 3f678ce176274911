"""Read front matter (YAML, TOML, JSON) into values with their lines."""
