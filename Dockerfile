# The provider and the sample social network in one image; the command chooses. Built by `docker compose build`.

FROM python:3.13-slim AS build
RUN apt-get update && apt-get install --yes --no-install-recommends gcc g++ libc6-dev
WORKDIR /lienket
COPY requirements-image.lock requirements.lock ./
RUN python -m venv /tools \
 && /tools/bin/python -m pip install --no-cache-dir --require-hashes --only-binary :all: -r requirements-image.lock

# The published wheel of argon2 suits every x86-64 of the last twenty years. Built for those since 2013 it hashes
# a password in 10 ms instead of 24, and the hash is nearly all that a sign-in costs.
RUN if [ "$(uname -m)" = x86_64 ]; then march=-march=x86-64-v3; fi \
 && PATH="/tools/bin:$PATH" CFLAGS="-O3 ${march:-}" python -m pip wheel --no-cache-dir --no-deps --require-hashes \
    --no-build-isolation --only-binary :all: --no-binary argon2-cffi-bindings --wheel-dir /wheels -r requirements.lock
RUN python -m venv .venv && .venv/bin/python -m pip install --no-cache-dir --no-index --no-deps /wheels/*.whl
COPY pyproject.toml README.md ./
COPY migrations migrations
COPY keys keys
COPY clients clients
COPY idp idp
RUN .venv/bin/python -m pip install --no-index --no-deps --no-build-isolation --editable . \
 && .venv/bin/python -m compileall -q idp keys clients migrations

FROM python:3.13-slim
RUN useradd --system --uid 10001 --home-dir /var/lib/lienket --create-home lienket \
 && install --directory --owner lienket --mode 0700 /var/lib/lienket/keys /var/lib/lienket/network
COPY --from=build /lienket /lienket
WORKDIR /lienket
ENV PATH="/lienket/.venv/bin:$PATH" PYTHONUNBUFFERED=1
USER lienket
EXPOSE 8000
HEALTHCHECK --interval=5s --timeout=3s --start-period=10s CMD \
    ["python", "-c", "from urllib.request import urlopen; urlopen('http://127.0.0.1:8000/healthz', timeout=2)"]
ENTRYPOINT ["idp"]
CMD ["serve", "--host", "0.0.0.0", "--port", "8000"]
