"""Files of shapes, and the grids made of them: meshes, what a mesh file claims, grids."""
