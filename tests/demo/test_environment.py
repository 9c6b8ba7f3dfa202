"""The file that points the centre's commands at the demo."""

import subprocess
from dataclasses import replace

from demo.run import write_environment
from gateway.settings import Settings


def test_a_shell_reads_back_what_the_demo_wrote(tmp_path):
    path = tmp_path / "centre.env"
    settings = replace(Settings(), database_url="postgresql://a:b$c d'e@host/x", profile="kota")
    for _ in range(2):
        write_environment(path, settings)
    assert path.stat().st_mode & 0o777 == 0o600
    shown = subprocess.run(
        ["/bin/sh", "-c", f'. {path}; printf %s "$TITIAN_DATABASE_URL|$TITIAN_PROFILE"'],
        capture_output=True,
        text=True,
        check=True,
    )
    assert shown.stdout == f"{settings.database_url}|kota"
