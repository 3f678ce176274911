-- Images of each category's articles, and how many have an alternative text, a caption and a credit.
-- category: Category; null for articles without a category.
-- images: Uses of images, heroes included; 0 if the category has none.
-- images_with_alt: Images with an alternative text.
-- images_with_caption: Images with a caption of any form.
-- images_with_credit: Images with a caption that names its source.
-- share_with_alt: images_with_alt / images, from 0 to 1; null without images.
-- share_with_caption: images_with_caption / images, from 0 to 1; null without images.
-- share_with_credit: images_with_credit / images, from 0 to 1; null without images.
CREATE OR REPLACE VIEW images_by_category AS
WITH
described AS (
    SELECT image_id, count(credit) > 0 AS has_credit
    FROM captions
    GROUP BY image_id
),
totals AS (
    SELECT
        category,
        count(images.image_id) AS images,
        count(alt) AS images_with_alt,
        count(described.image_id) AS images_with_caption,
        count(*) FILTER (has_credit) AS images_with_credit
    FROM articles
    LEFT JOIN images USING (article_id)
    LEFT JOIN described USING (image_id)
    GROUP BY category
)
SELECT
    *,
    images_with_alt / nullif(images, 0) AS share_with_alt,
    images_with_caption / nullif(images, 0) AS share_with_caption,
    images_with_credit / nullif(images, 0) AS share_with_credit
FROM totals
ORDER BY images DESC, category;
