"""The one error of what an upstream says."""


class Unbelievable(ValueError):
    """What came from an upstream, or in its name, is not to be believed; the text says why, for the log only."""
