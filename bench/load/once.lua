-- Form bodies that are each good for one call, in order. Arguments: path, file of one body a line.
-- Running out of them would spoil the figures, so it is refused to go on: what comes then counts as refused.
dofile("summary.lua")

local bodies
local head = { ["Content-Type"] = "application/x-www-form-urlencoded" }

function init(args)
  wrk.path = args[1]
  bodies = io.lines(args[2])
end

function request()
  return wrk.format("POST", nil, head, bodies() or "nothing-left=1")
end
