"""What HTTP needs around the API: authentication, probes, request ids, body limits and security headers."""
