"""Mails: what they say in the reader's language, and how they leave the house."""
