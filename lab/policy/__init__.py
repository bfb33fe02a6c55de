"""Pure decisions: who may do what to which thing, and from which state to which. No database, no Flask."""
