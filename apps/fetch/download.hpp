// SPDX-License-Identifier: MIT
#pragma once

#include "fetch/board.hpp"
#include "fetch/connection_pool.hpp"
#include "fetch/destination.hpp"
#include "fetch/display.hpp"
#include "fetch/failure.hpp"
#include "fetch/options.hpp"
#include "fetch/output.hpp"
#include "fetch/part_file.hpp"
#include "fetch/pipe_pool.hpp"
#include "fetch/place.hpp"
#include "fetch/rate_limiter.hpp"
#include <ringlet/core/task.hpp>
#include <ringlet/core/task_group.hpp>
#include <ringlet/http/url.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace fetch {

/// What the downloads of a run share.
struct workshop {
    const options& how;
    std::optional<destination>& where;  ///< absent when all goes to standard output
    const std::string& output_name;     ///< of -o, without its directory
    connection_pool& connections;
    pipe_pool& pipes;
    rate_limiter& rate;
    display& screen;
};

/// One item, from its URL to its file: asks, goes on where an earlier try or run has stopped, divides, tries again. The file
/// has its name when all bytes of one version of it are there, and not before.
class download {
public:
    download(workshop& shared, transfer& shown);

    /// Result: nullopt when the file is there now, else why nothing had to be done. Throws failure.
    ringlet::task<std::optional<std::string>> run();

    /// Something stays with which another run can go on.
    [[nodiscard]] bool kept() const noexcept { return file_ != nullptr && file_->kept(); }
    /// It ended because it is larger than is allowed: the same command does not go on with it.
    [[nodiscard]] bool too_large() const noexcept { return too_large_; }

private:
    /// How much of a body is for us, and how long the whole is, where the answer says so.
    struct expectation {
        std::uint64_t bytes = unbounded_end;
        std::optional<std::uint64_t> size;
        bool whole = true;  ///< the end of the body is the end of the file
    };
    /// Nothing: the answer is of no use, and all of it must be asked for.
    using verdict = std::optional<expectation>;

    void find_place();
    ringlet::task<> find_same_content();
    ringlet::task<> try_again_and_again();
    ringlet::task<> try_once();

    [[nodiscard]] bool divides() const noexcept;
    [[nodiscard]] bool goes_on() const noexcept { return output_ && !stale_; }
    [[nodiscard]] std::size_t next_segment() const noexcept;
    [[nodiscard]] std::uint64_t wanted_first(std::size_t which) const noexcept;
    [[nodiscard]] std::uint64_t wanted_end(std::size_t which) const noexcept;
    [[nodiscard]] question ask_for(const ringlet::http::url& where, std::size_t which) const;
    ringlet::task<answer> final_answer(question what);

    ringlet::task<verdict> judge(answer& got, std::size_t which);
    ringlet::task<verdict> judge_part(answer& got, std::size_t which);
    verdict judge_refusal(const answer& got);
    [[nodiscard]] std::optional<expectation> usable_part(const answer& got, std::size_t which);
    void start_over(std::string why);
    ringlet::task<> begin(const answer& got, std::optional<std::uint64_t> total);
    void open_output();
    bool name_after(const answer& got);
    void look_for(const part_state& version);
    void skip(const std::string& present, std::string why);
    void check_size(std::uint64_t bytes);

    ringlet::task<> receive_all(answer first, std::size_t which, expectation expected);
    std::size_t divide(const expectation& first);
    ringlet::task<> receive(answer from, std::size_t which, expectation expected);
    ringlet::task<> receive_body(answer& from, std::size_t which, expectation expected);
    ringlet::task<std::size_t> move_piece(answer& from, std::size_t which, std::uint64_t left, const body_pipe* pipe);
    ringlet::task<> keep_what_came(std::size_t which);
    ringlet::task<> work_on(answer first, std::size_t which, expectation expected);
    ringlet::task<> work_on_the_rest();
    ringlet::task<> receive_segment(std::size_t which);

    workshop* shop_;
    transfer* transfer_;
    ringlet::http::url url_;
    file_wishes wishes_;
    place place_;
    std::unique_ptr<output> output_;
    part_file* file_ = nullptr;  // the same, where it is a file
    ringlet::http::url source_;  // what url_ leads to
    bool stale_ = true;          // what is in output_, if there is one, is not of the version that comes
    std::string stale_why_;
    std::string server_base_;          // what the server calls the file, with -J
    std::string server_name_;          // the same, claimed
    std::optional<std::string> skip_;  // why nothing has to be done
    bool too_large_ = false;
    std::vector<bool> busy_;  // segments that somebody works on
    rate_limiter own_rate_;   // of this item alone
};

}  // namespace fetch
