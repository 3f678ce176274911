"""The steps of a run, and what calls them in this process, its workers or a Dask cluster."""
