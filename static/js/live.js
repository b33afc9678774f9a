// Live figures.
