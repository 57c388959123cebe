import { RedisScript } from '../platform/redis-script';

/**
 * What the replicas share of one limiter. Every question and every change is one script, so that no two replicas ever see
 * half of one; the time is the server's.
 *
 * - `state`, a hash: tokens in the bucket, since when (`at`), requests under way (`out`), end of the cooldown, how long an
 *   attempt holds its lease on average (`hold`), and the circuit (see circuit.ts);
 * - `leases`, a sorted set: attempts under way, by the end of their lease; `paid`, a hash: for each, the requests that it
 *   has paid for and when it began;
 * - `waiting`, a sorted set: jobs that were sent away, most urgent first and among equals in the order of their ids, which
 *   is that of their acceptance; `due`, a sorted set: until when each is expected back.
 *
 * The rule that keeps the promise "at most burst + rate × t in any t": tokens and requests under way together never exceed
 * the burst. A request that was paid for a while ago may reach the provider at any moment until its lease is given back.
 */

/** ARGV begins with: requests per second, attempts at the same time, burst, 1 when nothing may pass. */
const STATE = `
  local state, leases, paid, waiting, due = unpack(KEYS)
  local rate, concurrent, burst, stopped = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), ARGV[4] == '1'
  local time = redis.call('TIME')
  local now = time[1] * 1000 + time[2] / 1000
  local function number(value, default) return tonumber(value or default) end
  -- Not a digit is lost: what rounding adds, request by request, would be requests that nobody has allowed.
  local function text(value) return string.format('%.17g', value) end
  local kept = redis.call('HMGET', state, 'tokens', 'at', 'out', 'cooldown', 'hold', 'circuit', 'until', 'probe', 'proven', 'changes')
  local tokens, at, out = number(kept[1], 0), number(kept[2], now), number(kept[3], 0)
  local cooldown, hold = number(kept[4], 0), number(kept[5], 50)
  local circuit, opensUntil, probe = kept[6] or 'closed', number(kept[7], 0), kept[8] or ''
  local proven, changes = number(kept[9], 0), number(kept[10], 0)

  local function drop(lease)
    if redis.call('ZREM', leases, lease) == 0 then return nil end
    local requests, began = string.match(redis.call('HGET', paid, lease) or '', '^(%d+):([%d.]+)$')
    redis.call('HDEL', paid, lease)
    out = math.max(0, out - number(requests, 0))
    return number(began, now)
  end
  local function refill()
    -- Only a clock that went back leaves a time in the future that no cooldown explains.
    if at > now and at > cooldown then at = now end
    tokens = math.max(0, math.min(burst - out, tokens + math.max(0, now - at) * rate / 1000))
    at = math.max(at, now)
  end
  local function change(to)
    circuit, changes = to, changes + 1
  end
  -- Why nothing may pass now, and for how long; nothing when something may.
  local function blocked(lease)
    if stopped then return 'stopped', 1000 end
    if cooldown > now then return 'cooldown', cooldown - now end
    if circuit == 'closed' or probe == lease then return nil end
    if circuit == 'open' and opensUntil > now then return 'circuit', opensUntil - now end
    if probe ~= '' and redis.call('ZSCORE', leases, probe) then return 'circuit', 500 end
    return nil
  end
  local function save()
    redis.call('HSET', state, 'tokens', text(tokens), 'at', text(at), 'out', out, 'cooldown', text(cooldown),
      'hold', text(hold), 'circuit', circuit, 'until', text(opensUntil), 'probe', probe, 'proven', proven,
      'changes', changes)
  end

  for _, lease in ipairs(redis.call('ZRANGEBYSCORE', leases, '-inf', now)) do drop(lease) end
  refill()`;

/** At most so many absentees are given up in one go. */
const ABSENTEES = 1_000;

/**
 * May a job begin? ARGV: the job, its place by urgency (0 first), a lease for it, the lease's life, how much longer than
 * told its return may take, and a random number from 0 to 1 that spreads returns.
 *
 * Answers `1, probe, circuit, changes`, or `0, milliseconds, reason, circuit, changes`. Whoever is sent away keeps its
 * place: as many tokens and leases as there are more urgent jobs on their way back are not for this one.
 */
export const ASK = new RedisScript(`${STATE}
  local job, urgency, lease, life, patience, spread = unpack(ARGV, 5, 10)
  local gone = redis.call('ZRANGEBYSCORE', due, '-inf', now, 'LIMIT', 0, ${ABSENTEES})
  if #gone > 0 then
    redis.call('ZREM', waiting, unpack(gone))
    redis.call('ZREM', due, unpack(gone))
  end
  redis.call('ZADD', waiting, urgency, job)
  local ahead = redis.call('ZRANK', waiting, job)
  local free = concurrent - redis.call('ZCARD', leases)
  local reason, pause = blocked(lease)
  if not reason and tokens >= ahead + 1 and free >= ahead + 1 then
    redis.call('ZREM', waiting, job)
    redis.call('ZREM', due, job)
    redis.call('ZADD', leases, now + life, lease)
    redis.call('HSET', paid, lease, '1:' .. text(now))
    tokens, out = tokens - 1, out + 1
    local isProbe = circuit ~= 'closed'
    if isProbe then
      if circuit == 'open' then change('half-open') end
      probe = lease
    end
    save()
    return { 1, isProbe and 1 or 0, circuit, changes }
  end
  reason = reason or (free < ahead + 1 and 'concurrency' or 'rate')
  -- When a token comes is known. When a lease comes back is a guess: half of it, and another look.
  local byRate, byLeases = (ahead + 1 - tokens) * 1000 / rate, (ahead + 1 - free) * hold / concurrent / 2
  local delay = (pause or 0) + math.max(0, byRate, byLeases) * (1 + spread / 10) + 10 * spread
  delay = math.ceil(math.max(5, math.min(delay, 60000)))
  redis.call('ZADD', due, now + delay + patience, job)
  save()
  return { 0, delay, reason, circuit, changes }`);

/**
 * May an attempt that is under way send more? ARGV: its lease, how many requests. Answers with 0 when it may, else with
 * milliseconds. It does not queue: it holds what those who wait are waiting for.
 */
export const PAY = new RedisScript(`${STATE}
  local lease, requests = ARGV[5], tonumber(ARGV[6])
  local wait = 0
  local reason, pause = blocked(lease)
  if not redis.call('ZSCORE', leases, lease) then
    wait = 1000
  elseif reason then
    wait = pause
  elseif tokens < requests then
    wait = (requests - tokens) * 1000 / rate
  else
    local before, began = string.match(redis.call('HGET', paid, lease), '^(%d+):([%d.]+)$')
    redis.call('HSET', paid, lease, before + requests .. ':' .. began)
    tokens, out = tokens - requests, out + requests
  end
  save()
  return math.ceil(math.min(wait, 60000))`);

/**
 * Gives a lease back. ARGV: the lease, requests that were paid for and not sent, how its calls went (`ok`, `failed`, or
 * nothing when there were none), for how long a failed probe opens the circuit again, how many probes in a row close it.
 * Answers with circuit and changes. A lease that has expired was given back by then, with all that was paid for.
 */
export const RELEASE = new RedisScript(`${STATE}
  local lease, unsent, went, opensFor, enough = unpack(ARGV, 5, 9)
  local began = drop(lease)
  if began then
    tokens = math.min(burst - out, tokens + unsent)
    hold = hold + (now - began - hold) / 5
  end
  if probe == lease then
    probe = ''
    if went == 'failed' then
      proven, opensUntil = 0, now + opensFor
      change('open')
    elseif went == 'ok' then
      proven = proven + 1
      if proven >= tonumber(enough) then
        proven = 0
        change('closed')
      end
    end
  end
  save()
  return { circuit, changes }`);

/** A process has seen too many failures. ARGV: for how long. Answers with circuit and changes. */
export const TRIP = new RedisScript(`${STATE}
  if circuit == 'closed' then
    proven, probe, opensUntil = 0, '', now + ARGV[5]
    change('open')
  end
  save()
  return { circuit, changes }`);

/**
 * The provider has said that it gets too many. ARGV: for how long nothing may pass. What had been saved up is gone, or
 * everybody who waited would come at once.
 */
export const COOL_DOWN = new RedisScript(`${STATE}
  cooldown = math.max(cooldown, now + ARGV[5])
  tokens, at = 0, cooldown
  save()
  return math.ceil(cooldown - now)`);

/** KEYS: leases alone. ARGV: their life from now, then those that are still held. One that has expired stays so. */
export const RENEW = new RedisScript(`
  local time = redis.call('TIME')
  local ends = time[1] * 1000 + time[2] / 1000 + ARGV[1]
  for i = 2, #ARGV do redis.call('ZADD', KEYS[1], 'XX', ends, ARGV[i]) end`);

/** Begins anew: a full bucket, nothing under way, no cooldown, a closed circuit. Those who wait keep their places. */
export const RESET = new RedisScript(`${STATE}
  redis.call('DEL', leases, paid)
  tokens, at, out, cooldown, opensUntil, probe, proven = burst, now, 0, 0, 0, '', 0
  change('closed')
  save()`);

/** Answers with tokens, attempts under way, jobs waiting, milliseconds of cooldown, circuit, milliseconds until a probe. */
export const STATUS = new RedisScript(`${STATE}
  save()
  local left = circuit == 'open' and math.max(0, opensUntil - now) or 0
  return { math.floor(tokens), redis.call('ZCARD', leases), redis.call('ZCARD', waiting),
    math.ceil(math.max(0, cooldown - now)), circuit, math.ceil(left) }`);
