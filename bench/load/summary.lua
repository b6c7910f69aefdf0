-- The last line of every run, for the one who started it. Latencies are in microseconds.
local FIELDS = '{"calls":%d,"microseconds":%d,"refused":%d,"broken":%d,"timeouts":%d,"p50":%d,"p99":%d}'

-- Milliseconds that a connection rests before its next call, on the average: as if its callers did not know each other.
local pause = tonumber(os.getenv("PAUSE"))

if pause > 0 then
  math.randomseed(tonumber(tostring({}):match("0x(%x+)"), 16) % 2147483647)
  function delay()
    return math.floor(-math.log(1 - math.random()) * pause + 0.5)
  end
end

function done(summary, latency)
  local errors = summary.errors
  local broken = errors.connect + errors.read + errors.write
  print("RESULT " .. string.format(FIELDS, summary.requests, summary.duration, errors.status, broken,
    errors.timeout, latency:percentile(50), latency:percentile(99)))
end
