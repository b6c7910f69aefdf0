"""Requests that this server makes to others, at addresses that others chose.

A *target* is a checked URL; a *policy* says which hosts may be asked and which addresses may be connected to; a
*refusal* is the one error, told to strangers without anything that the other side answered. `fetch` joins them:
resolve once, judge every answer, connect to what was judged, read no more than was agreed. It must not know what it
fetches, nor who asked for it: caching, trust in a document and limits per person belong to the callers.
"""
