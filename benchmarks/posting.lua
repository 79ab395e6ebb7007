-- For wrk: posts batches of the alerts that posting.py has written down, one a line, "{N}" where its number goes.
--
--   ALERTS   the file
--   BATCH    alerts in a request
--   KEYS     how many alerts there are to draw from; 0: each one that is posted is new
--   FIRST    the number of the first alert that is new
--   MOST     requests after which to stop

local batch, keys = tonumber(os.getenv("BATCH")), tonumber(os.getenv("KEYS"))
local number, left = tonumber(os.getenv("FIRST")), tonumber(os.getenv("MOST"))

wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"

local shapes = {} -- each alert as the texts between its numbers
for line in io.lines(os.getenv("ALERTS")) do
  local texts, start = {}, 1
  local from, to = line:find("{N}", start, true)
  while from do
    texts[#texts + 1] = line:sub(start, from - 1)
    start = to + 1
    from, to = line:find("{N}", start, true)
  end
  texts[#texts + 1] = line:sub(start)
  shapes[#shapes + 1] = texts
end

local function add(parts, n)
  local texts = shapes[n % #shapes + 1]
  parts[#parts + 1] = #parts == 0 and "[" or ","
  for i = 1, #texts - 1 do
    parts[#parts + 1] = texts[i]
    parts[#parts + 1] = n
  end
  parts[#parts + 1] = texts[#texts]
end

local function posted(next_number)
  local parts = {}
  for _ = 1, batch do
    add(parts, next_number())
  end
  parts[#parts + 1] = "]"
  return wrk.format(nil, nil, nil, table.concat(parts))
end

local function next_new()
  number = number + 1
  return number - 1
end

local prepared, place = {}, 0
function init()
  math.randomseed(7)
  for i = 1, keys > 0 and math.max(100, 10000 / batch) or 0 do
    prepared[i] = posted(function() return math.random(0, keys - 1) end)
  end
end

function request()
  left = left - 1
  if left == 0 then
    wrk.thread:stop()
  end
  if keys == 0 then
    return posted(next_new)
  end
  place = place % #prepared + 1
  return prepared[place]
end

function done(summary, latency)
  local errors = summary.errors
  io.write(string.format('{"requests":%d,"seconds":%f,"failed":%d,"p50_ms":%f,"p99_ms":%f}\n',
    summary.requests, summary.duration / 1e6,
    errors.connect + errors.read + errors.write + errors.status + errors.timeout,
    latency:percentile(50) / 1e3, latency:percentile(99) / 1e3))
end
