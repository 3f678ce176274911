-- Update the tables of the previous edition to this one: replace all problems, and the sources whose row differs.
DELETE FROM problems;
INSERT INTO problems FROM new_problems;
CREATE TEMP TABLE differing_sources AS FROM new_sources EXCEPT FROM sources;
DELETE FROM sources
WHERE source_path IN (SELECT source_path FROM differing_sources)
    OR source_path NOT IN (SELECT source_path FROM new_sources);
INSERT INTO sources FROM differing_sources;
