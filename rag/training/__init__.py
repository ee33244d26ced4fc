"""How the local reader was trained. Needs the `training` extra (PyTorch); never imported at run time."""
