"""What a WSGI server loads: `gunicorn wsgi:app`."""

import os

from lab.app import create_app
from lab.settings import Settings
from lab.web.request_log import configure

settings = Settings.from_environ(os.environ)
configure(settings.log_level, as_json=settings.is_production)
app = create_app(settings)
