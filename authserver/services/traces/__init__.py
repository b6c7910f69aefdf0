"""Flow traces: what is recorded of an attempt to connect, and how it is told afterwards.

Recording costs a request no statement: steps wait in a bounded buffer of the process, and a thread writes them down in
batches. What waits when a process is killed is lost, and what does not fit is dropped and counted: a trace is there to
help, the audit trail to prove.
"""
