"""Count the errors of a contender's database, compared with the expected rows of the corpus.

    python -m benchmarks.score DATABASE TRUTH

Print a JSON object with the number of wrong, missing or superfluous rows and values by kind.
"""

import json
import sys
from pathlib import Path

import duckdb


def score(database: Path, truth: Path) -> dict[str, int]:
    """Return the number of errors of each kind."""
    with duckdb.connect(config={"autoload_known_extensions": False}) as connection:
        connection.execute(f"ATTACH '{database}' AS built (READ_ONLY)")
        connection.execute("SET VARIABLE truth = $truth", {"truth": str(truth)})
        result = connection.execute(Path(__file__).with_name("score.sql").read_text())
        return dict(zip([column[0] for column in result.description], result.fetchone() or (), strict=True))


if __name__ == "__main__":
    print(json.dumps(score(Path(sys.argv[1]), Path(sys.argv[2]))))
