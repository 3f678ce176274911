-- The rows that the ledger gains: how the articles of this edition differ from those of the previous edition.
-- differing.sql creates the macros and temporary tables. $edition_id and $noticed_at are those of this edition.
WITH
previous_fields AS (
    FROM (
        FROM texts_of('previous_articles')
        SEMI JOIN changed_ids USING (article_id)
        LEFT JOIN heroes_of('previous_images') USING (article_id)
    )
    UNPIVOT INCLUDE NULLS (old_value FOR field IN (COLUMNS(* EXCLUDE (article_id))))
),
new_fields AS (
    FROM (
        FROM texts_of('new_articles')
        SEMI JOIN changed_ids USING (article_id)
        LEFT JOIN heroes_of('new_images') USING (article_id)
    )
    UNPIVOT INCLUDE NULLS (new_value FOR field IN (COLUMNS(* EXCLUDE (article_id))))
),
field_changes AS (
    SELECT
        article_id, if(field = 'source_path', 'moved', 'corrected') AS change, field, old_value, new_value
    FROM previous_fields
    JOIN new_fields USING (article_id, field)
    WHERE old_value IS DISTINCT FROM new_value
),
once_withdrawn AS (
    SELECT DISTINCT article_id FROM previous_changes WHERE change = 'withdrawn'
),
-- The last values of withdrawn articles, which no other table keeps.
final_values AS (
    FROM (
        SELECT article_id, title, category, published_on::VARCHAR AS published_on
        FROM previous_articles
        SEMI JOIN withdrawn_ids USING (article_id)
    )
    UNPIVOT (old_value FOR field IN (title, category, published_on))
),
all_changes AS (
    SELECT article_id, if(article_id IN (FROM once_withdrawn), 'restored', 'added') AS change, NULL, NULL, NULL
    FROM added_ids
    UNION ALL
    SELECT article_id, 'withdrawn', field, old_value, NULL FROM final_values
    UNION ALL
    FROM field_changes
)
SELECT $edition_id AS edition_id, *, $noticed_at::TIMESTAMPTZ AS noticed_at
FROM all_changes AS new_changes (article_id, change, field, old_value, new_value)
ORDER BY article_id, change, field
