"""The heap of the C library: what is free goes back to the system.

Left alone glibc keeps what a large message took, in an arena for each thread, and takes more for
the next one. Another C library does as it likes.
"""

import ctypes

_MMAP_THRESHOLD = -3
_ARENA_MAX = -8
"""mallopt(3)."""
LARGE_BYTES = 131_072
"""What glibc begins with; left alone it goes up to 32 MB."""
ARENAS = 2

_LIBC = ctypes.CDLL(None)


def bound() -> None:
    """Give what is large a mapping of its own, gone when it is free; and all threads few arenas.

    Call it before there are threads.
    """
    if hasattr(_LIBC, "mallopt"):
        _LIBC.mallopt(_MMAP_THRESHOLD, LARGE_BYTES)
        _LIBC.mallopt(_ARENA_MAX, ARENAS)


def give_back() -> None:
    """Give back what is free between what is not; it takes some milliseconds."""
    if hasattr(_LIBC, "malloc_trim"):
        _LIBC.malloc_trim(0)
