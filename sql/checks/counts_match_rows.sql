-- Articles whose image or caption count differs from their number of rows.
WITH
image_rows AS (SELECT article_id, count(*) AS images FROM images GROUP BY article_id),
caption_rows AS (SELECT article_id, count(*) AS captions FROM captions GROUP BY article_id)
SELECT article_id, image_count, images, caption_count, captions
FROM articles
LEFT JOIN image_rows USING (article_id)
LEFT JOIN caption_rows USING (article_id)
WHERE image_count <> coalesce(images, 0) OR caption_count <> coalesce(captions, 0)
