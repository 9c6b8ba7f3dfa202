# The centre: gateway, workers, relay and beat are this one image with another command.
FROM python:3.13-slim AS build
WORKDIR /src
COPY requirements-gateway.lock pyproject.toml README.md LICENSE NOTICE ./
RUN python -m venv /opt/titian \
 && /opt/titian/bin/pip install --no-cache-dir --require-hashes -r requirements-gateway.lock
COPY keys keys
COPY schemas schemas
COPY connectors connectors
COPY gateway gateway
COPY workers workers
RUN /opt/titian/bin/pip install --no-cache-dir --no-deps --no-build-isolation .

FROM python:3.13-slim
RUN groupadd --gid 10001 titian && useradd --uid 10001 --gid 10001 --no-create-home titian \
 && install -d -o titian -g titian -m 0700 /var/lib/titian
COPY --from=build /opt/titian /opt/titian
ENV PATH=/opt/titian/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
USER titian
WORKDIR /var/lib/titian
VOLUME /var/lib/titian
EXPOSE 8000
CMD ["titian", "serve", "--host", "0.0.0.0", "--port", "8000"]
