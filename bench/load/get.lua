-- The same document again and again. Arguments: path.
dofile("summary.lua")

function init(args)
  wrk.path = args[1]
end
