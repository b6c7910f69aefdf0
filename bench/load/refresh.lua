-- Chains of refresh tokens: what an answer brings is presented in a later call, the longest waiting chain first.
-- A thread must have one connection, so that answers belong to calls; each thread takes its share of the lines.
-- Arguments: path, file of lines "refresh_token <tab> the rest of the form".
dofile("summary.lua")

local threads = 0
local chains, first, last = {}, 1, 0
local current
local head = { ["Content-Type"] = "application/x-www-form-urlencoded" }

function setup(thread)
  thread:set("number", threads)
  threads = threads + 1
  thread:set("connections", tonumber(os.getenv("CONNECTIONS")))
end

function init(args)
  wrk.path = args[1]
  local line_number = 0
  for line in io.lines(args[2]) do
    if line_number % connections == number then
      local token, rest = line:match("^(%S+)\t(%S+)$")
      last = last + 1
      chains[last] = { token = token, rest = rest }
    end
    line_number = line_number + 1
  end
end

function request()
  if not current then
    current, chains[first] = chains[first] or { token = "", rest = "" }, nil
    first = first + 1
  end
  return wrk.format("POST", nil, head, "refresh_token=" .. current.token .. current.rest)
end

function response(status, _, body)
  local before = current.token
  current.token = body:match('"refresh_token"%s*:%s*"([^"]+)"')
  if not current.token or current.token == before then
    io.stderr:write(status, " ", body, "\n")
    current.token = "" -- it will be refused in its turn, and the run is spoilt
  end
  last = last + 1
  chains[last] = current
  current = nil
end
