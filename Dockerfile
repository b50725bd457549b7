# One image for the API and the pages; docker-compose.yml chooses the command.
FROM python:3.13-slim
RUN useradd --create-home --uid 1000 ebbtide && mkdir /data && chown ebbtide /data
WORKDIR /app
COPY pyproject.toml README.md LICENSE ./
COPY ebbtide ebbtide
COPY ingest ingest
COPY store store
COPY analytics analytics
COPY api api
COPY dashboard dashboard
RUN pip install --no-cache-dir .
USER ebbtide
ENV EBBTIDE_DATA_DIR=/data
CMD ["ebbtide", "serve", "--host", "0.0.0.0"]
