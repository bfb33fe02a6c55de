"""Work done behind the scenes: telling people, sending mail, reminding, cleaning up."""
