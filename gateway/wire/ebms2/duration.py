"""Writing an xs:duration."""

from datetime import timedelta


def iso_duration(length: timedelta) -> str:
    """Return a length of zero or more as xs:duration in days, hours, minutes and seconds."""
    days, rest = divmod(length, timedelta(days=1))
    hours, rest = divmod(rest, timedelta(hours=1))
    minutes, rest = divmod(rest, timedelta(minutes=1))
    seconds = f"{rest.seconds}.{rest.microseconds:06d}".rstrip("0").rstrip(".")
    if not rest.microseconds:
        seconds = str(rest.seconds)
    time = "".join(
        f"{n}{unit}"
        for n, unit in ((hours, "H"), (minutes, "M"), (seconds, "S"))
        if n not in (0, "0")
    )
    date = f"{days}D" if days else ""
    if not date and not time:
        return "PT0S"
    return f"P{date}" + (f"T{time}" if time else "")
