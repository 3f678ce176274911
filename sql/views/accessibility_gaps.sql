-- Images in the body of an article that a reader who cannot see them learns nothing of.
-- image_id: The image.
-- article_id: The article that shows it.
-- title: Title of the article.
-- url: Address of the image.
-- alt: Its alternative text: null, or the name of a file without spaces, such as dawn.jpg or IMG_2041.
-- source_path: Seed file of the article.
-- source_line: Line of that file on which the image stands.
CREATE OR REPLACE VIEW accessibility_gaps AS
WITH suspects AS (
    SELECT
        *,
        regexp_full_match(alt, '\S+\.(avif|bmp|gif|heic|jpe?g|png|svg|tiff?|webp)', 'i') AS has_file_ending,
        -- A plain word may name both the file and what it shows; a digit or an underscore gives a file away.
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
WHERE alt IS NULL OR has_file_ending OR is_file_stem
ORDER BY article_id, position;
