"""Every figure that the README claims comes out of here."""
