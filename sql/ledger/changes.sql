-- The rows that the ledger gains: how the articles of this edition differ from those of the edition before.
-- `before` is the database of the edition before; $edition_id and $noticed_at are this edition's.
WITH
arrived AS (
    SELECT article_id FROM articles ANTI JOIN before.articles USING (article_id)
),
gone AS (
    SELECT article_id FROM before.articles ANTI JOIN articles USING (article_id)
),
once_withdrawn AS (
    SELECT DISTINCT article_id FROM before.changes WHERE change = 'withdrawn'
),
-- What the newsroom wrote, and nothing that is derived from it.
facts_now AS (
    SELECT
        a.article_id, a.title, a.description, a.category, a.language, a.layout, a.published_at::VARCHAR AS published_at,
        a.origin_url, i.url AS image, a.body, a.extra, a.source_path
    FROM articles AS a
    SEMI JOIN before.articles USING (article_id)
    LEFT JOIN images AS i ON i.article_id = a.article_id AND i.position = 0
),
facts_before AS (
    SELECT
        a.article_id, a.title, a.description, a.category, a.language, a.layout, a.published_at::VARCHAR AS published_at,
        a.origin_url, i.url AS image, a.body, a.extra, a.source_path
    FROM before.articles AS a
    SEMI JOIN articles USING (article_id)
    LEFT JOIN before.images AS i ON i.article_id = a.article_id AND i.position = 0
),
differing_now AS (FROM facts_now EXCEPT FROM facts_before),
differing_before AS (FROM facts_before EXCEPT FROM facts_now),
fields_now AS (
    FROM differing_now UNPIVOT INCLUDE NULLS (new_value FOR field IN (COLUMNS(* EXCLUDE (article_id))))
),
fields_before AS (
    FROM differing_before UNPIVOT INCLUDE NULLS (old_value FOR field IN (COLUMNS(* EXCLUDE (article_id))))
),
changes_of_fields AS (
    SELECT
        article_id, if(field = 'source_path', 'moved', 'corrected') AS change, field, old_value, new_value
    FROM fields_before
    JOIN fields_now USING (article_id, field)
    WHERE old_value IS DISTINCT FROM new_value
),
all_changes AS (
    SELECT article_id, if(article_id IN (FROM once_withdrawn), 'restored', 'added') AS change, NULL, NULL, NULL
    FROM arrived
    UNION ALL
    SELECT article_id, 'withdrawn', NULL, NULL, NULL FROM gone
    UNION ALL
    FROM changes_of_fields
)
SELECT $edition_id AS edition_id, *, $noticed_at::TIMESTAMPTZ AS noticed_at
FROM all_changes AS changes_now (article_id, change, field, old_value, new_value)
ORDER BY article_id, change, field
