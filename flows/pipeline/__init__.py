"""The steps of a run, and the runners that execute them."""
