"""Library: what has been written, searchable and readable, every note with its trust and its links."""
