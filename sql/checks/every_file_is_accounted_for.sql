-- Seed files without one of the statuses published, duplicate, draft or rejected, or without the row that explains it.
-- The variable `files` is the number of files that the source lists.
WITH found AS (
    SELECT
        count(*) AS files,
        count(*) FILTER (status = 'published') AS published,
        count(*) FILTER (status = 'duplicate') AS duplicates,
        count(*) FILTER (status = 'draft') AS drafts,
        count(*) FILTER (status = 'rejected') AS rejected
    FROM sources
)
SELECT 'the statuses do not add up to the number of files in the source' AS what, files::VARCHAR AS detail
FROM found
WHERE files <> getvariable('files') OR files <> published + duplicates + drafts + rejected
UNION ALL
SELECT 'the number of published files differs from the number of articles', published::VARCHAR
FROM found
WHERE published <> (SELECT count(*) FROM articles)
UNION ALL
SELECT 'the problem row is missing for a file with the status ' || status, source_path
FROM sources
ANTI JOIN problems ON problems.source_path = sources.source_path AND problems.severity = sources.status
WHERE status IN ('rejected', 'duplicate')
