// SPDX-License-Identifier: MIT
#include <ringlet/testing/detail/open_file.hpp>

#include <utility>

namespace ringlet::testing::detail {

bool open_file::is_regular() const noexcept {
    struct stat info{};
    return stat(info) == 0 && S_ISREG(info.st_mode);
}

void open_file::changed() {
    if (waiters_.empty()) return;
    std::vector<waiter*> all = waiters_;  // one that goes on leaves the list
    for (std::size_t left = all.size(); left > 1; --left) std::swap(all[left - 1], all[world_->below(left)]);
    for (waiter* who : all) who->file_changed();
}

}  // namespace ringlet::testing::detail
