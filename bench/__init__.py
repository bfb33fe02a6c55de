"""Speed, scale and weight, as ratios measured in one run. `python -m bench` prints one table and stops."""
