"""The rules of health: points, the worse of two views, the platform."""
