"""The client of an object store: sources and warehouses below an s3:// URL."""
