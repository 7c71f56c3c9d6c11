"""Which features of two databases are the same, and one database made of both."""
