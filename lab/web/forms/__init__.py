"""Forms by feature: what is asked, its limits, and where an error is shown."""
