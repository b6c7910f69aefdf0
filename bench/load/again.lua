-- Bodies that can be sent any number of times, in turn.
-- Arguments: path, content type, file of one body a line, and optionally the Authorization header.
dofile("summary.lua")

local bodies, turn = {}, 0
local head = {}

function init(args)
  wrk.path = args[1]
  head["Content-Type"] = args[2]
  head["Authorization"] = args[4]
  for body in io.lines(args[3]) do bodies[#bodies + 1] = body end
end

function request()
  turn = turn % #bodies + 1
  return wrk.format("POST", nil, head, bodies[turn])
end
