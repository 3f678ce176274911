"""Front matter (YAML, TOML, JSON) becomes values with their lines."""
