"""The demo city: eight agencies' databases in their own shapes, with the truth kept aside."""
