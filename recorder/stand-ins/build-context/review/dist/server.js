// Stands in for the built page.
