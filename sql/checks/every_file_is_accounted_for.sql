-- Files found that are not published, duplicate, draft or rejected, or that lack the row which says so.
WITH found AS (
    SELECT
        count(*) AS files,
        count(*) FILTER (status = 'published') AS published,
        count(*) FILTER (status = 'duplicate') AS duplicates,
        count(*) FILTER (status = 'draft') AS drafts,
        count(*) FILTER (status = 'rejected') AS rejected
    FROM sources
)
SELECT 'statuses do not add up to the files that the source lists' AS what, files::VARCHAR AS detail
FROM found
WHERE files <> getvariable('files') OR files <> published + duplicates + drafts + rejected
UNION ALL
SELECT 'published files are not the articles', published::VARCHAR
FROM found
WHERE published <> (SELECT count(*) FROM articles)
UNION ALL
SELECT 'a file has no problem that says why it is ' || status, source_path
FROM sources
ANTI JOIN problems ON problems.source_path = sources.source_path AND problems.severity = sources.status
WHERE status IN ('rejected', 'duplicate')
