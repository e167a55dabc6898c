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
# Babel is needed to compile the texts only, so it does not go into the image.
RUN python -m venv --system-site-packages /compile \
 && /compile/bin/pip install "$(grep -o '^babel==[^ ]*' requirements-local.txt)" \
 && PYTHONPATH=/venv/lib/python3.11/site-packages /compile/bin/python -m quickcart.translations --compile
# In the sandbox settings need no secrets; the files collected are the same.
RUN DEBUG=on SANDBOX=on python manage.py collectstatic --noinput

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
