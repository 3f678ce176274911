-- Articles of each category on each day with articles.
-- category: Category; null for articles without a category.
-- published_on: Day, in the edition's time zone; null for undated articles.
-- articles: Number of articles.
CREATE OR REPLACE VIEW articles_by_category_and_day AS
SELECT
    category,
    published_on,
    count(*) AS articles
FROM articles
GROUP BY category, published_on
ORDER BY published_on, category;
