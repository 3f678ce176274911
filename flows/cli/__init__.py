"""The command line: `broadsheet run`, `up`, `verify`, `editions`, `rollback`, `query` and `explain`."""
