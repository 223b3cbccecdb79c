"""Tables, curves, picture grids and pages made from results."""
