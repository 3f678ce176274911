-- The last fortnight, the latest day first.
FROM articles_by_day ORDER BY published_on DESC LIMIT 14
