# The builder makes one virtual environment, with everything pinned by hash; the final image gets that folder and no tools.
FROM python:3.12.11-slim-bookworm AS builder

ENV PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PIP_NO_CACHE_DIR=1 \
    PIP_NO_INPUT=1

WORKDIR /build

# Before the source, so that a change of code does not install everything again.
COPY requirements.lock requirements-build.lock ./
RUN python -m venv /opt/opsgraph \
    && /opt/opsgraph/bin/python -m pip install --no-deps --require-hashes -r requirements.lock
RUN python -m venv /opt/wheel \
    && /opt/wheel/bin/python -m pip install --no-deps --require-hashes -r requirements-build.lock

COPY pyproject.toml README.md LICENSE ./
COPY migrations ./migrations
COPY src ./src
RUN /opt/wheel/bin/python -m pip wheel --no-deps --no-build-isolation --wheel-dir /build/dist . \
    && /opt/opsgraph/bin/python -m pip install --no-deps --no-index /build/dist/opsgraph-*.whl \
    && /opt/opsgraph/bin/python -m pip uninstall --yes pip


FROM python:3.12.11-slim-bookworm

ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="opsgraph" \
      org.opencontainers.image.description="One typed GraphQL API for the health of all your services." \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"

# A fixed number, so that volumes and orchestrators can name the user without knowing the image.
RUN groupadd --system --gid 10001 opsgraph \
    && useradd --system --uid 10001 --gid 10001 --home-dir /data --no-create-home --shell /usr/sbin/nologin opsgraph \
    && install --directory --owner=10001 --group=10001 --mode=0750 /data

COPY --from=builder --chown=10001:10001 /opt/opsgraph /opt/opsgraph

ENV PATH="/opt/opsgraph/bin:${PATH}" \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    OPSGRAPH_DATABASE_URL="sqlite:////data/opsgraph.db"

WORKDIR /data
USER 10001:10001
VOLUME ["/data"]
EXPOSE 8000

# Without the proxies of the environment: the address is this container's own.
HEALTHCHECK --interval=30s --timeout=5s --start-period=15s --retries=3 \
    CMD ["python", "-c", "import urllib.request as r; r.build_opener(r.ProxyHandler({})).open('http://127.0.0.1:8000/health', timeout=4)"]

# Refuses to start until somebody has a key: docs/docker.md says how to make one.
CMD ["opsgraph", "serve", "--host", "0.0.0.0", "--port", "8000"]
