"""Who may speak, and how anyone checks it: signatures, hash trees, evidence. Pure; knows no one."""
