"""The typed schema: one file a domain, over a small core that every field shares.

    context      what one operation has at hand: database, actor, now; its loads share one connection
    edges        relations, each declared once with its batch function
    connections  Relay connections over keyset pages, one statement for the pages of all parents
    rights       query, mutation and subscription fields, each with the role it needs beside it
    nodes        global ids and `node(id:)`
    problems     refusals as data
    scalars      DateTime, Decimal and JSON, strict both ways
    documents    parsing, validation and limits, remembered per query text
    complexity   what an operation asks for, before it runs
    errors       error codes, and masking of what is nobody's business
    media_types  what a client sends, and what it can read
    requests     a request as HTTP brings it, read and checked
    operations   running a query or a mutation, whatever way it came
    responses    results as every transport sends them
    endpoint     GraphQL over HTTP
    schema       puts it together

What stays open has files of its own:

    feeds              alertFeed, incidentFeed, serviceHealthFeed, readinessFeed
    marks              what their streams tell of themselves between events
    subscriptions      a subscription made ready to run: parsed, valid, within the limits
    streams            subscriptions that run, identical ones once for all who follow
    outbox             what a connection has to send, without waiting for a client that does not read
    live               the open connections of a process
    protocol           the messages and close codes of graphql-transport-ws
    socket             GraphQL over WebSocket, and in `socket_operations` what runs on one socket
    sse                GraphQL over server-sent events
    origins            whose pages may ask

Resolvers hold no SQL and no rules: a field is an attribute, an edge, or a call of one query or command.
"""

from opsgraph.graphql import enums  # noqa: F401 - the first type that refers to an enum settles its name in the schema
