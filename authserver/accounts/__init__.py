"""Who is signing in, without HTTP: passwords and what wrong ones cost, identities at providers, and sessions.

Words: a *sign-in* is one attempt with a name and a password; a *session* is a browser that has signed in, known here by
the digest of its secret alone; a *letter* is a mail to a person about their own account; a *factor* is what proves a
person beside a password: a *passkey*, or an *authenticator app* whose codes are good once; *half a sign-in* owes one.
This package knows no web framework and no cookie, and nothing of clients and grants.
"""
