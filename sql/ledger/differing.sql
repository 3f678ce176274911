-- Which articles differ from those of the previous edition: temporary tables of article_id, for changes.sql.
-- The views previous_articles, new_articles and so on have the rows of the months in which anything may differ.
-- Each table has its own statement: as parts of one query, they would all use memory at the same time.

-- The fields of the seed file that the ledger records, without columns that are derived from them.
CREATE OR REPLACE TEMP MACRO texts_of(articles) AS TABLE
SELECT
    article_id, title, description, category, language, layout, published_at::VARCHAR AS published_at, origin_url, body,
    extra, source_path
FROM query_table(articles);

CREATE OR REPLACE TEMP MACRO heroes_of(images) AS TABLE
SELECT article_id, url AS image FROM query_table(images) WHERE position = 0;

-- Hashes first, and before any other join: the bodies of a large archive do not fit into memory, those of the changed
-- articles do.
CREATE OR REPLACE TEMP MACRO hashes_of(articles, images) AS TABLE
SELECT article_id, hash(text_hash, image) AS article_hash
FROM (SELECT article_id, hash(*COLUMNS(*)) AS text_hash FROM texts_of(articles))
LEFT JOIN heroes_of(images) USING (article_id);

CREATE OR REPLACE TEMP TABLE previous_hashes AS FROM hashes_of('previous_articles', 'previous_images');

CREATE OR REPLACE TEMP TABLE new_hashes AS FROM hashes_of('new_articles', 'new_images');

CREATE OR REPLACE TEMP TABLE changed_ids AS
SELECT article_id
FROM previous_hashes AS previous
JOIN new_hashes AS new USING (article_id)
WHERE previous.article_hash <> new.article_hash;

CREATE OR REPLACE TEMP TABLE added_ids AS
SELECT article_id FROM new_hashes ANTI JOIN previous_hashes USING (article_id);

CREATE OR REPLACE TEMP TABLE withdrawn_ids AS
SELECT article_id FROM previous_hashes ANTI JOIN new_hashes USING (article_id);
