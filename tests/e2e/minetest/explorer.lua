-- Generates the map around the origin, one chunk of 80 nodes after the other and four at once, as
-- players exploring it would. Ends when it is done or the server shuts down.
local CHUNK = 80
local SIDE = 60
local AT_ONCE = 4
local number = 0
local stopping = false

local function corner(index)
  return (index - SIDE / 2) * CHUNK - 32  -- where the map generator's own chunks begin
end

local function explore_next()
  if stopping or number == SIDE * SIDE then return end
  local x, z = corner(number % SIDE), corner(math.floor(number / SIDE))
  number = number + 1
  core.emerge_area({x = x, y = -32, z = z}, {x = x + CHUNK - 1, y = 47, z = z + CHUNK - 1},
    function(_, action, remaining)
      if remaining == 0 and action ~= core.EMERGE_CANCELLED then explore_next() end
    end)
end

core.register_on_shutdown(function() stopping = true end)
core.register_on_mods_loaded(function()
  for _ = 1, AT_ONCE do core.after(0, explore_next) end
end)
