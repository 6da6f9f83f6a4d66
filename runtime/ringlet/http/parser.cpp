// SPDX-License-Identifier: MIT
#include <ringlet/http/detail/parser_core.hpp>
#include <ringlet/http/parser.hpp>

#include <array>
#include <cassert>
#include <memory>
#include <utility>

namespace ringlet::http {

namespace detail {

namespace {

// Parsers that nobody uses, for the next message of any connection: who waits for one holds none, and who gets one need not
// ask for memory, a dozen times, until it fits.
class spare_parsers {
public:
    void put(std::unique_ptr<parser_core> core) noexcept {
        if (count_ < cores_.size() && core->memory() <= memory_max) cores_[count_++] = std::move(core);
    }
    std::unique_ptr<parser_core> take() noexcept { return count_ > 0 ? std::move(cores_[--count_]) : nullptr; }

private:
    static constexpr std::size_t memory_max = 4096;
    std::array<std::unique_ptr<parser_core>, 64> cores_;
    std::size_t count_ = 0;
};
thread_local spare_parsers spare;

}  // namespace

void parser_base::give_back::operator()(parser_core* core) const noexcept {
    spare.put(std::unique_ptr<parser_core>{core});
}

parser_base::parser_base(direction d, const limits& bounds) noexcept : limits_{bounds}, direction_{d} {}
parser_base::parser_base(parser_base&&) noexcept = default;
parser_base& parser_base::operator=(parser_base&&) noexcept = default;
parser_base::~parser_base() = default;

parser_core& parser_base::core() {
    if (core_) return *core_;
    const bool is_request = direction_ == direction::request;
    std::unique_ptr<parser_core> core = spare.take();
    if (core)
        core->restart(is_request, limits_);
    else
        core = std::make_unique<parser_core>(is_request, limits_);
    core_.reset(core.release());
    return *core_;
}

parse_result parser_base::feed(std::span<const std::byte> input) {
    if (!core_ && input.empty()) return {};
    return core().feed(input);
}

parse_result parser_base::finish() {
    if (!core_) return {0, event::end, {}};
    return core_->finish();
}

const parse_error& parser_base::error() const noexcept {
    static constexpr parse_error none{};
    return core_ ? core_->error : none;
}

bool parser_base::keep_alive() const noexcept { return core_ && core_->keep_alive; }
framing parser_base::body_framing() const noexcept { return core_ ? core_->plan.kind : framing::none; }
std::optional<std::uint64_t> parser_base::body_bytes() const noexcept { return core_ ? core_->plan.bytes : 0; }
bool parser_base::idle() const noexcept { return !core_ || core_->idle(); }

std::uint64_t parser_base::unfed_bytes() const noexcept { return core_ ? core_->unfed_bytes() : 0; }
void parser_base::pass(std::uint64_t bytes) noexcept { core_->pass(bytes); }

void parser_base::release_memory() noexcept {
    assert(idle() && "release_memory() in the middle of a message would lose it: ask idle() first");
    core_.reset();
}

}  // namespace detail

request_parser::request_parser(const limits& bounds) noexcept : parser_base{direction::request, bounds} {}

request_head& request_parser::head() noexcept {
    assert(core_ && "head() before event::head");
    return core_->request;
}

bool request_parser::expects_continue() const noexcept { return core_ && core_->expects_continue; }

response_parser::response_parser(const limits& bounds) noexcept : parser_base{direction::response, bounds} {}

response_head& response_parser::head() noexcept {
    assert(core_ && "head() before event::head");
    return core_->response;
}

bool response_parser::upgraded() const noexcept { return core_ && core_->upgraded; }

parse_result response_parser::feed(std::span<const std::byte> input) {
    if (!core_ && input.empty()) return {};
    core().answered_method = method_;
    return core_->feed(input);
}

}  // namespace ringlet::http
