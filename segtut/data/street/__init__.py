"""Everything that draws a street scene: a canvas with a camera, what stands and moves in a street, and its layout."""
