"""What is handed to users: lock files, the wheel, the image, the built-in web files. Paths are relative to `ROOT`."""

from pathlib import Path

ROOT = Path(__file__).parents[2]
