"""`broadsheet query`: answer one SQL query from the current edition."""
