// SPDX-License-Identifier: MIT
#include "fetch/output.hpp"

#include <ringlet/core/awaitable.hpp>
#include <ringlet/io/op/write_all.hpp>

#include <fmt/format.h>

#include <string_view>
#include <utility>

#include <unistd.h>

namespace fetch {

void output::end_here(bool certain) noexcept {
    segment& last = state_.segments.back();
    last.end = last.next();
    state_.total = last.end;
    state_.end_is_certain = certain;
}

standard_output::standard_output(std::shared_ptr<const apps::wanted_digest> announced)
    : announced_{std::move(announced)} {
    if (announced_) digest_.emplace(announced_->algorithm);
}

ringlet::task<> standard_output::begin(part_state version) {
    if (const std::uint64_t written = state_.done_bytes(); written > 0)
        throw failure{reason::other,
                      fmt::format("cannot start over: {} bytes are written to standard output already", written)};
    state_ = std::move(version);
    co_return;
}

ringlet::task<> standard_output::write(std::size_t which, std::span<const std::byte> bytes) {
    const ringlet::io::fd_ref out{STDOUT_FILENO};
    const ringlet::result<void> done = co_await ringlet::as_result(ringlet::io::write_all_op{out, bytes});
    if (done.error() == std::errc::broken_pipe)
        throw failure{reason::reader_gone, "nobody reads standard output any more"};
    if (!done) throw file_failure("write", "standard output", done.error());
    if (digest_) digest_->update(bytes);
    state_.segments[which].done += bytes.size();
}

ringlet::task<> standard_output::flush(std::size_t) { co_return; }

ringlet::task<std::string> standard_output::finish() {
    if (digest_)
        if (const std::string got = digest_->hex(); got != announced_->hex) throw checksum_failure(*announced_, got);
    co_return "standard output";
}

failure checksum_failure(const apps::wanted_digest& announced, const std::string& got) {
    const std::string_view name = name_of(announced.algorithm);
    return {reason::checksum, fmt::format("checksum: {}:{} was announced, {}:{} came", name, announced.hex, name, got)};
}

}  // namespace fetch
