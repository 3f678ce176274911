-- The ten agencies with the most images, all other agencies as one row, and captions without an agency last.
WITH ranked AS (
    SELECT
        agency,
        images,
        agency IS NULL AS unnamed,
        least(row_number() OVER (PARTITION BY agency IS NULL ORDER BY images DESC, agency), 11) AS place
    FROM captions_by_agency
)
SELECT unnamed, count(*) AS agencies, min(agency) AS agency, sum(images)::BIGINT AS images
FROM ranked
GROUP BY unnamed, place
ORDER BY unnamed, place
