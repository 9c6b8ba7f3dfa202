"""City profiles as data, one folder a city; `schemas.profile` reads them."""
