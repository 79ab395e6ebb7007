"""The hot statements of alerts as SQLite runs them best: values come as JSON, in one parameter."""

KNOWN = """
SELECT a.id, a.fingerprint, a.severity, a.incident_id, a.service_key
FROM json_each(:fingerprints) AS f
CROSS JOIN alert AS a INDEXED BY uq_alert_firing ON a.fingerprint = f.value AND a.status = 'FIRING'
"""

ENDED = """
SELECT a.id, a.fingerprint, a.starts_at, a.incident_id
FROM json_each(:fingerprints) AS f
CROSS JOIN alert AS a INDEXED BY ix_alert_ended
  ON a.fingerprint = f.value AND a.resolved_by = 'PERSON' AND a.resolved_at > :since
ORDER BY a.resolved_at
"""

REPEAT_ALL = """
WITH known AS MATERIALIZED (
  SELECT a.rowid AS place, json_extract(r.value, '$[1]') AS times, json_extract(r.value, '$[3]') AS ends_at
  FROM json_each(?) AS r
  CROSS JOIN alert AS a INDEXED BY uq_alert_firing
    ON a.fingerprint = json_extract(r.value, '$[0]') AND a.status = 'FIRING'
  WHERE a.severity = json_extract(r.value, '$[2]')
)
UPDATE alert SET occurrences = MIN(occurrences + r.times, 2147483647), last_seen_at = ?, ends_at = r.ends_at
FROM known AS r WHERE alert.rowid = r.place AND (SELECT count(*) FROM known) = ?
RETURNING fingerprint, id, incident_id
"""
"""All of them or none."""

REPEAT = """
UPDATE alert SET occurrences = MIN(occurrences + r.times, 2147483647),
  last_seen_at = :now, severity = r.severity, ends_at = r.ends_at
FROM (
  SELECT json_extract(value, '$[0]') AS id, json_extract(value, '$[1]') AS times,
    json_extract(value, '$[2]') AS severity, json_extract(value, '$[3]') AS ends_at
  FROM json_each(:repeats)
) AS r WHERE alert.id = r.id AND +alert.status = 'FIRING'
RETURNING alert.id
"""
"""The + keeps SQLite from walking through everything that fires: the way in is the id."""
