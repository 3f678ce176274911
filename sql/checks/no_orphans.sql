-- Rows that refer to an article, an image or a seed file that the edition does not have.
SELECT 'images' AS table_name, image_id AS key, article_id AS missing
FROM images ANTI JOIN articles USING (article_id)
UNION ALL
SELECT 'captions', caption_id, image_id
FROM captions ANTI JOIN images USING (image_id)
UNION ALL
SELECT 'articles', article_id, source_path
FROM articles
ANTI JOIN (FROM sources WHERE status = 'published') AS published USING (article_id, source_path)
UNION ALL
SELECT 'problems', code, source_path
FROM problems ANTI JOIN sources USING (source_path)
