// SPDX-License-Identifier: MIT
#include "chat/printer.hpp"

#include <ringlet/core/awaitable.hpp>
#include <ringlet/core/bytes.hpp>
#include <ringlet/io/op/poll.hpp>
#include <ringlet/io/op/write.hpp>

#include <utility>

#include <poll.h>

namespace chat {

ringlet::task<> printer::print(std::string_view line) {
    if (over_input_) pending_ += "\r\x1b[K";
    pending_ += line;
    pending_ += '\n';
    if (!writer_ || writer_->done()) writer_.emplace(ringlet::spawn(&printer::write_out, this));
    if (pending_.size() > pending_bytes_max || error_) co_await finish();
}

ringlet::task<> printer::finish() {
    if (writer_) co_await writer_->join();
    if (error_) throw std::system_error{error_, "standard output"};
}

ringlet::task<> printer::until_broken() {
    co_await broken_.wait_begun();
    co_await finish();
}

ringlet::task<> printer::write_out() {
    while (!pending_.empty()) {
        const std::string now = std::exchange(pending_, {});
        auto rest = ringlet::as_bytes(now);
        while (!rest.empty()) {
            const auto written = co_await ringlet::as_result(ringlet::io::write_op{to_, rest});
            if (written)
                rest = rest.subspan(*written);
            else if (written.error() == std::errc::resource_unavailable_try_again)  // somebody's O_NONBLOCK
                co_await ringlet::io::poll_op{to_, POLLOUT};
            else
                error_ = written.error();
            if (error_) {
                broken_.begin();
                co_return;
            }
        }
    }
}

}  // namespace chat
