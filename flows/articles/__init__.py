"""One seed file becomes rows: pure functions that know neither disk nor database."""
