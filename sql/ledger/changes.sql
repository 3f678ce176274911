-- The rows that the ledger gains: how the articles of this edition differ from those of the edition before.
-- Both come from the Parquet of the months in which anything may differ. $edition_id and $noticed_at are this edition's.
WITH
-- What the newsroom wrote, and nothing that is derived from it.
texts_before AS (
    SELECT
        article_id, title, description, category, language, layout, published_at::VARCHAR AS published_at, origin_url,
        body, extra, source_path
    FROM articles_before
),
heroes_before AS (SELECT article_id, url AS image FROM images_before WHERE position = 0),
texts_now AS (
    SELECT
        article_id, title, description, category, language, layout, published_at::VARCHAR AS published_at, origin_url,
        body, extra, source_path
    FROM articles_now
),
heroes_now AS (SELECT article_id, url AS image FROM images_now WHERE position = 0),
-- Hashes first, and before anything is joined: the bodies of a large archive do not fit into memory, those of what
-- changed do.
hashes_before AS (
    SELECT article_id, hash(text_hash, image) AS hash_before
    FROM (SELECT article_id, hash(*COLUMNS(*)) AS text_hash FROM texts_before)
    LEFT JOIN heroes_before USING (article_id)
),
hashes_now AS (
    SELECT article_id, hash(text_hash, image) AS hash_now
    FROM (SELECT article_id, hash(*COLUMNS(*)) AS text_hash FROM texts_now)
    LEFT JOIN heroes_now USING (article_id)
),
differing AS (
    SELECT article_id FROM hashes_before JOIN hashes_now USING (article_id) WHERE hash_before <> hash_now
),
fields_before AS (
    FROM (FROM (FROM texts_before SEMI JOIN differing USING (article_id)) LEFT JOIN heroes_before USING (article_id))
    UNPIVOT INCLUDE NULLS (old_value FOR field IN (COLUMNS(* EXCLUDE (article_id))))
),
fields_now AS (
    FROM (FROM (FROM texts_now SEMI JOIN differing USING (article_id)) LEFT JOIN heroes_now USING (article_id))
    UNPIVOT INCLUDE NULLS (new_value FOR field IN (COLUMNS(* EXCLUDE (article_id))))
),
changes_of_fields AS (
    SELECT
        article_id, if(field = 'source_path', 'moved', 'corrected') AS change, field, old_value, new_value
    FROM fields_before
    JOIN fields_now USING (article_id, field)
    WHERE old_value IS DISTINCT FROM new_value
),
arrived AS (
    SELECT article_id FROM articles_now ANTI JOIN articles_before USING (article_id)
),
once_withdrawn AS (
    SELECT DISTINCT article_id FROM changes_before WHERE change = 'withdrawn'
),
-- The last words of what is gone: nothing else will hold them.
last_words AS (
    FROM (
        SELECT article_id, title, category, published_on::VARCHAR AS published_on
        FROM articles_before
        ANTI JOIN articles_now USING (article_id)
    )
    UNPIVOT (old_value FOR field IN (title, category, published_on))
),
all_changes AS (
    SELECT article_id, if(article_id IN (FROM once_withdrawn), 'restored', 'added') AS change, NULL, NULL, NULL
    FROM arrived
    UNION ALL
    SELECT article_id, 'withdrawn', field, old_value, NULL FROM last_words
    UNION ALL
    FROM changes_of_fields
)
SELECT $edition_id AS edition_id, *, $noticed_at::TIMESTAMPTZ AS noticed_at
FROM all_changes AS changes_now (article_id, change, field, old_value, new_value)
ORDER BY article_id, change, field
