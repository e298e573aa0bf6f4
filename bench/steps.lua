-- Says how long the server's steps took: every 200 of them one line.
local MANY = 200
local steps = {}

core.register_globalstep(function(dtime)
  steps[#steps + 1] = dtime * 1000
  if #steps < MANY then return end
  table.sort(steps)
  core.log("action", string.format("steps p50 %.1f p99 %.1f longest %.1f", steps[MANY / 2], steps[MANY * 99 / 100], steps[MANY]))
  steps = {}
end)
