# One image for the API, the pages and the ingester; docker-compose.yml chooses the command.
FROM python:3.13-slim
RUN useradd --create-home --uid 1000 ebbtide \
 && mkdir /data /ledger /backups && chown ebbtide /data /ledger /backups \
 && chmod 0700 /data /ledger /backups
WORKDIR /app
# uv pip compile pyproject.toml --extra clinic --python-version 3.13 --universal \
#   --generate-hashes --no-emit-index-url --no-header -o docker/requirements.txt
COPY docker/requirements.txt ./
RUN pip install --no-cache-dir --require-hashes -r requirements.txt
COPY pyproject.toml README.md LICENSE ./
COPY ebbtide ebbtide
COPY ingest ingest
COPY store store
COPY analytics analytics
COPY phone phone
COPY api api
COPY dashboard dashboard
COPY cli cli
RUN pip install --no-cache-dir --no-deps .
WORKDIR /data
USER 1000
# The root file system is read-only: what wants a home finds it in /tmp.
ENV EBBTIDE_DATA_DIR=/data HOME=/tmp
CMD ["ebbtide", "serve", "--host", "0.0.0.0"]
