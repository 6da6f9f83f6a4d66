// SPDX-License-Identifier: MIT
#include "fetch/output.hpp"

#include "fetch/failure.hpp"
#include <ringlet/core/awaitable.hpp>
#include <ringlet/io/op/write_all.hpp>

#include <unistd.h>

namespace fetch {

ringlet::task<> standard_output::write(std::span<const std::byte> bytes) {
    const ringlet::io::fd_ref out{STDOUT_FILENO};
    const ringlet::result<void> done = co_await ringlet::as_result(ringlet::io::write_all_op{out, bytes});
    if (done.error() == std::errc::broken_pipe)
        throw failure{apps::exit_code::reader_gone, "nobody reads standard output any more"};
    if (!done) throw file_failure("write", "standard output", done.error());
}

ringlet::task<std::string> standard_output::finish() { co_return "standard output"; }

}  // namespace fetch
