"""Alerts: what monitoring tools report, in one shape, and what keeps them quiet.

Owns alerts, silences and maintenance windows. An alert is one episode of a fingerprint, from its first firing to its
end; while it fires, the same again is counted, not stored again.

Invariants: at most one alert of a fingerprint fires; repeats change no indexed column; an alert of a service that is
not registered is stored all the same; nothing is dropped because it is silenced. Formats are read by pure functions;
which incident an alert belongs to is decided by the workflow that calls this domain and the one of incidents.
"""
