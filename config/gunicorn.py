"""gunicorn's settings for ``gunicorn -c config/gunicorn.py wsgi:app``; the same as ``authserver serve`` uses."""

from authserver.cli.serve import options
from authserver.settings import load

globals().update(options(load()))
