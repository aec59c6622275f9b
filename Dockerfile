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
# The configuration may be mounted read-only: the store goes to a folder of its own, and pages and /metrics listen where
# the image says, unless the configuration says otherwise.
RUN install -d -o 65534 -g 65534 /var/lib/platform-meter
ENV PLATFORM_METER_DATA=/var/lib/platform-meter PLATFORM_METER_LISTEN=0.0.0.0:9898
VOLUME /var/lib/platform-meter
USER 65534:65534
WORKDIR /tmp
EXPOSE 9898
ENTRYPOINT ["platform-meter"]
CMD ["serve", "-c", "/etc/platform-meter/platform-meter.yaml"]
