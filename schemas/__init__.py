"""The words both sides of the wire use: fields, records, findings, the city profile."""
