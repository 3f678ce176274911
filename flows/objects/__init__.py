"""Objects in a store, where the source or the warehouse is an s3:// prefix."""
