"""The outside world, behind protocols that domains declare; only `app` names an adapter."""
