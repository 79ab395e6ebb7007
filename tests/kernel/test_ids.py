"""Ids are UUIDv7: they sort by time and making, cannot be guessed, and come out the same from the same chance."""

from datetime import UTC, datetime, timedelta, timezone
from random import Random
from uuid import RFC_4122, UUID

from hypothesis import example, given
from hypothesis import strategies as st

from opsgraph.kernel.ids import behind, ids_in_order, uuid7

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
INSTANTS = st.datetimes(datetime(1970, 1, 1), datetime(9999, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001 - see timezones
BITS = st.integers(0, 2**62 - 1)
COUNTED = 2**20


def milliseconds(id_: UUID) -> int:
    """The time that an id carries."""
    return id_.int >> 80


@given(INSTANTS, BITS)
def test_it_is_a_uuid_of_version_7(now: datetime, bits: int) -> None:
    """By RFC 9562: version and variant stand where every reader looks for them."""
    id_ = uuid7(now, lambda _: bits)
    assert id_.version == 7
    assert id_.variant == RFC_4122
    assert UUID(str(id_)) == id_


@given(INSTANTS)
@example(datetime(2038, 4, 10, 8, 9, 24, 161_000, tzinfo=UTC))
def test_it_carries_the_millisecond_exactly(now: datetime) -> None:
    """Rounded down, without the error of a float."""
    assert milliseconds(uuid7(now)) == (now - EPOCH) // timedelta(milliseconds=1)


@given(INSTANTS, INSTANTS, BITS, BITS)
def test_ids_sort_by_time(one: datetime, other: datetime, bits: int, other_bits: int) -> None:
    """As numbers and as text, whatever the chance, from one microsecond to the next."""
    earlier = min(one, other)
    later = max(one, other, earlier + timedelta(microseconds=1))
    first, second = uuid7(earlier, lambda _: bits), uuid7(later, lambda _: other_bits)
    assert first < second
    assert str(first) < str(second)


@given(INSTANTS, BITS, BITS)
def test_every_random_bit_is_kept(now: datetime, bits: int, other: int) -> None:
    """62 of them: two ids of one instant are the same only if the chance was."""
    assert (uuid7(now, lambda _: bits) == uuid7(now, lambda _: other)) == (bits == other)


@given(INSTANTS, st.integers())
def test_the_same_seed_makes_the_same_ids(now: datetime, seed: int) -> None:
    """And one after the other they differ."""
    sources = (Random(seed).getrandbits, Random(seed).getrandbits)  # noqa: S311 - ids, not secrets
    ids = [[uuid7(now, source) for _ in range(3)] for source in sources]
    assert ids[0] == ids[1]
    assert len(set(ids[0])) == 3


@given(INSTANTS, st.integers(-23, 23))
def test_the_zone_of_the_clock_does_not_matter(now: datetime, hours: int) -> None:
    """An instant is an instant."""
    elsewhere = max(now, EPOCH + timedelta(days=1)).astimezone(timezone(timedelta(hours=hours)))
    assert uuid7(elsewhere, lambda _: 0) == uuid7(elsewhere.astimezone(UTC), lambda _: 0)


def test_ids_of_one_instant_are_not_the_same() -> None:
    """The system's randomness tells them apart."""
    assert len({uuid7(EPOCH) for _ in range(1_000)}) == 1_000


def many(now: datetime, seed: int, count: int) -> list[UUID]:
    """The first ids of a sequence."""
    next_id = ids_in_order(now, Random(seed).getrandbits)  # noqa: S311 - ids, not secrets
    return [next_id() for _ in range(count)]


@given(INSTANTS, st.integers())
def test_ids_of_a_sequence_are_in_the_order_they_were_made(now: datetime, seed: int) -> None:
    """Strictly, valid, and again the same from the same chance."""
    ids = many(now, seed, 50)
    assert sorted(set(ids)) == ids
    assert {(id_.version, id_.variant) for id_ in ids} == {(7, RFC_4122)}
    assert {milliseconds(id_) for id_ in ids} == {(now - EPOCH) // timedelta(milliseconds=1)}
    assert many(now, seed, 50) == ids


@given(INSTANTS, st.integers(), st.integers())
def test_sequences_sort_by_their_instants(now: datetime, seed: int, other: int) -> None:
    """One microsecond apart, every id of the earlier comes before every id of the later."""
    assert max(many(now, seed, 50)) < min(many(now + timedelta(microseconds=1), other, 50))


def test_ids_of_two_sequences_of_one_instant_are_not_the_same() -> None:
    """What is not counted is left to chance."""
    sequences = [ids_in_order(EPOCH) for _ in range(100)]
    assert len({next_id() for next_id in sequences for _ in range(100)}) == 10_000


def test_a_sequence_that_outgrows_its_count_goes_on_in_order() -> None:
    """It runs ahead of its instant then, rather than to begin again."""
    next_id = ids_in_order(EPOCH, lambda _: 0)
    last = next_id()
    for _ in range(COUNTED + 1):
        last, before = next_id(), last
        assert before < last
    assert last.version == 7
    assert milliseconds(last) == 0


@given(INSTANTS, INSTANTS, BITS, BITS)
def test_what_is_written_later_sorts_behind(one: datetime, other: datetime, bits: int, other_bits: int) -> None:
    """Whatever the clock says; an id that does already stays, and so does the first."""
    previous, new_id = uuid7(one, lambda _: bits), uuid7(other, lambda _: other_bits)
    after = behind(previous, new_id)
    assert previous < after
    assert after == new_id or new_id <= previous
    assert behind(None, new_id) == new_id
