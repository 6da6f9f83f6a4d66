// SPDX-License-Identifier: MIT
#include "compare/site.hpp"

#include "common/numbers.hpp"
#include <ringlet/http/media_type.hpp>

#include <fmt/format.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <utility>

namespace comparison {
namespace {

namespace files = std::filesystem;

// The same everywhere and nowhere alike, so that a load generator sees one wrong byte.
std::string sample(std::size_t bytes) {
    std::string text;
    text.reserve(bytes + 8);
    for (std::size_t i = 0; text.size() < bytes; ++i) text += fmt::format("{:07} ", i);
    text.resize(bytes);
    return text;
}

std::string read_whole(const files::path& path) {
    std::ifstream file{path, std::ios::binary};
    std::string text{std::istreambuf_iterator<char>{file}, {}};
    if (!file) throw files::filesystem_error{"cannot read", path, std::make_error_code(std::errc::io_error)};
    return text;
}

}  // namespace

site::site() {
    add("", "Pages of the comparison: /1k, /100k, /1m; /slow and /slow16k, which take 50 ms.\n");
    add("1k", sample(1 << 10));
    add("100k", sample(100 << 10));
    add("1m", sample(1 << 20));
    add(std::string{slow_path}, "This took a while.\n", slow_handler);
    add("slow16k", sample(16 << 10), slow_handler);
}

site::site(const std::string& directory) : site{} {
    const files::path root{directory};
    for (auto at = files::recursive_directory_iterator{root}; at != files::recursive_directory_iterator{}; ++at) {
        const bool hidden = at->path().filename().string().starts_with('.');
        if (hidden && at->is_directory()) at.disable_recursion_pending();
        if (hidden || at->is_symlink() || !at->is_regular_file()) continue;
        const std::string path = at->path().lexically_relative(root).string();
        if (at->file_size() > bytes_max - bytes_)
            throw std::runtime_error{fmt::format("{} holds more than {}, which is all that is kept in memory",
                                                 directory, apps::format_size(bytes_max))};
        const bool is_index = at->path().filename() == "index.html";
        std::string body = read_whole(at->path());
        if (is_index) add(at->path().parent_path().lexically_relative(root).string(), body);
        add(path, std::move(body));
    }
}

void site::add(const std::string& path, std::string body, std::chrono::nanoseconds wait) {
    bytes_ += body.size();
    const std::string name = path == "." ? "" : path;
    const std::string_view type =
        name.find('.') == std::string::npos ? "text/plain; charset=utf-8" : ringlet::http::media_type_for(name);
    page made{.head = fmt::format("HTTP/1.1 200 OK\r\nContent-Type: {}\r\nContent-Length: {}\r\n", type, body.size()),
              .body = std::move(body),
              .wait = wait};
    pages_.insert_or_assign(name, std::move(made));
}

const site::page* site::find(std::string_view path) const {
    const auto found = pages_.find(path);
    return found == pages_.end() ? nullptr : &found->second;
}

}  // namespace comparison
