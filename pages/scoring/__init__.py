"""Parts of the page Score photos alone."""
