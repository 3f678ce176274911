-- Images in the body of an article without a useful alternative text for readers who cannot see them.
-- image_id: The image.
-- article_id: The article that shows it.
-- title: Title of the article.
-- url: Address of the image.
-- alt: Its alternative text: null, or a file name without spaces, such as dawn.jpg or IMG_2041.
-- source_path: Seed file of the article.
-- source_line: Line of that file where the image begins.
CREATE OR REPLACE VIEW accessibility_gaps AS
WITH suspects AS (
    SELECT
        *,
        regexp_full_match(alt, '\S+\.(avif|bmp|gif|heic|jpe?g|png|svg|tiff?|webp)', 'i') AS has_image_extension,
        -- A plain word may be both the name of the file and a description; digits and underscores indicate a file name.
        regexp_matches(alt, '[\d_]') AND lower(alt) = lower(regexp_extract(url, '([^/?#]+?)(\.\w+)?([?#].*)?$', 1))
            AS is_file_stem
    FROM images
    WHERE role = 'inline' AND (alt IS NULL OR NOT contains(alt, ' '))
)
SELECT
    image_id,
    article_id,
    articles.title,
    url,
    alt,
    source_path,
    source_line
FROM suspects
JOIN articles USING (article_id)
WHERE alt IS NULL OR has_image_extension OR is_file_stem
ORDER BY article_id, position;
