"""Flow traces: what became of one attempt of an app to connect, told step by step to whoever has to help.

An *attempt* is one authorization request of one client with all that belongs to it, from discovery to the first call
of a tool. A *step* has a *cause*, one of a fixed vocabulary; what a cause means (its *verdict*) and what helps (its
*remedy*) is said in `words`. People know an attempt by its *reference*. It must not know how steps are kept, and no
secret of the flow is part of any: no code, token, verifier, password or state.
"""
