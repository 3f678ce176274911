-- The categories, the largest first.
FROM articles_by_category
