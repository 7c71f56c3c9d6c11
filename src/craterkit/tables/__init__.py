"""Tables of features: reading them, recognising their columns, placing their features on a body."""
