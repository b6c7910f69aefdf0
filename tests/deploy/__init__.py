"""Deployments as production has them, on loopback: nodes behind a real proxy, restarted and migrated under load.

Its words: a *node* is one ``authserver serve``; a *tree* is a folder of this project's code, of today or of before; a
*site* is what the nodes have in common: issuer, database and keys.
"""
