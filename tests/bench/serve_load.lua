-- SPDX-License-Identifier: MIT
-- For wrk: so many requests at a time on each connection, and the result as a line of JSON.
function init(arguments)
   local all = {}
   for i = 1, tonumber(arguments[1] or 1) do all[i] = wrk.format() end
   requests = table.concat(all)
end

function request() return requests end

function done(summary, latency)
   local e = summary.errors
   io.write(string.format(
      '\nRESULT {"requests": %d, "seconds": %f, "p50_us": %d, "p99_us": %d, "errors": %d}\n',
      summary.requests, summary.duration / 1e6, latency:percentile(50), latency:percentile(99),
      e.connect + e.read + e.write + e.status + e.timeout))
end
