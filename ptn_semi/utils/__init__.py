"""What every folder may use and which uses none of them: errors, files, flags, seeds."""
