"""What knows neither the web nor the database: time, codes, text, pictures, secrets and errors."""
