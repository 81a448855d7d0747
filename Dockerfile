# Non-root, read-only root: mount a configuration at /etc/gateway and a volume at /var/lib/gateway.
# In its gateway.toml, paths.database and paths.epoch_keys point into /var/lib/gateway, listeners to 0.0.0.0.
#   docker run --read-only --tmpfs /tmp -v ./hub:/etc/gateway:ro -v data:/var/lib/gateway IMAGE
FROM python:3.11-slim AS build
WORKDIR /src
COPY requirements/run.txt requirements/run.txt
RUN python -m venv /opt/gateway && /opt/gateway/bin/pip install --no-cache-dir --require-hashes -r requirements/run.txt
COPY pyproject.toml README.md LICENSE ./
COPY gateway gateway
COPY schemas schemas
COPY config config
RUN /opt/gateway/bin/pip install --no-cache-dir --no-deps --no-build-isolation .

FROM python:3.11-slim
RUN useradd --system --uid 10001 --home-dir /var/lib/gateway --create-home gateway
COPY --from=build /opt/gateway /opt/gateway
USER 10001
ENV PATH=/opt/gateway/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
VOLUME /var/lib/gateway
EXPOSE 8443 8444
HEALTHCHECK --interval=30s --timeout=5s --start-period=20s \
  CMD ["gateway", "doctor", "--config", "/etc/gateway/gateway.toml", "--health"]
ENTRYPOINT ["gateway"]
CMD ["serve", "--config", "/etc/gateway/gateway.toml"]
