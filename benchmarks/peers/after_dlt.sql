-- Of two files with the same code, keep the later one with its images and captions. A merge by key would be much slower in dlt.
CREATE TEMP TABLE superseded AS
SELECT source_path
FROM articles
QUALIFY row_number() OVER (PARTITION BY article_id ORDER BY published_at DESC NULLS LAST, source_path DESC) > 1;
DELETE FROM articles WHERE source_path IN (SELECT source_path FROM superseded);
DELETE FROM images WHERE source_path IN (SELECT source_path FROM superseded);
DELETE FROM captions WHERE source_path IN (SELECT source_path FROM superseded);
