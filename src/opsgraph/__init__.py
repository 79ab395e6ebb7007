"""opsgraph: one typed GraphQL API for the health of all your services.

The map of the package; `a -> b` means that a may import b, and never the other way round (pyproject.toml enforces it).

    cli        the opsgraph command: serve, migrate, demo, import, export, report, incidents, alerts, keys, schema
      -> app       build(settings): the only place that wires parts together
        -> graphql   the typed schema: one file a domain over a small core (context, edges, connections, rights, limits)
        -> http      alerts in the formats of others; authentication, probes, request ids, body limits, headers
        -> workers   background work: each worker is one tick(context, now)
        -> web       the built-in pages and GraphiQL: static files that use the public API
        -> adapters  what others make, behind protocols of ours: the process that evaluates CEL expressions
          -> workflows   what writes to several domains at once: reactions to events, health, imports, demonstration
            -> metadata    every table, for migrations and whoever opens a database
            -> domains     the business, one package each, all with the same files:
                             access        users, what roles allow, keys, the audit log
                             catalog       teams, services, dependencies, deployments
                             cost | slo    monthly costs and budgets | objectives and error budgets
                             governance    checks that each service has to pass
                             alerts        what sources say is wrong; silences and maintenance windows
                             incidents     what people work on: alerts of one service and severity, and a timeline
                             reliability   scores and the DORA keys
                             health        all of it together, stored; the platform report
                             readiness     manifests, checks and verdicts: may it go to production
              -> events      the log of what happened, and feeds that follow it: nothing lost, nothing twice
                -> storage     Database.reading(), Database.transaction() -> Tx; how SQLite and PostgreSQL differ
                  -> kernel      clock, ids, actor, money, text, windows, pages, refusals; imports nothing of ours
                     settings    one frozen Settings, read once from the environment

docs/architecture.md tells how a query and a mutation travel through it.
"""
