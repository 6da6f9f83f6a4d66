// SPDX-License-Identifier: MIT
#include "serve/resource.hpp"

#include <ringlet/http/date.hpp>
#include <ringlet/http/negotiation.hpp>
#include <ringlet/io/system_calls.hpp>

#include <fmt/format.h>

#include <algorithm>

namespace serve {

using std::chrono::seconds;
using std::chrono::sys_seconds;

const representation& resource::choose(const ringlet::http::request_head& request) const noexcept {
    const representation* best = &forms.front();
    if (forms.size() == 1) return *best;
    unsigned best_quality = ringlet::http::accepted_quality(request, "identity");
    for (const representation& form : forms) {
        if (form.coding.empty()) continue;
        const unsigned quality = ringlet::http::accepted_quality(request, form.coding);
        if (quality == 0 || quality < best_quality) continue;
        if (quality == best_quality && form.state.bytes >= best->state.bytes) continue;
        best = &form;
        best_quality = quality;
    }
    return *best;
}

ringlet::http::response_head head_for(ringlet::http::status status, const resource& what, const representation& form,
                                      const ringlet::http::fields& extra) {
    ringlet::http::response_head head;
    head.status = status;
    if (status != ringlet::http::status::not_modified) {
        head.fields.add("Content-Type", what.content_type);
        head.fields.add("X-Content-Type-Options", "nosniff");
        head.fields.add("Accept-Ranges", "bytes");
        if (!form.coding.empty()) head.fields.add("Content-Encoding", form.coding);
    }
    head.fields.add("ETag", form.validators.etag);
    const auto modified = ringlet::http::format_date(form.validators.last_modified.value_or(sys_seconds{}));
    head.fields.add("Last-Modified", {modified.data(), modified.size()});
    if (what.forms.size() > 1) head.fields.add("Vary", "Accept-Encoding");
    for (const auto& field : extra) head.fields.add(field.name, field.value);
    return head;
}

sys_seconds now_to_the_second() noexcept { return sys_seconds{seconds{ringlet::io::sys::time()}}; }

ringlet::http::validators validators_of(const file_state& state, std::string_view coding, sys_seconds now) {
    ringlet::http::validators all;
    all.etag = fmt::format("\"{:x}-{:x}{}{}\"", state.bytes, state.modified.time_since_epoch().count(),
                           coding.empty() ? "" : "-", coding);
    all.last_modified = std::min(std::chrono::floor<seconds>(state.modified), now);
    return all;
}

}  // namespace serve
