-- The articles that differ from those of the previous edition: temporary tables with an `article_id` each, for changes.sql.
-- Both editions come from the Parquet of the months in which anything may differ.
-- One statement a table: together, as parts of one query, they would all hold memory at once.

-- What the newsroom wrote, and nothing that is derived from it.
CREATE OR REPLACE TEMP MACRO texts_of(rows) AS TABLE
SELECT
    article_id, title, description, category, language, layout, published_at::VARCHAR AS published_at, origin_url, body,
    extra, source_path
FROM query_table(rows);

CREATE OR REPLACE TEMP VIEW texts_before AS FROM texts_of('articles_before');

CREATE OR REPLACE TEMP VIEW texts_now AS FROM texts_of('articles_now');

CREATE OR REPLACE TEMP VIEW heroes_before AS
SELECT article_id, url AS image FROM images_before WHERE position = 0;

CREATE OR REPLACE TEMP VIEW heroes_now AS
SELECT article_id, url AS image FROM images_now WHERE position = 0;

-- Hashes first, and before anything is joined: the bodies of a large archive do not fit into memory, those of what
-- changed do.
CREATE OR REPLACE TEMP TABLE hashes_before AS
SELECT article_id, hash(text_hash, image) AS hash_before
FROM (SELECT article_id, hash(*COLUMNS(*)) AS text_hash FROM texts_before)
LEFT JOIN heroes_before USING (article_id);

CREATE OR REPLACE TEMP TABLE hashes_now AS
SELECT article_id, hash(text_hash, image) AS hash_now
FROM (SELECT article_id, hash(*COLUMNS(*)) AS text_hash FROM texts_now)
LEFT JOIN heroes_now USING (article_id);

CREATE OR REPLACE TEMP TABLE differing AS
SELECT article_id FROM hashes_before JOIN hashes_now USING (article_id) WHERE hash_before <> hash_now;

CREATE OR REPLACE TEMP TABLE arrived AS
SELECT article_id FROM hashes_now ANTI JOIN hashes_before USING (article_id);

CREATE OR REPLACE TEMP TABLE gone AS
SELECT article_id FROM hashes_before ANTI JOIN hashes_now USING (article_id);
