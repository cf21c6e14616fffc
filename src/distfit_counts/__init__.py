"""Which count distribution is it, with which parameters, and how sure are we?"""

__version__ = "0.1.0"
