"""Read one seed file into rows: pure functions that know neither disk nor database."""
