"""The demonstration neighbourhood: data shipped with the package, loaded with dates around today."""
