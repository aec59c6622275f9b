# platform-meter alone: `docker build -t platform-meter .`; docker-compose.yml runs it as the demo.
FROM python:3.11-slim
WORKDIR /opt/platform-meter
COPY requirements.lock ./
RUN pip install --no-cache-dir --disable-pip-version-check --require-hashes --no-deps -r requirements.lock
COPY pyproject.toml README.md LICENSE prometheus.yml ./
COPY deploy/alertmanager ./deploy/alertmanager
COPY slo-definitions ./slo-definitions
COPY src ./src
RUN pip install --no-cache-dir --disable-pip-version-check --no-deps --no-build-isolation .
USER 65534:65534
WORKDIR /tmp
EXPOSE 9898
ENTRYPOINT ["platform-meter"]
CMD ["serve", "-c", "/etc/platform-meter/platform-meter.yaml"]
