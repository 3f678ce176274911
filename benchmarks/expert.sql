-- Extract articles, images and captions with regular expressions, as a DuckDB expert would.
-- Variables: source and output (folders). View: seed_files (filename, content). The connection is to the new database.
SET preserve_insertion_order = false;

-- Return a front matter value without quotation marks.
CREATE MACRO front(matter, key) AS
    replace(replace(regexp_extract(matter, '(?m)^' || key || ':[ \t]*"?(.*?)"?[ \t]*$', 1), '\"', '"'), '\\', '\');

-- Convert the Markdown of a caption to plain text: escapes, emphasis and the entity &amp;.
CREATE MACRO plain(markdown) AS
    CASE
        WHEN NOT regexp_matches(markdown, '[\\_*&]') THEN markdown
        ELSE replace(
            regexp_replace(
                regexp_replace(markdown, '(^|[^\pL\pN])[_*]([^_*]+)[_*]($|[^\pL\pN])', '\1\2\3', 'g'),
                '\\([[:punct:]])', '\1', 'g'
            ), '&amp;', '&'
        )
    END;

CREATE MACRO agency_of(name) AS
    CASE
        WHEN regexp_full_match(name, '(?i)reuters?') THEN 'Reuters'
        WHEN regexp_full_match(name, '(?i)afp|agence france[- ]presse') THEN 'AFP'
        WHEN regexp_full_match(name, '(?i)ap|(the )?associated press') THEN 'AP'
        WHEN regexp_full_match(name, '(?i)getty( ?images?)?') THEN 'Getty Images'
        WHEN regexp_full_match(name, '(?i)epa(-efe)?') THEN 'EPA'
        WHEN regexp_full_match(name, '(?i)xinhua( news)?( agency)?') THEN 'Xinhua'
        WHEN regexp_full_match(name, '(?i)bloomberg( news)?') THEN 'Bloomberg'
        WHEN regexp_full_match(name, '(?i)kyodo( news)?') THEN 'Kyodo'
    END;

CREATE TABLE articles (
    article_id VARCHAR, title VARCHAR, description VARCHAR, category VARCHAR, language VARCHAR, layout VARCHAR,
    published_at TIMESTAMPTZ, published_on DATE, published_month VARCHAR, origin_url VARCHAR, origin_host VARCHAR,
    hero VARCHAR, dateline VARCHAR, body VARCHAR USING COMPRESSION zstd, text VARCHAR USING COMPRESSION zstd,
    word_count INTEGER, paragraph_count INTEGER, image_count INTEGER, caption_count INTEGER, source_path VARCHAR
);

-- Decode each blob with try, because read_text fails on the first file that is not UTF-8. Front matter must be `key: value` lines.
INSERT INTO articles BY NAME
WITH
read AS (
    SELECT filename, replace(try(decode(content)), E'\r\n', E'\n') AS content FROM seed_files
),
bounded AS (  -- a regular expression over whole files is three times as slow
    SELECT filename, content, strpos(content, E'\n---\n') AS closing
    FROM read
),
split AS (
    SELECT filename, substr(content, 5, closing - 4) AS matter, trim(substr(content, closing + 5), E' \n') AS body
    FROM bounded
    WHERE starts_with(content, E'---\n') AND closing > 0
),
fields AS (
    SELECT
        substr(filename, length(getvariable('source')) + 2) AS source_path,
        front(matter, 'code') AS article_id,
        front(matter, 'title') AS given_title,
        nullif(front(matter, 'description'), '') AS description,
        upper(front(matter, 'category')) AS category,
        lower(front(matter, 'language')) AS language,
        front(matter, 'layout') AS layout,
        front(matter, 'origin_url') AS origin_url,
        front(matter, 'image') AS hero,
        front(matter, 'date') AS date,
        body,
        string_split(body, E'\n\n') AS blocks,
        regexp_extract_all(body, '!\[((?:[^\]\\]|\\.)*)\]\([^)\s]+\)', 1) AS alts
    FROM split
    WHERE regexp_full_match(matter, '(?:\w+: ?(?:"(?:[^"\\\n]|\\.)*"|[^"\n]*)\n?)+')
),
titled AS (
    SELECT
        *,
        coalesce(nullif(given_title, ''), nullif(regexp_extract(body, '(?m)^# +(\S.*)$', 1), ''),
            regexp_extract(body, '\A# *\n+([^\n]+)', 1)) AS title,
        coalesce(try_cast(date AS TIMESTAMPTZ), try(strptime(article_id[4:13] || ' UTC', '%y%m%d%H%M %Z'))) AS published_at
    FROM fields
),
prose AS (
    SELECT
        *,
        list_filter(blocks, lambda block: block[1] <> '#' AND block[1:2] <> '![' AND block <> title
            AND NOT list_contains(alts, block)) AS paragraphs
    FROM titled
)
SELECT
    article_id, title, description, category, language, layout, published_at,
    published_at::DATE AS published_on,
    strftime(published_at, '%Y-%m') AS published_month,
    origin_url,
    lower(regexp_extract(origin_url, '^\w+://([^/:]+)', 1)) AS origin_host,
    hero,
    nullif(regexp_extract(paragraphs[1], '^(\p{Lu}[\p{Lu} .’''-]+(?:, \p{Lu}[\pL ]+)?)(?: \([^)]+\))? [-–—] ', 1), '') AS dateline,
    body,
    regexp_replace(array_to_string(paragraphs, E'\n\n'), '\b_([^_]+)_\b', '\1', 'g') AS text,
    length(text) - length(replace(text, ' ', '')) + len(paragraphs) AS word_count,
    len(paragraphs) AS paragraph_count,
    len(alts) + 1 AS image_count,
    len(list_filter(alts, lambda alt: alt <> '')) AS caption_count,
    source_path
FROM prose;

-- Of two files with the same code, keep the later one. The window has only keys, because bodies are large.
DELETE FROM articles
WHERE source_path IN (
    SELECT source_path
    FROM articles
    QUALIFY row_number() OVER (PARTITION BY article_id ORDER BY published_at DESC NULLS LAST, source_path DESC) > 1
);

CREATE TABLE images AS
WITH inline_images AS (
    SELECT
        article_id, published_month, body,
        unnest(regexp_extract_all(body, '!\[((?:[^\]\\]|\\.)*)\]\(([^)\s]+)\)', 1)) AS markdown,
        unnest(regexp_extract_all(body, '!\[((?:[^\]\\]|\\.)*)\]\(([^)\s]+)\)', 2)) AS url,
        generate_subscripts(regexp_extract_all(body, '!\[((?:[^\]\\]|\\.)*)\]\(([^)\s]+)\)', 2), 1) AS position
    FROM articles
),
uses AS (
    SELECT article_id, 0 AS position, 'hero' AS role, hero AS url, NULL AS alt, NULL AS form, published_month
    FROM articles WHERE hero <> ''
    UNION ALL
    SELECT
        article_id, position::INTEGER, 'inline', url, nullif(plain(markdown), ''),
        CASE WHEN contains(body, E')\n\n' || markdown || E'\n') THEN 'paragraph' ELSE 'alt' END, published_month
    FROM inline_images
)
SELECT
    article_id || '#' || position AS image_id, article_id, position, role, url,
    lower(regexp_extract(url, '^\w+://([^/:]+)', 1)) AS url_host, alt, form, published_month
FROM uses;

CREATE TABLE captions AS
WITH
texts AS (
    SELECT
        image_id || '/1' AS caption_id, image_id, article_id, position, alt AS text, form, published_month,
        regexp_extract(alt, '\(([^()]{2,160})\)\.?$', 1) AS bracket,
        regexp_extract(alt, '[.!?”"»] ([^.!?()]{2,80})$', 1) AS last_sentence
    FROM images WHERE alt IS NOT NULL
),
candidates AS (
    SELECT *, coalesce(nullif(bracket, ''), nullif(last_sentence, '')) AS candidate FROM texts
),
named AS (
    SELECT
        *,
        regexp_matches(candidate, '(?i)^(?:(?:photo|foto|picture|crédit photo)s? ?:|photo by|courtesy of)') AS labelled,
        regexp_matches(candidate, '(?i)^courtesy of') AS courtesy,
        string_split(regexp_replace(candidate, '(?i)^(?:(?:photo|foto|picture|crédit photo)s? ?: ?|photo by )', ''), '/') AS names
    FROM candidates
),
known AS (
    SELECT
        *,
        list_transform(names, lambda name: {'name': trim(name), 'agency': agency_of(trim(name))}) AS parts
    FROM named
),
credited AS (
    SELECT
        *,
        list_filter(parts, lambda part: part.agency IS NOT NULL)[1].agency AS found_agency,
        list_filter(parts, lambda part: part.agency IS NULL)[1].name AS found_name,
        labelled OR found_agency IS NOT NULL AS is_credit
    FROM known
)
SELECT
    caption_id, image_id, article_id, position, text,
    CASE WHEN is_credit THEN trim(regexp_replace(text[:length(text) - length(candidate)], '[\s(]+$', '')) ELSE text END
        AS text_without_credit,
    CASE WHEN is_credit THEN candidate END AS credit,
    CASE WHEN is_credit AND NOT courtesy THEN found_name END AS photographer,
    CASE WHEN is_credit THEN found_agency END AS agency,
    form, published_month
FROM credited;

COPY articles TO (getvariable('output') || '/articles') (FORMAT parquet, PARTITION_BY (published_month), COMPRESSION zstd, COMPRESSION_LEVEL 1);
COPY images TO (getvariable('output') || '/images') (FORMAT parquet, PARTITION_BY (published_month), COMPRESSION zstd, COMPRESSION_LEVEL 1);
COPY captions TO (getvariable('output') || '/captions') (FORMAT parquet, PARTITION_BY (published_month), COMPRESSION zstd, COMPRESSION_LEVEL 1);
