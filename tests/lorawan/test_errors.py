from lns.lorawan.errors import FrameError


def test_frame_error_has_a_slug_and_a_text() -> None:
    error = FrameError("malformed", "data frame is 3 octets, at least 12 are needed")
    assert (error.reason, str(error)) == ("malformed", "data frame is 3 octets, at least 12 are needed")
    assert isinstance(error, ValueError)
