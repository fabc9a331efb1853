# SPDX-License-Identifier: GPL-2.0-only
"""Two kinds of failure: the lab's, and the product's."""


class EnvironmentFailure(Exception):
    """The lab itself does not work (image missing, QEMU did not start, port taken).

    Says nothing about the product; a test that meets it is an error, not a failure.
    """


class ProductFailure(AssertionError):
    """The host or a guest did not do what it must."""


class Timeout(ProductFailure):
    """Something expected of the host did not happen before its deadline."""
