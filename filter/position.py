"""How far a partition of a stage has come, in Redis, and who may move it.

All writing is done by the scripts here: each checks owner and position before it changes anything.
"""

import re
from collections.abc import Iterable
from typing import Any, Final

import redis

from filter.redis_server import Lost, answering

STAND: Final = """
-- KEYS[1]: the position. ARGV[1]: who calls. ARGV[2]: the tick.
local stand = redis.call('HMGET', KEYS[1], 'owner', 'tick', 'slice')
local owner, at, slice = stand[1], tonumber(stand[2] or ''), stand[3]
local tick = tonumber(ARGV[2])
if not tick then return redis.error_reply('ERR the tick is no number') end
if owner and owner ~= ARGV[1] then return {'fenced', owner} end
local lost = {'lost', 'its position is ' .. (stand[2] or 'missing')}
-- A record as a table, nil where there is none, false where it is not one.
local function record(key)
  local found = redis.call('HMGET', key, 'now', 'tick', 'before')
  if not found[1] and not found[2] and not found[3] then return nil end
  local changed = tonumber(found[2] or '')
  if not found[1] or not found[3] or not changed or changed > tick then return false end
  return {now = found[1], tick = changed, before = found[3]}
end
"""
"""The beginning of every script but the claim."""

CLAIM: Final = """
if redis.call('TYPE', KEYS[1])['ok'] ~= 'hash' then redis.call('DEL', KEYS[1]) end
redis.call('HSET', KEYS[1], 'owner', ARGV[1])
local tick = redis.call('HGET', KEYS[1], 'tick')
return {'ok', tick and string.find(tick, '^-?%d+$') and tick or false}
"""

MOVE: Final = f"""{STAND}
local how = ARGV[3]
if how == 'interrupt' then
  redis.call('HDEL', KEYS[1], 'tick')
  redis.call('HSET', KEYS[1], 'owner', ARGV[1])
elseif how == 'begin' then
  redis.call('HSET', KEYS[1], 'owner', ARGV[1], 'tick', ARGV[2])
elseif not owner or (at ~= tick - 1 and at ~= tick) then
  return lost
else
  redis.call('HSET', KEYS[1], 'tick', ARGV[2])
end
return {{'ok'}}
"""

READ: Final = f"""{STAND}
-- The accounts in the set KEYS[2] if ARGV[3] is 'accounts', or the values of the records KEYS[3..].
if not owner or at ~= tick - 1 then return lost end
if ARGV[3] == 'accounts' then return {{'ok', redis.call('SMEMBERS', KEYS[2])}} end
local values = {{}}
for i = 3, #KEYS do
  local found = record(KEYS[i])
  if found == false then return {{'lost', KEYS[i] .. ' is no record'}} end
  values[i - 2] = found and (found.tick < tick and found.now or found.before) or false
end
return {{'ok', values}}
"""

WRITE: Final = f"""{STAND}
-- Slice ARGV[4] (the first is 0) of a tick if ARGV[3] is 'commit', of everything if 'replace';
-- ARGV[5] is 'last' in the last one. KEYS[2]: the set of accounts. For each record of KEYS[3..]
-- two of ARGV: the account's digits, empty for another record, and the value, empty to forget it.
local replaces, nth = ARGV[3] == 'replace', tonumber(ARGV[4])
if #ARGV ~= 2 * #KEYS + 1 or not nth then return redis.error_reply('ERR keys without values') end
if owner and at == tick and not replaces then return {{'ok'}} end
if not owner or at ~= (not replaces and tick - 1 or nil) then return lost end
if nth > 0 and slice ~= ARGV[2] .. ':' .. ARGV[4] then
  return {{'lost', 'the slice before was not saved'}}
end
redis.call('SCARD', KEYS[2])
local records = {{}}
for i = 3, #KEYS do
  local found = record(KEYS[i])
  if found == false then return {{'lost', KEYS[i] .. ' is no record'}} end
  records[i] = found
end
for i = 3, #KEYS do
  local found, digits, value = records[i], ARGV[2 * i], ARGV[2 * i + 1]
  if value == '' and (not found or (found.now == '' and found.tick < tick)) then
    redis.call('DEL', KEYS[i])
    redis.call('SREM', KEYS[2], digits)
  else
    local before = found and (found.tick < tick and found.now or found.before) or ''
    redis.call('HSET', KEYS[i], 'now', value, 'tick', ARGV[2], 'before', before)
    if digits ~= '' then redis.call('SADD', KEYS[2], digits) end
  end
end
redis.call('HSET', KEYS[1], 'slice', ARGV[2] .. ':' .. string.format('%d', nth + 1))
if ARGV[5] == 'last' then redis.call('HSET', KEYS[1], 'tick', ARGV[2]) end
return {{'ok'}}
"""

CLEAR: Final = f"""{STAND}
if not owner or at then return lost end
for i = 2, #KEYS do redis.call('DEL', KEYS[i]) end
return {{'ok'}}
"""


class Fenced(Exception):  # noqa: N818 - somebody else goes on
    """The position belongs to another owner: nothing was saved, and nothing may be."""


class Position:
    """How far a partition of a stage has come, and who may move it.

    Args:
        client: a connection, as `connect` makes it.
        run: the run's marker; like ``stage``, of letters, digits, ``.``, ``_`` and ``-``.
        stage: the stage's name.
        part: the number of the partition.
        owner: a name that no other process has.
    """

    def __init__(self, client: redis.Redis, run: str, stage: str, part: int, owner: str) -> None:
        """Ask nothing yet."""
        self.client = client
        self.prefix = f"hamstrung:{{{word(run)}:{word(stage)}:{part}}}"
        self._owner = owner
        scripts = (CLAIM, MOVE, READ, WRITE, CLEAR)
        self._scripts = {script: client.register_script(script) for script in scripts}

    def claim(self) -> int | None:
        """Become the owner, whoever was; the last tick that is saved whole, or None."""
        (tick,) = self.call(CLAIM)
        return None if tick is None else int(tick)

    def begin(self, tick: int) -> None:
        """As owner, or where there is none, set the position to ``tick``, whatever it was."""
        self.call(MOVE, tick, "begin")

    def interrupt(self) -> None:
        """As owner, or where there is none, take the position away."""
        self.call(MOVE, 0, "interrupt")

    def advance(self, tick: int) -> None:
        """As owner, move from ``tick - 1`` to ``tick``; if it is there, nothing happens.

        Raises:
            Lost: The position is another one, or missing.
        """
        self.call(MOVE, tick, "advance")

    def call(self, script: str, *arguments: str | bytes | int, keys: Iterable[str] = ()) -> Any:
        """Run a script, as the owner, on the position and ``keys``.

        Raises:
            Unreachable: Redis does not answer.
            Fenced: The position belongs to another owner.
            Lost: The position, or a record, is not what it has to be.
        """
        given = [f"{self.prefix}:position", *keys], [self._owner, *arguments]
        with answering(self.client):
            said, *more = self._scripts[script](*given)
        if said == b"fenced":
            raise Fenced(f"{self.prefix} belongs to {more[0].decode(errors='replace')}")
        if said == b"lost":
            raise Lost(f"{self.prefix}: {more[0].decode(errors='replace')}")
        return more


def word(name: str) -> str:
    """A name as a part of a key.

    Raises:
        ValueError: it could be taken for another key.
    """
    if not re.fullmatch(r"[A-Za-z0-9._-]{1,200}", name):
        raise ValueError(f"a key of Redis: expected letters, digits, '.', '_', '-', got {name!r}")
    return name
