-- Tables whose rows in Parquet are not those in DuckDB.
-- The variable `edition` is the edition's folder; `months` are those whose content is compared, null: all. The views
-- `articles_in_parquet` and so on have the rows of just these months.
CREATE OR REPLACE TEMP MACRO is_compared(month) AS
    getvariable('months') IS NULL OR list_contains(getvariable('months'), coalesce(month, ''));
WITH
fingerprints AS (
    SELECT 'articles' AS table_name, 'duckdb' AS origin, count(*) AS row_count, bit_xor(hash(*COLUMNS(*))) AS fingerprint
    FROM articles
    WHERE is_compared(published_month)
    UNION ALL
    SELECT 'articles', 'parquet', count(*), bit_xor(hash(*COLUMNS(*)))
    FROM articles_in_parquet
    UNION ALL
    SELECT 'images', 'duckdb', count(*), bit_xor(hash(*COLUMNS(*)))
    FROM images
    WHERE is_compared(published_month)
    UNION ALL
    SELECT 'images', 'parquet', count(*), bit_xor(hash(*COLUMNS(*)))
    FROM images_in_parquet
    UNION ALL
    SELECT 'captions', 'duckdb', count(*), bit_xor(hash(*COLUMNS(*)))
    FROM captions
    WHERE is_compared(published_month)
    UNION ALL
    SELECT 'captions', 'parquet', count(*), bit_xor(hash(*COLUMNS(*)))
    FROM captions_in_parquet
    UNION ALL
    SELECT 'changes', 'duckdb', count(*), bit_xor(hash(*COLUMNS(*)))
    FROM changes
    UNION ALL
    SELECT 'changes', 'parquet', count(*), bit_xor(hash(*COLUMNS(*)))
    FROM changes_in_parquet
    UNION ALL
    SELECT 'problems', 'duckdb', count(*), bit_xor(hash(*COLUMNS(*)))
    FROM problems
    UNION ALL
    SELECT 'problems', 'parquet', count(*), bit_xor(hash(*COLUMNS(*)))
    FROM read_parquet(getvariable('edition') || '/problems.parquet', hive_partitioning = false)
    UNION ALL
    SELECT 'sources', 'duckdb', count(*), bit_xor(hash(*COLUMNS(*)))
    FROM sources
    UNION ALL
    SELECT 'sources', 'parquet', count(*), bit_xor(hash(*COLUMNS(*)))
    FROM read_parquet(getvariable('edition') || '/sources.parquet', hive_partitioning = false)
    UNION ALL
    SELECT 'editions', 'duckdb', count(*), bit_xor(hash(*COLUMNS(*)))
    FROM editions
    UNION ALL
    SELECT 'editions', 'parquet', count(*), bit_xor(hash(*COLUMNS(*)))
    FROM read_parquet(getvariable('edition') || '/editions.parquet', hive_partitioning = false)
    UNION ALL
    SELECT 'articles, all months', 'duckdb', count(*), 0
    FROM articles
    UNION ALL
    SELECT 'articles, all months', 'parquet', count(*), 0
    FROM read_parquet(getvariable('edition') || '/articles/*/*.parquet', hive_partitioning = false)
    UNION ALL
    SELECT 'images, all months', 'duckdb', count(*), 0
    FROM images
    UNION ALL
    SELECT 'images, all months', 'parquet', count(*), 0
    FROM read_parquet(getvariable('edition') || '/images/*/*.parquet', hive_partitioning = false)
    UNION ALL
    SELECT 'captions, all months', 'duckdb', count(*), 0
    FROM captions
    UNION ALL
    SELECT 'captions, all months', 'parquet', count(*), 0
    FROM read_parquet(getvariable('edition') || '/captions/*/*.parquet', hive_partitioning = false)
)
SELECT table_name, list(origin || ': ' || row_count || ' rows' ORDER BY origin) AS found
FROM fingerprints
GROUP BY table_name
HAVING count(DISTINCT fingerprint) <> 1 AND max(row_count) > 0 OR min(row_count) <> max(row_count)
