"""Code lists as data, one CSV a list; `schemas.codes.lists.load` reads them."""
