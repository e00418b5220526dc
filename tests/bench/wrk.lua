-- Requests for wrk: QEHS_PATHS is a file of paths to GET in turn, or QEHS_BODIES one of JSON bodies to POST in turn.
-- Prints one line at the end: requests a second, answers that were not 2xx, and latencies in milliseconds.
local requests = {}
local turn = 0

function init(args)
	local headers = { Authorization = "Bearer " .. os.getenv("QEHS_BENCH_KEY") }
	local bodies = os.getenv("QEHS_BODIES")
	if bodies then
		headers["Content-Type"] = "application/json"
		for body in io.lines(bodies) do
			requests[#requests + 1] = wrk.format("POST", "/api/v1/records", headers, body)
		end
	else
		for path in io.lines(os.getenv("QEHS_PATHS")) do
			requests[#requests + 1] = wrk.format("GET", path, headers)
		end
	end
end

function request()
	turn = turn % #requests + 1
	return requests[turn]
end

function done(summary, latency)
	local errors = summary.errors
	io.write(string.format("RESULT %.0f %d %.2f %.2f\n", summary.requests / (summary.duration / 1e6),
		errors.status + errors.connect + errors.read + errors.write + errors.timeout,
		latency:percentile(50) / 1000, latency:percentile(99) / 1000))
end
