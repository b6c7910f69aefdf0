"""Who is signing in, without HTTP: passwords, the delays that wrong ones cost, and the sessions that right ones open.

Words: a *sign-in* is one attempt with a name and a password; a *session* is a browser that has signed in, known here by
the digest of its secret alone; a *factor* is what proves a person beside a password: a *passkey*, or an *authenticator
app* whose codes are good once; *half a sign-in* owes one. This package knows no web framework and no cookie, and
nothing of clients and grants.
"""
