import { RedisScript } from '../../platform/redis-script';
import { COUNT } from './books';

/**
 * The record of an open job is one hash, and two strings point to it: by the identity of its request and by its key. The
 * hash names them, so that whoever only knows the job can keep all three, or take them away; a cluster has them in one
 * slot. Every change is a script, so that two processes never see half of one. Times are the server's.
 *
 * Each command inside of a script costs Redis about as much as one from outside: a script reads all that it needs of a job
 * at once, and writes it at once.
 */

const NOW = `
  local time = redis.call('TIME')
  local now = time[1] * 1000 + math.floor(time[2] / 1000)
  local function whole(number) return string.format('%.0f', number) end`;

const SNAPSHOT = `
  local function snapshot(id)
    local job = redis.call('HMGET', prefix .. id, 'record', 'status', 'attempts', 'sequence', 'startedAt', 'confirmed')
    if not job[1] then return nil end
    return { id, job[1], job[2], job[3], job[4], job[5] or '', job[6] or '' }
  end`;

/** By how much a life may be shorter than asked for: what was given it a moment ago need not be given it again. */
const LIFE_TOLERANCE_MS = 1_000;

/**
 * A life in milliseconds for a job and what points to it, which always get theirs together; a longer one stays. A job that
 * was taken in by an older build does not name what points to it.
 */
const KEEP = `
  local function extend(life, job, request, key)
    for _, name in ipairs({ job, request or job, key or job }) do redis.call('PEXPIRE', name, life, 'GT') end
  end
  local function keep(job, life)
    if redis.call('PTTL', job) > life - ${LIFE_TOLERANCE_MS} then return end
    extend(life, job, unpack(redis.call('HMGET', job, 'request', 'key')))
  end`;

/** A life that begins when the job is due, for whoever asks for it: it is the job's own delay that counts. */
const FROM_DUE = `
  ${NOW} ${KEEP}
  local function fromDue(runAt, life) return math.max(0, (tonumber(runAt) or now) - now) + life end`;

/**
 * KEYS: job, request and key of each claim. ARGV: the job keys' prefix, then id, record, delay, life and expiry of each.
 * Answers for each with an empty list (it is a job now) or with the job that stands in its way, found by its request or
 * by its key.
 */
export const CLAIM = new RedisScript(`
  local prefix = ARGV[1]
  ${NOW} ${SNAPSHOT}
  local function standing(request, key)
    local byRequest, byKey = unpack(redis.call('MGET', request, key))
    return byRequest and snapshot(byRequest) or byKey and snapshot(byKey)
  end
  local answers = {}
  for i = 0, #KEYS / 3 - 1 do
    local job, request, key = KEYS[3 * i + 1], KEYS[3 * i + 2], KEYS[3 * i + 3]
    local id, record, delay, life, expiry = unpack(ARGV, 5 * i + 2, 5 * i + 6)
    local found = standing(request, key)
    if not found then
      redis.call('HSET', job, 'record', record, 'status', 'pending', 'attempts', 0, 'starts', 0, 'finishes', 0,
        'suspectStarts', 0, 'sequence', 0, 'runAt', whole(now + delay), 'expiresAt', expiry, 'request', request, 'key', key)
      redis.call('PEXPIRE', job, life)
      redis.call('SET', request, id, 'PX', life)
      redis.call('SET', key, id, 'PX', life)
    end
    answers[i + 1] = found or {}
  end
  return answers`);

/**
 * Confirms claims: they are jobs from here on, whoever made them. KEYS: jobs. ARGV: their life in milliseconds
 * once they are due. Answers for each with 1 unless it is gone.
 */
export const CONFIRM = new RedisScript(`
  ${FROM_DUE}
  local answers = {}
  for i, job in ipairs(KEYS) do
    local status, runAt = unpack(redis.call('HMGET', job, 'status', 'runAt'))
    answers[i] = status and 1 or 0
    if status then
      keep(job, fromDue(runAt, tonumber(ARGV[1])))
      redis.call('HSET', job, 'confirmed', 1)
    end
  end
  return answers`);

/**
 * They are in the queue. KEYS: jobs. ARGV: the books, a name for a new one, their life in milliseconds once they are due.
 * Answers with a 1 for each unless it is gone, and with the books.
 */
export const PROLONG = new RedisScript(`
  ${FROM_DUE} ${COUNT}
  local answers = {}
  for i, job in ipairs(KEYS) do
    local status, runAt, request, key = unpack(redis.call('HMGET', job, 'status', 'runAt', 'request', 'key'))
    answers[i] = status and 1 or 0
    if status then
      extend(fromDue(runAt, tonumber(ARGV[3])), job, request, key)
      count(job)
    end
  end
  enter(ARGV[1], ARGV[2])
  return { answers, redis.call('HGETALL', ARGV[1]) }`);

/**
 * KEYS: jobs. ARGV: 1 to spare those that were confirmed; then the id of each. Answers for each with 1 when this took it
 * away.
 */
export const FORGET = new RedisScript(`
  local answers = {}
  for i, job in ipairs(KEYS) do
    answers[i] = 0
    local status, confirmed, request, key = unpack(redis.call('HMGET', job, 'status', 'confirmed', 'request', 'key'))
    if status and not (confirmed and ARGV[1] == '1') then
      local pointers, gone = { request or job, key or job }, { job }
      -- A pointer that leads to another job by now is that job's.
      for j, id in ipairs(redis.call('MGET', unpack(pointers))) do
        if id == ARGV[i + 1] then gone[#gone + 1] = pointers[j] end
      end
      redis.call('DEL', unpack(gone))
      answers[i] = 1
    end
  end
  return answers`);

/** `again`: the job has this token already, since the answer to the same start was lost. It counts once. */
const START_ONE = `
  ${KEEP} ${COUNT}
  local function look(job)
    local status, holder, starts, finishes, startedAt, runAt, expiresAt, record, attempts, sequence, counted =
      unpack(redis.call('HMGET', job, 'status', 'token', 'starts', 'finishes', 'startedAt', 'runAt', 'expiresAt', 'record',
        'attempts', 'sequence', 'counted'))
    return { open = status == 'pending' or status == 'processing', processing = status == 'processing', holder = holder,
      starts = starts, finishes = finishes, startedAt = startedAt or '', runAt = runAt, expiresAt = expiresAt,
      record = record, attempts = attempts, sequence = sequence, counted = counted }
  end
  local function start(job, seen, token, life, startedAt)
    local again = seen.processing and seen.holder == token
    local starts = again and seen.starts or whole(seen.starts + 1)
    keep(job, life)
    -- One that is only ended has not started.
    local since = startedAt == '' and {} or { 'startedAt', startedAt }
    redis.call('HSET', job, 'status', 'processing', 'token', token, 'starts', starts, unpack(since))
    -- Whoever queued it may have died before it was counted.
    if not seen.counted then count(job) end
    return { seen.record, seen.attempts, seen.sequence, startedAt, starts }
  end`;

/**
 * KEYS: jobs. ARGV: how many milliseconds early they may start, and their life from here on, then a token for each, then
 * the books and a name for a new one. Empty lists for those refused.
 */
export const START = new RedisScript(`
  ${NOW} ${START_ONE}
  local answers = {}
  for i, job in ipairs(KEYS) do
    local token = ARGV[i + 2]
    local seen = look(job)
    local expired = seen.startedAt == '' and seen.expiresAt and seen.expiresAt ~= '' and tonumber(seen.expiresAt) <= now
    local again = seen.processing and seen.holder == token
    if seen.open and (seen.starts == seen.finishes or again) and tonumber(seen.runAt) <= now + ARGV[1] and not expired then
      answers[i] = start(job, seen, token, tonumber(ARGV[2]), seen.startedAt == '' and whole(now) or seen.startedAt)
    else
      answers[i] = {}
    end
  end
  enter(ARGV[#ARGV - 1], ARGV[#ARGV])
  return answers`);

/** KEYS: the job. ARGV: token, its life from here on, 1 to count the start against a suspect, the books, a name for a new one. */
export const START_EXCEPTIONAL = new RedisScript(`
  ${NOW} ${START_ONE}
  local seen = look(KEYS[1])
  if not seen.open then return {} end
  local startedAt = seen.startedAt
  if ARGV[3] == '1' then
    if seen.starts == seen.finishes then return {} end
    if not (seen.processing and seen.holder == ARGV[1]) then redis.call('HINCRBY', KEYS[1], 'suspectStarts', 1) end
    if startedAt == '' then startedAt = whole(now) end
  end
  local answer = start(KEYS[1], seen, ARGV[1], tonumber(ARGV[2]), startedAt)
  enter(ARGV[4], ARGV[5])
  return answer`);

/** KEYS: the job. ARGV: how early it may start, and its life from here on: whoever looks at it has it in the queue. */
export const READ_UNSTARTED = new RedisScript(`
  ${NOW} ${KEEP}
  local status, starts, finishes, suspectStarts, runAt, expiresAt, startedAt = unpack(redis.call('HMGET', KEYS[1],
    'status', 'starts', 'finishes', 'suspectStarts', 'runAt', 'expiresAt', 'startedAt'))
  if not status then return {} end
  keep(KEYS[1], tonumber(ARGV[2]))
  local expired = not startedAt and expiresAt and expiresAt ~= '' and tonumber(expiresAt) <= now
  return { status, whole(math.max(0, runAt - ARGV[1] - now)), expired and '1' or '0',
    starts ~= finishes and '1' or '0', suspectStarts }`);

/**
 * KEYS: jobs. ARGV: a token for each. Answers for each with 1 unless somebody else decides about the job. One that is
 * gone was lost with its Redis while it ran, or has ended: PostgreSQL takes an end only once.
 */
export const HOLDS = new RedisScript(`
  local answers = {}
  for i, job in ipairs(KEYS) do
    local status, token = unpack(redis.call('HMGET', job, 'status', 'token'))
    answers[i] = (not status or status == 'processing' and token == ARGV[i]) and 1 or 0
  end
  return answers`);

/**
 * Puts jobs back. KEYS: jobs. ARGV: their life once they are due again, then token, attempts, milliseconds until the next
 * start and sequence of each, and what the start was counted for as a suspect's if it is taken back, since nothing ran.
 * Done again (its answer was lost, or what else was settled with it failed) it answers the same. An attempt that was
 * overtaken did not kill its process: what was counted against its successor is taken back.
 */
export const PUT_BACK = new RedisScript(`
  ${NOW} ${KEEP}
  local answers = {}
  for i, job in ipairs(KEYS) do
    local token, attempts, delay, sequence, takenBack = unpack(ARGV, 5 * i - 3, 5 * i + 1)
    local status, holder, starts, suspectStarts = unpack(redis.call('HMGET', job, 'status', 'token', 'starts', 'suspectStarts'))
    if status and holder == token then
      if status == 'processing' and takenBack ~= '' then
        redis.call('HINCRBY', job, 'starts', -1)
        redis.call('HSET', job, 'suspectStarts', math.max(0, suspectStarts - takenBack))
      elseif status == 'processing' then
        redis.call('HSET', job, 'finishes', starts, 'suspectStarts', 0)
      end
      redis.call('HSET', job, 'status', 'pending', 'attempts', attempts, 'runAt', whole(now + delay),
        'sequence', sequence)
      keep(job, ARGV[1] + delay)
      answers[i] = 1
    else
      if status == 'processing' and tonumber(suspectStarts) > 0 then redis.call('HINCRBY', job, 'suspectStarts', -1) end
      answers[i] = 0
    end
  end
  return answers`);

/** KEYS: the job. ARGV: a token, and how far its attempt is. */
export const NOTE_PROGRESS = new RedisScript(`
  if redis.call('HGET', KEYS[1], 'token') == ARGV[1] then redis.call('HSET', KEYS[1], 'progress', ARGV[2]) end`);

/** KEYS: jobs. Answers for each with 1 when it is there. */
export const ARE_OPEN = new RedisScript(`
  local answers = {}
  for i, job in ipairs(KEYS) do answers[i] = redis.call('EXISTS', job) end
  return answers`);
