-- The last line of every run, for the one who started it. Latencies are in microseconds.
local FIELDS = '{"calls":%d,"microseconds":%d,"refused":%d,"broken":%d,"timeouts":%d,"p50":%d,"p99":%d}'

function done(summary, latency)
  local errors = summary.errors
  local broken = errors.connect + errors.read + errors.write
  print("RESULT " .. string.format(FIELDS, summary.requests, summary.duration, errors.status, broken,
    errors.timeout, latency:percentile(50), latency:percentile(99)))
end
