"""Results that outlast a run: files of them, where they are from, and what lets a run go on."""
