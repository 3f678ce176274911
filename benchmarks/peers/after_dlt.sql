-- Of two files with one code the later wins; its images and captions alone stay. A merge by key would cost dlt far more.
CREATE TEMP TABLE losers AS
SELECT source_path
FROM articles
QUALIFY row_number() OVER (PARTITION BY article_id ORDER BY published_at DESC NULLS LAST, source_path DESC) > 1;
DELETE FROM articles WHERE source_path IN (SELECT source_path FROM losers);
DELETE FROM images WHERE source_path IN (SELECT source_path FROM losers);
DELETE FROM captions WHERE source_path IN (SELECT source_path FROM losers);
