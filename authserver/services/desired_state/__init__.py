"""What a file says that there shall be, compared with what there is, and made so (CR-11).

It speaks of MCP servers, clients, roles and groups of people, and rules of policy.

A *file* is parsed into `declared` values with the line of each; a *plan* is the list of *changes* between those and the
stores; each change is made by one store verb, so a run that failed in the middle is simply run again. It knows neither
terminal nor HTTP: the environment and the file's bytes are handed in.
"""
