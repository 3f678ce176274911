-- Articles of each category, with their words, images and captions.
-- category: Category; null for articles without a category.
-- articles: Number of articles.
-- first_published_on: Day of the earliest article; null if all are undated.
-- last_published_on: Day of the latest article; null if all are undated.
-- words: Total number of words in their text.
-- images: Images of these articles, heroes included.
-- captions: Captions of these images.
CREATE OR REPLACE VIEW articles_by_category AS
SELECT
    category,
    count(*) AS articles,
    min(published_on) AS first_published_on,
    max(published_on) AS last_published_on,
    sum(word_count)::BIGINT AS words,
    sum(image_count)::BIGINT AS images,
    sum(caption_count)::BIGINT AS captions
FROM articles
GROUP BY category
ORDER BY articles DESC, category;
