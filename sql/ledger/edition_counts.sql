-- The counts of this edition, in one row; $edition_id is its id.
WITH
status_counts AS (
    SELECT
        count(*) FILTER (status = 'rejected') AS rejected,
        count(*) FILTER (status = 'duplicate') AS duplicates,
        count(*) FILTER (status = 'draft') AS drafts
    FROM sources
),
change_counts AS (
    SELECT
        count(DISTINCT article_id) FILTER (change = 'added') AS added,
        count(DISTINCT article_id) FILTER (change = 'corrected') AS corrected,
        count(DISTINCT article_id) FILTER (change = 'withdrawn') AS withdrawn,
        count(DISTINCT article_id) FILTER (change = 'restored') AS restored
    FROM changes
    WHERE edition_id = $edition_id
)
SELECT
    (SELECT count(*) FROM articles) AS articles,
    (SELECT count(*) FROM images) AS images,
    (SELECT count(*) FROM captions) AS captions,
    s.rejected,
    (SELECT count(*) FROM problems WHERE severity = 'repaired') AS repaired,
    s.duplicates,
    s.drafts,
    c.added,
    c.corrected,
    c.withdrawn,
    c.restored
FROM status_counts AS s, change_counts AS c
