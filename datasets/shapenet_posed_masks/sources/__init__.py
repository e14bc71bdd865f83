"""Where shapes come from, by layout: `layouts.open_source`. Imports `formats`, `procedural`."""
