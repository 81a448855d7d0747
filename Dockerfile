# Non-root, read-only root: mount a configuration at /etc/gateway and a volume at /var/lib/gateway.
# docs/container.md tells what its gateway.toml needs.
#   docker run --read-only --tmpfs /tmp -v ./gateway:/etc/gateway:ro -v data:/var/lib/gateway IMAGE
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
RUN useradd --system --uid 10001 --home-dir /var/lib/gateway --create-home gateway && chmod 700 /var/lib/gateway
COPY --from=build /opt/gateway /opt/gateway
USER 10001
ENV PATH=/opt/gateway/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
VOLUME /var/lib/gateway
EXPOSE 8443 8444
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=15s --start-period=30s \
  CMD ["gateway", "doctor", "--config", "/etc/gateway/gateway.toml", "--health"]
ENTRYPOINT ["gateway"]
CMD ["serve", "--config", "/etc/gateway/gateway.toml"]
