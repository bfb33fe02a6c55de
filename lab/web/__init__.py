"""The web floor: access, transactions, errors, headers, words, forms and thin views."""
