-- The two roles of an installation, made or brought up to date by the server's superuser at every start.
--   trabecula_owner    owns every table: the migration signs in with it, and nothing else
--   trabecula_gateway  reads and writes rows, and may only add to the audit trail: `trabecula migrate` grants it that
-- The superuser itself has no password: it is reached from within this container alone.
\set ON_ERROR_STOP on
\set owner_password `cat "${SECRETS:-/run/secrets}/database_owner_password"`
\set gateway_password `cat "${SECRETS:-/run/secrets}/database_gateway_password"`
-- No statement with a password in it is written to the log, not even one that fails.
SET log_statement = 'none';
SET log_min_error_statement = 'panic';

SELECT format('CREATE ROLE %I', wanted)
FROM unnest(ARRAY['trabecula_owner', 'trabecula_gateway']) AS wanted
WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = wanted) \gexec

BEGIN;
ALTER ROLE trabecula_owner LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS
  PASSWORD :'owner_password';
ALTER ROLE trabecula_gateway LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS
  PASSWORD :'gateway_password';
ALTER ROLE CURRENT_USER PASSWORD NULL;
-- The owner of the database may make tables in its schema `public`; nobody else may.
SELECT format('ALTER DATABASE %I OWNER TO trabecula_owner', current_database()) \gexec
SELECT format('REVOKE ALL ON DATABASE %I FROM PUBLIC', current_database()) \gexec
SELECT format('GRANT CONNECT ON DATABASE %I TO trabecula_gateway', current_database()) \gexec
REVOKE CREATE ON SCHEMA public FROM PUBLIC;
-- Up to version 0.1.0 the superuser owned the tables.
SELECT format('ALTER TABLE %s OWNER TO trabecula_owner', oid::regclass)
FROM pg_class
WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' AND relowner <> 'trabecula_owner'::regrole \gexec
SELECT format('ALTER FUNCTION %s OWNER TO trabecula_owner', oid::regprocedure)
FROM pg_proc
WHERE pronamespace = 'public'::regnamespace AND proowner <> 'trabecula_owner'::regrole \gexec
COMMIT;
