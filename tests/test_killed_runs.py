"""Commands that are killed three times at random moments, or meet a full disk, end as if nothing had happened."""

import pytest
from killed_commands import COMMANDS, Bench, leftovers, moments, results, small_disk


@pytest.fixture(scope="module")
def bench(tmp_path_factory):
    return Bench(tmp_path_factory.mktemp("bench"))


@pytest.fixture(scope="module")
def undisturbed(bench):
    """Of each command how long it takes, and what it makes."""
    taken = {command: bench.seconds(command, bench.folder / f"whole-{command}") for command in COMMANDS}
    return {command: (taken[command], results(command, bench.folder / f"whole-{command}")) for command in COMMANDS}


@pytest.mark.parametrize("command", COMMANDS)
def test_what_is_killed_three_times_ends_with_the_same_bits_and_rows(bench, undisturbed, command):
    seconds, whole = undisturbed[command]
    takes = bench.kill_often(
        command, bench.folder / f"killed-{command}", kills=3, seconds=seconds, chance=moments(command)
    )
    assert whole
    for take in takes:
        assert results(command, take) == whole


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("share", [0.0, 0.6])
def test_a_full_disk_is_one_sentence_and_with_room_the_command_goes_on_to_the_same_bits(
    bench, undisturbed, command, share
):
    _, whole = undisturbed[command]
    used = sum(file.stat().st_size for file in (bench.folder / f"whole-{command}").rglob("*") if file.is_file())
    place = bench.folder / f"disk-{command}-{share}"
    try:
        with small_disk(place, max(8, int(share * used / 1024))) as resize:
            outcome = bench.finish(command, place)
            assert outcome.status == 2, outcome.said
            sentences = [line for line in outcome.said.splitlines() if "disk" in line]
            assert len(sentences) == 1, outcome.said
            assert "The disk is full" in sentences[0]
            assert "Traceback" not in outcome.said
            resize(1_000_000)
            outcome = bench.finish(command, place)
            assert outcome.status == 0, outcome.said
            assert results(command, place) == whole
            assert not leftovers(place)
    except PermissionError as refusal:
        pytest.skip(f"mounting a small disk is not allowed here: {refusal}")
