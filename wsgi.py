"""The WSGI entry point: ``gunicorn -c config/gunicorn.py wsgi:app``."""

from authserver.app import create_app

app = create_app()
