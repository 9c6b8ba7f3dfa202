"""The demo city: five agencies' databases in their own shapes, with the truth kept aside."""
