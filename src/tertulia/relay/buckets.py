"""Token buckets: who asked how much lately.

A bucket starts full, loses tokens by use and refills with time. Buckets belong to
devices, accounts and addresses, not to connections, so that connecting anew refills
nothing. A bucket that is full again is forgotten, and there are never more of them
than MAX_BUCKETS: beyond that the oldest go first. Who comes from ever new addresses
makes neither memory nor work of it.
"""

from collections import OrderedDict
from collections.abc import Mapping
from typing import Final

from tertulia.relay.refusal import Refusal
from tertulia.wire import ErrorCode, frames, limits

MAX_BUCKETS: Final = 200_000

_MINUTE: Final = 60_000
# Milliseconds that one frame may be looked at after a later one; beyond, it is the clock.
_LATE: Final = 5_000


class _Bucket:
    __slots__ = ("at", "tokens")

    def __init__(self, tokens: float, at: int) -> None:
        self.tokens = tokens
        self.at = at


class Buckets:
    """All buckets of one relay."""

    def __init__(self, rates: Mapping[str, limits.Rate]) -> None:
        self._rates = rates
        # Ordered, since the first of a dict is found only past all that was removed.
        self._buckets: OrderedDict[tuple[str, object], _Bucket] = OrderedDict()

    def __len__(self) -> int:
        return len(self._buckets)

    def take(self, rate: limits.Rate, subject: object, now: int, cost: int = 1) -> None:
        """Take `cost` tokens; raise RATE_LIMITED with the time to wait."""
        wait = self._wait(rate, subject, now, cost)
        if wait:
            raise Refusal(ErrorCode.RATE_LIMITED, frames.Facts(retry_after=wait))

    def check(self, rate: limits.Rate, subject: object, now: int) -> None:
        """Raise RATE_LIMITED if there is no token; take none."""
        wait = self._wait(rate, subject, now, 0)
        if wait:
            raise Refusal(ErrorCode.RATE_LIMITED, frames.Facts(retry_after=wait))

    def _wait(self, rate: limits.Rate, subject: object, now: int, cost: int) -> int:
        granted = self._rates[rate.name]
        bucket = self._buckets.get((rate.name, subject))
        if bucket is None:
            bucket = self._add(rate.name, subject, granted.burst, now)
        if now > bucket.at:
            refill = (now - bucket.at) * granted.per_minute / _MINUTE
            bucket.tokens = min(granted.burst, bucket.tokens + refill)
            bucket.at = now
        elif bucket.at - now > _LATE:
            bucket.at = now  # the clock was set back
        # A cost above the burst is let through a full bucket, and leaves a debt.
        needed = min(max(cost, 1), granted.burst)
        if bucket.tokens >= needed:
            bucket.tokens -= cost
            return 0
        return 1 + int((needed - bucket.tokens) * _MINUTE / granted.per_minute)

    def _add(self, name: str, subject: object, tokens: int, now: int) -> _Bucket:
        while len(self._buckets) >= MAX_BUCKETS:
            self._buckets.popitem(last=False)
        bucket = _Bucket(tokens, now)
        self._buckets[name, subject] = bucket
        return bucket

    def forget_full(self, now: int) -> None:
        """Drop every bucket that has refilled."""
        full = [
            key
            for key, bucket in self._buckets.items()
            if self._is_full(key[0], bucket, now)
        ]
        for key in full:
            del self._buckets[key]

    def _is_full(self, name: str, bucket: _Bucket, now: int) -> bool:
        granted = self._rates[name]
        elapsed = max(0, now - bucket.at)
        return bucket.tokens + elapsed * granted.per_minute / _MINUTE >= granted.burst
