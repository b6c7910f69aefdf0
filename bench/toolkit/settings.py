"""Django as fast as it goes with the toolkit: no middleware, and every thread keeps its connection."""

import os

SECRET_KEY = "of the bench alone"  # noqa: S105 - nothing signed by it leaves the machine
DEBUG = False
ALLOWED_HOSTS = ["127.0.0.1", "localhost"]
ROOT_URLCONF = "bench.toolkit.urls"
MIDDLEWARE: list[str] = []
INSTALLED_APPS = ["django.contrib.contenttypes", "django.contrib.auth", "oauth2_provider"]
USE_I18N = False
USE_TZ = True
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.postgresql",
        "HOST": os.environ["TOOLKIT_DATABASE"],
        "NAME": "postgres",
        "USER": "postgres",
        "CONN_MAX_AGE": None,
        # Statements are prepared once, as ours are.
        "OPTIONS": {"server_side_binding": True, "prepare_threshold": 5},
    }
}
OAUTH2_PROVIDER = {
    "ACCESS_TOKEN_EXPIRE_SECONDS": 600,
    "REFRESH_TOKEN_EXPIRE_SECONDS": 2_592_000,
    "REFRESH_TOKEN_REUSE_PROTECTION": True,
    "SCOPES": {"notes:read": "Read notes", "notes:write": "Write notes"},
    "DCR_ENABLED": True,
    "DCR_REGISTRATION_PERMISSION_CLASSES": ("oauth2_provider.dcr.AllowAllDCRPermission",),
}
