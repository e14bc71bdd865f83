"""A trained model at work: silhouettes from images, shapes from silhouettes, exports."""
