# The workers of docker-compose.yml: the program on its locked dependencies, run by a user without rights.
FROM python:3.12.11-slim-bookworm

RUN useradd --create-home --shell /usr/sbin/nologin hamstrung
WORKDIR /usr/src/hamstrung

# The lock first: a change of our code does not install the dependencies again.
COPY requirements.lock ./
RUN pip install --no-cache-dir --disable-pip-version-check --root-user-action ignore \
    --require-hashes --no-deps --only-binary :all: --requirement requirements.lock

COPY pyproject.toml README.md LICENSE ./
COPY filter filter
COPY agents agents
COPY simulator simulator
RUN pip install --no-cache-dir --disable-pip-version-check --root-user-action ignore \
    --no-deps --no-build-isolation .

USER hamstrung
WORKDIR /home/hamstrung
ENTRYPOINT ["hamstrung"]
