"""The client for object stores: sources and warehouses with an s3://, gs:// or az:// URL."""
