-- Update the tables of the previous edition to this one: problems as a whole, sources where a row differs.
DELETE FROM problems;
INSERT INTO problems FROM problems_now;
CREATE TEMP TABLE differing_sources AS FROM sources_now EXCEPT FROM sources;
DELETE FROM sources
WHERE source_path IN (SELECT source_path FROM differing_sources)
    OR source_path NOT IN (SELECT source_path FROM sources_now);
INSERT INTO sources FROM differing_sources;
