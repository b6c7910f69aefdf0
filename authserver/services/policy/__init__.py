"""Policy at work: rules held against what people and clients ask for, written by operators, explained and replayed.

The language itself is ``protocol.policy``; this package knows where rules are kept, but neither HTTP nor a terminal.
"""
