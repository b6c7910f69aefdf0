-- An app's whole way, again and again: the authorization request of somebody who has allowed it, then its code.
-- A thread must have one connection, so that answers belong to calls.
-- Arguments: path and query of the authorization request, the browser's cookies, path and the rest of the token form.
dofile("summary.lua")

local asking, cookie, exchange, rest, code
local head = { ["Content-Type"] = "application/x-www-form-urlencoded" }

function init(args)
  asking, cookie, exchange, rest = args[1], args[2], args[3], args[4]
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
  if not code then io.stderr:write(status, " ", body:sub(1, 500), "\n") end
end
