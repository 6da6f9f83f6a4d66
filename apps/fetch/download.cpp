// SPDX-License-Identifier: MIT
#include "fetch/download.hpp"

#include "common/numbers.hpp"
#include "fetch/names.hpp"
#include "fetch/present_file.hpp"
#include "fetch/retry.hpp"
#include <ringlet/http/conditional.hpp>
#include <ringlet/net/error.hpp>
#include <ringlet/time/sleep.hpp>
#include <ringlet/time/timeout.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <exception>
#include <functional>
#include <span>
#include <utility>

namespace fetch {
namespace {

namespace http = ringlet::http;

constexpr unsigned redirects_max = 10;
// Shorter bodies are copied sooner than a pipe is fetched.
constexpr std::uint64_t piped_bytes_min = std::uint64_t{64} * 1024;

// Of the others of 2xx none brings the file: 204 says that there is no content, 202 that there is none yet.
bool is_success(http::status status) noexcept { return status == http::status::ok || to_number(status) == 203; }

bool is_redirect(http::status status) noexcept {
    using enum http::status;
    return status == moved_permanently || status == found || status == see_other || status == temporary_redirect ||
           status == permanent_redirect;
}

failure status_failure(const http::response_head& head) {
    const unsigned number = to_number(head.status);
    const std::string_view phrase = head.reason.empty() ? reason_phrase(head.status) : std::string_view{head.reason};
    const std::string text = fmt::format("the server answered {}{}{}", number, phrase.empty() ? "" : " ", phrase);
    if (head.status == http::status::unauthorized || head.status == http::status::proxy_authentication_required)
        return failure{reason::login, text}.with_status(number);
    if (number < 400 || number >= 600)
        return protocol_failure(text + ", which is no answer to what was asked").with_status(number);
    if (!may_pass(head.status)) return failure{reason::status, text}.with_status(number);
    const auto after = retry_after(head);
    if (after && *after > retry_after_max)
        return failure{reason::status,
                       fmt::format("{} and wants to be asked again in {}", text, apps::format_duration(*after))}
            .with_status(number);
    return failure{reason::status, text}.with_status(number).that_may_pass(after);
}

http::url redirect_target(const http::url& from, const http::response_head& head) {
    const auto location = head.fields.get("Location");
    if (!location) throw protocol_failure(fmt::format("redirect ({}) without a Location", to_number(head.status)));
    auto to = from.resolve(*location);
    if (!to) throw protocol_failure(fmt::format("redirect to {}: {}", *location, to.reason()));
    // What was asked for in secret is not to come in clear.
    if (from.is_https() && !to->is_https())
        throw failure{reason::tls,
                      "redirect from https to " + to->to_string() + ", which anybody could read and change"};
    return *std::move(to);
}

std::string so_far(const transfer& t) {
    return t.total_bytes ? fmt::format("after {} of {} bytes", t.done_bytes, *t.total_bytes)
                         : fmt::format("after {} bytes", t.done_bytes);
}

failure broken(const transfer& t, const std::system_error& error) {
    if (error.code() == ringlet::net::errc::unexpected_end)
        return connection_failure("truncated " + so_far(t), error.code(), reason::truncated);
    return connection_failure("the connection broke " + so_far(t) + ": " + words_of(error), error.code());
}

// Why all of it comes to somebody who had some.
const char* why_not_the_rest(const part_state& known, const http::response_head& whole) {
    if (!known.resumable()) return "the server does not tell one version from another";
    if (http::strong_validator(whole) == known.validator) return "the server sends no parts of it";
    return "it has changed on the server";
}

}  // namespace

download::download(workshop& shared, transfer& shown)
    : shop_{&shared},
      transfer_{&shown},
      url_{*http::url::parse(shown.what->url)},
      source_{url_},
      own_rate_{shared.how.rate_each} {
    wishes_.url = url_.to_string();
    wishes_.durable = shop_->how.durable;
    wishes_.trusts_length = shop_->how.trust_length;
    wishes_.checksum = shown.what->checksum;
    wishes_.only_name = !shop_->output_name.empty();
    wishes_.replaces = wishes_.only_name || shop_->how.existing == existing_file::replaced;
    wishes_.base = shop_->output_name;
    if (wishes_.base.empty()) wishes_.base = safe_name(shown.what->name);
    if (wishes_.base.empty()) wishes_.base = name_from_segment(url_.last_segment());
}

ringlet::task<std::optional<std::string>> download::run() {
    find_place();
    if (shop_->how.existing == existing_file::wanted && place_.present != nullptr)
        skip(place_.present->first(), "there is a file of this name");
    if (!skip_) co_await find_same_content();
    if (skip_) co_return skip_;
    shop_->screen.started(*transfer_);
    bool in_time = true;
    if (shop_->how.max_time) {
        try {
            co_await ringlet::with_timeout(*shop_->how.max_time, try_again_and_again());
        } catch (const ringlet::timeout_error&) {
            in_time = false;
        }
    } else {
        co_await try_again_and_again();
    }
    if (!in_time)
        throw failure{reason::timeout, fmt::format("not done within {} ({})",
                                                   apps::format_duration(*shop_->how.max_time), so_far(*transfer_))};
    co_return skip_;
}

// Names are given in the order of the command line, whichever answer comes first; never by a redirect.
void download::find_place() {
    if (!shop_->where) {
        transfer_->name = "standard output";
        return;
    }
    place_ = fetch::find_place(*shop_->where, wishes_);
    transfer_->name = shop_->where->path_of(place_.name);
    if (!place_.left) return;
    file_ = place_.left.get();
    output_ = std::move(place_.left);
    stale_ = false;
    transfer_->done_bytes = transfer_->resumed_bytes = output_->state().done_bytes();
    transfer_->total_bytes = output_->state().total;
}

ringlet::task<> download::find_same_content() {
    if (!wishes_.checksum || shop_->how.existing == existing_file::replaced || place_.present == nullptr) co_return;
    const auto same = co_await place_.present->with_digest(*shop_->where, *wishes_.checksum);
    if (same) skip(*same, "it has this checksum already");
}

void download::skip(const std::string& present, std::string why) {
    transfer_->name = shop_->where->path_of(present);
    skip_ = std::move(why);
}

ringlet::task<> download::try_again_and_again() {
    for (unsigned tries = 1;; ++tries) {
        std::optional<failure> why;
        try {
            co_await try_once();
            co_return;
        } catch (const std::exception&) {
            why = current_failure();
        }
        if (!why->may_pass() || tries >= shop_->how.tries) throw *why;
        const auto chance = static_cast<std::uint64_t>(ringlet::clock::now().time_since_epoch().count());
        const auto wait = wait_before_retry(tries, shop_->how.retry_wait, *why, chance);
        transfer_->done_bytes = goes_on() && output_->state().resumable() ? output_->state().done_bytes() : 0;
        transfer_->note = fmt::format("try {} of {} in {}", tries + 1, shop_->how.tries, apps::format_duration(wait));
        shop_->screen.retrying(*transfer_, *why, tries + 1, shop_->how.tries, wait);
        co_await ringlet::sleep(wait);
    }
}

ringlet::task<> download::try_once() {
    if (!goes_on() || !output_->state().complete()) {
        std::size_t which = next_segment();
        answer got = co_await final_answer(ask_for(url_, which));
        verdict found = co_await judge(got, which);
        if (!found) {
            co_await shop_->connections.dismiss(std::move(got));
            which = 0;
            answer whole = co_await final_answer(question{url_});
            found = co_await judge(whole, which);
            got = std::move(whole);
        }
        if (skip_ || found->bytes == 0)
            co_await shop_->connections.dismiss(std::move(got));
        else
            co_await receive_all(std::move(got), which, *found);
        if (skip_) co_return;
    }
    transfer_->note.clear();
    transfer_->name = co_await output_->finish();
}

bool download::divides() const noexcept { return shop_->how.segments > 1 && shop_->where.has_value(); }

std::size_t download::next_segment() const noexcept {
    if (!goes_on()) return 0;
    const std::vector<segment>& all = output_->state().segments;
    const auto next = std::ranges::find_if(all, [](const segment& s) { return !s.complete(); });
    return static_cast<std::size_t>(next - all.begin());
}

std::uint64_t download::wanted_first(std::size_t which) const noexcept {
    return goes_on() ? output_->state().segments[which].next() : 0;
}

// While it is not known whether the server sends parts, only the first of several is asked for; of a part whose length
// nobody knows, all the rest.
std::uint64_t download::wanted_end(std::size_t which) const noexcept {
    if (!goes_on()) return divides() ? shop_->how.segment_bytes_min : unbounded_end;
    const part_state& known = output_->state();
    if (known.segments.size() > 1) return known.segments[which].end;
    if (!divides() || !known.total) return unbounded_end;
    return std::min(*known.total, wanted_first(which) + shop_->how.segment_bytes_min);
}

question download::ask_for(const http::url& where, std::size_t which) const {
    question what{where};
    const std::uint64_t first = wanted_first(which);
    const std::uint64_t end = wanted_end(which);
    if (first == 0 && end == unbounded_end) return what;
    if (goes_on() && !output_->state().resumable()) return what;
    what.range = end == unbounded_end ? fmt::format("bytes={}-", first) : fmt::format("bytes={}-{}", first, end - 1);
    if (goes_on()) what.if_range = output_->state().validator;
    return what;
}

ringlet::task<answer> download::final_answer(question what) {
    using enum http::status;
    for (unsigned redirects = 0;; ++redirects) {
        const bool ranged = !what.range.empty();
        transfer_->note = "waiting for " + what.url.host();
        const bool secrets = what.url.same_origin(url_);
        answer got = co_await shop_->connections.get(what, secrets);
        const http::status status = got.head->status;
        if (ranged && (status == partial_content || status == range_not_satisfiable)) co_return got;
        if (is_success(status)) co_return got;
        if (!is_redirect(status)) {
            const failure why = status_failure(*got.head);
            co_await shop_->connections.dismiss(std::move(got));
            throw why;
        }
        if (redirects == redirects_max)
            throw failure{reason::redirects, fmt::format("more than {} redirects", redirects_max)};
        what.url = redirect_target(what.url, *got.head);
        shop_->screen.note(*transfer_, fmt::format("redirected ({}) to {}", to_number(status), what.url.to_string()));
        co_await shop_->connections.dismiss(std::move(got));
    }
}

ringlet::task<download::verdict> download::judge(answer& got, std::size_t which) {
    source_ = got.from;
    if (got.head->status == http::status::range_not_satisfiable) co_return judge_refusal(got);
    if (got.head->status == http::status::partial_content) co_return co_await judge_part(got, which);
    if (goes_on() && output_->state().done_bytes() > 0) start_over(why_not_the_rest(output_->state(), *got.head));
    if (divides()) shop_->screen.note(*transfer_, "not divided: the server sends no parts of it");
    const std::optional<std::uint64_t> total = got.connection->body_bytes();
    co_await begin(got, total);
    expectation all;
    all.bytes = total.value_or(unbounded_end);
    all.size = total;
    co_return all;
}

ringlet::task<download::verdict> download::judge_part(answer& got, std::size_t which) {
    const std::optional<expectation> part = usable_part(got, which);
    if (!part) co_return std::nullopt;
    if (!goes_on()) {
        if (!part->size || (http::strong_validator(*got.head).empty() && !wishes_.trusts_length)) {
            shop_->screen.note(*transfer_, "not divided: the server does not say which version its parts are of");
            co_return std::nullopt;
        }
        co_await begin(got, part->size);
    } else if (transfer_->resumed_bytes > 0) {
        if (name_after(got)) look_for(output_->state());
        if (skip_)
            file_->abandon();
        else
            shop_->screen.resuming(*transfer_);
    }
    co_return part;
}

// A part is taken when it begins where it must, is no longer than was asked for, and is of the version that is known. Else
// everything is to begin anew.
std::optional<download::expectation> download::usable_part(const answer& got, std::size_t which) {
    const auto range = got.head->fields.count("Content-Range") == 1
                           ? http::parse_content_range(*got.head->fields.get("Content-Range"))
                           : std::nullopt;
    const std::optional<std::uint64_t> body = got.connection->body_bytes();
    if (!range || range->bytes == 0 || range->first != wanted_first(which) ||
        range->bytes > wanted_end(which) - range->first || body.value_or(range->bytes) != range->bytes) {
        start_over("the server sent another part than was asked for");
        return std::nullopt;
    }
    if (goes_on()) {
        const part_state& known = output_->state();
        if (http::strong_validator(*got.head) != known.validator ||
            (known.total && range->size.value_or(*known.total) != *known.total) ||
            (known.total && range->first + range->bytes > *known.total)) {
            start_over("it has changed on the server");
            return std::nullopt;
        }
    }
    expectation part;
    part.bytes = range->bytes;
    part.size = range->size;
    part.whole = false;
    return part;
}

// 416 to somebody who has all of it: there is no more.
download::verdict download::judge_refusal(const answer& got) {
    const auto field = got.head->fields.get("Content-Range");
    const auto range = field ? http::parse_content_range(*field) : std::nullopt;
    const std::string_view version = http::strong_validator(*got.head);
    const bool other = goes_on() && !version.empty() && version != output_->state().validator;
    if (!other && goes_on() && output_->state().segments.size() == 1 && !output_->state().total && range &&
        range->bytes == 0 && range->size == output_->state().done_bytes()) {
        output_->end_here(true);
        expectation nothing;
        nothing.bytes = 0;
        return nothing;
    }
    start_over("the server has not so much of it");
    return std::nullopt;
}

void download::start_over(std::string why) {
    stale_ = true;
    stale_why_ = std::move(why);
}

ringlet::task<> download::begin(const answer& got, std::optional<std::uint64_t> total) {
    if (total) check_size(*total);
    part_state version;
    version.url = wishes_.url;
    version.validator = http::strong_validator(*got.head);
    version.total = total;
    version.trusts_length = wishes_.trusts_length;
    version.segments.push_back(segment{0, total.value_or(unbounded_end), 0});
    const bool other_files = name_after(got);
    look_for(version);
    if (!skip_ && other_files) co_await find_same_content();
    if (skip_) {
        if (file_) file_->abandon();
        co_return;
    }
    if (!output_)
        open_output();
    else if (output_->state().done_bytes() > 0)
        shop_->screen.starting_over(*transfer_, stale_why_);
    transfer_->done_bytes = transfer_->resumed_bytes = 0;
    transfer_->total_bytes = total;
    co_await output_->begin(std::move(version));
    stale_ = false;
}

void download::open_output() {
    if (!shop_->where) {
        output_ = std::make_unique<standard_output>(wishes_.checksum);
        return;
    }
    std::unique_ptr<part_file> made = part_file::make(*shop_->where, wishes_, place_.name);
    file_ = made.get();
    output_ = std::move(made);
    if (!server_name_.empty()) file_->rename_to(server_base_, server_name_);
}

// The part keeps the name that is known before there is an answer, so that another run finds it. Result: whether it is to
// be called otherwise from now on.
bool download::name_after(const answer& got) {
    if (!shop_->how.name_from_server || !shop_->where || !shop_->output_name.empty() || !server_name_.empty())
        return false;
    const auto field = got.head->fields.get("Content-Disposition");
    const std::string base = field ? name_from_disposition(*field) : "";
    if (base.empty() || base == wishes_.base) return false;
    destination& where = *shop_->where;
    server_base_ = base;
    server_name_ = wishes_.replaces ? where.claim_to_replace(base) : where.claim(base);
    place_.present = where.present(base);
    if (file_) file_->rename_to(server_base_, server_name_);
    return true;
}

// Looks for the version that comes among the files that are there.
void download::look_for(const part_state& version) {
    if (shop_->how.existing == existing_file::replaced || place_.present == nullptr) return;
    if (shop_->how.existing == existing_file::wanted) {
        skip(place_.present->first(), "there is a file of this name");
        return;
    }
    if (wishes_.checksum) return;  // that alone tells
    const auto same = place_.present->of_version(*shop_->where, version);
    if (same) skip(*same, "this version is there already");
}

void download::check_size(std::uint64_t bytes) {
    const auto most = shop_->how.bytes_max;
    if (!most || bytes <= *most) return;
    too_large_ = true;
    throw failure{reason::size, fmt::format("larger than {}, see --max-size", apps::format_size(*most))};
}

ringlet::task<> download::receive_all(answer first, std::size_t which, expectation expected) {
    transfer_->moved = ringlet::clock::now();
    transfer_->note.clear();
    if (expected.whole)
        which = 0;  // it begins anew
    else
        which = divide(expected);
    const std::size_t segments = output_->state().segments.size();
    if (segments == 1) {
        co_await receive(std::move(first), which, expected);
        co_return;
    }
    busy_.assign(segments, false);
    busy_[which] = true;
    constexpr auto start = [](ringlet::task_group& group, download& self, answer& got, std::size_t its_segment,
                              expectation of_it) -> ringlet::task<> {
        group.spawn(self.work_on(std::move(got), its_segment, of_it));
        for (unsigned i = 1; i < self.shop_->how.segments; ++i) group.spawn(self.work_on_the_rest());
        co_return;
    };
    co_await ringlet::with_task_group(start, std::ref(*this), std::ref(first), which, expected);
}

// Divides what is still missing once the server has shown that it sends parts. Result: the segment of that first part.
std::size_t download::divide(const expectation& first) {
    const part_state& state = output_->state();
    if (!divides() || state.segments.size() > 1 || !state.total || !state.resumable()) return next_segment();
    const std::uint64_t done = state.segments.front().done;
    const std::uint64_t end = done + first.bytes;
    const std::uint64_t rest = *state.total - end;
    if (rest == 0) return 0;
    std::vector<segment> segments;
    if (done > 0) segments.push_back(segment{0, done, done});
    segments.push_back(segment{done, end, 0});
    const std::uint64_t count = std::clamp<std::uint64_t>(rest / shop_->how.segment_bytes_min, 1, shop_->how.segments);
    std::uint64_t begin = end;
    for (std::uint64_t i = 1; i <= count; ++i) {
        const std::uint64_t next = i == count ? *state.total : end + rest / count * i;
        segments.push_back(segment{begin, next, 0});
        begin = next;
    }
    file_->divide(std::move(segments));
    return done > 0 ? 1 : 0;
}

ringlet::task<> download::receive(answer from, std::size_t which, expectation expected) {
    std::exception_ptr failed;
    try {
        co_await receive_body(from, which, expected);
    } catch (...) {
        failed = std::current_exception();
    }
    if (failed) {
        co_await ringlet::shield(keep_what_came(which));
        transfer_->done_bytes = output_->state().done_bytes();  // what could not be written does not count
        std::rethrow_exception(failed);
    }
    shop_->connections.keep(std::move(from));
}

ringlet::task<> download::receive_body(answer& from, std::size_t which, expectation expected) {
    const bool long_one = expected.bytes != unbounded_end && expected.bytes >= piped_bytes_min;
    std::unique_ptr<body_pipe> pipe;
    if (long_one && file_ != nullptr && file_->takes_pipes()) pipe = shop_->pipes.take();
    for (std::uint64_t left = expected.bytes;;) {
        const std::size_t came = co_await move_piece(from, which, left, pipe.get());
        if (came == 0) break;
        left -= came;
        if (own_rate_.limits()) co_await own_rate_.pass(came);
        if (shop_->rate.limits()) co_await shop_->rate.pass(came);
    }
    if (pipe) shop_->pipes.give_back(std::move(pipe));
    co_await output_->flush(which);
    const segment& its = output_->state().segments[which];
    if (!output_->state().total && (expected.whole || expected.size == its.next())) {
        const bool by_close = from.connection->body_framing() == http::framing::until_close;
        output_->end_here(!by_close || from.from.is_https() || expected.size.has_value());
    }
    if (!its.complete())
        throw failure{reason::truncated, "the server sent less than was asked for, " + so_far(*transfer_)}
            .that_may_pass();
}

// Moves what has come to the output. Result: how much; 0 at the end of the body.
ringlet::task<std::size_t> download::move_piece(answer& from, std::size_t which, std::uint64_t left,
                                                const body_pipe* pipe) {
    http::client_connection& server = *from.connection;
    std::optional<std::system_error> broke;
    std::size_t in_pipe = 0;
    std::span<const std::byte> part;
    try {
        if (pipe != nullptr) {
            const std::size_t most =
                std::min<std::uint64_t>({left, pipe->room, shop_->rate.piece_bytes(), own_rate_.piece_bytes()});
            in_pipe = co_await ringlet::with_timeout(shop_->how.stall_timeout, server.splice_some(pipe->begin, most));
        }
        if (in_pipe == 0) part = co_await ringlet::with_timeout(shop_->how.stall_timeout, server.read_some());
    } catch (const ringlet::timeout_error&) {
        throw timeout_failure(
            fmt::format("no progress for {} {}", apps::format_duration(shop_->how.stall_timeout), so_far(*transfer_)));
    } catch (const std::system_error& error) {
        broke = error;
    }
    if (broke) throw broken(*transfer_, *broke);
    if (part.size() > left) throw protocol_failure("the server sends more than it announced");
    const std::size_t came = in_pipe + part.size();
    if (came == 0) co_return 0;
    transfer_->moved = ringlet::clock::now();
    check_size(transfer_->done_bytes + came);
    if (in_pipe > 0)
        co_await file_->write_from(*pipe, which, in_pipe);
    else
        co_await output_->write(which, part);
    transfer_->done_bytes += came;
    co_return came;
}

// The failure that led here is the one to be told of.
ringlet::task<> download::keep_what_came(std::size_t which) {
    try {
        co_await output_->flush(which);
    } catch (const std::exception&) {
        output_->forget(which);  // it is asked for again
    }
}

ringlet::task<> download::work_on(answer first, std::size_t which, expectation expected) {
    co_await receive(std::move(first), which, expected);
    co_await work_on_the_rest();
}

ringlet::task<> download::work_on_the_rest() {
    for (std::size_t i = 0; i < busy_.size(); ++i) {
        if (busy_[i] || output_->state().segments[i].complete()) continue;
        busy_[i] = true;
        co_await receive_segment(i);
    }
}

ringlet::task<> download::receive_segment(std::size_t which) {
    const bool secrets = source_.same_origin(url_);
    answer got = co_await shop_->connections.get(ask_for(source_, which), secrets);
    const http::status status = got.head->status;
    if (is_redirect(status))
        throw failure{reason::protocol, "the server has moved it meanwhile"}
            .with_status(to_number(status))
            .that_may_pass();
    if (status != http::status::partial_content && !is_success(status)) throw status_failure(*got.head);
    std::optional<expectation> part;
    if (status == http::status::partial_content)
        part = usable_part(got, which);
    else
        start_over("it has changed on the server");
    if (!part) throw failure{reason::protocol, stale_why_}.that_may_pass();
    co_await receive(std::move(got), which, *part);
}

}  // namespace fetch
