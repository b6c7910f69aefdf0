"""The audit trail once it is written: sealed, verified, exported, streamed, and dropped when its time is over.

Writers put events in unchained and never wait for one another. The *sealer* follows about a second behind; whatever
leaves this server (export, stream) is sealed, so that an event which commits late is never skipped. Nothing here knows
who wrote an event, nor why.
"""
