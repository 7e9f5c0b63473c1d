"""How fast the whole loop is, beside learners that do nothing but learn."""
