"""What HTTP needs around the API, and endpoints for alerts in the formats that other systems speak."""
