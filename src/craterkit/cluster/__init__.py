"""Work on a Dask cluster: errands that go out, and what comes back."""
