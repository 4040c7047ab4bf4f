"""`python -m segtut.cli`, which `accelerate launch` needs."""

from segtut.cli import main

main()
