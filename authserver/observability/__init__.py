"""What operators see: log lines, counts, metrics and traces. None has a secret in it, and metrics have no names either.

A *tally* counts where something happens, and knows no library; an *instrument* is what a scrape reads. It must not know
what is counted: that is for whoever owns the tally.
"""
