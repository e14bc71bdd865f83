"""What several tests share: small models, data sets and runs, files to read, and processes."""
