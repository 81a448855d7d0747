"""Large input is worked on beside the event loop, small input where it stands."""

import threading

from gateway.app import THREAD_BYTES, think


async def test_from_some_size_on_work_goes_to_a_thread():
    here = threading.current_thread()

    assert await think(THREAD_BYTES - 1, threading.current_thread) is here
    assert await think(THREAD_BYTES, threading.current_thread) is not here
