# The store without embedded servers: DATABASE_URL, AUDIT_DATABASE_URL and REDIS_URL name yours.
# The same image runs bot, worker and scheduler: docker run … python manage.py runbot
FROM python:3.11-slim-bookworm AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_ROOT_USER_ACTION=ignore
RUN python -m venv /venv
ENV PATH=/venv/bin:$PATH
WORKDIR /app
COPY requirements.txt requirements-local.txt ./
RUN pip install -r requirements.txt
COPY . .
# Babel compiles the texts and is not needed afterwards.
RUN pip install --target /babel "$(grep -o '^babel==[^ ]*' requirements-local.txt)" \
 && PYTHONPATH=/babel python -m quickcart.translations --compile
# Settings refuse to start without secrets: these are random and stay in this step.
RUN key="$(head -c 32 /dev/urandom | base64 | tr +/ -_)" \
 && DEBUG=off SANDBOX=off ALLOWED_HOSTS=build BOT_USERNAME=build TELEGRAM_BOT_TOKEN=build \
    PAKASIR_PROJECT=build PAKASIR_API_KEY=build PAKASIR_WEBHOOK_SECRET=build \
    SECRET_KEY="$key" STOCK_KEYS="$key" STOCK_FINGERPRINT_KEY="$key" \
    python manage.py collectstatic --noinput

FROM python:3.11-slim-bookworm
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 DEBUG=off SANDBOX=off
RUN useradd --system --uid 10001 --no-create-home quickcart
COPY --from=build /venv /venv
COPY --from=build /app /app
WORKDIR /app
USER quickcart
EXPOSE 8000
CMD ["gunicorn", "quickcart.wsgi:application", "--bind=0.0.0.0:8000", "--no-control-socket", \
     "--worker-class=gthread", "--workers=2", "--threads=8", "--graceful-timeout=20", \
     "--worker-tmp-dir=/dev/shm"]
