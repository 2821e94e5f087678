import pytest
from hypothesis import given
from hypothesis import strategies as st

from lns.lorawan.layout import Command
from lns.lorawan.packages.fragmentation import TABLES, data_block_int_key, data_block_mic, fragments, matrix_line
from tests.lorawan import vectors

PARITY = vectors.of("fragmentation_parity")


@pytest.mark.parametrize("vector", PARITY, ids=vectors.name)
def test_parity_fragments_are_those_that_devices_expect(vector: dict) -> None:
    block = bytes.fromhex(vector["data"])
    made = fragments(block, vector["frag_size"], vector["redundancy"])
    assert b"".join(made[: vector["nb_frag"]]) == block
    assert [fragment.hex() for fragment in made[vector["nb_frag"] :]] == vector["coded_fragments"]


@pytest.mark.parametrize("vector", PARITY, ids=vectors.name)
def test_matrix_lines_are_those_that_devices_expect(vector: dict) -> None:
    lines = [matrix_line(n, vector["nb_frag"]) for n in range(1, vector["redundancy"] + 1)]
    assert [f"{line:0{vector['nb_frag']}b}"[::-1] for line in lines] == vector["matrix_lines"]


@pytest.mark.parametrize("vector", PARITY, ids=vectors.name)
def test_lost_fragments_come_back_from_the_parity_fragments(vector: dict) -> None:
    block, lost = bytes.fromhex(vector["data"]), {number - 1 for number in vector["lost_and_recovered"]}
    made = fragments(block, vector["frag_size"], vector["redundancy"])
    assert b"".join(_recovered(made, vector["nb_frag"], lost)) == block


def _recovered(made: list[bytes], nb_frag: int, lost: set[int]) -> list[bytes]:
    """What a device does: Gaussian elimination over the parity fragments, with the fragments it has."""
    have = {index: int.from_bytes(made[index], "big") for index in range(nb_frag) if index not in lost}
    equations = []
    for n, parity in enumerate(made[nb_frag:], 1):
        line, value = matrix_line(n, nb_frag), int.from_bytes(parity, "big")
        for index, fragment in have.items():
            if line >> index & 1:
                line, value = line ^ 1 << index, value ^ fragment
        equations.append((line, value))
    solved = []
    for index in sorted(lost):
        pivot = next(one for one in equations if one[0] >> index & 1)
        equations.remove(pivot)
        equations, solved = ([_without(index, pivot, one) for one in rows] for rows in (equations, solved))
        solved.append(pivot)
    have |= {line.bit_length() - 1: value for line, value in solved}
    size = len(made[0])
    return [have[index].to_bytes(size, "big") for index in range(nb_frag)]


def _without(index: int, pivot: tuple[int, int], row: tuple[int, int]) -> tuple[int, int]:
    return (row[0] ^ pivot[0], row[1] ^ pivot[1]) if row[0] >> index & 1 else row


def test_last_fragment_is_padded_with_zeros() -> None:
    assert fragments(b"abcde", 4, 0) == [b"abcd", b"e\x00\x00\x00"]


@given(st.integers(1, 40), st.integers(1, 300))
def test_matrix_line_names_only_fragments_that_exist(n: int, nb_frag: int) -> None:
    line = matrix_line(n, nb_frag)
    assert 0 <= line < 1 << nb_frag
    assert line.bit_count() <= nb_frag // 2


def test_mic_of_a_data_block() -> None:
    (vector,) = vectors.of("fragmentation_mic")
    int_key = data_block_int_key(bytes.fromhex(vector["app_key"]))
    assert int_key.hex() == vector["DataBlockIntKey"]
    block, descriptor = bytes.fromhex(vector["data"]), bytes.fromhex(vector["descriptor"])
    mic = data_block_mic(int_key, vector["session_cnt"], vector["frag_index"], descriptor, block)
    assert mic.hex() == vector["mic"]


# Octets from the tests of ChirpStack's `lrwn`.
@pytest.mark.parametrize(
    ("name", "uplink", "fields", "octets"),
    [
        (
            "FragSessionStatusAns",
            True,
            {
                "errors": ["memory_error", "session_does_not_exist"],
                "frag_index": 3,
                "nb_frag_received": 1024,
                "missing_frag": 128,
            },
            "010500c480",
        ),
        (
            "FragSessionSetupReq",
            False,
            {
                "frag_index": 3,
                "mc_group_bit_mask": 1,
                "nb_frag": 1024,
                "frag_size": 128,
                "ack_reception": False,
                "frag_algo": 1,
                "block_ack_delay": 5,
                "padding": 64,
                "descriptor": "01020304",
                "session_cnt": 128,
                "mic": "01020304",
            },
            "02310004800d4001020304800001020304",
        ),
        (
            "FragSessionSetupAns",
            True,
            {"frag_index": 2, "errors": ["encoding_unsupported", "not_enough_memory", "wrong_descriptor"]},
            "028b",
        ),
        ("FragSessionDeleteAns", True, {"frag_index": 3, "session_does_not_exist": True}, "0307"),
        ("FragDataBlockReceivedReq", True, {"frag_index": 2, "mic_error": True}, "0406"),
        ("FragDataBlockReceivedAns", False, {"frag_index": 2}, "0402"),
        ("DataFragment", False, {"frag_index": 2, "n": 1024, "fragment": "01020304"}, "08008401020304"),
    ],
)
def test_commands_of_version_2(name: str, uplink: bool, fields: dict, octets: str) -> None:
    assert TABLES[2].encode(name, uplink, **fields).hex() == octets
    assert TABLES[2].parse(bytes.fromhex(octets), uplink) == ([Command(int(octets[:2], 16), name, fields)], None)
