import base64

import pytest

from lns.outlets.signature import headers, key_of

# The vector that the Standard Webhooks libraries are tested with.
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
ID = "msg_p5jXN8AQM9LWM0D4loKWxJek"
BODY = b'{"test": 2432232314}'
SIGNATURE = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
OTHER = "whsec_" + base64.b64encode(bytes(32)).decode()


def test_signs_as_the_reference_does():
    assert headers([key_of(SECRET)], ID, 1_614_265_330, BODY) == [
        ("webhook-id", ID),
        ("webhook-timestamp", "1614265330"),
        ("webhook-signature", SIGNATURE),
    ]


def test_both_keys_sign_while_they_are_changed():
    found = dict(headers([key_of(OTHER), key_of(SECRET)], ID, 1_614_265_330, BODY))["webhook-signature"].split(" ")
    assert len(found) == 2
    assert found[1] == SIGNATURE


def test_without_a_key_there_is_no_signature():
    assert [name for name, _ in headers([], ID, 1, BODY)] == ["webhook-id", "webhook-timestamp"]


@pytest.mark.parametrize(
    ("secret", "text"),
    [
        ("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "secret does not begin with whsec_"),
        ("whsec_!!!!", "secret is not base64 after whsec_"),
        ("whsec_" + base64.b64encode(bytes(23)).decode(), "secret is 23 bytes, from 24 to 64 fit"),
        ("whsec_" + base64.b64encode(bytes(65)).decode(), "secret is 65 bytes, from 24 to 64 fit"),
    ],
)
def test_a_bad_secret_is_refused(secret, text):
    with pytest.raises(ValueError) as caught:
        key_of(secret)
    assert str(caught.value) == text
