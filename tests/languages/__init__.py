"""Languages: every text of a page is marked, has its German, and is shown in the language that was asked for."""
