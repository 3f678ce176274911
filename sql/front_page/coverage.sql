-- Images in the text, in all (`everywhere`) and in the categories with most of them: described, captioned, credited.
-- Heroes are left out: front matter has no place for what describes them.
WITH
described AS (
    SELECT image_id, count(credit) > 0 AS has_credit
    FROM captions
    GROUP BY image_id
)
SELECT
    grouping(category) = 1 AS everywhere,
    category,
    count(*) AS images,
    count(alt) AS with_alt,
    count(described.image_id) AS with_caption,
    count(*) FILTER (has_credit) AS with_credit
FROM images
JOIN articles USING (article_id)
LEFT JOIN described USING (image_id)
WHERE role = 'inline'
GROUP BY ROLLUP (category)
HAVING count(*) > 0
ORDER BY everywhere DESC, images DESC, category
LIMIT 13
