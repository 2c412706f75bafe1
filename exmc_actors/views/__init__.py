"""Show a run to people; views subscribe like anybody else, and no chain knows of them."""
