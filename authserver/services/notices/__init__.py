"""Notices: what needs a person, told to them by mail and to their systems by a signed webhook.

A *notice* is written with what it tells of, or made of the sealed trail. Those of one *topic* that come soon after one
another are gathered into one *message* for each *target*, which is sent until it was taken, or given up after days.
Nothing here decides what is worth a notice, but for the severity from which on alerts are told.
"""
