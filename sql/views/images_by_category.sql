-- Images of each category's articles, and how many of them are described and credited.
-- category: Category; null for the articles that have none.
-- images: Uses of images, heroes included; 0 where the category has none.
-- images_with_alt: Images with an alternative text.
-- images_with_caption: Images with a caption of any form.
-- images_with_credit: Images with a caption that names its source.
-- share_with_alt: images_with_alt / images, from 0 to 1; null where there is no image.
-- share_with_caption: images_with_caption / images, from 0 to 1; null where there is no image.
-- share_with_credit: images_with_credit / images, from 0 to 1; null where there is no image.
CREATE OR REPLACE VIEW images_by_category AS
WITH
described AS (
    SELECT image_id, count(credit) > 0 AS has_credit
    FROM captions
    GROUP BY image_id
),
images_by_article AS (
    SELECT
        images.article_id,
        count(*) AS images,
        count(alt) AS with_alt,
        count(described.image_id) AS with_caption,
        count(*) FILTER (has_credit) AS with_credit
    FROM images
    LEFT JOIN described USING (image_id)
    GROUP BY images.article_id
),
totals AS (
    SELECT
        category,
        coalesce(sum(images), 0)::BIGINT AS images,
        coalesce(sum(with_alt), 0)::BIGINT AS images_with_alt,
        coalesce(sum(with_caption), 0)::BIGINT AS images_with_caption,
        coalesce(sum(with_credit), 0)::BIGINT AS images_with_credit
    FROM articles
    LEFT JOIN images_by_article USING (article_id)
    GROUP BY category
)
SELECT
    *,
    images_with_alt / nullif(images, 0) AS share_with_alt,
    images_with_caption / nullif(images, 0) AS share_with_caption,
    images_with_credit / nullif(images, 0) AS share_with_credit
FROM totals
ORDER BY images DESC, category;
