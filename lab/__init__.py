"""The site of a neighbourhood laboratory: where residents propose, take part and see what became of it."""
