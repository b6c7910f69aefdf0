"""Settings: typed, checked at start, documented by their own docstrings; one file for each group.

They come from the environment (``AUTHSERVER_ISSUER=…``), then from the TOML file that ``AUTHSERVER_CONFIG`` names or
else ``authserver.toml`` in the home folder, then from the defaults, which ``config/default.toml`` repeats.
"""

from .loading import Settings, SettingsError, load

__all__ = ["Settings", "SettingsError", "load"]
