"""The hot statements of alerts as PostgreSQL runs them best.

Lookups by fingerprint are lateral with LIMIT 1: however stale the statistics are, each is one descent of the index.
What is locked, is locked in the order of ids.
"""

KNOWN = """
SELECT a.* FROM unnest(CAST(:fingerprints AS text[])) AS f(fingerprint)
CROSS JOIN LATERAL (
  SELECT id, fingerprint, severity, incident_id, service_key FROM alert
  WHERE alert.fingerprint = f.fingerprint AND alert.status = 'FIRING' LIMIT 1
) AS a
"""

ENDED = """
SELECT a.* FROM unnest(CAST(:fingerprints AS text[])) AS f(fingerprint)
CROSS JOIN LATERAL (
  SELECT id, fingerprint, starts_at, incident_id FROM alert
  WHERE alert.fingerprint = f.fingerprint AND alert.resolved_by = 'PERSON' AND alert.resolved_at > :since
  ORDER BY alert.resolved_at DESC LIMIT 1
) AS a
"""

REPEAT_ALL = """
WITH known AS MATERIALIZED (
  SELECT a.id, r.times, r.ends_at
  FROM unnest($1::text[], $2::integer[], $3::text[], $4::timestamptz[]) AS r(fingerprint, times, severity, ends_at)
  CROSS JOIN LATERAL (
    SELECT id, severity FROM alert WHERE alert.fingerprint = r.fingerprint AND alert.status = 'FIRING' LIMIT 1
  ) AS a
  WHERE a.severity = r.severity
), locked AS MATERIALIZED (
  SELECT k.* FROM (SELECT * FROM known ORDER BY id) AS k
  CROSS JOIN LATERAL (
    SELECT FROM alert WHERE alert.id = k.id AND alert.status || '' = 'FIRING' LIMIT 1 FOR UPDATE
  ) AS a
  WHERE (SELECT count(*) FROM known) = cardinality($1)
)
UPDATE alert SET occurrences = LEAST(occurrences::bigint + r.times, 2147483647)::integer,
  last_seen_at = $5, ends_at = r.ends_at
FROM locked AS r WHERE alert.id = r.id
RETURNING alert.fingerprint, alert.id, alert.incident_id
"""
"""All of them or none: it waits for locks only where no slot and no incident has to be locked before them.

Where there is a condition beside the id, it is spelt so that no index has it: the way in is the id.
"""

REPEAT = """
WITH repeated AS MATERIALIZED (
  SELECT a.id, r.times, r.severity, r.ends_at
  FROM unnest(CAST(:ids AS uuid[]), CAST(:times AS integer[]), CAST(:severities AS text[]),
              CAST(:ends AS timestamptz[])) AS r(id, times, severity, ends_at)
  JOIN alert AS a ON a.id = r.id
  ORDER BY a.id FOR UPDATE OF a
)
UPDATE alert SET occurrences = LEAST(occurrences::bigint + r.times, 2147483647)::integer,
  last_seen_at = :now, severity = r.severity, ends_at = r.ends_at
FROM repeated AS r WHERE alert.id = r.id AND alert.status = 'FIRING'
RETURNING alert.id
"""
