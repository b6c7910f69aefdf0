"""What operators see: log lines, without secrets."""
