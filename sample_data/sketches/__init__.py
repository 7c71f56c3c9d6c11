"""How the sample data are drawn, subject by subject; `make_sample_data.py` puts it together."""
