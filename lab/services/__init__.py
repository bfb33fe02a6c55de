"""Use cases as verbs: they take (ctx, command), flush, and never commit."""
