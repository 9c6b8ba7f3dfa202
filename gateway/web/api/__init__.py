"""The machine's door, `/v1`: each module is one blueprint and says who may call it."""
