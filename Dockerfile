# syntax=docker/dockerfile:1

FROM python:3.11-slim AS build
WORKDIR /build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1

# The locks change seldom: these layers come first, and every download is checked against its hash.
COPY requirements.lock requirements-build.lock ./
RUN python -m venv /opt/ecs-scheduler \
 && /opt/ecs-scheduler/bin/pip install --require-hashes --requirement requirements.lock
RUN pip install --require-hashes --requirement requirements-build.lock

COPY pyproject.toml README.md LICENSE ./
COPY generated generated
# A file of the package is a link to it.
COPY deploy/iam-policy.json deploy/iam-policy.json
COPY scheduler scheduler
RUN pip wheel --no-deps --no-build-isolation --wheel-dir dist . \
 && /opt/ecs-scheduler/bin/pip install --no-deps --no-index dist/*.whl


FROM python:3.11-slim
# The store lives in the working directory: mount a volume there to keep it.
RUN useradd --system --uid 10001 --create-home --home-dir /var/lib/ecs-scheduler ecs-scheduler
COPY --from=build /opt/ecs-scheduler /opt/ecs-scheduler
COPY scripts/health_probe.py /opt/ecs-scheduler/health_probe.py
ENV PATH=/opt/ecs-scheduler/bin:$PATH PYTHONUNBUFFERED=1
USER 10001
WORKDIR /var/lib/ecs-scheduler
EXPOSE 50051
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s CMD ["python", "/opt/ecs-scheduler/health_probe.py"]
ENTRYPOINT ["ecs-scheduler"]
# In a task of its own the port is reached through the task's network and its security group; TLS belongs
# to the proxy in front. Everywhere else configure TLS instead of this flag.
CMD ["serve", "--listen", "0.0.0.0:50051", "--insecure-listen"]
