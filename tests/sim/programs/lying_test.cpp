// SPDX-License-Identifier: MIT
#include "catch.hpp"
#include "common/digest.hpp"
#include "dice.hpp"
#include "lying_server.hpp"
#include "programs.hpp"
#include <ringlet/core/bytes.hpp>
#include <ringlet/core/job.hpp>
#include <ringlet/core/task_group.hpp>
#include <ringlet/http/client.hpp>
#include <ringlet/io/fd.hpp>
#include <ringlet/io/system_calls.hpp>
#include <ringlet/net/tcp_listener.hpp>
#include <ringlet/net/tcp_stream.hpp>
#include <ringlet/testing/everywhere.hpp>
#include <ringlet/time/timeout.hpp>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include <fcntl.h>

namespace {

namespace net = ringlet::net;
namespace sys = ringlet::io::sys;
namespace testing = ringlet::testing;
using ringlet::task;
using ringlet::task_group;
using namespace std::chrono_literals;

constexpr std::string_view site_url = "http://127.0.0.1:8080";

// What must never be.
struct corruption : std::logic_error {
    using logic_error::logic_error;
};

using downloader = task<int> (*)(testing::simulation&, const fetch::options&);

task<int> ringlet_fetch(testing::simulation&, const fetch::options& how) { return programs::fetch(how); }

// --- clients that believe too much ---

enum class belief : std::uint8_t { everything, ranges };

// Appends what comes; one that believes ranges only what goes on where it stopped. Result: whether that is said to be all.
task<bool> append_the_rest(const fetch::item& wanted, std::string& got, belief how) {
    net::tcp_stream stream = co_await net::tcp_stream::connect(net::endpoint::loopback_v4(8080));
    ringlet::http::client_connection server{std::move(stream)};
    ringlet::http::request_head asked;
    asked.target = wanted.url.substr(site_url.size());
    asked.fields.add("Host", "a");
    if (!got.empty()) asked.fields.add("Range", fmt::format("bytes={}-", got.size()));
    const auto* const head = co_await server.request(asked);
    if (to_number(head->status) / 100 != 2) co_return false;
    const std::string right = fmt::format("bytes {}-", got.size());
    if (how == belief::ranges && head->status != ringlet::http::status::partial_content) got.clear();
    if (how == belief::ranges && !got.empty() && !head->fields.get("Content-Range").value_or("").starts_with(right))
        co_return false;
    for (;;) {
        const auto part = co_await ringlet::with_timeout(30s, server.read_some());
        if (part.empty()) co_return true;
        got += ringlet::as_text(part);
    }
}

task<int> believe(testing::simulation& world, const fetch::options& how, belief what) {
    int status = 0;
    for (const fetch::item& wanted : how.items) {
        std::string got;
        bool whole = false;
        for (unsigned tries = 0; tries < how.tries && !whole; ++tries) {
            try {
                whole = co_await append_the_rest(wanted, got, what);
            } catch (const std::exception&) {  // once more
            }
        }
        if (whole)
            world.write_file(how.directory + wanted.url.substr(site_url.size()), got);
        else
            status = 1;
    }
    co_return status;
}

task<int> believe_everything(testing::simulation& world, const fetch::options& how) {
    return believe(world, how, belief::everything);
}
task<int> believe_ranges(testing::simulation& world, const fetch::options& how) {
    return believe(world, how, belief::ranges);
}

// --- one seed ---

// How a run ends, if not by itself.
enum class stop : std::uint8_t { none, by_signal, at_once };

struct rules {
    bool is_stopped = true;     ///< some of the runs
    bool may_have_sums = true;  ///< some of the seeds
    bool faultless = true;      ///< the kernel does nothing that it may not do to every program
};

// A server that lies, and a downloader that is run and stopped until it has what it wants.
class story {
public:
    story(testing::simulation& world, downloader program, const rules& how = rules{})
        : world_{world}, program_{program}, rules_{how}, roll_{world.seed()}, site_{~world.seed(), temper()} {
        plan();
    }

    // Runs the downloader a few times. Result: its exit status in the last run; nothing if it did not end by itself.
    std::optional<int> run_on() {
        for (int left = 4; left > 0 && status_ != 0; --left) {
            run_once(rules_.is_stopped ? static_cast<stop>(roll_.below(3)) : stop::none);
            check();
        }
        return status_;
    }
    // Once more, with a server that does not lie any more; twice where only the checksum tells what is wrong with a part
    // that was there.
    std::optional<int> run_honestly() {
        site_.repent();
        for (int left = with_checksums_ ? 2 : 1; left > 0 && status_ != 0; --left) {
            run_once(stop::none);
            check();
        }
        return status_;
    }

    const lying::origin& site() const noexcept { return site_; }
    unsigned stopped() const noexcept { return stopped_; }
    std::string to_string() const {
        std::string text = fmt::format("{} items, {} segments, {} tries, {}; ", wanted_.items.size(), wanted_.segments,
                                       wanted_.tries, with_checksums_ ? "checksums" : "no checksums");
        for (const auto& [lie, times] : site_.told()) text += fmt::format("{} {}, ", lie, times);
        return text + world_.errors();
    }

private:
    lying::temper temper() {
        constexpr std::array<unsigned, 5> lies{10, 25, 50, 75, 100};
        constexpr std::array<unsigned, 3> changes{0, 5, 25};
        with_checksums_ = rules_.may_have_sums && roll_.one_in(3);
        lying::temper how;
        how.lies_percent = lies[roll_.below(lies.size())];
        how.changes_percent = changes[roll_.below(changes.size())];
        how.beyond_detection = with_checksums_;
        how.fails = !rules_.faultless;
        return how;
    }

    void plan() {
        wanted_.directory = "/tmp/out";
        if (roll_.one_in(2)) wanted_.write_patience = {};  // each write is a slow one
        wanted_.segments = static_cast<unsigned>(1 + roll_.below(4));
        wanted_.segment_bytes_min = 1 + roll_.below(20'000);
        wanted_.jobs = static_cast<unsigned>(1 + roll_.below(4));
        wanted_.tries = static_cast<unsigned>(1 + roll_.below(6));
        wanted_.existing = static_cast<fetch::existing_file>(roll_.below(3));
        wanted_.durable = roll_.one_in(4);
        wanted_.quiet = roll_.one_in(2);
        if (roll_.one_in(8)) wanted_.rate = 2000 + roll_.below(200'000);
        for (std::size_t left = roll_.one_in(2) ? 1 : 2 + roll_.below(3); left > 0; --left) add_item();
    }

    void add_item() {
        std::size_t bytes = roll_.below(roll_.one_in(10) ? 2 : roll_.one_in(4) ? 300 * 1024 : 8000);
        if (roll_.one_in(50)) bytes += std::size_t{1} << 20;  // room is made for it
        const lying::document& file = site_.add(bytes);
        const std::string name = fmt::format("f{}", wanted_.items.size());
        fetch::item item{.url = fmt::format("{}/{}", site_url, name), .name = {}, .checksum = {}};
        if (with_checksums_) {
            apps::digest sum{apps::digest_algorithm::sha256};
            sum.update(ringlet::as_bytes(file.now().content));
            item.checksum = std::make_shared<const apps::wanted_digest>(
                apps::wanted_digest{.algorithm = apps::digest_algorithm::sha256, .hex = sum.hex()});
        }
        wanted_.items.push_back(std::move(item));
    }

    // --- a run ---

    static task<> serve(net::tcp_listener listener, lying::origin& site) { co_await site.serve(listener); }

    static task<> serve_and_download(task_group& group, story& self) {
        auto listener = net::tcp_listener::bind(net::endpoint::loopback_v4(8080));
        group.spawn(serve, std::move(listener), std::ref(self.site_));
        ringlet::job<int> program = ringlet::spawn(self.program_, std::ref(self.world_), std::cref(self.wanted_));
        struct until_end {
            ringlet::job<int>*& pointer;
            ~until_end() { pointer = nullptr; }
        };
        self.running_ = &program;
        const until_end no_longer{self.running_};
        co_await program.join();
        group.cancel();
        const std::exception_ptr failure = program.exception();
        if (failure) std::rethrow_exception(failure);
        self.status_ = co_await program.get();
    }

    void run_once(stop how) {
        status_.reset();
        after_.reset();
        const std::uint64_t at = roll_.below(std::uint64_t{1} << (1 + roll_.below(13)));
        const int signal = roll_.one_in(2) ? SIGINT : SIGTERM;
        world_.on_turn([this, how, at, signal](std::uint64_t turn) {
            if (turn != at || !running_ || how == stop::none) return;
            ++stopped_;
            if (how == stop::by_signal) {
                world_.signal(signal);
            } else {
                after_ = files();
                running_->cancel();
            }
        });
        try {
            world_.run(ringlet::with_task_group(serve_and_download, std::ref(*this)));
        } catch (const ringlet::cancelled&) {
        } catch (const std::logic_error&) {
            throw;
        } catch (const std::exception&) {  // it could not go on
        }
        if (after_) {
            check();  // it was not so sudden for the program: what it has cleaned up holds, too
            status_.reset();
            go_on_with(*after_);
        }
    }

    std::map<std::string, std::string> files() const {
        std::map<std::string, std::string> all;
        try {
            for (const std::string& name : world_.list(wanted_.directory))
                all.emplace(name, world_.read_file(wanted_.directory + "/" + name).value_or(""));
        } catch (const std::system_error&) {  // it was never made
        }
        return all;
    }

    // Another directory, with what had been there when the program was ended and could clean nothing up.
    void go_on_with(const std::map<std::string, std::string>& left) {
        wanted_.directory += "x";
        killed_ = true;
        for (const auto& [name, content] : left) {
            const std::string path = wanted_.directory + "/" + name;
            world_.write_file(path, content);
            if (name.find(".part") != std::string::npos) make_private(path);
        }
    }
    static void make_private(const std::string& path) {
        for (int tried = 0; tried < 1000; ++tried) {  // the plan may have no descriptor for it
            const ringlet::io::owned_fd file{sys::openat(AT_FDCWD, path.c_str(), O_RDWR | O_CLOEXEC)};
            if (file.get() >= 0 && sys::fchmod(file.get(), 0600) == 0) return;
        }
    }

    // --- what must hold at any time ---

    void check() const {
        std::set<std::size_t> there;
        std::size_t parts = 0;
        const auto all = files();
        for (const auto& [name, content] : all) {
            const std::size_t dot = std::min(name.find('.'), name.size());
            const std::string_view rest = std::string_view{name}.substr(dot);
            const std::size_t number = number_of(std::string_view{name}.substr(0, dot));
            if (killed_ && rest.ends_with(".part.state.new")) continue;
            if (rest.ends_with(".part.state")) {
                // Who is killed once the file has its name leaves the state alone.
                const std::string part = name.substr(0, name.rfind('.'));
                if (!killed_ || all.contains(part)) ++parts;
            } else if (rest.ends_with(".part")) {
                ++parts;
            } else if (rest.empty() || (rest.size() > 1 && rest[1] >= '1' && rest[1] <= '9')) {
                check_content(name, number, content);
                there.insert(number);
            } else {
                throw corruption{fmt::format("left behind: {}; {}", name, to_string())};
            }
        }
        if (status_ != 0) return;
        if (there.size() != wanted_.items.size())
            throw corruption{fmt::format("{} files, and no word of an error; {}", there.size(), to_string())};
        if (parts > 0 && rules_.faultless) throw corruption{"parts are left, and no word of an error; " + to_string()};
    }

    std::size_t number_of(std::string_view name) const {
        for (std::size_t i = 0; i < wanted_.items.size(); ++i)
            if (name == fmt::format("f{}", i)) return i;
        throw corruption{fmt::format("nobody wanted {}", name)};
    }

    void check_content(const std::string& name, std::size_t number, const std::string& content) const {
        const auto& all = site_.file(number).all;
        const bool right = with_checksums_ ? content == all.front().content
                                           : std::ranges::find(all, content, &lying::version::content) != all.end();
        if (right) return;
        std::string like;
        for (const lying::version& each : all) {
            const auto [differs, there] = std::ranges::mismatch(content, each.content);
            like += fmt::format("version {} of {} bytes up to {}, ", each.number, each.content.size(),
                                differs - content.begin());
        }
        throw corruption{
            fmt::format("{} of {} bytes was never served: it is {}{}", name, content.size(), like, to_string())};
    }

    testing::simulation& world_;
    downloader program_;
    rules rules_;
    dice roll_;
    bool with_checksums_ = false;
    lying::origin site_;
    fetch::options wanted_;
    ringlet::job<int>* running_ = nullptr;
    std::optional<int> status_;
    std::optional<std::map<std::string, std::string>> after_;
    unsigned stopped_ = 0;
    bool killed_ = false;
};

// Over all seeds.
struct tally {
    std::size_t in_spite = 0;  // succeeded after a lie
    std::size_t stopped = 0;
    std::map<std::string_view, std::uint64_t> told;

    void add(const story& one, bool succeeded) {
        if (succeeded && one.site().lies_told() > 0) ++in_spite;
        if (one.stopped() > 0) ++stopped;
        for (const auto& [name, times] : one.site().told()) told[name] += times;
    }
    std::string to_string() const {
        std::string text = fmt::format("{} succeeded after a lie, {} were stopped; told were:", in_spite, stopped);
        for (const auto& [name, times] : told) text += fmt::format(" \"{}\" {},", name, times);
        return text;
    }
};

}  // namespace

TEST_CASE("whatever a server says, a download has the right bytes or an error", "[programs]") {
    testing::hunt_options options;
    options.faults = testing::fault_plan::harmless(0.01);
    options.seeds = 2000;
    options.success_share = 0;  // of what the server does, not the kernel
    tally all;
    const auto report = testing::hunt(options, [&](testing::simulation& world) {
        story one{world, ringlet_fetch};
        const bool succeeded = one.run_on() == 0;
        all.add(one, succeeded);
        if (!succeeded && one.run_honestly() != 0)
            throw std::logic_error{"an honest server cannot help any more: " + one.to_string()};
        return succeeded;
    });
    INFO(report.to_string());
    INFO(all.to_string());
    CHECK(all.in_spite > options.seeds / 4);
    CHECK(all.stopped > options.seeds / 4);
    for (const std::string_view lie : lying::all_lies()) {
        INFO(lie);
        CHECK(all.told[lie] > 0);
    }
}

TEST_CASE("whatever a server says and a kernel does, a download has the right bytes or an error", "[programs]") {
    testing::hunt_options options;
    options.faults = testing::fault_plan::everything(0.005);
    options.seeds = 500;
    options.twice = true;
    tally all;
    const auto report = testing::hunt(options, [&](testing::simulation& world) {
        story one{world, ringlet_fetch, {.faultless = false}};
        const bool succeeded = one.run_on() == 0;
        all.add(one, succeeded);
        return succeeded;
    });
    INFO(report.to_string());
    INFO(all.to_string());
    CHECK(all.in_spite > options.seeds / 4);
    CHECK(report.succeeded < report.seeds);
}

TEST_CASE("a client that believes everything is found out, and one that looks at ranges alone", "[programs]") {
    testing::hunt_options options;
    options.faults = testing::fault_plan();
    options.seeds = 500;
    options.success_share = 0;
    for (const downloader credulous : {believe_everything, believe_ranges}) {
        std::size_t found = 0;
        testing::hunt(options, [&](testing::simulation& world) {
            story one{world, credulous, {.is_stopped = false, .may_have_sums = false}};
            try {
                one.run_on();
            } catch (const corruption&) {
                ++found;
            }
            return true;
        });
        CHECK(found > 50);
    }
}
