"""Alerts: plain rules over the sealed audit trail and the state of this server, each of which a person can check.

One process at a time looks (a lease, as the streams of the trail have it), beside all requests and behind them. An
alert is told once for what it is about and the day; the rules over receipts of tool calls are in
`services.unusual_use`.
"""
