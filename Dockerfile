# The image of the project's own services in docker-compose.yml; each names its command there.
ARG BASE=python:3.11.14-slim-bookworm

FROM ${BASE} AS builder
WORKDIR /build
COPY requirements-setup.txt requirements-postgresql.txt ./
RUN python3 -m venv uv \
    && uv/bin/python -m pip install --quiet --disable-pip-version-check --no-cache-dir --require-hashes \
        -r requirements-setup.txt \
    && python3 -m venv --without-pip /opt/venv \
    && uv/bin/python -m uv pip install --quiet --no-deps --require-hashes --compile-bytecode \
        --python /opt/venv/bin/python -r requirements-postgresql.txt
WORKDIR /app
COPY . .
RUN rm requirements-setup.txt requirements-postgresql.txt && python3 -m compileall -q .

FROM ${BASE}
# Nothing is ever installed in a container: what the base could do it with goes.
RUN rm -rf /usr/local/bin/pip* /usr/share/python-wheels /usr/lib/python3*/ensurepip /usr/local/lib/python3*/ensurepip \
        /usr/local/lib/python3*/site-packages/pip* /usr/local/lib/python3*/site-packages/wheel* \
        /usr/local/lib/python3*/site-packages/setuptools* /usr/local/lib/python3*/site-packages/pkg_resources \
        /usr/local/lib/python3*/site-packages/*distutils*
# The uid of NiFi in its image, so that each can read what the other wrote on the volumes they share; a new volume takes
# its owner from the folder it is mounted on.
RUN groupadd --gid 1000 election \
    && useradd --uid 1000 --gid 1000 --no-create-home --home-dir /tmp election \
    && install --directory --owner=1000 --group=1000 --mode=0750 /data /dagster /dagster/storage \
    && install --directory --owner=1000 --group=1000 /certificates /exchange
COPY --from=builder /opt/venv /opt/venv
COPY --from=builder /app /app
COPY compose/dagster.yaml /dagster/dagster.yaml
WORKDIR /app
# The root file system may be read-only: what is written goes to /tmp and the volumes.
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    PYTHONWARNINGS=ignore \
    RUST_LOG=error \
    HOME=/tmp \
    MPLCONFIGDIR=/tmp/matplotlib \
    ELECTION_DATA=/data \
    DAGSTER_HOME=/dagster
USER 1000:1000
