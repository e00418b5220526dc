-- Requests for wrk: QEHS_PATHS is a file of paths to GET in turn, or QEHS_BODIES one of JSON bodies to POST in turn, to QEHS_TARGET or /api/v1/records.
-- QEHS_CONVENTIONS=1 sends what the conventions take: a key with a rate limit, a traceparent, If-None-Match with a GET, and an
-- Idempotency-Key of its own with each POST. With QEHS_PAUSE each connection waits as many milliseconds on average before each request. Prints one line at the end: requests a second, answers that were not 2xx, and latencies in milliseconds.
local requests = {}
local turn = 0
local conventions = os.getenv("QEHS_CONVENTIONS") == "1"
local run = os.time() .. "-"

function init(args)
	local headers = { Authorization = "Bearer " .. os.getenv(conventions and "QEHS_METERED_KEY" or "QEHS_BENCH_KEY") }
	if conventions then
		headers.traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
	end
	local bodies = os.getenv("QEHS_BODIES")
	if bodies then
		headers["Content-Type"] = "application/json"
		headers["Idempotency-Key"] = conventions and "@KEY@" or nil
		for body in io.lines(bodies) do
			requests[#requests + 1] = wrk.format("POST", os.getenv("QEHS_TARGET") or "/api/v1/records", headers, body)
		end
	else
		headers["If-None-Match"] = conventions and '"0"' or nil
		for path in io.lines(os.getenv("QEHS_PATHS")) do
			requests[#requests + 1] = wrk.format("GET", path, headers)
		end
	end
end

local pause = tonumber(os.getenv("QEHS_PAUSE"))
if pause then
	function delay()
		return math.random(0, 2 * pause)
	end
end

function request()
	turn = turn + 1
	local text = requests[turn % #requests + 1]
	if conventions and text:byte(1) == 80 then
		return (text:gsub("@KEY@", run .. turn, 1))
	end
	return text
end

function done(summary, latency)
	local errors = summary.errors
	io.write(string.format("RESULT %.0f %d %.2f %.2f\n", summary.requests / (summary.duration / 1e6),
		errors.status + errors.connect + errors.read + errors.write + errors.timeout,
		latency:percentile(50) / 1000, latency:percentile(99) / 1000))
end
