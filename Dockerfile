# The store without embedded servers: DATABASE_URL, AUDIT_DATABASE_URL and REDIS_URL name yours.
# One image for web (the default command), bot, worker and scheduler: compose.yaml runs them all.
# The tag leaves the patch version open, so that a rebuild brings Python's and Debian's repairs.
FROM python:3.11-slim-bookworm AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_ROOT_USER_ACTION=ignore
WORKDIR /app
COPY requirements.txt requirements-local.txt ./
# pip stays outside; of the packages' translations only those of the shop's languages are read.
RUN python -m venv --without-pip /venv \
 && pip --python /venv/bin/python install --requirement requirements.txt \
 && find /venv -name '*.po' -delete \
 && find /venv -path '*/locale/*' -name '*.mo' ! -path '*/id/*' ! -path '*/en/*' -delete
# Babel compiles the shop's texts and stays in this stage.
RUN pip install --target /babel "$(grep -o '^babel==[^ ]*' requirements-local.txt)"
ENV PATH=/venv/bin:$PATH
COPY . .
RUN PYTHONPATH=/babel python -m quickcart.translations --compile
# Settings refuse to start without secrets: these are random and end with this step.
RUN key="$(python -c 'import base64, os; print(base64.urlsafe_b64encode(os.urandom(32)).decode())')" \
 && DEBUG=off SANDBOX=off ALLOWED_HOSTS=build BOT_USERNAME=build TELEGRAM_BOT_TOKEN=1:build \
    PAKASIR_PROJECT=build PAKASIR_API_KEY=build PAKASIR_WEBHOOK_SECRET=build \
    SECRET_KEY="$key" STOCK_KEYS="$key" STOCK_FINGERPRINT_KEY="$key" AUDIT_KEY="$key" \
    python manage.py collectstatic --noinput
# The running image writes nothing, so bytecode is made here; a strict umask must not lock it out.
RUN python -m compileall -q /app && chmod -R a+rX,go-w /app

FROM python:3.11-slim-bookworm
RUN groupadd --system --gid 10001 quickcart \
 && useradd --system --uid 10001 --gid 10001 --no-create-home --home-dir /nonexistent \
    --shell /usr/sbin/nologin quickcart
COPY --from=build /venv /venv
COPY --from=build /app /app
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 \
    DEBUG=off SANDBOX=off LOG_FORMAT=json
WORKDIR /app
USER 10001:10001
EXPOSE 8000
STOPSIGNAL SIGTERM
CMD ["gunicorn", "quickcart.wsgi:application", "--no-control-socket", "--bind=0.0.0.0:8000", \
     "--worker-class=gthread", "--workers=2", "--threads=8", "--graceful-timeout=20", \
     "--worker-tmp-dir=/dev/shm"]
ARG VERSION=0.1.0
ARG COMMIT=unknown
LABEL org.opencontainers.image.title="QuickCart" \
      org.opencontainers.image.description="A shop for digital goods inside Telegram" \
      org.opencontainers.image.version="$VERSION" \
      org.opencontainers.image.revision="$COMMIT"
