"""The approval queue: everything that waits for an administrator's decision, of whatever kind it is.

A *kind* knows what of it waits, and how it is approved, denied and ended when its time is over. `kinds` is the one
place that lists them: whoever adds something to be decided adds a kind there, and the console, the command, the API,
notices and expiry know it.
"""
