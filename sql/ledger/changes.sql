-- The rows that the ledger gains: how the articles of this edition differ from those of the previous one.
-- The temporary tables of differing.sql have their ids. $edition_id and $noticed_at are this edition's.
WITH
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
once_withdrawn AS (
    SELECT DISTINCT article_id FROM changes_before WHERE change = 'withdrawn'
),
-- The final values of withdrawn articles: nothing else will keep them.
last_words AS (
    FROM (
        SELECT article_id, title, category, published_on::VARCHAR AS published_on
        FROM articles_before
        SEMI JOIN gone USING (article_id)
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
