// SPDX-License-Identifier: MIT
#include "apps/xfer/protocol_trace.hpp"
#include "fuzz.hpp"

#include <string>
#include <string_view>

namespace {

// A payload that is read can be written again, and gives the same bytes.
void check_payloads(std::string_view input) {
    xfer::frame_reader reader;
    auto rest = ringlet::as_bytes(input);
    while (!rest.empty()) {
        const auto found = reader.feed(rest);
        fuzz::require(found.consumed <= rest.size(), "no more is consumed than there was");
        rest = rest.subspan(found.consumed);
        fuzz::require(found.what == xfer::frame_reader::event::error || reader.missing() > 0,
                      "something is always missing");
        if (found.what == xfer::frame_reader::event::error) return;
        if (found.what != xfer::frame_reader::event::frame) continue;
        const std::string payload{reader.payload()};
        std::string again;
        if (const auto what = xfer::decode_request(payload); what && reader.type() == xfer::frame_type::request)
            again = encode(*what);
        if (const auto what = xfer::decode_offer(payload); what && reader.type() == xfer::frame_type::offer)
            again = encode(*what);
        if (const auto what = xfer::decode_ending(payload); what && reader.type() == xfer::frame_type::end)
            again = encode(*what);
        if (const auto what = xfer::decode_refusal(payload); what && reader.type() == xfer::frame_type::refusal)
            again = encode(*what);
        if (!again.empty())
            fuzz::require(again.substr(xfer::frame_head_bytes) == payload, "what is read can be written again");
    }
}

}  // namespace

// The first byte says how the rest is cut; however it is cut, the reader reports the same.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    std::string_view input = fuzz::text_of(data, size);
    if (input.empty()) return 0;
    const std::size_t piece = static_cast<unsigned char>(input.front()) % 16 + 1;
    const std::size_t first = static_cast<unsigned char>(input.front()) / 16 + 1;
    input.remove_prefix(1);
    const std::string whole = xfer_trace::run(input, input.size(), input.size());
    fuzz::require(whole == xfer_trace::run(input, first, piece), "events do not depend on how the bytes are cut");
    fuzz::require(whole.ends_with("need_more;") || whole == xfer_trace::run_by_missing(input), "nor on reading ahead");
    check_payloads(input);
    return 0;
}
