"""As many connections as the system allows, whatever the shell says."""

import resource

from gateway import open_files


def test_the_soft_limit_is_raised_to_the_hard_one():
    soft, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft - 1, most))

    open_files.allow_all()

    assert resource.getrlimit(resource.RLIMIT_NOFILE) == (most, most)
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, most))
