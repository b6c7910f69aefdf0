-- An app's whole way, again and again: the authorization request of somebody who has allowed it, then its code.
-- A thread must have one connection, so that answers belong to calls; each has a person of its own.
-- Arguments: path and query of the authorization request, file of the browsers' cookies (one a line), path and the rest
-- of the token form.
dofile("summary.lua")

local threads = 0
local asking, cookie, exchange, rest, code
local head = { ["Content-Type"] = "application/x-www-form-urlencoded" }

function setup(thread)
  thread:set("number", threads)
  threads = threads + 1
end

function init(args)
  asking, exchange, rest = args[1], args[3], args[4]
  local line_number = 0
  for line in io.lines(args[2]) do
    if line_number == number then cookie = line end
    line_number = line_number + 1
  end
end

function request()
  if code then
    return wrk.format("POST", exchange, head, "code=" .. code .. rest)
  end
  return wrk.format("GET", asking, { ["Cookie"] = cookie })
end

function response(status, headers, body)
  if code then
    code = nil
    return
  end
  for name, value in pairs(headers) do
    if name:lower() == "location" then code = value:match("[?&]code=([^&]+)") end
  end
  if not code then
    io.stderr:write(status, " ", body:sub(1, 500), "\n")
    code = "none" -- it will be refused in its turn, and the run is spoilt
  end
end
