"""Data sets with one interface: CamVid, its procedural twin, and the loader that serves both."""
