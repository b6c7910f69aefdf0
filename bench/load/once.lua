-- Form bodies that are each good for one call, in order. Arguments: path, file of one body a line.
-- A run that uses them up is spoilt: what is sent then is refused, and counts as such.
dofile("summary.lua")

local bodies
local head = { ["Content-Type"] = "application/x-www-form-urlencoded" }

function init(args)
  wrk.path = args[1]
  bodies = io.lines(args[2])
end

function request()
  local body = bodies and bodies()
  if not body then
    if bodies then io.stderr:write("there are more calls than bodies\n") end
    bodies, body = nil, "nothing=left"
  end
  return wrk.format("POST", nil, head, body)
end
