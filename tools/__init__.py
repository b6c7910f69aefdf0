"""What ``make`` runs beside the tests: checks of the tree, and what a new machine lacks.

Every script stands alone, and tells on the terminal what is wrong and what to do.
"""
