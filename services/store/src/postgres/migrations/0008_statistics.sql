-- ANALYZE keeps values of columns as they were, and VACUUM does not take them away when a
-- row is erased. None of what people say or are called is kept so. The same type again
-- removes what is kept already; no table is rewritten for it.
ALTER TABLE conversations ALTER COLUMN summary TYPE text, ALTER COLUMN summary SET STATISTICS 0;
ALTER TABLE events ALTER COLUMN payload TYPE bytea, ALTER COLUMN payload SET STATISTICS 0;
ALTER TABLE snapshots ALTER COLUMN payload TYPE bytea, ALTER COLUMN payload SET STATISTICS 0;
ALTER TABLE attachments ALTER COLUMN name TYPE text, ALTER COLUMN name SET STATISTICS 0;
ALTER TABLE attachment_bytes ALTER COLUMN bytes TYPE bytea, ALTER COLUMN bytes SET STATISTICS 0;
