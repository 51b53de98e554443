# Clew in a container: everything it keeps is in /data, the page is off until WEB_ENABLED=true.

FROM python:3.13-slim AS build
RUN python -m venv /opt/clew
WORKDIR /src
# The pins first: while they stay the same, a change of the code installs nothing anew.
COPY requirements.txt ./
RUN /opt/clew/bin/pip install --no-cache-dir --disable-pip-version-check --require-hashes --requirement requirements.txt
COPY pyproject.toml README.md LICENSE ./
COPY bot bot
COPY adapters adapters
COPY storage storage
RUN /opt/clew/bin/pip install --no-cache-dir --disable-pip-version-check --no-deps --no-build-isolation --no-index .

FROM python:3.13-slim
# A number of its own, so that Kubernetes can tell it is not root and a mounted folder can be given to it.
RUN groupadd --gid 10001 clew \
    && useradd --uid 10001 --gid clew --home-dir /data --no-create-home --shell /usr/sbin/nologin clew \
    && install --directory --owner=clew --group=clew --mode=0700 /data
COPY --from=build /opt/clew /opt/clew
ENV PATH="/opt/clew/bin:$PATH" \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    DATABASE_URL=sqlite:////data/clew.db \
    WEB_ENABLED=false \
    TMPDIR=/data
WORKDIR /data
VOLUME /data
EXPOSE 8080
USER 10001:10001
# Clew drains on SIGTERM for 8 seconds; Docker's own patience is 10.
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=10s --start-period=20s --retries=3 CMD ["clew", "health"]
ENTRYPOINT ["clew"]
CMD ["run"]
