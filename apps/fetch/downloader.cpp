// SPDX-License-Identifier: MIT
#include "fetch/downloader.hpp"

#include "fetch/failure.hpp"
#include "fetch/names.hpp"
#include <ringlet/core/task_group.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <functional>
#include <new>

namespace fetch {
namespace {

std::string directory_for(const options& how) {
    const std::filesystem::path file{how.output};
    if (how.output.empty() || !file.has_parent_path()) return how.directory;
    return (std::filesystem::path{how.directory} / file.parent_path()).string();  // an absolute one stands alone
}

// However a download ends, by Ctrl-C, too.
struct count_if_kept {
    const download& item;
    display& screen;
    ~count_if_kept() {
        if (item.kept()) screen.kept_part(item.too_large());
    }
};

}  // namespace

downloader::downloader(const options& how, board& work, display& screen)
    : options_{&how},
      board_{&work},
      display_{&screen},
      connections_{how},
      rate_{how.rate},
      shop_{how, where_, output_name_, connections_, pipes_, rate_, screen} {
    if (how.to_standard_output()) return;
    where_.emplace(directory_for(how), how.write_patience);
    output_name_ = std::filesystem::path{how.output}.filename().string();
    if (output_name_.empty()) return;
    // Said before anything is downloaded.
    if (output_name_.size() > given_name_bytes_max)
        throw failure{reason::file, fmt::format("cannot write {}: a name of more than {} bytes leaves no room for {}",
                                                where_->path_of(output_name_), given_name_bytes_max, part_suffix)};
    where_->refuse_special(output_name_);
}

ringlet::task<> downloader::fetch_all() {
    constexpr auto start = [](ringlet::task_group& group, downloader& self) -> ringlet::task<> {
        const std::size_t workers = std::min<std::size_t>(self.options_->jobs, self.board_->size());
        for (std::size_t i = 0; i < workers; ++i) {
            try {
                group.spawn(self.work_on());
            } catch (const std::bad_alloc&) {  // as many as there is memory for will do
                if (i == 0) throw;
                break;
            }
        }
        co_return;
    };
    co_await ringlet::with_task_group(start, std::ref(*this));
}

// What ends is told to the display first: on the board it is gone then.
ringlet::task<> downloader::work_on() {
    while (transfer* const next = board_->take()) {
        std::optional<failure> why;
        try {
            co_await fetch(*next);
        } catch (const std::exception&) {
            why = current_failure();
        }
        if (!why) continue;
        display_->failed(*next, *why);
        board_->failed(*next, *why);
    }
}

ringlet::task<> downloader::fetch(transfer& t) {
    download item{shop_, t};
    const count_if_kept at_the_end{item, *display_};
    const std::optional<std::string> skipped = co_await item.run();
    if (skipped) {
        display_->skipped(t, *skipped);
        board_->skipped(t, *skipped);
    } else {
        display_->saved(t);
        board_->saved(t);
    }
}

}  // namespace fetch
