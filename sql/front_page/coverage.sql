-- Images in the text with alternative text, caption and credit: in total (`everywhere`), and in the categories with the
-- most images. Heroes are left out: front matter has no fields that describe them.
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
